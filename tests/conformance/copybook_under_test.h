// Sources of kind `copybook` for the conformance suite: the suite's tables as a COBOL program would
// write them.
#pragma once

#include <memory>
#include <string>

#include "tests/conformance/adapter_under_test.h"

namespace sluice::adapters::conformance {

enum class CopybookVariant {
  kFixed,  // fixed records, packed numbers, UTF-8, in the key's order
  // Record descriptor words where they can say the length, zoned numbers, GB18030, in no order, and
  // an index that is spilt and merged in the smallest pieces.
  kRdw,
};

KindUnderTest CopybookKind(std::string name, CopybookVariant variant);

}  // namespace sluice::adapters::conformance
