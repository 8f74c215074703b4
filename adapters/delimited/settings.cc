#include "adapters/delimited/settings.h"

#include <algorithm>
#include <array>
#include <functional>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "adapters/delimited/splitter.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"

namespace sluice::adapters::delimited {
namespace {

// What is wrong with a value, to be read behind the setting's name; empty for nothing.
using Mistake = std::string;
using Taker = std::function<Mistake(const std::string& value, DelimitedSettings& parsed)>;

// One of two words.
Taker Choice(std::string no, std::string yes, bool Dialect::*flag) {
  return [=](const std::string& value, DelimitedSettings& parsed) -> Mistake {
    if (value != no && value != yes) return absl::StrCat("must be ", no, " or ", yes);
    parsed.dialect.*flag = value == yes;
    return "";
  };
}

Taker NullChoice(bool NullRule::*flag) {
  return [=](const std::string& value, DelimitedSettings& parsed) -> Mistake {
    if (value != "null" && value != "text") return "must be null or text";
    parsed.nulls.*flag = value == "null";
    return "";
  };
}

// A list as one line of CSV.
absl::StatusOr<std::vector<std::string>> ParseList(std::string_view text) {
  Dialect dialect;
  dialect.needs_last_line_end = false;
  dialect.quoted_line_ends = false;
  Splitter splitter(dialect);
  splitter.Begin();
  const bool whole = splitter.Split(text, true) == Splitter::Result::kRecord &&
                     splitter.size() == text.size() && text.find('\n') == text.npos;
  if (!whole) return absl::InvalidArgumentError("must be a list as one line of CSV: a,b,\"c,d\"");
  std::vector<std::string> list;
  for (const FieldSpan& field : splitter.fields()) {
    std::string& entry = list.emplace_back();
    for (size_t i = field.begin; i < field.end; ++i) {
      entry.push_back(text[i]);
      if (field.escaped && text[i] == '"') ++i;
    }
  }
  return list;
}

Mistake MistakeOf(const absl::Status& status) { return std::string(status.message()); }

Mistake TakePath(const std::string& value) {
  if (value.empty() || value[0] != '/' || value.find('\0') != std::string::npos)
    return "must be an absolute path";
  for (absl::string_view part : absl::StrSplit(value, '/'))
    if (part == "..") return "must be a path without ..";
  return "";
}

Mistake TakeSeparator(const std::string& value, DelimitedSettings& parsed) {
  static const std::map<std::string, char> kNames = {
      {"comma", ','}, {"semicolon", ';'}, {"tab", '\t'}, {"bar", '|'}, {"space", ' '}};
  if (const auto name = kNames.find(value); name != kNames.end()) {
    parsed.dialect.separator = name->second;
    return "";
  }
  const bool sign = value.size() == 1 && value[0] > 0 && value[0] < 0x7F &&
                    !absl::ascii_isalnum(static_cast<unsigned char>(value[0])) &&
                    std::string_view("\r\n\\-.").find(value[0]) == std::string_view::npos;
  if (!sign)
    return "must be comma, semicolon, tab, bar, space or one ASCII sign, but no point, hyphen or "
           "backslash";
  parsed.dialect.separator = value[0];
  return "";
}

Mistake TakeQuote(const std::string& value, DelimitedSettings& parsed) {
  if (value == "none") {
    parsed.dialect.quote.reset();
    return "";
  }
  if (value != "\"" && value != "'" && value != "double" && value != "single")
    return "must be double, single or none";
  parsed.dialect.quote = value == "\"" || value == "double" ? '"' : '\'';
  return "";
}

Mistake TakeLineEnds(const std::string& value, DelimitedSettings& parsed) {
  static const std::map<std::string, LineEnds> kNames = {{"lf_or_crlf", LineEnds::kLfOrCrLf},
                                                         {"lf", LineEnds::kLf},
                                                         {"crlf", LineEnds::kCrLf},
                                                         {"cr", LineEnds::kCr},
                                                         {"any", LineEnds::kAny}};
  const auto name = kNames.find(value);
  if (name == kNames.end()) return "must be lf_or_crlf, lf, crlf, cr or any";
  parsed.dialect.line_ends = name->second;
  return "";
}

Mistake TakeNumber(const std::string& value, int64_t least, int64_t most, int64_t& number) {
  if (absl::SimpleAtoi(value, &number) && number >= least && number <= most) return "";
  return absl::StrCat("must be a whole number from ", least, " to ", most);
}

Mistake TakeColumns(const std::string& value, DelimitedSettings& parsed) {
  auto list = ParseList(value);
  if (!list.ok()) return MistakeOf(list.status());
  const std::set<std::string> names(list->begin(), list->end());
  if (names.size() != list->size() || names.contains("")) return "must name each column once";
  parsed.columns = *std::move(list);
  return "";
}

const std::map<std::string, Taker, std::less<>>& Takers() {
  static const auto* const takers = new std::map<std::string, Taker, std::less<>>{
      {"encoding",
       [](const std::string& value, DelimitedSettings& parsed) -> Mistake {
         const auto encoding = EncodingOf(value);
         if (!encoding) return absl::StrCat("must be one of ", EncodingNames());
         parsed.dialect.encoding = *encoding;
         return "";
       }},
      {"separator", TakeSeparator},
      {"quote", TakeQuote},
      {"escape", Choice("doubled", "backslash", &Dialect::backslash)},
      {"stray_quotes", Choice("refuse", "keep", &Dialect::stray_quotes)},
      {"line_ends", TakeLineEnds},
      {"quoted_line_ends", Choice("refuse", "keep", &Dialect::quoted_line_ends)},
      {"last_line_end", Choice("optional", "required", &Dialect::needs_last_line_end)},
      {"trailing_separator", Choice("refuse", "drop", &Dialect::drops_trailing_separator)},
      {"blank_lines", Choice("refuse", "skip", &Dialect::skips_blank_lines)},
      {"header", Choice("no", "yes", &Dialect::header)},
      {"columns", TakeColumns},
      {"skip_lines",
       [](const std::string& value, DelimitedSettings& parsed) {
         return TakeNumber(value, 0, 1'000, parsed.dialect.skip_lines);
       }},
      {"most_row_bytes",
       [](const std::string& value, DelimitedSettings& parsed) {
         int64_t bytes = 0;
         const Mistake mistake = TakeNumber(value, 1'024, 64 << 20, bytes);
         if (mistake.empty()) parsed.dialect.most_row_bytes = static_cast<size_t>(bytes);
         return mistake;
       }},
      {"empty", NullChoice(&NullRule::empty)},
      {"quoted_empty", NullChoice(&NullRule::quoted_empty)},
      {"null_words",
       [](const std::string& value, DelimitedSettings& parsed) -> Mistake {
         auto list = ParseList(value);
         if (!list.ok()) return MistakeOf(list.status());
         parsed.nulls.words = *std::move(list);
         return "";
       }},
      {"work_folder",
       [](const std::string& value, DelimitedSettings& parsed) {
         parsed.work_folder = value;
         return TakePath(value);
       }},
  };
  return *takers;
}

// Of columns: each by its name, and behind a point the column or table/column that it is about.
Mistake TakeBoolWords(const std::string& value, ValueRule& rule) {
  const auto list = ParseList(value);
  if (!list.ok() || list->size() != 2 || (*list)[0] == (*list)[1])
    return "must be two words, true's first: yes,no";
  rule.true_word = (*list)[0];
  rule.false_word = (*list)[1];
  return "";
}

Mistake TakeTimePattern(absl::StatusOr<TimePattern> pattern, std::optional<TimePattern>& out) {
  if (!pattern.ok()) return absl::StrCat("must ", pattern.status().message());
  out = *std::move(pattern);
  return "";
}

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

Mistake TakeOne(const std::string& name, const std::string& value, DelimitedSettings& parsed) {
  if (name == "file" || name == "folder") return TakePath(value);
  if (name == "suffix") {
    const bool plain = value.size() >= 2 && value[0] == '.' && value.find('/') == value.npos &&
                       value.find('\0') == value.npos;
    return plain ? "" : "must be how files' names end, such as .csv";
  }
  const auto taker = Takers().find(name);
  if (taker != Takers().end()) return taker->second(value, parsed);
  const std::string family = name.substr(0, name.find('.'));
  if (family == "key") {
    parsed.by_column[name] = value;
    const auto list = ParseList(value);
    return list.ok() ? "" : MistakeOf(list.status());
  }
  const auto column_taker = ColumnTakers().find(family);
  if (column_taker == ColumnTakers().end() || (name == "type"))
    return "is no setting of delimited: docs/adapters/delimited.md lists them";
  parsed.by_column[name] = value;
  ValueRule ignored;
  return column_taker->second(value, ignored);
}

// Mistakes that lie between settings.
void CheckTogether(const Settings& settings, const DelimitedSettings& parsed,
                   std::vector<std::pair<std::string, Mistake>>& mistakes) {
  const bool file = settings.contains("file"), folder = settings.contains("folder");
  if (file && folder) mistakes.emplace_back("folder", "must not stand beside file");
  if (!file && !folder)
    mistakes.emplace_back("file", "is missing: the file's path, or that of a folder as folder");
  if (file && settings.contains("suffix"))
    mistakes.emplace_back("suffix", "is for a folder: file names one file");
  if (parsed.dialect.header && settings.contains("columns"))
    mistakes.emplace_back("columns", "is for files without a header (header: no)");
  if (parsed.dialect.quote == parsed.dialect.separator)
    mistakes.emplace_back("quote", "must differ from the separator");
  if (!parsed.dialect.quote)
    for (const char* name : {"stray_quotes", "quoted_line_ends", "quoted_empty"})
      if (settings.contains(name)) mistakes.emplace_back(name, "means nothing where quote is none");
}

Folder FolderOf(const Settings& settings) {
  if (const auto file = settings.find("file"); file != settings.end())
    return Folder::OfFile(file->second);
  const auto suffix = settings.find("suffix");
  return Folder::Of(settings.at("folder"), suffix == settings.end() ? ".csv" : suffix->second);
}

}  // namespace

absl::StatusOr<DelimitedSettings> ParseSettings(const Settings& settings) {
  DelimitedSettings parsed;
  std::vector<std::pair<std::string, Mistake>> mistakes;
  for (const auto& [name, value] : settings)
    if (Mistake mistake = TakeOne(name, value, parsed); !mistake.empty())
      mistakes.emplace_back(name, std::move(mistake));
  CheckTogether(settings, parsed, mistakes);
  if (mistakes.empty()) {
    parsed.folder = FolderOf(settings);
    return parsed;
  }
  const std::string sentence =
      absl::StrJoin(mistakes, "; ", [](std::string* out, const auto& mistake) {
        absl::StrAppend(out, "setting '", mistake.first, "' ", mistake.second);
      });
  absl::Status status = Error(v1::REASON_DEFINITION_INVALID, sentence);
  for (const auto& [name, mistake] : mistakes)
    AddFieldViolation(status, absl::StrCat("settings.", name), mistake);
  return status;
}

const std::string* DelimitedSettings::Find(std::string_view setting, std::string_view table,
                                           std::string_view column) const {
  for (const std::string& name :
       {absl::StrCat(View(setting), ".", View(table), "/", View(column)),
        absl::StrCat(View(setting), ".", View(column)), std::string(setting)}) {
    const auto found = by_column.find(name);
    if (found != by_column.end()) return &found->second;
  }
  return nullptr;
}

ValueRule DelimitedSettings::RuleOf(std::string_view table, std::string_view column) const {
  ValueRule rule;
  for (const auto& [name, taker] : ColumnTakers())
    if (const std::string* value = Find(name, table, column); value != nullptr) taker(*value, rule);
  return rule;
}

records::DataType DelimitedSettings::TypeOf(std::string_view table, std::string_view column) const {
  const std::string* const type = Find("type", table, column);
  if (type == nullptr) return {records::TypeId::kUtf8};
  return *records::ParseDataType(*type);
}

std::vector<std::string> DelimitedSettings::KeyOf(std::string_view table) const {
  const std::string* const key = Find("key", "", table);
  if (key == nullptr) return {};
  return *ParseList(*key);
}

}  // namespace sluice::adapters::delimited
