#include "adapters/files/guess_type.h"

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "adapters/files/time_pattern.h"
#include "adapters/files/values.h"

namespace sluice::adapters::files {
namespace {

using records::DataType;
using records::TypeId;

// From this length on whole numbers of one length are names of things: of accounts, of persons.
constexpr size_t kNameDigits = 11;
constexpr int32_t kFirstLikelyDay = -43'829;  // 1850-01-01
constexpr int32_t kLastLikelyDay = 84'005;    // 2199-12-31

constexpr std::array<const char*, 12> kDates = {
    "yyyy-MM-dd", "yyyyMMdd", "dd.MM.yyyy", "dd/MM/yyyy", "MM/dd/yyyy",     "yyyy/MM/dd",
    "d.M.yyyy",   "d/M/yyyy", "M/d/yyyy",   "yyyy/M/d",   "yyyy年MM月dd日", "yyyy年M月d日"};
constexpr std::array<const char*, 8> kTimes = {
    "yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd HH:mm", "yyyy/MM/dd HH:mm:ss", "yyyy/MM/dd HH:mm",
    "dd.MM.yyyy HH:mm:ss", "dd.MM.yyyy HH:mm", "dd/MM/yyyy HH:mm:ss", "yyyyMMddHHmmss"};
constexpr std::array<std::pair<const char*, const char*>, 7> kBools = {{{"true", "false"},
                                                                        {"TRUE", "FALSE"},
                                                                        {"True", "False"},
                                                                        {"Y", "N"},
                                                                        {"yes", "no"},
                                                                        {"是", "否"},
                                                                        {"ja", "nein"}}};

using Values = std::vector<std::string>;

std::string All(const Values& values) {
  return absl::StrCat("all ", values.size(), " values looked at");
}

bool AllAre(const Values& values, const std::function<bool(const std::string&)>& is) {
  return std::all_of(values.begin(), values.end(), is);
}

bool AllParse(const Values& values, const DataType& type, const ValueRule& rule) {
  std::string scratch;
  return AllAre(values, [&](const std::string& value) {
    return ParseValue(value, type, rule, scratch).has_value();
  });
}

std::optional<TypeGuess> Bool(const Values& values) {
  const std::set<std::string> distinct(values.begin(), values.end());
  for (const auto& [yes, no] : kBools) {
    // One word alone may be anything.
    if (distinct != std::set<std::string>{yes, no}) continue;
    const bool plain = std::string_view(yes) == "true";
    return TypeGuess{"bool", plain ? "" : "bool_words", plain ? "" : absl::StrCat(yes, ",", no),
                     All(values)};
  }
  return std::nullopt;
}

std::optional<TypeGuess> Date(const Values& values) {
  std::vector<const char*> fitting;
  for (const char* pattern : kDates) {
    const auto compiled = TimePattern::ForDate(pattern);
    const bool fits = compiled.ok() && AllAre(values, [&](const std::string& value) {
                        const auto days = compiled->Days(value);
                        return days && *days >= kFirstLikelyDay && *days <= kLastLikelyDay;
                      });
    if (fits) fitting.push_back(pattern);
  }
  if (fitting.empty()) return std::nullopt;
  TypeGuess guess{"date32", "date_format", fitting[0], All(values)};
  if (guess.value == "yyyy-MM-dd") guess.setting = guess.value = "";
  const auto other = std::find_if(fitting.begin(), fitting.end(), [](std::string_view pattern) {
    return pattern.starts_with('M');
  });
  if (fitting[0][0] == 'd' && other != fitting.end())
    absl::StrAppend(&guess.because, "; ", *other, " fits as well, no day being beyond the 12th");
  return guess;
}

std::optional<TypeGuess> Timestamp(const Values& values) {
  for (const bool utc : {true, false}) {
    const DataType type{TypeId::kTimestamp, 0, 0, utc};
    const std::string name = records::ToString(type);
    if (AllParse(values, type, {})) return TypeGuess{name, "", "", All(values)};
    for (const char* pattern : kTimes) {
      if (utc) continue;  // none of them says a zone
      ValueRule rule;
      rule.timestamp = *TimePattern::ForTimestamp(pattern);
      if (AllParse(values, type, rule))
        return TypeGuess{name, "timestamp_format", pattern, All(values)};
    }
  }
  return std::nullopt;
}

bool NamesThings(const Values& values) {
  const bool zeros = std::any_of(values.begin(), values.end(), [](const std::string& value) {
    const size_t sign = value[0] == '-' ? 1 : 0;
    return value.size() > sign + 1 && value[sign] == '0' &&
           absl::ascii_isdigit(static_cast<unsigned char>(value[sign + 1]));
  });
  const bool long_ones = AllAre(values, [&](const std::string& value) {
    return value.size() >= kNameDigits && value.size() == values[0].size() && value[0] != '-' &&
           value.find_first_of(".,") == std::string::npos;
  });
  return zeros || long_ones;
}

std::optional<TypeGuess> Number(const Values& values) {
  if (NamesThings(values)) return std::nullopt;
  if (AllParse(values, {TypeId::kInt64}, {})) return TypeGuess{"int64", "", "", All(values)};
  for (const char point : {'.', ','}) {
    size_t whole = 1, fraction = 0;
    for (const std::string& value : values) {
      const size_t at = std::min(value.find(point), value.size());
      whole = std::max(whole, at - (value[0] == '-' ? 1 : 0));
      if (at < value.size()) fraction = std::max(fraction, value.size() - at - 1);
    }
    // Room for larger ones than were seen.
    const size_t precision = std::min<size_t>(whole + fraction + 2, 38);
    if (fraction == 0 || whole + fraction > 38) continue;
    const DataType type{TypeId::kDecimal128, static_cast<uint8_t>(precision),
                        static_cast<uint8_t>(fraction)};
    ValueRule rule;
    rule.decimal_point = point;
    if (!AllParse(values, type, rule)) continue;
    TypeGuess guess{records::ToString(type), "", "", All(values)};
    if (point == ',') guess.setting = "decimal_point", guess.value = "comma";
    return guess;
  }
  if (AllParse(values, {TypeId::kFloat64}, {})) return TypeGuess{"float64", "", "", All(values)};
  return std::nullopt;
}

}  // namespace

std::optional<TypeGuess> GuessType(const Values& values) {
  if (values.empty() ||
      std::any_of(values.begin(), values.end(), [](const auto& value) { return value.empty(); }))
    return std::nullopt;
  for (const auto& guess : {Bool, Date, Timestamp, Number})
    if (auto found = guess(values)) return found;
  return std::nullopt;
}

}  // namespace sluice::adapters::files
