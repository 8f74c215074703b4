#include "adapters/files/settings.h"

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"

namespace sluice::adapters::files {
namespace {

Mistake TakeTimePattern(absl::StatusOr<TimePattern> pattern, std::optional<TimePattern>& out) {
  if (!pattern.ok()) return absl::StrCat("must ", pattern.status().message());
  out = *std::move(pattern);
  return "";
}

Mistake TakeBoolWords(const std::string& value, ValueRule& rule) {
  const auto list = ParseList(value);
  if (!list.ok() || list->size() != 2 || (*list)[0] == (*list)[1])
    return "must be two words, true's first: yes,no";
  rule.true_word = (*list)[0];
  rule.false_word = (*list)[1];
  return "";
}

// Each by its name, and behind a point the column or table/column that it is about.
using ColumnTaker = Mistake (*)(const std::string& value, ValueRule& rule);
const std::map<std::string, ColumnTaker, std::less<>>& ColumnTakers() {
  static const auto* const takers = new std::map<std::string, ColumnTaker, std::less<>>{
      {"type",
       [](const std::string& value, ValueRule&) -> Mistake {
         if (records::ParseDataType(value).ok()) return "";
         return "must be a type, such as int64 or decimal128(12,2)";
       }},
      {"date_format",
       [](const std::string& value, ValueRule& rule) {
         return TakeTimePattern(TimePattern::ForDate(value), rule.date);
       }},
      {"timestamp_format",
       [](const std::string& value, ValueRule& rule) -> Mistake {
         if (value == "iso") return "";
         return TakeTimePattern(TimePattern::ForTimestamp(value), rule.timestamp);
       }},
      {"binary_format",
       [](const std::string& value, ValueRule& rule) -> Mistake {
         rule.base64 = value == "base64";
         return value == "hex" || value == "base64" ? "" : "must be hex or base64";
       }},
      {"bool_words", TakeBoolWords},
      {"decimal_point",
       [](const std::string& value, ValueRule& rule) -> Mistake {
         if (value != "." && value != "," && value != "point" && value != "comma")
           return "must be point or comma";
         rule.decimal_point = value == "." || value == "point" ? '.' : ',';
         return "";
       }},
  };
  return *takers;
}

bool IsKey(std::string_view name) { return name == "key" || name.starts_with("key."); }

}  // namespace

bool ColumnRules::Take(const std::string& name, const std::string& value, Mistake& mistake) {
  const auto taker = ColumnTakers().find(name.substr(0, name.find('.')));
  if (taker == ColumnTakers().end() || name == "type") return false;
  ValueRule ignored;
  mistake = taker->second(value, ignored);
  by_column_[name] = value;
  return true;
}

// The narrowest that is said: of the table's column, of every table's, of all columns.
const std::string* ColumnRules::Find(std::string_view setting, std::string_view table,
                                     std::string_view column) const {
  for (const std::string& name :
       {absl::StrCat(View(setting), ".", View(table), "/", View(column)),
        absl::StrCat(View(setting), ".", View(column)), std::string(setting)}) {
    const auto found = by_column_.find(name);
    if (found != by_column_.end()) return &found->second;
  }
  return nullptr;
}

ValueRule ColumnRules::RuleOf(std::string_view table, std::string_view column) const {
  ValueRule rule;
  for (const auto& [name, taker] : ColumnTakers())
    if (const std::string* value = Find(name, table, column); value != nullptr) taker(*value, rule);
  return rule;
}

std::optional<records::DataType> ColumnRules::TypeOf(std::string_view table,
                                                     std::string_view column) const {
  const std::string* const type = Find("type", table, column);
  if (type == nullptr) return std::nullopt;
  return *records::ParseDataType(*type);
}

std::vector<std::string> FileSettings::KeyOf(std::string_view table) const {
  for (const std::string& name : {absl::StrCat("key.", View(table)), std::string("key")})
    if (const auto found = keys.find(name); found != keys.end()) return *ParseList(found->second);
  return {};
}

FileSettings ParseFileSettings(
    const Settings& settings, std::string_view kind, std::string_view suffix, Mistakes& mistakes,
    const std::function<std::optional<Mistake>(const std::string& name, const std::string& value)>&
        take,
    Packing packing) {
  FileSettings parsed;
  for (const auto& [name, value] : settings) {
    if (name == "work_folder") {
      mistakes.Add(name, TakePath(value));
      parsed.work_folder = value;
    } else if (name == "reject_folder") {
      mistakes.Add(name, TakePath(value));
      parsed.reject_folder = value;
    } else if (IsKey(name)) {
      const auto list = ParseList(value);
      if (!list.ok()) mistakes.Add(name, std::string(list.status().message()));
      parsed.keys[name] = value;
    } else if (auto mistake = take(name, value)) {
      mistakes.Add(name, *std::move(mistake));
    } else if (!TakePlaceSetting(name, value, parsed.place, mistakes)) {
      mistakes.Add(name, absl::StrCat("is no setting of ", View(kind), ": docs/adapters/",
                                      View(kind), ".md lists them"));
    }
  }
  parsed.place.unpack.work_folder = parsed.work_folder;
  FinishPlace(settings, suffix, packing == Packing::kAny, parsed.place, mistakes);
  return parsed;
}

}  // namespace sluice::adapters::files
