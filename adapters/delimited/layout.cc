#include "adapters/delimited/layout.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/delimited/errors.h"
#include "adapters/delimited/row.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"

namespace sluice::adapters::delimited {
namespace {

// Behind the byte order mark.
absl::StatusOr<Place> Start(const SourceFile& file, const DelimitedSettings& settings,
                            const std::string& table) {
  char start[4];
  size_t read = 0;
  SLUICE_RETURN_IF_ERROR(file.Read(0, sizeof(start), start, &read));
  const auto mark = MarkSize({start, read}, settings.dialect.encoding);
  if (!mark)
    return BadRecord(table, 1, "the file begins with the byte order mark of another encoding");
  return Place{static_cast<int64_t>(*mark), 1};
}

absl::StatusOr<std::vector<std::string>> NamesOf(const RecordStream& stream,
                                                 const DelimitedSettings& settings) {
  SLUICE_ASSIGN_OR_RETURN(Decoder decoder, Decoder::Make(settings.dialect.encoding));
  std::vector<std::string> names;
  for (const FieldSpan& field : stream.fields()) {
    std::string decoded, unescaped;
    auto name = decoder.Decode(stream.Raw(field), decoded);
    if (!name)
      return BadRecord(stream.table(), stream.place().line,
                       absl::StrCat("the name of column ", names.size() + 1,
                                    " has bytes that mean nothing in the file's encoding"));
    if (field.escaped) name = Unescaped(*name, field.quoted, settings.dialect, unescaped);
    names.emplace_back(*name);
  }
  if (settings.dialect.drops_trailing_separator && names.size() > 1 && names.back().empty())
    names.pop_back();
  return names;
}

}  // namespace

absl::StatusOr<size_t> Layout::Find(std::string_view table, std::string_view column) const {
  for (const bool folded : {false, true}) {
    std::optional<size_t> found;
    for (size_t i = 0; i < columns.size(); ++i) {
      const bool same =
          folded ? absl::EqualsIgnoreCase(columns[i], View(column)) : columns[i] == column;
      if (same && found)
        return Drift(
            absl::StrCat("table '", View(table), "' has column '", View(column), "' twice"));
      if (same) found = i;
    }
    if (found) return *found;
  }
  return Drift(absl::StrCat("table '", View(table), "' has no column '", View(column), "'"));
}

absl::StatusOr<Layout> ReadLayout(const std::shared_ptr<const SourceFile>& file,
                                  const DelimitedSettings& settings, const std::string& table,
                                  const Watch& watch) {
  RecordStream stream(file, settings.dialect, table);
  SLUICE_ASSIGN_OR_RETURN(const Place start, Start(*file, settings, table));
  stream.Seek(start);
  for (int64_t i = 0; i < settings.dialect.skip_lines; ++i) {
    SLUICE_ASSIGN_OR_RETURN(const bool skipped, stream.SkipLine(watch));
    if (!skipped) return BadRecord(table, i + 1, "the file ends before its header");
  }
  Layout layout;
  layout.columns = settings.columns;
  layout.rows = stream.NextPlace();
  if (!settings.dialect.header && !layout.columns.empty()) return layout;
  SLUICE_ASSIGN_OR_RETURN(const bool any, stream.Next(watch));
  if (!any && !settings.dialect.header) return layout;
  if (!any) return BadRecord(table, stream.place().line, "the file has no header");
  if (stream.fields().size() > kMostColumns)
    return BadRecord(table, stream.place().line,
                     absl::StrCat("over ", kMostColumns, " columns, which is the most"));
  if (settings.dialect.header) {
    SLUICE_ASSIGN_OR_RETURN(layout.columns, NamesOf(stream, settings));
    layout.rows = stream.NextPlace();
  } else {
    size_t count = stream.fields().size();
    const FieldSpan& last = stream.fields().back();
    if (settings.dialect.drops_trailing_separator && count > 1 && last.begin == last.end) --count;
    for (size_t i = 1; i <= count; ++i) layout.columns.push_back(absl::StrCat("column", i));
  }
  return layout;
}

}  // namespace sluice::adapters::delimited
