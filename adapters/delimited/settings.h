// The settings of a source of kind `delimited`.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/delimited/dialect.h"
#include "adapters/files/settings.h"
#include "adapters/files/values.h"

namespace sluice::adapters::delimited {

// What is null.
struct NullRule {
  bool empty = true;               // nothing at all between two separators
  bool quoted_empty = false;       // ""
  std::vector<std::string> words;  // unquoted, as they stand in the file
};

// How files are read, wherever they are.
struct DelimitedSettings {
  Dialect dialect;
  std::vector<std::string> columns;  // names, where the file has no header
  NullRule nulls;
  files::ColumnRules rules;
};

struct SourceSettings {
  DelimitedSettings format;
  files::FileSettings files;
};

// DEFINITION_INVALID naming every wrong setting at once.
absl::StatusOr<SourceSettings> ParseSettings(const Settings& settings);

}  // namespace sluice::adapters::delimited
