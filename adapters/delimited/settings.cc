#include "adapters/delimited/settings.h"

#include <functional>
#include <map>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"

namespace sluice::adapters::delimited {
namespace {

using files::Mistake;
using files::ParseList;
using Taker = std::function<Mistake(const std::string& value, DelimitedSettings& parsed)>;

// One of two words.
Taker Choice(std::string no, std::string yes, bool Dialect::*flag) {
  return [=](const std::string& value, DelimitedSettings& parsed) {
    return files::TakeChoice(value, no, yes, parsed.dialect.*flag);
  };
}

Taker NullChoice(bool NullRule::*flag) {
  return [=](const std::string& value, DelimitedSettings& parsed) -> Mistake {
    if (value != "null" && value != "text") return "must be null or text";
    parsed.nulls.*flag = value == "null";
    return "";
  };
}

Mistake MistakeOf(const absl::Status& status) { return std::string(status.message()); }

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
         const auto encoding = files::EncodingOf(value);
         if (!encoding) return absl::StrCat("must be one of ", files::EncodingNames());
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
         return files::TakeNumber(value, 0, 1'000, parsed.dialect.skip_lines);
       }},
      {"most_row_bytes",
       [](const std::string& value, DelimitedSettings& parsed) {
         int64_t bytes = 0;
         const Mistake mistake = files::TakeNumber(value, 1'024, 64 << 20, bytes);
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
  };
  return *takers;
}

// Mistakes that lie between settings.
void CheckTogether(const Settings& settings, const DelimitedSettings& parsed,
                   files::Mistakes& mistakes) {
  if (parsed.dialect.header && settings.contains("columns"))
    mistakes.Add("columns", "is for files without a header (header: no)");
  if (parsed.dialect.quote == parsed.dialect.separator)
    mistakes.Add("quote", "must differ from the separator");
  if (!parsed.dialect.quote)
    for (const char* name : {"stray_quotes", "quoted_line_ends", "quoted_empty"})
      if (settings.contains(name)) mistakes.Add(name, "means nothing where quote is none");
}

}  // namespace

absl::StatusOr<SourceSettings> ParseSettings(const Settings& settings) {
  SourceSettings parsed;
  files::Mistakes mistakes;
  parsed.files = files::ParseFileSettings(
      settings, "delimited", ".csv", mistakes,
      [&](const std::string& name, const std::string& value) -> std::optional<Mistake> {
        const auto taker = Takers().find(name);
        if (taker != Takers().end()) return taker->second(value, parsed.format);
        Mistake mistake;
        if (parsed.format.rules.Take(name, value, mistake)) return mistake;
        return std::nullopt;
      });
  CheckTogether(settings, parsed.format, mistakes);
  SLUICE_RETURN_IF_ERROR(mistakes.AsStatus());
  return parsed;
}

}  // namespace sluice::adapters::delimited
