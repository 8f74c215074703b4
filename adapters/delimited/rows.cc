#include "adapters/delimited/rows.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "adapters/files/errors.h"
#include "gateway/base/error.h"

namespace sluice::adapters::delimited {

std::string_view Unescaped(std::string_view text, bool quoted, const Dialect& dialect,
                           std::string& scratch) {
  scratch.clear();
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escapes =
        (dialect.backslash && text[i] == '\\') || (quoted && text[i] == *dialect.quote);
    if (escapes && i + 1 < text.size()) ++i;
    scratch.push_back(text[i]);
  }
  return scratch;
}

absl::StatusOr<std::unique_ptr<DelimitedRows>> DelimitedRows::Make(
    std::shared_ptr<const DelimitedSettings> settings, std::shared_ptr<const Content> content,
    const files::Layout& layout, std::string table,
    const std::vector<files::ColumnRequest>& columns) {
  SLUICE_ASSIGN_OR_RETURN(auto decoder, files::Decoder::Make(settings->dialect.encoding));
  const std::string name = table;
  std::unique_ptr<DelimitedRows> rows(new DelimitedRows(std::move(settings), std::move(content),
                                                        std::move(table), std::move(decoder)));
  rows->columns_ = layout.columns.size();
  for (const files::ColumnRequest& column : columns)
    rows->parts_.push_back(
        {column.column, column.type, rows->settings_->rules.RuleOf(name, column.name)});
  std::vector<std::string> names;
  for (const ColumnDescription& column : layout.columns) names.push_back(column.name);
  rows->stream_.SetColumns(std::move(names));
  return rows;
}

absl::StatusOr<bool> DelimitedRows::Next(const Watch& watch) {
  can_go_on_ = false;
  SLUICE_ASSIGN_OR_RETURN(const bool any, stream_.Next(watch));
  if (!any) return false;
  can_go_on_ = true;
  SLUICE_RETURN_IF_ERROR(Check());
  return true;
}

absl::Status DelimitedRows::Check() const {
  const auto& fields = stream_.fields();
  if (fields.size() == columns_) return absl::OkStatus();
  const bool ends_in_separator = fields.size() == columns_ + 1 && !fields.back().quoted &&
                                 fields.back().begin == fields.back().end;
  if (ends_in_separator && settings_->dialect.drops_trailing_separator) return absl::OkStatus();
  const std::string count = fields.size() > kMostColumns ? absl::StrCat("over ", kMostColumns)
                                                         : absl::StrCat(fields.size());
  return files::BadRecord({stream_.table(), "line", place()},
                          absl::StrCat("the row has ", count, " fields, and the table ", columns_,
                                       ends_in_separator ? ": it ends in a separator" : ""));
}

bool DelimitedRows::IsNull(const FieldSpan& span, std::string_view text) const {
  const NullRule& nulls = settings_->nulls;
  if (text.empty()) return span.quoted ? nulls.quoted_empty : nulls.empty;
  return !span.quoted && !nulls.words.empty() &&
         std::find(nulls.words.begin(), nulls.words.end(), text) != nulls.words.end();
}

std::optional<files::Value> DelimitedRows::Read(size_t i) {
  const Part& part = parts_[i];
  const FieldSpan& span = stream_.fields()[part.column];
  auto text = decoder_.Decode(stream_.Raw(span), decoded_);
  if (!text) {
    why_ = "bytes that mean nothing in the file's encoding";
    return std::nullopt;
  }
  if (IsNull(span, *text)) return files::Value();
  if (span.escaped) text = Unescaped(*text, span.quoted, settings_->dialect, unescaped_);
  why_ = "";
  return files::ParseValue(*text, part.type, part.rule, scratch_);
}

int64_t DelimitedRows::MostBytes() const {
  constexpr int64_t kFixed = 17;  // of the widest type, or an offset, and a bit of validity
  const auto expansion = static_cast<int64_t>(files::Expansion(settings_->dialect.encoding));
  int64_t bytes = 0;
  for (const Part& part : parts_) {
    bytes += kFixed;
    if (part.type.id != records::TypeId::kUtf8 && part.type.id != records::TypeId::kBinary)
      continue;
    const FieldSpan& span = stream_.fields()[part.column];
    bytes += static_cast<int64_t>(span.end - span.begin) * expansion;
  }
  return bytes;
}

}  // namespace sluice::adapters::delimited
