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
#include "adapters/files/mistakes.h"
#include "adapters/files/place_settings.h"
#include "adapters/files/values.h"

namespace sluice::adapters::files {

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
  PlaceSettings place;
  std::string work_folder = "/var/tmp";
  std::string reject_folder;  // empty: records that are no rows stop every read
  Settings keys;              // "key", "key.TABLE"
  // The key that its owner states; empty where none is.
  std::vector<std::string> KeyOf(std::string_view table) const;
};

// Reads what is common and hands each other setting to `take`, which gives what is wrong with it,
// and nothing where it is no setting of the kind. `suffix`: how files' names end where nothing is
// said. `packing`: whether files of the kind may be compressed.
enum class Packing { kAny, kNone };
FileSettings ParseFileSettings(
    const Settings& settings, std::string_view kind, std::string_view suffix, Mistakes& mistakes,
    const std::function<std::optional<Mistake>(const std::string& name, const std::string& value)>&
        take,
    Packing packing = Packing::kAny);

}  // namespace sluice::adapters::files
