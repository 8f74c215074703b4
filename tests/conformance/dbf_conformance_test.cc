#include "tests/conformance/dbf_under_test.h"

namespace sluice::adapters::conformance {

INSTANTIATE_TEST_SUITE_P(Dbf, AdapterConformance,
                         testing::Values(DbfKind("Varchar", DbfVariant::kVarchar),
                                         DbfKind("Memos", DbfVariant::kMemos)),
                         KindName);

}  // namespace sluice::adapters::conformance
