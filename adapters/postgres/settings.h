// The settings of a source of kind `postgres`. docs/adapters/postgres.md says what each means.
#pragma once

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "adapters/adapter.h"

namespace sluice::adapters::postgres {

// How the server proves who it is. There is no way to take TLS where it happens to be offered.
enum class Tls {
  kVerifyFull,  // its certificate is from the root named, and for this host
  kVerifyCa,    // from the root named
  kDisable,     // a Unix socket, or the gateway's own machine; nowhere else
};

struct PostgresSettings {
  std::string host;  // a name, an address, or the folder of a Unix socket
  int port = 5432;
  std::string database;
  std::string user;
  std::string schema = "public";
  // Where the password stands: a file or an environment variable, never the block itself.
  std::string password_file;
  std::string password_env;

  Tls tls = Tls::kVerifyFull;
  std::string root_certificate;
  std::string revocation_list;
  std::string certificate;
  std::string key;

  std::string application_name = "sluice";
  int connect_timeout_ms = 5'000;
  int statement_timeout_ms = 10'000;
  int lock_timeout_ms = 2'000;
  int idle_timeout_ms = 60'000;
  int most_connections = 8;
  bool allow_writing_role = false;
  // Named by the owner: what a dataset may give as its table besides the schema's own.
  std::map<std::string, std::string> queries;
};

// DEFINITION_INVALID naming every wrong setting at once. No message holds a value.
absl::StatusOr<PostgresSettings> ParseSettings(const Settings& settings);

}  // namespace sluice::adapters::postgres
