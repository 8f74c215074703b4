// Sources of kind `xlsx` for the conformance suite.
#pragma once

#include <string>

#include "tests/conformance/adapter_under_test.h"

namespace sluice::adapters::conformance {

enum class XlsxVariant {
  kInline,  // texts in their cells, a sheet a file, in the key's order
  kShared,  // texts shared, the table the second sheet of its file, in no order, a small index
};

KindUnderTest XlsxKind(std::string name, XlsxVariant variant);

}  // namespace sluice::adapters::conformance
