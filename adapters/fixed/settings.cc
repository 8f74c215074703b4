#include "adapters/fixed/settings.h"

#include <map>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"

namespace sluice::adapters::fixed {
namespace {

using files::Mistake;

Mistake TakeLayout(const std::string& table, const std::string& value, FixedSettings& parsed) {
  auto layout = ParseLayout(value);
  if (!layout.ok()) return std::string(layout.status().message());
  parsed.layouts[table] = *std::move(layout);
  return "";
}

Mistake TakeEncoding(const std::string& value, FixedSettings& parsed) {
  if (const auto encoding = files::EncodingOf(value)) {
    parsed.encoding = *encoding;
    return "";
  }
  auto page = files::CodePage::Of(value);
  if (!page.ok())
    return absl::StrCat("must be one of ", files::EncodingNames(),
                        ", or a code page that ICU knows, such as windows-1252 or cp037");
  parsed.page = *std::move(page);
  return "";
}

Mistake TakeRecordEnd(const std::string& value, FixedSettings& parsed) {
  static const std::map<std::string, RecordEnd> kNames = {{"lf_or_crlf", RecordEnd::kLfOrCrLf},
                                                          {"lf", RecordEnd::kLf},
                                                          {"crlf", RecordEnd::kCrLf},
                                                          {"nel", RecordEnd::kNel},
                                                          {"none", RecordEnd::kNone}};
  const auto name = kNames.find(value);
  if (name == kNames.end()) return "must be lf_or_crlf, lf, crlf, nel or none";
  parsed.record_end = name->second;
  return "";
}

Mistake TakePad(const std::string& value, FixedSettings& parsed) {
  int32_t code = 0;
  if (value == "blank") {
    code = ' ';
  } else if (value.size() == 1) {
    code = static_cast<unsigned char>(value[0]);
  } else if (!value.starts_with("0x") || value.size() != 4 || !absl::SimpleHexAtoi(value, &code)) {
    code = -1;
  }
  if (code < 0 || code > 0x7F) return "must be blank, one ASCII sign, or its code such as 0x00";
  parsed.pad = static_cast<char>(code);
  return "";
}

Mistake TakeTrim(const std::string& value, FixedSettings& parsed) {
  if (value != "right" && value != "left" && value != "both" && value != "none")
    return "must be right, left, both or none";
  parsed.trims_left = value == "left" || value == "both";
  parsed.trims_right = value == "right" || value == "both";
  return "";
}

// Of a column: nothing where the name is none of them.
std::optional<Mistake> TakeFieldRule(const std::string& name, const std::string& value,
                                     FieldRule& rule) {
  if (name == "leading_zeros")
    return files::TakeChoice(value, "refuse", "drop", rule.drops_leading_zeros);
  if (name == "implied_decimals") return files::TakeNumber(value, 0, 38, rule.implied_decimals);
  return std::nullopt;
}

std::optional<Mistake> Take(const std::string& name, const std::string& value,
                            FixedSettings& parsed) {
  if (name == "layout") return TakeLayout("", value, parsed);
  if (name.starts_with("layout.")) return TakeLayout(name.substr(7), value, parsed);
  if (name == "encoding") return TakeEncoding(value, parsed);
  if (name == "widths")
    return files::TakeChoice(value, "bytes", "characters", parsed.counts_characters);
  if (name == "record_end") return TakeRecordEnd(value, parsed);
  if (name == "last_record_end")
    return files::TakeChoice(value, "optional", "required", parsed.needs_last_record_end);
  if (name == "short_records")
    return files::TakeChoice(value, "refuse", "pad", parsed.pads_short_records);
  if (name == "pad") return TakePad(value, parsed);
  if (name == "trim") return TakeTrim(value, parsed);
  if (name == "blank") return files::TakeChoice(value, "text", "null", parsed.blank_is_null);
  if (name == "null_words") {
    auto list = files::ParseList(value);
    if (!list.ok()) return std::string(list.status().message());
    parsed.null_words = *std::move(list);
    return "";
  }
  if (name == "skip_lines") return files::TakeNumber(value, 0, 1'000, parsed.skip_lines);
  FieldRule ignored;
  auto mistake = TakeFieldRule(name.substr(0, name.find('.')), value, ignored);
  if (mistake) {
    parsed.field_rules[name] = value;
    return mistake;
  }
  Mistake of_rule;
  if (parsed.rules.Take(name, value, of_rule)) return of_rule;
  return std::nullopt;
}

// Whether as many characters are always as many bytes.
bool HasCommonLength(const FixedSettings& parsed) {
  if (parsed.page != nullptr) return parsed.page->single_byte();
  return parsed.unit() == 2 || parsed.encoding == files::Encoding::kLatin1;
}

void CheckTogether(const Settings& settings, const FixedSettings& parsed,
                   files::Mistakes& mistakes) {
  if (parsed.layouts.empty() && !settings.contains("layout"))
    mistakes.Add("layout", "is missing: the columns and their widths, such as code:6,name:30");
  if (parsed.ebcdic() && !settings.contains("record_end"))
    mistakes.Add("record_end", "is missing: in EBCDIC records end in nel, lf or crlf, or in none");
  if (!parsed.ebcdic() && parsed.record_end == RecordEnd::kNel)
    mistakes.Add("record_end", "must be another: nel is EBCDIC's");
  if (parsed.counts_characters && parsed.page != nullptr && parsed.page->shifts())
    mistakes.Add("widths", "must be bytes where shifts between characters take bytes as well");
  if (parsed.record_end != RecordEnd::kNone) return;
  if (parsed.counts_characters && !HasCommonLength(parsed))
    mistakes.Add("widths",
                 "must be bytes where record_end is none: records of as many characters "
                 "have no common length");
  for (const char* name : {"last_record_end", "short_records", "skip_lines"})
    if (settings.contains(name)) mistakes.Add(name, "means nothing where record_end is none");
}

}  // namespace

const RecordLayout* FixedSettings::LayoutOf(std::string_view table) const {
  auto found = layouts.find(table);
  if (found == layouts.end()) found = layouts.find("");
  return found == layouts.end() ? nullptr : &found->second;
}

FieldRule FixedSettings::FieldRuleOf(std::string_view table, std::string_view column) const {
  FieldRule rule;
  for (const char* name : {"leading_zeros", "implied_decimals"}) {
    // The narrowest comes last.
    for (const std::string& key : {std::string(name), absl::StrCat(name, ".", View(column)),
                                   absl::StrCat(name, ".", View(table), "/", View(column))}) {
      const auto found = field_rules.find(key);
      if (found != field_rules.end()) TakeFieldRule(name, found->second, rule);
    }
  }
  return rule;
}

absl::StatusOr<FixedSource> ParseFixedSettings(const Settings& settings) {
  FixedSource parsed;
  files::Mistakes mistakes;
  parsed.files = files::ParseFileSettings(settings, "fixed", ".txt", mistakes,
                                          [&](const std::string& name, const std::string& value) {
                                            return Take(name, value, parsed.format);
                                          });
  CheckTogether(settings, parsed.format, mistakes);
  SLUICE_RETURN_IF_ERROR(mistakes.AsStatus());
  return parsed;
}

}  // namespace sluice::adapters::fixed
