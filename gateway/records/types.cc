#include "gateway/records/types.h"

#include <charconv>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace sluice::records {
namespace {

struct Name {
  std::string_view text;
  DataType type;
};

// All types without parameters of their own.
constexpr Name kNames[] = {
    {"bool", {.id = TypeId::kBool}},
    {"int64", {.id = TypeId::kInt64}},
    {"float64", {.id = TypeId::kFloat64}},
    {"date32", {.id = TypeId::kDate32}},
    {"timestamp(utc)", {.id = TypeId::kTimestamp, .utc = true}},
    {"timestamp(local)", {.id = TypeId::kTimestamp, .utc = false}},
    {"utf8", {.id = TypeId::kUtf8}},
    {"binary", {.id = TypeId::kBinary}},
};

absl::Status Unknown() {
  return absl::InvalidArgumentError(
      "expected a type: bool, int64, float64, decimal128(PRECISION,SCALE), date32, "
      "timestamp(utc), timestamp(local), utf8 or binary");
}

// The whole text as a small number.
std::optional<int> ParseSmall(std::string_view text) {
  if (text.starts_with(' ')) text.remove_prefix(1);
  if (text.empty() || text.size() > 2 || text[0] < '0' || text[0] > '9') return std::nullopt;
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

absl::StatusOr<DataType> ParseDecimalType(std::string_view parameters) {
  const size_t comma = parameters.find(',');
  if (comma == parameters.npos) return Unknown();
  const auto precision = ParseSmall(parameters.substr(0, comma));
  const auto scale = ParseSmall(parameters.substr(comma + 1));
  if (!precision || !scale) return Unknown();
  if (*precision < 1 || *precision > 38 || *scale > *precision) {
    return absl::InvalidArgumentError(
        "a decimal's precision is 1 to 38, and its scale 0 to the precision");
  }
  return DataType{.id = TypeId::kDecimal128,
                  .precision = static_cast<uint8_t>(*precision),
                  .scale = static_cast<uint8_t>(*scale)};
}

}  // namespace

std::string ToString(const DataType& type) {
  if (type.id == TypeId::kDecimal128) {
    return absl::StrCat("decimal128(", static_cast<int>(type.precision), ",",
                        static_cast<int>(type.scale), ")");
  }
  for (const Name& name : kNames) {
    if (name.type == type) return std::string(name.text);
  }
  return "unknown";
}

absl::StatusOr<DataType> ParseDataType(std::string_view text) {
  for (const Name& name : kNames) {
    if (name.text == text) return name.type;
  }
  constexpr std::string_view kDecimal = "decimal128(";
  if (text.starts_with(kDecimal) && text.ends_with(')')) {
    text.remove_prefix(kDecimal.size());
    text.remove_suffix(1);
    return ParseDecimalType(text);
  }
  return Unknown();
}

std::optional<size_t> Schema::IndexOf(std::string_view name) const {
  for (size_t i = 0; i < fields_.size(); ++i) {
    if (fields_[i].name == name) return i;
  }
  return std::nullopt;
}

}  // namespace sluice::records
