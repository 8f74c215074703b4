// Sources of kind `postgres` for the conformance suite, on a real server.
#pragma once

#include <memory>
#include <string>

#include "tests/conformance/adapter_under_test.h"

namespace sluice::adapters::conformance {

enum class PostgresVariant {
  kPlain,  // the whole key a primary key or unique index; text in the order of bytes
  kIcu,    // text with a collation of its own, whose order is another
  kView,   // read through a view
  kQuery,  // read through a query of the owner's
};

KindUnderTest PostgresKind(std::string name, PostgresVariant variant);

}  // namespace sluice::adapters::conformance
