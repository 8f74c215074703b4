#include "adapters/files/format.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/view.h"

namespace sluice::adapters::files {

TableName TableName::Of(std::string_view name) {
  const size_t slash = name.find('/');
  if (slash == name.npos) return {std::string(name), ""};
  return {std::string(name.substr(0, slash)), std::string(name.substr(slash + 1))};
}

absl::StatusOr<size_t> Layout::Find(const TableName& table, std::string_view column) const {
  for (const bool folded : {false, true}) {
    std::optional<size_t> found;
    for (size_t i = 0; i < columns.size(); ++i) {
      const bool same = folded ? absl::EqualsIgnoreCase(columns[i].name, View(column))
                               : columns[i].name == column;
      if (same && found)
        return Drift(
            absl::StrCat("table '", table.Full(), "' has column '", View(column), "' twice"));
      if (same) found = i;
    }
    if (found) return *found;
  }
  return Drift(absl::StrCat("table '", table.Full(), "' has no column '", View(column), "'"));
}

}  // namespace sluice::adapters::files
