#include "adapters/fixed/rows.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"

namespace sluice::adapters::fixed {
namespace {

using files::BadRecord;
using files::Encoding;
using records::TypeId;

// What a line may be longer than its record before it is given up.
constexpr size_t kMostSurplus = 64 << 10;
constexpr char kDosEnd = '\x1A';

// Of the character that the bytes begin with; 1 where they begin with none.
size_t CharacterSize(Encoding encoding, std::string_view bytes) {
  const auto first = static_cast<unsigned char>(bytes[0]);
  const auto second = bytes.size() > 1 ? static_cast<unsigned char>(bytes[1]) : 0;
  switch (encoding) {
    case Encoding::kUtf8:
      return first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    case Encoding::kGb18030:
      if (first < 0x81 || first == 0xFF) return 1;
      return second >= 0x30 && second <= 0x39 ? 4 : 2;
    case Encoding::kGbk:
    case Encoding::kBig5:
      return first < 0x81 || first == 0xFF ? 1 : 2;
    case Encoding::kUtf16Le:
      return (second & 0xFC) == 0xD8 ? 4 : 2;
    case Encoding::kUtf16Be:
      return (first & 0xFC) == 0xD8 ? 4 : 2;
    default:
      return 1;
  }
}

bool IsNumber(TypeId type) {
  return type == TypeId::kInt64 || type == TypeId::kFloat64 || type == TypeId::kDecimal128;
}

// Where the unit of that code stands first, on a border between units.
size_t FindUnit(std::string_view bytes, char code, Encoding encoding, size_t from) {
  if (files::UnitSize(encoding) == 1) return bytes.find(code, from);
  const size_t at = encoding == Encoding::kUtf16Le ? 0 : 1;
  for (size_t i = from; i + 1 < bytes.size(); i += 2)
    if (bytes[i + at] == code && bytes[i + 1 - at] == '\0') return i;
  return bytes.npos;
}

}  // namespace

absl::StatusOr<std::unique_ptr<FixedRows>> FixedRows::Make(
    std::shared_ptr<const FixedSettings> settings, const RecordLayout& layout,
    std::shared_ptr<const files::Content> content, std::string table,
    const std::vector<files::ColumnRequest>& columns) {
  std::optional<files::Decoder> decoder;
  std::optional<files::PageDecoder> page;
  if (settings->page != nullptr) {
    SLUICE_ASSIGN_OR_RETURN(auto made, files::PageDecoder::Make(settings->page));
    page.emplace(std::move(made));
  } else {
    SLUICE_ASSIGN_OR_RETURN(auto made, files::Decoder::Make(settings->encoding));
    decoder.emplace(std::move(made));
  }
  std::unique_ptr<FixedRows> rows(new FixedRows(std::move(settings), layout, std::move(content),
                                                std::move(table), std::move(decoder),
                                                std::move(page)));
  constexpr int64_t kFixedSize = 17;  // of the widest type, or an offset, and a bit of validity
  const int64_t character = rows->settings_->counts_characters ? 4 : 1;
  const int64_t expansion = rows->settings_->expansion();
  for (const files::ColumnRequest& column : columns) {
    const FixedColumn& where = layout.columns[column.column];
    rows->parts_.push_back({where.begin, where.end, column.type,
                            rows->settings_->rules.RuleOf(rows->table_, column.name),
                            rows->settings_->FieldRuleOf(rows->table_, column.name)});
    rows->most_bytes_ += kFixedSize;
    if (column.type.id == TypeId::kUtf8 || column.type.id == TypeId::kBinary)
      rows->most_bytes_ += static_cast<int64_t>(where.end - where.begin) * character * expansion;
  }
  return rows;
}

bool FixedRows::IsDosEnd(std::string_view bytes) const {
  return bytes.size() == 1 && bytes[0] == kDosEnd && !settings_->ebcdic();
}

size_t FixedRows::FindEnd(std::string_view bytes, size_t from) const {
  const char end = settings_->record_end_byte();
  if (settings_->unit() == 1) return bytes.find(end, from);
  return FindUnit(bytes, end, settings_->encoding, from);
}

absl::StatusOr<std::string_view> FixedRows::Line(size_t most, const files::Watch& watch,
                                                 size_t& size) {
  const size_t unit = settings_->unit();
  size = 0;
  size_t looked = 0;
  for (;;) {
    SLUICE_ASSIGN_OR_RETURN(const std::string_view bytes,
                            window_.At(next_.offset, looked + unit, watch));
    const bool last = next_.offset + static_cast<int64_t>(bytes.size()) >= window_.size();
    if (bytes.empty()) return std::string_view();
    if (last && IsDosEnd(bytes)) return std::string_view();
    const size_t end = FindEnd(bytes, looked);
    if (end != bytes.npos) {
      size = end + unit;
      return bytes.substr(0, end);
    }
    looked = bytes.size() / unit * unit;
    if (looked > most)
      return BadRecord(spot(), absl::StrCat("no end of the record within ", most, " bytes"));
    if (!last) continue;
    if (settings_->needs_last_record_end)
      return BadRecord(spot(), "the file ends without a record's end: it may have been cut short");
    size = bytes.size();
    return bytes;
  }
}

absl::StatusOr<bool> FixedRows::SkipLine(const files::Watch& watch) {
  place_ = next_;
  size_t size = 0;
  SLUICE_RETURN_IF_ERROR(Line(1 << 20, watch, size).status());
  next_ = {place_.offset + static_cast<int64_t>(size), 1};
  return size > 0;
}

absl::StatusOr<bool> FixedRows::Next(const files::Watch& watch) {
  place_ = next_;
  record_ = {};
  SLUICE_ASSIGN_OR_RETURN(const bool any, settings_->record_end == RecordEnd::kNone
                                              ? NextByLength(watch)
                                              : NextByLine(watch));
  return any;
}

absl::StatusOr<bool> FixedRows::NextByLength(const files::Watch& watch) {
  const size_t size = layout_.width * (settings_->counts_characters ? settings_->unit() : 1);
  SLUICE_ASSIGN_OR_RETURN(const std::string_view bytes, window_.At(next_.offset, size, watch));
  if (bytes.empty()) return false;
  const bool last = next_.offset + static_cast<int64_t>(bytes.size()) >= window_.size();
  if (last && IsDosEnd(bytes)) return false;
  if (bytes.size() < size) {
    record_ = bytes;
    next_ = {place_.offset + static_cast<int64_t>(bytes.size()), place_.number + 1};
    return BadRecord(spot(), absl::StrCat("the file ends within it: ", bytes.size(), " of ", size,
                                          " bytes; is the layout another file's?"));
  }
  record_ = bytes.substr(0, size);
  next_ = {place_.offset + static_cast<int64_t>(size), place_.number + 1};
  SLUICE_RETURN_IF_ERROR(CheckWidth());
  return true;
}

absl::StatusOr<bool> FixedRows::NextByLine(const files::Watch& watch) {
  const size_t unit = settings_->unit();
  const size_t most = layout_.width * (settings_->counts_characters ? 4 : 1) + kMostSurplus;
  size_t size = 0;
  SLUICE_ASSIGN_OR_RETURN(record_, Line(most, watch, size));
  if (size == 0) return false;
  const bool has_cr = record_.size() >= unit && FindUnit(record_, '\r', settings_->encoding,
                                                         record_.size() - unit) != record_.npos;
  const bool ended = record_.size() < size;
  next_ = {place_.offset + static_cast<int64_t>(size), place_.number + 1};
  if (settings_->record_end == RecordEnd::kCrLf && ended && !has_cr)
    return BadRecord(spot(), "it ends in LF alone, and record_end is crlf");
  const bool takes_cr =
      settings_->record_end != RecordEnd::kLf && settings_->record_end != RecordEnd::kNel;
  if (takes_cr && has_cr && ended) record_.remove_suffix(unit);
  SLUICE_RETURN_IF_ERROR(CheckWidth());
  return true;
}

void FixedRows::FindCharacters() {
  characters_.clear();
  if (page_) {
    page_->Characters(record_, characters_);
  } else {
    for (size_t at = 0; at < record_.size();
         at += CharacterSize(settings_->encoding, record_.substr(at)))
      characters_.push_back(at);
  }
  characters_.push_back(record_.size());
}

absl::Status FixedRows::CheckWidth() {
  size_t width = record_.size();
  if (settings_->counts_characters) {
    FindCharacters();
    width = characters_.size() - 1;
  }
  if (width == layout_.width) return absl::OkStatus();
  const bool is_short = width < layout_.width;
  if (is_short && settings_->pads_short_records && settings_->record_end != RecordEnd::kNone)
    return absl::OkStatus();
  const char* const counted = settings_->counts_characters ? " characters" : " bytes";
  return BadRecord(spot(),
                   absl::StrCat("it has ", width, counted, ", and the layout ", layout_.width,
                                is_short ? " (short_records: pad fills it up)" : ""));
}

std::string_view FixedRows::Slice(const Part& part) {
  if (!settings_->counts_characters) {
    if (part.begin >= record_.size()) return {};
    return record_.substr(part.begin, part.end - part.begin);
  }
  const size_t last = characters_.size() - 1;
  const size_t begin = characters_[std::min(part.begin, last)];
  return record_.substr(begin, characters_[std::min(part.end, last)] - begin);
}

std::string_view FixedRows::Trimmed(std::string_view text) const {
  const char pad = settings_->pad;
  if (settings_->trims_right)
    while (!text.empty() && text.back() == pad) text.remove_suffix(1);
  if (settings_->trims_left)
    while (!text.empty() && text.front() == pad) text.remove_prefix(1);
  return text;
}

std::optional<std::string_view> FixedRows::Number(std::string_view text, const Part& part) {
  const auto digits = static_cast<size_t>(part.field_rule.implied_decimals);
  if (!part.field_rule.drops_leading_zeros && digits == 0) return text;
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  std::string_view whole = text.substr(0, text.find_first_of(".,eE"));
  const std::string_view rest = text.substr(whole.size());
  const bool plain = !whole.empty() && std::all_of(whole.begin(), whole.end(), [](char c) {
    return absl::ascii_isdigit(static_cast<unsigned char>(c));
  });
  if (!plain) return text;  // refused as it stands
  if (digits > 0 && !rest.empty()) {
    why_ = "a point where implied_decimals says there is none";
    return std::nullopt;
  }
  number_.assign(negative ? "-" : "");
  std::string_view fraction;
  std::string filled;
  if (digits > 0) {
    if (whole.size() <= digits) {
      filled.assign(digits + 1 - whole.size(), '0');
      filled += whole;
      whole = filled;
    }
    fraction = whole.substr(whole.size() - digits);
    whole.remove_suffix(digits);
  }
  while (whole.size() > 1 && whole[0] == '0') whole.remove_prefix(1);
  number_.append(whole);
  if (digits > 0) number_.append(1, part.rule.decimal_point).append(fraction);
  number_.append(rest);
  return number_;
}

std::optional<files::Value> FixedRows::Read(size_t i) {
  const Part& part = parts_[i];
  why_ = "";
  const std::string_view raw = Slice(part);
  auto text = page_ ? page_->Decode(raw) : decoder_->Decode(raw, decoded_);
  if (!text) {
    why_ = "bytes that mean nothing in the file's encoding";
    return std::nullopt;
  }
  text = Trimmed(*text);
  if (part.type.id != TypeId::kUtf8) {
    // Whatever text keeps, a value of another type has no filling.
    while (!text->empty() && (text->back() == settings_->pad || text->back() == ' '))
      text->remove_suffix(1);
    while (!text->empty() && (text->front() == settings_->pad || text->front() == ' '))
      text->remove_prefix(1);
  }
  const bool blank = text->empty() || text->find_first_not_of(settings_->pad) == text->npos;
  if (blank && settings_->blank_is_null) return files::Value();
  const auto& words = settings_->null_words;
  if (!words.empty() && std::find(words.begin(), words.end(), *text) != words.end())
    return files::Value();
  if (IsNumber(part.type.id)) {
    text = Number(*text, part);
    if (!text) return std::nullopt;
  }
  return files::ParseValue(*text, part.type, part.rule, scratch_);
}

}  // namespace sluice::adapters::fixed
