#include "adapters/files/values.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "absl/strings/ascii.h"
#include "gateway/base/crypto.h"

namespace sluice::adapters::files {
namespace {

using records::DataType;
using records::Decimal128;
using records::TypeId;

std::optional<Value> ParseBool(std::string_view text, const ValueRule& rule) {
  if (text == rule.true_word) return true;
  if (text == rule.false_word) return false;
  return std::nullopt;
}

// Canonical: a number with a zero in front is a code, which an integer would spoil.
std::optional<Value> ParseInt64(std::string_view text) {
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  if (digits.empty() || !absl::ascii_isdigit(digits[0])) return std::nullopt;
  if (digits[0] == '0' && text.size() > 1) return std::nullopt;
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// The text with a point where the rule has another sign.
std::optional<std::string_view> WithPoint(std::string_view text, const ValueRule& rule,
                                          std::string& scratch) {
  if (rule.decimal_point == '.') return text;
  if (text.find('.') != text.npos) return std::nullopt;
  scratch = text;
  if (const size_t at = scratch.find(rule.decimal_point); at != scratch.npos) scratch[at] = '.';
  return std::string_view(scratch);
}

std::optional<Value> ParseFloat64(std::string_view text) {
  if (text == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (text == "Infinity") return std::numeric_limits<double>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<double>::infinity();
  const std::string_view digits = text.substr(text.starts_with('-') ? 1 : 0);
  if (digits.empty() || !absl::ascii_isdigit(digits[0])) return std::nullopt;
  const size_t point = text.find('.');
  if (point != text.npos && (point + 1 == text.size() || !absl::ascii_isdigit(text[point + 1])))
    return std::nullopt;
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<Value> ParseBinary(std::string_view text, const ValueRule& rule,
                                 std::string& scratch) {
  auto bytes = rule.base64 ? Base64Decode(text) : HexDecode(text);
  if (!bytes.ok()) return std::nullopt;
  scratch = *std::move(bytes);
  return std::string_view(scratch);
}

template <class T>
std::optional<Value> Found(const T& parsed) {
  if (!parsed) return std::nullopt;
  return *parsed;
}

std::optional<Value> ParseDate(std::string_view text, const ValueRule& rule) {
  if (rule.date) return Found(rule.date->Days(text));
  const auto days = records::ParseDate(text);
  if (!days.ok()) return std::nullopt;
  return *days;
}

std::optional<Value> ParseTimestamp(std::string_view text, bool utc, const ValueRule& rule) {
  if (rule.timestamp) return Found(rule.timestamp->Micros(text, utc));
  const auto micros = records::ParseTimestamp(text, utc);
  if (!micros.ok()) return std::nullopt;
  return *micros;
}

}  // namespace

std::optional<Value> ParseValue(std::string_view text, const DataType& type, const ValueRule& rule,
                                std::string& scratch) {
  switch (type.id) {
    case TypeId::kBool:
      return ParseBool(text, rule);
    case TypeId::kInt64:
      return ParseInt64(text);
    case TypeId::kFloat64: {
      const auto number = WithPoint(text, rule, scratch);
      if (!number) return std::nullopt;
      return ParseFloat64(*number);
    }
    case TypeId::kDecimal128: {
      const auto number = WithPoint(text, rule, scratch);
      if (!number) return std::nullopt;
      const auto value = records::ParseDecimal(*number, type.precision, type.scale);
      if (!value.ok()) return std::nullopt;
      return *value;
    }
    case TypeId::kDate32:
      return ParseDate(text, rule);
    case TypeId::kTimestamp:
      return ParseTimestamp(text, type.utc, rule);
    case TypeId::kUtf8:
      return text;
    case TypeId::kBinary:
      return ParseBinary(text, rule, scratch);
  }
  return std::nullopt;
}

void Append(const Value& value, records::ColumnBuilder& out) {
  switch (value.index()) {
    case 0:
      return out.AppendNull();
    case 1:
      return out.AppendBool(std::get<bool>(value));
    case 2:
      return out.AppendInt64(std::get<int64_t>(value));
    case 3:
      return out.AppendFloat64(std::get<double>(value));
    case 4:
      return out.AppendDate32(std::get<int32_t>(value));
    case 5:
      return out.AppendDecimal(std::get<Decimal128>(value));
    default:
      return out.AppendBytes(std::get<std::string_view>(value));
  }
}

Value ValueOf(const records::Scalar& scalar) {
  return std::visit(
      [](const auto& value) -> Value {
        if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string>) {
          return std::string_view(value);
        } else {
          return value;
        }
      },
      scalar);
}

}  // namespace sluice::adapters::files
