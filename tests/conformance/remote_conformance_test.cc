#include "tests/conformance/python_under_test.h"
#include "tests/conformance/remote_under_test.h"
#include "tests/conformance/sqlite_under_test.h"

namespace sluice::adapters::conformance {

INSTANTIATE_TEST_SUITE_P(Remote, AdapterConformance,
                         testing::Values(RemoteKind("OverSqlite",
                                                    SqliteKind("", SqliteVariant::kPlain)),
                                         PythonKind("InPython")),
                         KindName);

}  // namespace sluice::adapters::conformance
