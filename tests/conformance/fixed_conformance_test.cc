#include "tests/conformance/fixed_under_test.h"

namespace sluice::adapters::conformance {

INSTANTIATE_TEST_SUITE_P(Fixed, AdapterConformance, testing::Values(FixedKind("Bytes")), KindName);

}  // namespace sluice::adapters::conformance
