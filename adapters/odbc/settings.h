// The settings of a source of kind `odbc`. docs/adapters/odbc.md says what each means.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "adapters/adapter.h"
#include "adapters/odbc/dialect.h"

namespace sluice::adapters::odbc {

struct OdbcSettings {
  std::string driver;  // its name in odbcinst.ini, or the path of its library
  std::string server;
  int port = 0;  // 0: the driver's own
  std::string database;
  std::string schema;  // empty: the dialect's own
  std::map<std::string, std::string> attributes;
  std::string user;
  // Where the password stands: a file or an environment variable, never the block itself.
  std::string password_file;
  std::string password_env;
  const Dialect* dialect = nullptr;  // null: what the source says of itself
  bool zone_is_utc = false;          // times without a zone are UTC

  int connect_timeout_ms = 5'000;
  int statement_timeout_ms = 10'000;
  int lock_timeout_ms = 2'000;
  int most_connections = 8;
  bool allow_writer = false;
  // Named by the owner: what a dataset may give as its table besides the schema's own.
  std::map<std::string, std::string> queries;
};

// DEFINITION_INVALID naming every wrong setting at once. No message holds a value.
absl::StatusOr<OdbcSettings> ParseSettings(const Settings& settings);

// What stands in the connection string; SOURCE_UNAVAILABLE where the password is not to be had. The
// result holds the password: it is for the driver alone.
absl::StatusOr<std::string> ConnectionString(const OdbcSettings& settings);

}  // namespace sluice::adapters::odbc
