// The adapter in Python that docs/adapters/remote.md shows (clients/python/adapter.py), as a
// process that all cases share, for the conformance suite.
#pragma once

#include <string>

#include "tests/conformance/adapter_under_test.h"

namespace sluice::adapters::conformance {

KindUnderTest PythonKind(std::string name);

}  // namespace sluice::adapters::conformance
