#include "tests/conformance/sqlite_under_test.h"

namespace sluice::adapters::conformance {

INSTANTIATE_TEST_SUITE_P(
    Sqlite, AdapterConformance,
    testing::ValuesIn(Variants({SqliteKind("Plain", SqliteVariant::kPlain),
                                SqliteKind("ShortRanges", SqliteVariant::kShortRanges),
                                SqliteKind("WriteAhead", SqliteVariant::kWriteAhead),
                                SqliteKind("WithoutRowid", SqliteVariant::kWithoutRowid),
                                SqliteKind("View", SqliteVariant::kView),
                                SqliteKind("Utf16", SqliteVariant::kUtf16)},
                               2)),
    KindName);

}  // namespace sluice::adapters::conformance
