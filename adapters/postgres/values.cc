#include "adapters/postgres/values.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "gateway/records/utf8.h"

namespace sluice::adapters::postgres {
namespace {

using records::ColumnBuilder;
using records::DataType;
using records::Decimal128;
using records::TypeId;

constexpr int64_t kMostExactInDouble = int64_t{1} << 53;
// PostgreSQL counts from 2000-01-01.
constexpr int32_t kEpochDays = 10'957;
constexpr int64_t kEpochMicros = int64_t{kEpochDays} * 86'400'000'000;

// The first bytes as a number in network order; the caller knows that there are as many.
template <class T>
T Big(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(value));
  if constexpr (sizeof(T) == 2) return static_cast<T>(__builtin_bswap16(value));
  if constexpr (sizeof(T) == 4) return static_cast<T>(__builtin_bswap32(value));
  if constexpr (sizeof(T) == 8) return static_cast<T>(__builtin_bswap64(value));
  return value;
}

bool WholeNumber(std::string_view bytes, SourceType from, int64_t& value) {
  switch (from) {
    case SourceType::kInt2:
      if (bytes.size() != 2) return false;
      value = Big<int16_t>(bytes.data());
      return true;
    case SourceType::kInt4:
      if (bytes.size() != 4) return false;
      value = Big<int32_t>(bytes.data());
      return true;
    case SourceType::kOid:
      if (bytes.size() != 4) return false;
      value = Big<uint32_t>(bytes.data());
      return true;
    default:
      if (bytes.size() != 8) return false;
      value = Big<int64_t>(bytes.data());
      return true;
  }
}

// numeric_send: digits of base 10,000, their weight, sign and display scale.
constexpr size_t kNumericHeader = 8;
constexpr uint16_t kNumericPositive = 0x0000;
constexpr uint16_t kNumericNegative = 0x4000;  // others are NaN and the infinities

// The value times ten to the scale, where that is whole and has no more digits than the precision.
bool Numeric(std::string_view bytes, int precision, int scale, Decimal128& value) {
  if (bytes.size() < kNumericHeader) return false;
  const int digits = Big<uint16_t>(bytes.data());
  const int weight = Big<int16_t>(bytes.data() + 2);
  const auto sign = Big<uint16_t>(bytes.data() + 4);
  if (sign != kNumericPositive && sign != kNumericNegative) return false;
  if (bytes.size() != kNumericHeader + 2 * static_cast<size_t>(digits)) return false;
  Decimal128 unscaled = 0;
  int exponent = 0;  // of ten: what the digits so far are still to be multiplied by
  for (int i = 0; i < digits; ++i) {
    const int digit = Big<uint16_t>(bytes.data() + kNumericHeader + 2 * i);
    exponent = 4 * (weight - i) + scale;
    int step = 4, part = digit;
    if (exponent < 0) {
      // Behind the last place: only zeros may be left out.
      step = std::max(4 + exponent, 0);
      const int cut = static_cast<int>(records::PowerOfTen(4 - step));
      if (digit % cut != 0) return false;
      part = digit / cut;
    }
    const auto factor = static_cast<int64_t>(records::PowerOfTen(step));
    if (__builtin_mul_overflow(unscaled, Decimal128{factor}, &unscaled)) return false;
    if (__builtin_add_overflow(unscaled, Decimal128{part}, &unscaled)) return false;
  }
  if (exponent > 0 && unscaled != 0) {
    if (exponent > precision) return false;
    if (__builtin_mul_overflow(unscaled, records::PowerOfTen(exponent), &unscaled)) return false;
  }
  value = sign == kNumericNegative ? -unscaled : unscaled;
  return records::FitsPrecision(value, precision);
}

template <class T>
bool Parse(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

bool AppendBoolFrom(std::string_view bytes, SourceType from, ColumnBuilder& out) {
  bool value = false;
  if (from == SourceType::kBool) {
    if (bytes.size() != 1) return false;
    value = bytes[0] != 0;
  } else if (IsWholeNumber(from)) {
    int64_t number = 0;
    if (!WholeNumber(bytes, from, number) || (number != 0 && number != 1)) return false;
    value = number == 1;
  } else {
    value = bytes == "t" || bytes == "true" || bytes == "1";
    if (!value && bytes != "f" && bytes != "false" && bytes != "0") return false;
  }
  out.AppendBool(value);
  return true;
}

bool AppendInt64From(std::string_view bytes, SourceType from, ColumnBuilder& out) {
  int64_t value = 0;
  if (IsWholeNumber(from)) {
    if (!WholeNumber(bytes, from, value)) return false;
  } else if (from == SourceType::kNumeric) {
    Decimal128 whole = 0;
    if (!Numeric(bytes, 38, 0, whole) || whole > std::numeric_limits<int64_t>::max() ||
        whole < std::numeric_limits<int64_t>::min())
      return false;
    value = static_cast<int64_t>(whole);
  } else if (!Parse(bytes, value)) {
    return false;
  }
  out.AppendInt64(value);
  return true;
}

bool AppendFloat64From(std::string_view bytes, SourceType from, ColumnBuilder& out) {
  double value = 0;
  if (from == SourceType::kFloat8) {
    if (bytes.size() != 8) return false;
    value = std::bit_cast<double>(Big<uint64_t>(bytes.data()));
  } else if (from == SourceType::kFloat4) {
    if (bytes.size() != 4) return false;
    value = std::bit_cast<float>(Big<uint32_t>(bytes.data()));
  } else if (IsWholeNumber(from)) {
    int64_t whole = 0;
    if (!WholeNumber(bytes, from, whole) || whole > kMostExactInDouble ||
        whole < -kMostExactInDouble)
      return false;
    value = static_cast<double>(whole);
  } else if (!Parse(bytes, value)) {
    return false;
  }
  out.AppendFloat64(value);
  return true;
}

bool AppendDecimalFrom(std::string_view bytes, const Reading& reading, ColumnBuilder& out) {
  const DataType& type = reading.to;
  Decimal128 value = 0;
  if (reading.from == SourceType::kNumeric) {
    if (!Numeric(bytes, type.precision, type.scale, value)) return false;
  } else if (IsWholeNumber(reading.from)) {
    int64_t whole = 0;
    if (!WholeNumber(bytes, reading.from, whole)) return false;
    if (!records::FitsPrecision(whole, type.precision - type.scale)) return false;
    value = whole * records::PowerOfTen(type.scale);
  } else {
    const auto parsed = records::ParseDecimal(bytes, type.precision, type.scale);
    if (!parsed.ok()) return false;
    value = *parsed;
  }
  out.AppendDecimal(value);
  return true;
}

bool AppendDateFrom(std::string_view bytes, SourceType from, ColumnBuilder& out) {
  if (from != SourceType::kDate) {
    const auto day = records::ParseDate(bytes);
    if (!day.ok() || bytes.size() != 10) return false;
    out.AppendDate32(*day);
    return true;
  }
  if (bytes.size() != 4) return false;
  // The infinities are the first and the last number, and so outside.
  const int64_t day = int64_t{Big<int32_t>(bytes.data())} + kEpochDays;
  if (day < records::kMinDate32 || day > records::kMaxDate32) return false;
  out.AppendDate32(static_cast<int32_t>(day));
  return true;
}

bool AppendTimestampFrom(std::string_view bytes, const Reading& reading, ColumnBuilder& out) {
  if (IsText(reading.from)) {
    const auto parsed = records::ParseTimestamp(bytes, reading.to.utc);
    if (!parsed.ok()) return false;
    out.AppendInt64(*parsed);
    return true;
  }
  if (bytes.size() != 8) return false;
  int64_t micros = 0;
  if (__builtin_add_overflow(Big<int64_t>(bytes.data()), kEpochMicros, &micros)) return false;
  if (micros < records::kMinTimestamp || micros > records::kMaxTimestamp) return false;
  out.AppendInt64(micros);
  return true;
}

// As PostgreSQL writes it: 8-4-4-4-12 hexadecimal digits in lower case.
bool AppendUuid(std::string_view bytes, ColumnBuilder& out) {
  constexpr size_t kUuidBytes = 16;
  constexpr char kDigits[] = "0123456789abcdef";
  if (bytes.size() != kUuidBytes) return false;
  char text[36];
  size_t at = 0;
  for (size_t i = 0; i < kUuidBytes; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text[at++] = '-';
    const auto byte = static_cast<uint8_t>(bytes[i]);
    text[at++] = kDigits[byte >> 4];
    text[at++] = kDigits[byte & 15];
  }
  out.AppendBytes({text, at});
  return true;
}

bool AppendTextFrom(std::string_view bytes, SourceType from, ColumnBuilder& out) {
  if (from == SourceType::kUuid) return AppendUuid(bytes, out);
  // The server converts to UTF-8, but where the database's encoding is SQL_ASCII.
  if (!records::ValidUtf8(bytes)) return false;
  out.AppendBytes(bytes);
  return true;
}

}  // namespace

bool AppendValue(std::string_view bytes, const Reading& reading, ColumnBuilder& out) {
  switch (reading.to.id) {
    case TypeId::kBool:
      return AppendBoolFrom(bytes, reading.from, out);
    case TypeId::kInt64:
      return AppendInt64From(bytes, reading.from, out);
    case TypeId::kFloat64:
      return AppendFloat64From(bytes, reading.from, out);
    case TypeId::kDecimal128:
      return AppendDecimalFrom(bytes, reading, out);
    case TypeId::kDate32:
      return AppendDateFrom(bytes, reading.from, out);
    case TypeId::kTimestamp:
      return AppendTimestampFrom(bytes, reading, out);
    case TypeId::kUtf8:
      return AppendTextFrom(bytes, reading.from, out);
    case TypeId::kBinary:
      out.AppendBytes(bytes);
      return true;
  }
  return false;
}

}  // namespace sluice::adapters::postgres
