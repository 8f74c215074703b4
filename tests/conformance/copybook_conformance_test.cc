#include "tests/conformance/copybook_under_test.h"

namespace sluice::adapters::conformance {

INSTANTIATE_TEST_SUITE_P(Copybook, AdapterConformance,
                         testing::Values(CopybookKind("Fixed", CopybookVariant::kFixed),
                                         CopybookKind("Rdw", CopybookVariant::kRdw)),
                         KindName);

}  // namespace sluice::adapters::conformance
