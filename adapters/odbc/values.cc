#include "adapters/odbc/values.h"

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "absl/strings/escaping.h"
#include "adapters/odbc/utf16.h"
#include "gateway/records/utf8.h"

namespace sluice::adapters::odbc {
namespace {

using records::ColumnBuilder;
using records::DataType;
using records::Decimal128;
using records::TypeId;

constexpr int64_t kMostExactInDouble = int64_t{1} << 53;
constexpr int kLargeExponent = 700;  // of SQLite's large numbers, in dialects.cc
constexpr int64_t kMicrosInSecond = 1'000'000;

template <class T>
T Raw(std::string_view bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof(value));
  return value;
}

template <class T>
bool Parse(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

// Zeros at the end of a fraction, beyond so many places: they say nothing.
std::string_view WithoutZeros(std::string_view text, size_t places) {
  const size_t point = text.find('.');
  if (point == std::string_view::npos) return text;
  while (text.size() > point + 1 + places && text.back() == '0') text.remove_suffix(1);
  if (text.back() == '.') text.remove_suffix(1);
  return text;
}

bool AppendWhole(int64_t value, const DataType& to, ColumnBuilder& out) {
  switch (to.id) {
    case TypeId::kBool:
      if (value != 0 && value != 1) return false;
      out.AppendBool(value == 1);
      return true;
    case TypeId::kInt64:
      out.AppendInt64(value);
      return true;
    case TypeId::kFloat64:
      if (value > kMostExactInDouble || value < -kMostExactInDouble) return false;
      out.AppendFloat64(static_cast<double>(value));
      return true;
    case TypeId::kDecimal128:
      if (!records::FitsPrecision(value, to.precision - to.scale)) return false;
      out.AppendDecimal(value * records::PowerOfTen(to.scale));
      return true;
    default:
      return false;
  }
}

bool AppendReal(double value, const DataType& to, ColumnBuilder& out) {
  if (to.id != TypeId::kFloat64) return false;
  out.AppendFloat64(value);
  return true;
}

bool AppendBoolText(std::string_view text, ColumnBuilder& out) {
  const bool yes = text == "true" || text == "t" || text == "1";
  if (!yes && text != "false" && text != "f" && text != "0") return false;
  out.AppendBool(yes);
  return true;
}

bool AppendDecimalText(std::string_view text, const DataType& to, ColumnBuilder& out) {
  const auto value = records::ParseDecimal(WithoutZeros(text, to.scale), to.precision, to.scale);
  if (!value.ok()) return false;
  out.AppendDecimal(*value);
  return true;
}

bool AppendDateText(std::string_view text, ColumnBuilder& out) {
  const auto day = records::ParseDate(text);
  if (!day.ok() || text.size() != 10) return false;
  out.AppendDate32(*day);
  return true;
}

bool AppendTimestampText(std::string_view text, bool zone, ColumnBuilder& out) {
  const auto micros = records::ParseTimestamp(zone ? text : WithoutZeros(text, 0), zone);
  if (!micros.ok()) return false;
  out.AppendInt64(*micros);
  return true;
}

// What the source says in text: numbers of its own, dates, or a text of the owner's.
bool AppendText(std::string_view text, const ValueReading& reading, ColumnBuilder& out) {
  const DataType& to = reading.to;
  const bool of_text = reading.from == SourceType::kText || reading.from == SourceType::kOtherText;
  switch (to.id) {
    case TypeId::kBool:
      return AppendBoolText(text, out);
    case TypeId::kInt64: {
      int64_t value = 0;
      if (!Parse(of_text ? text : WithoutZeros(text, 0), value)) return false;
      out.AppendInt64(value);
      return true;
    }
    case TypeId::kFloat64: {
      const bool whole = reading.from == SourceType::kInteger ||
                         reading.from == SourceType::kUnsigned || reading.from == SourceType::kBit;
      int64_t number = 0;
      if (whole) return Parse(text, number) && AppendWhole(number, to, out);
      double value = 0;
      if (!Parse(text, value)) return false;
      out.AppendFloat64(value);
      return true;
    }
    case TypeId::kDecimal128:
      return AppendDecimalText(text, to, out);
    case TypeId::kDate32:
      return AppendDateText(text, out);
    case TypeId::kTimestamp:
      return AppendTimestampText(text, of_text && to.utc, out);
    case TypeId::kUtf8:
      if (!records::ValidUtf8(text)) return false;
      out.AppendBytes(text);
      return true;
    case TypeId::kBinary:
      return false;
  }
  return false;
}

bool AppendDynamicText(std::string_view text, const DataType& to, ColumnBuilder& out) {
  switch (to.id) {
    case TypeId::kDecimal128:
      return AppendDecimalText(text, to, out);
    case TypeId::kDate32:
      return AppendDateText(text, out);
    case TypeId::kTimestamp:
      // Without a zone it is UTC, as CURRENT_TIMESTAMP writes it.
      if (to.utc && !text.empty() && text.back() == 'Z') text.remove_suffix(1);
      return AppendTimestampText(text, false, out);
    case TypeId::kUtf8:
      if (!records::ValidUtf8(text)) return false;
      out.AppendBytes(text);
      return true;
    default:
      return false;
  }
}

bool AppendSeconds(int64_t seconds, ColumnBuilder& out) {
  int64_t micros = 0;
  if (__builtin_mul_overflow(seconds, kMicrosInSecond, &micros)) return false;
  if (micros < records::kMinTimestamp || micros > records::kMaxTimestamp) return false;
  out.AppendInt64(micros);
  return true;
}

// One letter says what it is; texts and blobs are in hexadecimal digits.
bool AppendDynamic(std::string_view bytes, const DataType& to, ColumnBuilder& out) {
  if (bytes.empty()) return false;
  const char kind = bytes[0];
  bytes.remove_prefix(1);
  if (kind == 'i') {
    int64_t value = 0;
    if (!Parse(bytes, value)) return false;
    if (to.id == TypeId::kTimestamp) return to.utc && AppendSeconds(value, out);
    return AppendWhole(value, to, out);
  }
  if (kind == 'r' || kind == 'p') {
    double value = 0;
    if (!Parse(bytes, value)) return false;
    return AppendReal(kind == 'r' ? value : std::ldexp(value, kLargeExponent), to, out);
  }
  if (bytes.size() % 2 != 0) return false;
  const std::string plain = absl::HexStringToBytes({bytes.data(), bytes.size()});
  if (kind == 't') return AppendDynamicText(plain, to, out);
  if (to.id != TypeId::kBinary) return false;
  out.AppendBytes(plain);
  return true;
}

}  // namespace

bool AppendValue(std::string_view bytes, const ValueReading& reading, ColumnBuilder& out) {
  switch (reading.fetch) {
    case Fetch::kInteger:
      return AppendWhole(Raw<int64_t>(bytes), reading.to, out);
    case Fetch::kDouble:
      return AppendReal(Raw<double>(bytes), reading.to, out);
    case Fetch::kBinary:
      if (reading.to.id != TypeId::kBinary) return false;
      out.AppendBytes(bytes);
      return true;
    case Fetch::kAscii:
      if (reading.from == SourceType::kDynamic) return AppendDynamic(bytes, reading.to, out);
      return AppendText(bytes, reading, out);
    case Fetch::kText:
      break;
  }
  if (!reading.wide) return AppendText(bytes, reading, out);
  std::u16string units(bytes.size() / 2, u'\0');
  std::memcpy(units.data(), bytes.data(), 2 * units.size());
  std::string text;
  return AppendFromUtf16(units, text) && AppendText(text, reading, out);
}

}  // namespace sluice::adapters::odbc
