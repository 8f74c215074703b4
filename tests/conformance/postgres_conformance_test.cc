#include "tests/conformance/postgres_under_test.h"

namespace sluice::adapters::conformance {

INSTANTIATE_TEST_SUITE_P(Postgres, AdapterConformance,
                         testing::Values(PostgresKind("Plain", PostgresVariant::kPlain),
                                         PostgresKind("Icu", PostgresVariant::kIcu),
                                         PostgresKind("View", PostgresVariant::kView),
                                         PostgresKind("Query", PostgresVariant::kQuery)),
                         KindName);

}  // namespace sluice::adapters::conformance
