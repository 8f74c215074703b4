#include "adapters/xlsx/values.h"

#include <charconv>
#include <cmath>

#include "absl/strings/ascii.h"
#include "adapters/files/plain_number.h"
#include "gateway/records/value_text.h"

namespace sluice::adapters::xlsx {
namespace {

using files::Value;
using records::DataType;
using records::TypeId;

constexpr int64_t kDayMillis = 86'400'000;
constexpr int64_t kDayMicros = kDayMillis * 1'000;
constexpr size_t kShownDigits = 15;
// Longer numbers stay in scientific notation as text.
constexpr size_t kMostPlainText = 40;

std::optional<double> DoubleOf(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
    return std::nullopt;
  return value;
}

// Of the mantissa, without zeros in front.
size_t SignificantDigits(std::string_view text) {
  size_t digits = 0;
  for (const char c : text) {
    if (c == 'e' || c == 'E') break;
    if (absl::ascii_isdigit(static_cast<unsigned char>(c)) && (digits > 0 || c != '0')) ++digits;
  }
  return digits;
}

}  // namespace

std::optional<int64_t> MicrosOfSerial(double serial, bool from_1904) {
  constexpr int64_t kMostDays = 3'000'000;
  if (!(serial >= 0 && serial < static_cast<double>(kMostDays))) return std::nullopt;
  auto day = static_cast<int64_t>(std::floor(serial));
  int64_t millis = std::llround((serial - static_cast<double>(day)) * kDayMillis);
  if (millis == kDayMillis) {
    millis = 0;
    ++day;
  }
  if (from_1904) {
    day -= 24'107;
  } else if (day >= 61) {
    day -= 25'569;
  } else if (day == 60 || day == 0) {
    return std::nullopt;
  } else {
    day -= 25'568;
  }
  if (day > records::kMaxDate32) return std::nullopt;
  return day * kDayMicros + millis * 1'000;
}

bool WriteShownNumber(std::string_view text, std::string& out) {
  if (text.empty()) return false;
  const bool whole = text.find_first_of(".eE") == text.npos;
  if (whole || SignificantDigits(text) <= kShownDigits) return files::WritePlainNumber(text, out);
  const auto value = DoubleOf(text);
  if (!value) return false;
  char shown[32];
  const auto end = std::to_chars(shown, shown + sizeof(shown), *value,
                                 std::chars_format::scientific, kShownDigits - 1);
  // Zeros that rounding left are no digits.
  std::string rounded(shown, end.ptr);
  const size_t exponent = rounded.find('e');
  size_t last = exponent;
  while (rounded[last - 1] == '0') --last;
  if (rounded[last - 1] == '.') --last;
  rounded.erase(last, exponent - last);
  return files::WritePlainNumber(rounded, out);
}

std::string TextOfCell(const CellView& cell, bool from_1904) {
  CellReader reader(from_1904);
  const auto value = reader.Read(cell, {TypeId::kUtf8}, CellRules(files::ValueRule()));
  const auto* const text = value ? std::get_if<std::string_view>(&*value) : nullptr;
  return text == nullptr ? std::string() : std::string(*text);
}

CellRules::CellRules(files::ValueRule rule) : of_texts(rule), of_numbers(std::move(rule)) {
  of_numbers.decimal_point = '.';
}

std::optional<Value> CellReader::Read(const CellView& cell, const DataType& type,
                                      const CellRules& rules) {
  why_ = "";
  switch (cell.kind) {
    case CellKind::kEmpty:
      return Value();
    case CellKind::kText:
    case CellKind::kShared:
      if (cell.value.empty() && type.id != TypeId::kUtf8 && type.id != TypeId::kBinary)
        return Value();
      return files::ParseValue(cell.value, type, rules.of_texts, scratch_);
    case CellKind::kNumber:
      return ReadNumber(cell.value, type, rules.of_numbers);
    case CellKind::kDate:
    case CellKind::kTime:
      return ReadSerial(cell, type);
    case CellKind::kBool:
      if (cell.value != "0" && cell.value != "1") return std::nullopt;
      written_ = cell.value == "1" ? "true" : "false";
      if (type.id != TypeId::kBool && type.id != TypeId::kUtf8) return std::nullopt;
      return files::ParseValue(written_, type, files::ValueRule(), scratch_);
    case CellKind::kIso:
      return ReadIso(cell.value, type);
    case CellKind::kError:
      why_ = "an error, such as #N/A, and no value";
      return std::nullopt;
    case CellKind::kUnknown:
      why_ = "a formula whose value the workbook does not keep: open and save it where it is made";
      return std::nullopt;
  }
  return std::nullopt;
}

std::optional<Value> CellReader::ReadNumber(std::string_view text, const DataType& type,
                                            const files::ValueRule& rule) {
  if (type.id == TypeId::kFloat64) {
    const auto value = DoubleOf(text);
    if (!value) return std::nullopt;
    return *value;
  }
  if (!WriteShownNumber(text, written_)) {
    why_ = "no number";
    return std::nullopt;
  }
  if (type.id == TypeId::kUtf8) {
    if (written_.size() > kMostPlainText) written_ = text;
    return Value(std::string_view(written_));
  }
  if (type.id == TypeId::kInt64) files::DropZeros(written_, 0);
  if (type.id == TypeId::kDecimal128) files::DropZeros(written_, type.scale);
  return files::ParseValue(written_, type, rule, scratch_);
}

std::optional<Value> CellReader::OfMicros(int64_t micros, const DataType& type) {
  if (type.id == TypeId::kTimestamp) return micros;
  const int64_t day = micros >= 0 ? micros / kDayMicros : (micros + 1) / kDayMicros - 1;
  const bool whole = micros == day * kDayMicros;
  if (type.id == TypeId::kDate32 && whole) return static_cast<int32_t>(day);
  if (type.id != TypeId::kUtf8) return std::nullopt;
  written_.clear();
  if (whole) {
    records::AppendDate(static_cast<int32_t>(day), written_);
  } else {
    records::AppendTimestamp(micros, false, written_);
  }
  return Value(std::string_view(written_));
}

std::optional<Value> CellReader::ReadSerial(const CellView& cell, const DataType& type) {
  const auto serial = DoubleOf(cell.value);
  if (!serial) return std::nullopt;
  // A time of day, or one shown without its day.
  if (cell.kind == CellKind::kTime && *serial >= 0 && *serial < 1) {
    if (type.id != TypeId::kUtf8) {
      why_ = "a time without a day";
      return std::nullopt;
    }
    const int64_t millis = std::llround(*serial * kDayMillis) % kDayMillis;
    written_.clear();
    records::AppendTimestamp(millis * 1'000, false, written_);
    written_.erase(0, written_.find('T') + 1);
    return Value(std::string_view(written_));
  }
  const auto micros = MicrosOfSerial(*serial, from_1904_);
  if (!micros) {
    why_ = "a number that is shown as a date and is none";
    return std::nullopt;
  }
  return OfMicros(*micros, type);
}

std::optional<Value> CellReader::ReadIso(std::string_view text, const DataType& type) {
  if (type.id == TypeId::kUtf8) return Value(text);
  if (const auto days = records::ParseDate(text); days.ok())
    return OfMicros(*days * kDayMicros, type);
  const auto micros = records::ParseTimestamp(text, text.ends_with('Z'));
  if (!micros.ok()) return std::nullopt;
  return OfMicros(*micros, type);
}

}  // namespace sluice::adapters::xlsx
