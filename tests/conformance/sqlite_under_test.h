// Sources of kind `sqlite` for the conformance suite.
#pragma once

#include <memory>
#include <string>

#include "tests/conformance/adapter_under_test.h"

namespace sluice::adapters::conformance {

enum class SqliteVariant {
  kPlain,         // rollback journal, the whole key a primary key or unique index
  kWriteAhead,    // write-ahead log, its writer open
  kWithoutRowid,  // where the key lets it: stored by its primary key
  kView,          // read through a view
  kUtf16,         // text stored as UTF-16
  kShortRanges,   // every filter given up at once: filtered range by range
};

KindUnderTest SqliteKind(std::string name, SqliteVariant variant);

}  // namespace sluice::adapters::conformance
