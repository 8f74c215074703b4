// The kind `odbc` on PostgreSQL, MariaDB and SQLite, through their own drivers.
#pragma once

#include <string>
#include <vector>

#include "tests/conformance/adapter_under_test.h"

namespace sluice::adapters::conformance {

enum class OdbcVariant {
  kPostgres,
  kPostgresView,
  kMariadb,
  kMariadbView,
  kSqlite,
};

KindUnderTest OdbcKind(std::string name, OdbcVariant variant);

// Those that are run: under a sanitizer one, whose driver the others' adapter code shares.
std::vector<KindUnderTest> OdbcKinds();

}  // namespace sluice::adapters::conformance
