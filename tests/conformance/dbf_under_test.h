// Sources of kind `dbf` for the conformance suite.
#pragma once

#include <string>

#include "tests/conformance/adapter_under_test.h"

namespace sluice::adapters::conformance {

enum class DbfVariant {
  kVarchar,  // Visual FoxPro, texts in varchar where they fit, else in memos; in the key's order
  kMemos,    // all texts in memos, records in no order among deleted ones, a small index
};

KindUnderTest DbfKind(std::string name, DbfVariant variant);

}  // namespace sluice::adapters::conformance
