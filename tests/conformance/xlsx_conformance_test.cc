#include "tests/conformance/xlsx_under_test.h"

namespace sluice::adapters::conformance {

INSTANTIATE_TEST_SUITE_P(Xlsx, AdapterConformance,
                         testing::Values(XlsxKind("Inline", XlsxVariant::kInline),
                                         XlsxKind("Shared", XlsxVariant::kShared)),
                         KindName);

}  // namespace sluice::adapters::conformance
