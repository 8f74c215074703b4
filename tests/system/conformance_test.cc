// The adapters' conformance suite, through a real gateway over mutual TLS.
#include <utility>
#include <vector>

#include "gateway/base/sanitized_testing.h"
#include "tests/conformance/odbc_under_test.h"
#include "tests/conformance/postgres_under_test.h"
#include "tests/conformance/remote_under_test.h"
#include "tests/conformance/sqlite_under_test.h"
#include "tests/system/through_gateway.h"

namespace sluice::adapters::conformance {
namespace {

// Under a sanitizer one kind: the others' own code runs there directly, and the gateway's is the
// same for each.
std::vector<KindUnderTest> KindsThroughGateway() {
  std::vector<KindUnderTest> kinds = {SqliteKind("Sqlite", SqliteVariant::kPlain)};
  if (!kSanitized) {
    kinds.push_back(PostgresKind("Postgres", PostgresVariant::kPlain));
    kinds.push_back(OdbcKind("OdbcMariadb", OdbcVariant::kMariadb));
    kinds.push_back(RemoteKind("Remote", SqliteKind("", SqliteVariant::kPlain)));
  }
  for (KindUnderTest& kind : kinds) kind = system_test::ThroughGateway(std::move(kind));
  return kinds;
}

INSTANTIATE_TEST_SUITE_P(ThroughGateway, AdapterConformance,
                         testing::ValuesIn(KindsThroughGateway()), KindName);

}  // namespace
}  // namespace sluice::adapters::conformance
