#include "adapters/files/settings.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
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

Mistake TakeSuffix(const std::string& value) {
  const bool plain = value.size() >= 2 && value[0] == '.' && value.find('/') == value.npos &&
                     value.find('\0') == value.npos;
  return plain ? "" : "must be how files' names end, such as .csv";
}

bool IsKey(std::string_view name) { return name == "key" || name.starts_with("key."); }

void CheckPlace(const Settings& settings, Mistakes& mistakes) {
  const bool file = settings.contains("file"), folder = settings.contains("folder");
  if (file && folder) mistakes.Add("folder", "must not stand beside file");
  if (!file && !folder)
    mistakes.Add("file", "is missing: the file's path, or that of a folder as folder");
  if (file && settings.contains("suffix"))
    mistakes.Add("suffix", "is for a folder: file names one file");
}

Folder FolderOf(const Settings& settings, std::string_view usual_suffix) {
  if (const auto file = settings.find("file"); file != settings.end())
    return Folder::OfFile(file->second);
  const auto suffix = settings.find("suffix");
  return Folder::Of(settings.at("folder"),
                    suffix == settings.end() ? usual_suffix : std::string_view(suffix->second));
}

}  // namespace

void Mistakes::Add(std::string_view setting, Mistake mistake) {
  if (!mistake.empty()) mistakes_.emplace_back(setting, std::move(mistake));
}

absl::Status Mistakes::AsStatus() const {
  if (mistakes_.empty()) return absl::OkStatus();
  const std::string sentence =
      absl::StrJoin(mistakes_, "; ", [](std::string* out, const auto& mistake) {
        absl::StrAppend(out, "setting '", mistake.first, "' ", mistake.second);
      });
  absl::Status status = Error(v1::REASON_DEFINITION_INVALID, sentence);
  for (const auto& [name, mistake] : mistakes_)
    AddFieldViolation(status, absl::StrCat("settings.", name), mistake);
  return status;
}

absl::StatusOr<std::vector<std::string>> ParseList(std::string_view text) {
  const absl::Status mistake =
      absl::InvalidArgumentError("must be a list as one line of CSV: a,b,\"c,d\"");
  if (text.find_first_of("\r\n") != text.npos) return mistake;
  std::vector<std::string> list(1);
  for (size_t i = 0; i < text.size();) {
    if (text[i] == ',') {
      list.emplace_back();
      ++i;
    } else if (text[i] != '"') {
      list.back().push_back(text[i++]);
    } else {
      if (!list.back().empty()) return mistake;
      for (++i;; ++i) {
        if (i == text.size()) return mistake;
        if (text[i] == '"' && (i + 1 == text.size() || text[i + 1] != '"')) break;
        if (text[i] == '"') ++i;
        list.back().push_back(text[i]);
      }
      if (++i < text.size() && text[i] != ',') return mistake;
    }
  }
  if (text.empty()) return mistake;
  return list;
}

Mistake TakePath(const std::string& value) {
  if (value.empty() || value[0] != '/' || value.find('\0') != std::string::npos)
    return "must be an absolute path";
  for (absl::string_view part : absl::StrSplit(value, '/'))
    if (part == "..") return "must be a path without ..";
  return "";
}

Mistake TakeNumber(const std::string& value, int64_t least, int64_t most, int64_t& number) {
  if (absl::SimpleAtoi(value, &number) && number >= least && number <= most) return "";
  return absl::StrCat("must be a whole number from ", least, " to ", most);
}

Mistake TakeChoice(const std::string& value, std::string_view no, std::string_view yes,
                   bool& flag) {
  if (value != no && value != yes) return absl::StrCat("must be ", View(no), " or ", View(yes));
  flag = value == yes;
  return "";
}

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
        take) {
  FileSettings parsed;
  for (const auto& [name, value] : settings) {
    if (name == "file" || name == "folder") {
      mistakes.Add(name, TakePath(value));
    } else if (name == "suffix") {
      mistakes.Add(name, TakeSuffix(value));
    } else if (name == "work_folder") {
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
    } else {
      mistakes.Add(name, absl::StrCat("is no setting of ", View(kind), ": docs/adapters/",
                                      View(kind), ".md lists them"));
    }
  }
  CheckPlace(settings, mistakes);
  if (!mistakes.any()) parsed.folder = FolderOf(settings, suffix);
  return parsed;
}

}  // namespace sluice::adapters::files
