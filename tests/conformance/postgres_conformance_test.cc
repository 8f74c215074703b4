#include "tests/conformance/postgres_under_test.h"

namespace sluice::adapters::conformance {

INSTANTIATE_TEST_SUITE_P(Postgres, AdapterConformance,
                         testing::ValuesIn(Variants({PostgresKind("Plain", PostgresVariant::kPlain),
                                                     PostgresKind("View", PostgresVariant::kView),
                                                     PostgresKind("Icu", PostgresVariant::kIcu),
                                                     PostgresKind("Query",
                                                                  PostgresVariant::kQuery)},
                                                    1)),
                         KindName);

}  // namespace sluice::adapters::conformance
