// Declared types to affinities and to described types.
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "adapters/sqlite/schema.h"

namespace sluice::adapters::sqlite {
namespace {

using records::DataType;
using records::TypeId;

std::string Upper(std::string_view text) {
  return absl::AsciiStrToUpper(absl::string_view(text.data(), text.size()));
}

// "DECIMAL(12, 2)": precision and scale where both are given and within bounds.
std::optional<DataType> DecimalOf(absl::string_view upper) {
  if (!absl::StartsWith(upper, "DEC") && !absl::StartsWith(upper, "NUMERIC")) return std::nullopt;
  const size_t open = upper.find('('), close = upper.find(')');
  if (open == absl::string_view::npos || close == absl::string_view::npos || close < open)
    return std::nullopt;
  const std::vector<absl::string_view> parts =
      absl::StrSplit(upper.substr(open + 1, close - open - 1), ',');
  int precision = 0, scale = 0;
  if (parts.size() > 2 || !absl::SimpleAtoi(parts[0], &precision)) return std::nullopt;
  if (parts.size() == 2 && !absl::SimpleAtoi(parts[1], &scale)) return std::nullopt;
  if (precision < 1 || precision > 38 || scale < 0 || scale > precision) return std::nullopt;
  return DataType{TypeId::kDecimal128, static_cast<uint8_t>(precision),
                  static_cast<uint8_t>(scale)};
}

}  // namespace

Affinity AffinityOf(std::string_view declared, bool strict) {
  const std::string upper = Upper(declared);
  const auto has = [&](const char* part) { return absl::StrContains(upper, part); };
  if (strict && upper == "ANY") return Affinity::kBlob;
  if (has("INT")) return Affinity::kInteger;
  if (has("CHAR") || has("CLOB") || has("TEXT")) return Affinity::kText;
  if (upper.empty() || has("BLOB")) return Affinity::kBlob;
  if (has("REAL") || has("FLOA") || has("DOUB")) return Affinity::kReal;
  return Affinity::kNumeric;
}

DataType DescribedType(std::string_view declared, Affinity affinity) {
  const std::string upper = Upper(declared);
  if (absl::StartsWith(upper, "BOOL")) return {TypeId::kBool};
  if (upper == "DATE") return {TypeId::kDate32};
  if (absl::StartsWith(upper, "DATETIME") || absl::StartsWith(upper, "TIMESTAMP"))
    return {TypeId::kTimestamp};
  if (const auto decimal = DecimalOf(upper)) return *decimal;
  switch (affinity) {
    case Affinity::kInteger:
      return {TypeId::kInt64};
    case Affinity::kReal:
    case Affinity::kNumeric:
      return {TypeId::kFloat64};
    case Affinity::kText:
      return {TypeId::kUtf8};
    case Affinity::kBlob:
      break;
  }
  return {declared.empty() ? TypeId::kUtf8 : TypeId::kBinary};
}

}  // namespace sluice::adapters::sqlite
