#include "adapters/delimited/layout.h"

#include "absl/strings/str_cat.h"
#include "adapters/delimited/rows.h"
#include "adapters/files/errors.h"
#include "gateway/base/error.h"

namespace sluice::adapters::delimited {
namespace {

using files::BadRecord;
using files::Decoder;

// Behind the byte order mark.
absl::StatusOr<Place> Start(const Content& content, const DelimitedSettings& settings,
                            const std::string& table) {
  char start[4];
  size_t read = 0;
  SLUICE_RETURN_IF_ERROR(content.Read(0, sizeof(start), start, &read));
  const auto mark = MarkSize({start, read}, settings.dialect.encoding);
  if (!mark)
    return BadRecord({table, "line", {}},
                     "the file begins with the byte order mark of another encoding");
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
      return BadRecord({stream.table(), "line", stream.place()},
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

absl::StatusOr<files::Layout> ReadLayout(const std::shared_ptr<const Content>& content,
                                         const DelimitedSettings& settings,
                                         const std::string& table, const Watch& watch) {
  RecordStream stream(content, settings.dialect, table);
  SLUICE_ASSIGN_OR_RETURN(const Place start, Start(*content, settings, table));
  stream.Seek(start);
  for (int64_t i = 0; i < settings.dialect.skip_lines; ++i) {
    SLUICE_ASSIGN_OR_RETURN(const bool skipped, stream.SkipLine(watch));
    if (!skipped) return BadRecord({table, "line", {0, i + 1}}, "the file ends before its header");
  }
  files::Layout layout;
  const auto add = [&](std::string name) {
    const auto type = settings.rules.TypeOf(table, name);
    layout.columns.push_back(
        {std::move(name), type.value_or(records::DataType{records::TypeId::kUtf8}), true, "text"});
  };
  for (const std::string& name : settings.columns) add(name);
  layout.rows = stream.NextPlace();
  if (!settings.dialect.header && !layout.columns.empty()) return layout;
  SLUICE_ASSIGN_OR_RETURN(const bool any, stream.Next(watch));
  if (!any && !settings.dialect.header) return layout;
  if (!any) return BadRecord({table, "line", stream.place()}, "the file has no header");
  if (stream.fields().size() > kMostColumns)
    return BadRecord({table, "line", stream.place()},
                     absl::StrCat("over ", kMostColumns, " columns, which is the most"));
  if (settings.dialect.header) {
    SLUICE_ASSIGN_OR_RETURN(std::vector<std::string> names, NamesOf(stream, settings));
    for (std::string& name : names) add(std::move(name));
    layout.rows = stream.NextPlace();
  } else {
    size_t count = stream.fields().size();
    const FieldSpan& last = stream.fields().back();
    if (settings.dialect.drops_trailing_separator && count > 1 && last.begin == last.end) --count;
    for (size_t i = 1; i <= count; ++i) add(absl::StrCat("column", i));
  }
  return layout;
}

}  // namespace sluice::adapters::delimited
