#include "tests/conformance/xlsx_under_test.h"

namespace sluice::adapters::conformance {

INSTANTIATE_TEST_SUITE_P(Xlsx, AdapterConformance,
                         testing::ValuesIn(Variants({XlsxKind("Shared", XlsxVariant::kShared),
                                                     XlsxKind("Inline", XlsxVariant::kInline)},
                                                    1)),
                         KindName);

}  // namespace sluice::adapters::conformance
