#include "tests/conformance/odbc_under_test.h"

namespace sluice::adapters::conformance {

INSTANTIATE_TEST_SUITE_P(Odbc, AdapterConformance, testing::ValuesIn(OdbcKinds()), KindName);

}  // namespace sluice::adapters::conformance
