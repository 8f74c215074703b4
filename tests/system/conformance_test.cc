// The adapters' conformance suite, through a real gateway over mutual TLS.
#include "tests/conformance/postgres_under_test.h"
#include "tests/conformance/remote_under_test.h"
#include "tests/conformance/sqlite_under_test.h"
#include "tests/system/through_gateway.h"

namespace sluice::adapters::conformance {

INSTANTIATE_TEST_SUITE_P(
    ThroughGateway, AdapterConformance,
    testing::Values(system_test::ThroughGateway(SqliteKind("Sqlite", SqliteVariant::kPlain)),
                    system_test::ThroughGateway(PostgresKind("Postgres", PostgresVariant::kPlain)),
                    system_test::ThroughGateway(RemoteKind("Remote",
                                                           SqliteKind("", SqliteVariant::kPlain)))),
    KindName);

}  // namespace sluice::adapters::conformance
