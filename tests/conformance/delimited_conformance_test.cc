#include "tests/conformance/delimited_under_test.h"

namespace sluice::adapters::conformance {

INSTANTIATE_TEST_SUITE_P(
    Delimited, AdapterConformance,
    testing::ValuesIn(Variants({DelimitedKind("Plain", DelimitedVariant::kPlain),
                                DelimitedKind("Shuffled", DelimitedVariant::kShuffled),
                                DelimitedKind("OneFile", DelimitedVariant::kOneFile),
                                DelimitedKind("Tabs", DelimitedVariant::kTabs),
                                DelimitedKind("Gb18030", DelimitedVariant::kGb18030),
                                DelimitedKind("Utf16", DelimitedVariant::kUtf16)},
                               2)),
    KindName);

}  // namespace sluice::adapters::conformance
