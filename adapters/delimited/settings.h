// The settings of a source of kind `delimited`.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/adapter.h"
#include "adapters/delimited/dialect.h"
#include "adapters/delimited/folder.h"
#include "adapters/delimited/values.h"

namespace sluice::adapters::delimited {

struct DelimitedSettings {
  Folder folder;
  Dialect dialect;
  std::vector<std::string> columns;  // names, where the file has no header
  NullRule nulls;
  std::string work_folder = "/var/tmp";

  // Settings that may be said of one column, or of one table's: "type.born", "type.people/born".
  Settings by_column;

  // The narrowest that is said of a setting for that column: of the table's, of every table's, of
  // all columns. Null where nothing is.
  const std::string* Find(std::string_view setting, std::string_view table,
                          std::string_view column) const;
  ValueRule RuleOf(std::string_view table, std::string_view column) const;
  // utf8 where nothing is said.
  records::DataType TypeOf(std::string_view table, std::string_view column) const;
  // The key that its owner states; empty where none is.
  std::vector<std::string> KeyOf(std::string_view table) const;
};

// DEFINITION_INVALID naming every wrong setting at once.
absl::StatusOr<DelimitedSettings> ParseSettings(const Settings& settings);

}  // namespace sluice::adapters::delimited
