#include "adapters/fixed/layout.h"

#include <algorithm>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "adapters/files/settings.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"

namespace sluice::adapters::fixed {
namespace {

absl::Status LayoutMistake(size_t entry, std::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat("has a mistake in entry ", entry, ": ", View(what)));
}

absl::StatusOr<FixedColumn> ParseEntry(std::string_view text, size_t entry, size_t behind) {
  const size_t colon = text.rfind(':');
  if (colon == text.npos || colon == 0)
    return LayoutMistake(entry, "must be NAME:WIDTH or NAME:FIRST-LAST");
  FixedColumn column;
  column.name = std::string(text.substr(0, colon));
  const std::string_view places = text.substr(colon + 1);
  const size_t hyphen = places.find('-');
  size_t first = behind + 1, last = 0;
  if (hyphen == places.npos) {
    size_t width = 0;
    if (!absl::SimpleAtoi(View(places), &width) || width < 1 || width > kMostWidth)
      return LayoutMistake(entry, absl::StrCat("the width must be 1 to ", kMostWidth));
    last = behind + width;
  } else if (!absl::SimpleAtoi(View(places.substr(0, hyphen)), &first) ||
             !absl::SimpleAtoi(View(places.substr(hyphen + 1)), &last) || first < 1 ||
             last < first) {
    return LayoutMistake(entry, "places are counted from 1, the first before the last: 7-36");
  }
  if (last > kMostWidth)
    return LayoutMistake(entry, absl::StrCat("a record has at most ", kMostWidth, " places"));
  column.begin = first - 1;
  column.end = last;
  return column;
}

// Commas and line ends between entries, but not within quotes.
std::string OneLine(std::string_view text) {
  std::string line;
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    const bool ends = c == '\n' && !quoted;
    if (c == '\r' && !quoted) continue;
    if (!ends) {
      line.push_back(c);
    } else if (!line.empty() && line.back() != ',') {
      line.push_back(',');
    }
  }
  while (!line.empty() && line.back() == ',') line.pop_back();
  return line;
}

}  // namespace

absl::StatusOr<RecordLayout> ParseLayout(std::string_view text) {
  SLUICE_ASSIGN_OR_RETURN(const auto entries, files::ParseList(OneLine(text)));
  RecordLayout layout;
  std::set<std::string> names;
  size_t behind = 0;
  for (size_t i = 0; i < entries.size(); ++i) {
    SLUICE_ASSIGN_OR_RETURN(FixedColumn column, ParseEntry(entries[i], i + 1, behind));
    behind = column.end;
    layout.width = std::max(layout.width, column.end);
    if (column.name == "-") continue;
    if (!names.insert(column.name).second)
      return LayoutMistake(i + 1, absl::StrCat("column '", column.name, "' stands there twice"));
    layout.columns.push_back(std::move(column));
  }
  if (layout.columns.empty()) return absl::InvalidArgumentError("must name a column");
  if (layout.columns.size() > kMostColumns)
    return absl::InvalidArgumentError(absl::StrCat("has over ", kMostColumns, " columns"));
  return layout;
}

}  // namespace sluice::adapters::fixed
