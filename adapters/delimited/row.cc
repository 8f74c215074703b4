#include "adapters/delimited/row.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "adapters/delimited/errors.h"
#include "adapters/delimited/key.h"
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

absl::StatusOr<std::unique_ptr<Row>> Row::Make(std::shared_ptr<const DelimitedSettings> settings,
                                               const Layout& layout, std::string table,
                                               const std::vector<FieldRequest>& fields,
                                               const std::vector<int>& key) {
  SLUICE_ASSIGN_OR_RETURN(Decoder decoder, Decoder::Make(settings->dialect.encoding));
  std::unique_ptr<Row> row(new Row(std::move(settings), std::move(table), std::move(decoder)));
  row->columns_ = layout.columns.size();
  row->key_ = key;
  for (const FieldRequest& field : fields) {
    SLUICE_ASSIGN_OR_RETURN(const size_t column, layout.Find(row->table_, field.column));
    const std::string& name = layout.columns[column];
    row->parts_.push_back(
        {column, name, field.field.type, row->settings_->RuleOf(row->table_, name)});
  }
  return row;
}

absl::Status Row::Check(const RecordStream& stream) const {
  const auto& fields = stream.fields();
  if (fields.size() == columns_) return absl::OkStatus();
  const bool ends_in_separator = fields.size() == columns_ + 1 && !fields.back().quoted &&
                                 fields.back().begin == fields.back().end;
  if (ends_in_separator && settings_->dialect.drops_trailing_separator) return absl::OkStatus();
  const std::string count = fields.size() > kMostColumns ? absl::StrCat("over ", kMostColumns)
                                                         : absl::StrCat(fields.size());
  return BadRecord(table_, stream.place().line,
                   absl::StrCat("the row has ", count, " fields, and the table ", columns_,
                                ends_in_separator ? ": it ends in a separator" : ""));
}

bool Row::IsNull(const FieldSpan& span, std::string_view text) const {
  const NullRule& nulls = settings_->nulls;
  if (text.empty()) return span.quoted ? nulls.quoted_empty : nulls.empty;
  return !span.quoted && !nulls.words.empty() &&
         std::find(nulls.words.begin(), nulls.words.end(), text) != nulls.words.end();
}

std::optional<Value> Row::Read(const RecordStream& stream, size_t i) {
  const Part& part = parts_[i];
  const FieldSpan& span = stream.fields()[part.column];
  auto text = decoder_.Decode(stream.Raw(span), decoded_);
  if (!text) {
    why_ = "bytes that mean nothing in the file's encoding";
    return std::nullopt;
  }
  if (IsNull(span, *text)) return Value();
  if (span.escaped) text = Unescaped(*text, span.quoted, settings_->dialect, unescaped_);
  why_ = "";
  return ParseValue(*text, part.type, part.rule, scratch_);
}

int64_t Row::MostBytes(const RecordStream& stream) const {
  constexpr int64_t kFixed = 17;  // of the widest type, or an offset, and a bit of validity
  const auto expansion = static_cast<int64_t>(Expansion(settings_->dialect.encoding));
  int64_t bytes = 0;
  for (const Part& part : parts_) {
    bytes += kFixed;
    if (part.type.id != records::TypeId::kUtf8 && part.type.id != records::TypeId::kBinary)
      continue;
    const FieldSpan& span = stream.fields()[part.column];
    bytes += static_cast<int64_t>(span.end - span.begin) * expansion;
  }
  return bytes;
}

absl::Status Row::Key(const RecordStream& stream, std::string& key) {
  key.clear();
  for (const int i : key_) {
    const Part& part = parts_[i];
    const auto value = Read(stream, i);
    const auto* const text = value ? std::get_if<std::string_view>(&*value) : nullptr;
    bool too_long = text != nullptr && text->size() > kMostKeyBytes;
    if (value && !too_long) AppendKey(*value, key);
    too_long = too_long || key.size() > kMostKeyBytes;
    if (value && !too_long) continue;
    const std::string what = too_long ? absl::StrCat("a key of over ", kMostKeyBytes, " bytes")
                             : *why_  ? std::string(why_)
                                      : "not a " + records::ToString(part.type);
    return BadField(table_, stream.place().line, part.name, what);
  }
  return absl::OkStatus();
}

}  // namespace sluice::adapters::delimited
