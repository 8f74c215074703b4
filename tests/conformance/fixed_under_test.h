// Sources of kind `fixed` for the conformance suite.
#pragma once

#include <memory>
#include <string>

#include "tests/conformance/adapter_under_test.h"

namespace sluice::adapters::conformance {

KindUnderTest FixedKind(std::string name);

}  // namespace sluice::adapters::conformance
