#include "tests/conformance/dbf_under_test.h"

namespace sluice::adapters::conformance {

INSTANTIATE_TEST_SUITE_P(Dbf, AdapterConformance,
                         testing::ValuesIn(Variants({DbfKind("Memos", DbfVariant::kMemos),
                                                     DbfKind("Varchar", DbfVariant::kVarchar)},
                                                    1)),
                         KindName);

}  // namespace sluice::adapters::conformance
