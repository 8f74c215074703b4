#include "tests/conformance/sqlite_under_test.h"

namespace sluice::adapters::conformance {

INSTANTIATE_TEST_SUITE_P(Sqlite, AdapterConformance,
                         testing::Values(SqliteKind("Plain", SqliteVariant::kPlain),
                                         SqliteKind("WriteAhead", SqliteVariant::kWriteAhead),
                                         SqliteKind("WithoutRowid", SqliteVariant::kWithoutRowid),
                                         SqliteKind("View", SqliteVariant::kView),
                                         SqliteKind("Utf16", SqliteVariant::kUtf16),
                                         SqliteKind("ShortRanges", SqliteVariant::kShortRanges)),
                         KindName);

}  // namespace sluice::adapters::conformance
