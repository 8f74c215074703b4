#include "tests/conformance/copybook_under_test.h"

namespace sluice::adapters::conformance {

INSTANTIATE_TEST_SUITE_P(Copybook, AdapterConformance,
                         testing::ValuesIn(Variants({CopybookKind("Rdw", CopybookVariant::kRdw),
                                                     CopybookKind("Fixed",
                                                                  CopybookVariant::kFixed)},
                                                    1)),
                         KindName);

}  // namespace sluice::adapters::conformance
