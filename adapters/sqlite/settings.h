// The settings of a source of kind `sqlite`.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "adapters/adapter.h"

namespace sluice::adapters::sqlite {

struct SqliteSettings {
  std::string file;             // as SQLite is to open it: absolute, or beginning with "./"
  int busy_timeout_ms = 2'000;  // how long a read waits for the owner's writer; 0 to 30,000
};

// DEFINITION_INVALID naming every wrong setting at once.
absl::StatusOr<SqliteSettings> ParseSettings(const Settings& settings);

}  // namespace sluice::adapters::sqlite
