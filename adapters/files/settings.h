// Settings that sources of files have in common, whatever the files' format, and what a format
// needs to read its own. docs/adapters/files.md has the tables.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/adapter.h"
#include "adapters/files/folder.h"
#include "adapters/files/values.h"

namespace sluice::adapters::files {

// What is wrong with a value, to be read behind the setting's name; empty for nothing.
using Mistake = std::string;

// All that is wrong with a source's settings.
class Mistakes {
 public:
  void Add(std::string_view setting, Mistake mistake);  // nothing where it is empty
  bool any() const { return !mistakes_.empty(); }
  // DEFINITION_INVALID that names each; OK where there is none.
  absl::Status AsStatus() const;

 private:
  std::vector<std::pair<std::string, Mistake>> mistakes_;
};

// A list as one line of CSV.
absl::StatusOr<std::vector<std::string>> ParseList(std::string_view text);
Mistake TakePath(const std::string& value);
Mistake TakeNumber(const std::string& value, int64_t least, int64_t most, int64_t& number);
// One of two words; `flag` is whether it is the second.
Mistake TakeChoice(const std::string& value, std::string_view no, std::string_view yes, bool& flag);

// Settings that may be said of one column, or of one table's: "type.born", "type.people/born": how
// text is a value, and what Describe says of it.
class ColumnRules {
 public:
  // Whether the name is one of them; then `mistake` is what is wrong with the value.
  bool Take(const std::string& name, const std::string& value, Mistake& mistake);
  ValueRule RuleOf(std::string_view table, std::string_view column) const;
  // Nothing where nothing is said.
  std::optional<records::DataType> TypeOf(std::string_view table, std::string_view column) const;

 private:
  const std::string* Find(std::string_view setting, std::string_view table,
                          std::string_view column) const;

  Settings by_column_;
};

struct FileSettings {
  Folder folder;
  std::string work_folder = "/var/tmp";
  std::string reject_folder;  // empty: records that are no rows stop every read
  Settings keys;              // "key", "key.TABLE"
  // The key that its owner states; empty where none is.
  std::vector<std::string> KeyOf(std::string_view table) const;
};

// Reads what is common and hands each other setting to `take`, which gives what is wrong with it,
// and nothing where it is no setting of the kind. `suffix`: how files' names end where nothing is
// said.
FileSettings ParseFileSettings(
    const Settings& settings, std::string_view kind, std::string_view suffix, Mistakes& mistakes,
    const std::function<std::optional<Mistake>(const std::string& name, const std::string& value)>&
        take);

}  // namespace sluice::adapters::files
