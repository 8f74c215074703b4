#include "adapters/copybook/field_reader.h"

#include <algorithm>
#include <utility>

#include "gateway/base/error.h"
#include "gateway/records/value_text.h"

namespace sluice::adapters::copybook {
namespace {

using records::DataType;
using records::TypeId;

constexpr std::string_view kWideBlank = "\u3000";
constexpr size_t kDateDigits = 8, kTimestampDigits = 14;

bool AllLow(std::string_view raw) {
  return !raw.empty() && raw.find_first_not_of('\0') == raw.npos;
}

bool TrimsLeft(Trim trim) { return trim == Trim::kLeft || trim == Trim::kBoth; }
bool TrimsRight(Trim trim) { return trim == Trim::kRight || trim == Trim::kBoth; }

// Blanks and control characters, and the blank of East Asian scripts.
std::string_view TrimText(std::string_view text, Trim trim) {
  const auto low = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
  for (bool more = TrimsLeft(trim); more && !text.empty();) {
    const size_t size = low(text.front()) ? 1 : text.starts_with(kWideBlank) ? 3 : 0;
    text.remove_prefix(size);
    more = size > 0;
  }
  for (bool more = TrimsRight(trim); more && !text.empty();) {
    const size_t size = low(text.back()) ? 1 : text.ends_with(kWideBlank) ? 3 : 0;
    text.remove_suffix(size);
    more = size > 0;
  }
  return text;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TextReader>> TextReader::Make(const CopybookSettings& settings) {
  SLUICE_ASSIGN_OR_RETURN(auto page, files::PageDecoder::Make(settings.page));
  SLUICE_ASSIGN_OR_RETURN(
      auto national, files::Decoder::Make(settings.national_little ? files::Encoding::kUtf16Le
                                                                   : files::Encoding::kUtf16Be));
  return std::unique_ptr<TextReader>(
      new TextReader(settings, std::move(page), std::move(national)));
}

TextReader::TextReader(const CopybookSettings& settings, files::PageDecoder page,
                       files::Decoder national)
    : settings_(settings), page_(std::move(page)), national_(std::move(national)) {
  for (int byte = 0; byte < 256; ++byte) {
    const auto character = page_.page().CharacterOf(static_cast<uint8_t>(byte));
    blank_[byte] = character && *character <= ' ';
  }
}

std::string_view TextReader::TrimBytes(std::string_view raw, Trim trim) const {
  const auto blank = [this](char byte) { return blank_[static_cast<unsigned char>(byte)]; };
  size_t begin = 0, end = raw.size();
  if (TrimsRight(trim))
    while (end > 0 && blank(raw[end - 1])) --end;
  if (TrimsLeft(trim))
    while (begin < end && blank(raw[begin])) ++begin;
  return raw.substr(begin, end - begin);
}

std::optional<std::string_view> TextReader::Read(const Item& item, std::string_view raw,
                                                 Trim trim) {
  if (item.usage != Usage::kNational && item.usage != Usage::kDbcs) {
    if (page_.page().single_byte()) return page_.Decode(TrimBytes(raw, trim));
    const auto text = page_.Decode(raw);
    if (!text) return std::nullopt;
    return TrimText(*text, trim);
  }
  std::optional<std::string_view> text;
  if (item.usage == Usage::kDbcs) {
    // Bytes of nothing are no characters of two bytes.
    text = AllLow(raw) ? std::string_view() : page_.DecodeDouble(raw);
  } else if (raw.size() % 2 == 0) {
    text = national_.Decode(raw, units_);
  }
  if (!text) return std::nullopt;
  return TrimText(*text, trim);
}

FieldReader::FieldReader(const Leaf& leaf, const DataType& type, files::ValueRule rule,
                         bool binary_is_text, TextReader& text)
    : leaf_(leaf),
      type_(type),
      rule_(std::move(rule)),
      binary_is_text_(binary_is_text),
      number_(leaf.number()),
      form_(leaf.form),
      text_(text) {
  if (form_.edited && rule_.decimal_point == ',') form_.decimal_comma = form_.point = true;
  const int steps = static_cast<int>(type.scale) - form_.scale;
  if (type.id == TypeId::kDecimal128 && steps >= 0 && steps <= 18) {
    factor_ = records::PowerOfTen(steps);
    bound_ = records::PowerOfTen(type.precision);
  }
  read_ = WayFor();
}

FieldReader::Way FieldReader::WayFor() const {
  if (type_.id == TypeId::kBinary && !(binary_is_text_ && !number_)) return &FieldReader::ReadBytes;
  const bool floating = leaf_.item->usage == Usage::kFloat || leaf_.item->usage == Usage::kDouble;
  if (number_ && floating) return &FieldReader::ReadFloating;
  if (!number_)
    return type_.id == TypeId::kUtf8 ? &FieldReader::ReadText : &FieldReader::ReadParsed;
  // What is printed is text to whoever asks for text.
  if (form_.edited && type_.id == TypeId::kUtf8) return &FieldReader::ReadText;
  if (IsSmall(form_) && type_.id == TypeId::kInt64 && form_.scale == 0)
    return &FieldReader::ReadSmallInt;
  if (IsSmall(form_) && bound_ != 0) return &FieldReader::ReadSmallDecimal;
  return &FieldReader::ReadAnyNumber;
}

std::optional<Value> FieldReader::Bad(const char* why) {
  why_ = why;
  return std::nullopt;
}

std::optional<Value> FieldReader::Blank(const char* why) {
  if (text_.settings().blank_numbers_null) return Value();
  return Bad(why);
}

std::optional<Value> FieldReader::ReadSmallInt(std::string_view raw) {
  const SmallNumber small = ReadSmall(form_, raw);
  if (small.found == Found::kNumber) return Value(small.value);
  return ReadAnyNumber(raw);
}

std::optional<Value> FieldReader::ReadSmallDecimal(std::string_view raw) {
  const SmallNumber small = ReadSmall(form_, raw);
  if (small.found != Found::kNumber) return ReadAnyNumber(raw);
  // At most 19 digits times 18 of the factor.
  const records::Decimal128 value = small.value * factor_;
  if (value >= bound_ || value <= -bound_) return Bad("more digits than its type has");
  return Value(value);
}

std::optional<Value> FieldReader::ReadAnyNumber(std::string_view raw) {
  const Number number = ReadNumber(form_, raw);
  switch (number.found) {
    case Found::kNumber:
      return OfNumber(number);
    case Found::kBlank:
      return Blank("blank or X'00', where a number should be (blank_numbers)");
    case Found::kBad:
      break;
  }
  return Bad(number.why);
}

std::optional<Value> FieldReader::OfNumber(const Number& number) {
  records::Decimal128 value = number.value;
  why_ = "";
  switch (type_.id) {
    case TypeId::kInt64:
      if (!Rescale(value, number.scale, 0))
        return Bad("a fraction, where a whole number is wanted");
      if (value > INT64_MAX || value < INT64_MIN) return Bad("a number beyond 64 bits");
      return Value(static_cast<int64_t>(value));
    case TypeId::kDecimal128:
      if (!Rescale(value, number.scale, type_.scale) ||
          !records::FitsPrecision(value, type_.precision))
        return Bad("more digits than its type has");
      return Value(value);
    case TypeId::kFloat64:
      return Value(ToFloat(value, number.scale));
    default:
      return OfDigits(number);
  }
}

// As text, or as what the digits say: 20261124.
std::optional<Value> FieldReader::OfDigits(const Number& number) {
  std::string& text = text_.number();
  text.clear();
  const bool date = type_.id == TypeId::kDate32, timestamp = type_.id == TypeId::kTimestamp;
  if (!date && !timestamp) {
    // A whole number without sign may be a code, whose zeros belong to it.
    const bool code = form_.usage == Usage::kDisplay && !form_.is_signed && form_.scale == 0 &&
                      type_.id == TypeId::kUtf8;
    AppendNumber(number.value, number.scale, code ? form_.digits : 0, text);
    return files::ParseValue(text, type_, rule_, text_.scratch());
  }
  if (number.value < 0 || number.scale > 0) return Bad("a number that is no date");
  const size_t least = date ? kDateDigits : kTimestampDigits;
  AppendNumber(number.value, number.scale, static_cast<int>(least), text);
  static const auto* const days = new files::TimePattern(*files::TimePattern::ForDate("yyyyMMdd"));
  static const auto* const times =
      new files::TimePattern(*files::TimePattern::ForTimestamp("yyyyMMddHHmmss"));
  if (date) {
    const auto found = rule_.date ? rule_.date->Days(text) : days->Days(text);
    return found ? std::optional<Value>(*found) : std::nullopt;
  }
  const auto found =
      rule_.timestamp ? rule_.timestamp->Micros(text, type_.utc) : times->Micros(text, type_.utc);
  return found ? std::optional<Value>(*found) : std::nullopt;
}

std::optional<Value> FieldReader::ReadFloating(std::string_view raw) {
  const double value = ReadFloat(form_, raw);
  why_ = "";
  if (type_.id == TypeId::kFloat64) return Value(value);
  std::string& text = text_.number();
  text.clear();
  records::AppendFloat64(value, text);
  return files::ParseValue(text, type_, rule_, text_.scratch());
}

std::optional<Value> FieldReader::ReadText(std::string_view raw) {
  const CopybookSettings& settings = text_.settings();
  if (settings.low_values_null && !raw.empty() && raw.front() == '\0' && AllLow(raw))
    return Value();
  const auto text = text_.Read(*leaf_.item, raw, settings.trim);
  if (!text) return Bad("bytes that mean nothing in the file's encoding");
  if (settings.blank_text_null && TrimText(*text, Trim::kBoth).empty()) return Value();
  return Value(*text);
}

std::optional<Value> FieldReader::ReadParsed(std::string_view raw) {
  const auto text = text_.Read(*leaf_.item, raw, Trim::kBoth);
  if (!text) return Bad("bytes that mean nothing in the file's encoding");
  if (text->empty()) {
    if (type_.id == TypeId::kBinary && !AllLow(raw)) return Value(*text);
    return Blank("blank or X'00', where a value should be (blank_numbers)");
  }
  why_ = "";
  return files::ParseValue(*text, type_, rule_, text_.scratch());
}

std::optional<Value> FieldReader::ReadBytes(std::string_view raw) { return Value(raw); }

}  // namespace sluice::adapters::copybook
