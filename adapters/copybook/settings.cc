#include "adapters/copybook/settings.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"

namespace sluice::adapters::copybook {
namespace {

using files::Mistake;
using files::ParseList;
using Taker = std::function<Mistake(const std::string& value, CopybookSettings& parsed)>;

constexpr int64_t kMostBytes = int64_t{1} << 30;

template <class T>
Taker Flag(std::string no, std::string yes, T CopybookSettings::*part, bool T::*flag) {
  return [=](const std::string& value, CopybookSettings& parsed) {
    return files::TakeChoice(value, no, yes, parsed.*part.*flag);
  };
}

Taker Flag(std::string no, std::string yes, bool CopybookSettings::*flag) {
  return [=](const std::string& value, CopybookSettings& parsed) {
    return files::TakeChoice(value, no, yes, parsed.*flag);
  };
}

Taker DescriptorFlag(std::string no, std::string yes, DescriptorWord RecordSettings::*word,
                     bool DescriptorWord::*flag) {
  return [=](const std::string& value, CopybookSettings& parsed) {
    return files::TakeChoice(value, no, yes, parsed.records.*word.*flag);
  };
}

Taker Adjustment(DescriptorWord RecordSettings::*word) {
  return [=](const std::string& value, CopybookSettings& parsed) {
    return files::TakeNumber(value, -1'000'000, 1'000'000, (parsed.records.*word).adjustment);
  };
}

Taker Bytes(int64_t RecordSettings::*number, int64_t least = 0) {
  return [=](const std::string& value, CopybookSettings& parsed) {
    return files::TakeNumber(value, least, kMostBytes, parsed.records.*number);
  };
}

template <class T>
Taker OneOf(std::map<std::string, T> words, std::function<void(CopybookSettings&, T)> set) {
  return [words = std::move(words), set = std::move(set)](const std::string& value,
                                                          CopybookSettings& parsed) -> Mistake {
    const auto found = words.find(value);
    if (found != words.end()) {
      set(parsed, found->second);
      return "";
    }
    std::string all;
    for (const auto& [name, ignored] : words) absl::StrAppend(&all, all.empty() ? "" : ", ", name);
    return absl::StrCat("must be one of ", all);
  };
}

Taker Text(std::string CopybookSettings::*text) {
  return [=](const std::string& value, CopybookSettings& parsed) -> Mistake {
    if (value.empty()) return "must be a name";
    parsed.*text = value;
    return "";
  };
}

Taker Names(std::vector<std::string> CopybookSettings::*names) {
  return [=](const std::string& value, CopybookSettings& parsed) -> Mistake {
    auto list = ParseList(value);
    if (!list.ok()) return std::string(list.status().message());
    parsed.*names = *std::move(list);
    return "";
  };
}

const std::map<std::string, Taker, std::less<>>& CopybookTakers() {
  using S = CopybookSettings;
  using R = RecordSettings;
  static const auto* const takers = new std::map<std::string, Taker, std::less<>>{
      {"copybook",
       [](const std::string& value, S& parsed) -> Mistake {
         auto list = ParseList(value);
         if (!list.ok()) return std::string(list.status().message());
         parsed.copybooks = *std::move(list);
         for (const std::string& path : parsed.copybooks)
           if (Mistake mistake = files::TakePath(path); !mistake.empty()) return mistake;
         return "";
       }},
      {"copybook_format",
       OneOf<ReferenceFormat>(
           {{"fixed", ReferenceFormat::kFixed}, {"free", ReferenceFormat::kFree}},
           [](S& parsed, ReferenceFormat format) { parsed.reference_format = format; })},
      {"encoding",
       [](const std::string& value, S& parsed) -> Mistake {
         auto page = files::CodePage::Of(value);
         if (!page.ok()) return absl::StrCat("must ", page.status().message());
         parsed.page = *std::move(page);
         return "";
       }},
      {"record_format",
       OneOf<RecordFormat>({{"fixed", RecordFormat::kFixed},
                            {"counted", RecordFormat::kCounted},
                            {"rdw", RecordFormat::kRdw},
                            {"blocked", RecordFormat::kBlocked},
                            {"fixed_blocked", RecordFormat::kFixedBlocked},
                            {"length_field", RecordFormat::kLengthField},
                            {"lines", RecordFormat::kLines}},
                           [](S& parsed, RecordFormat format) { parsed.records.format = format; })},
      {"record_length", Bytes(&R::record_length, 1)},
      {"file_start_bytes", Bytes(&R::file_start)},
      {"file_end_bytes", Bytes(&R::file_end)},
      {"record_start_bytes", Bytes(&R::record_start)},
      {"record_end_bytes", Bytes(&R::record_end)},
      {"skip_records", Bytes(&R::skip_records)},
      {"skip_last_records", Bytes(&R::skip_last_records)},
      {"rdw_order", DescriptorFlag("big", "little", &R::rdw, &DescriptorWord::little)},
      {"rdw_counts_itself", DescriptorFlag("no", "yes", &R::rdw, &DescriptorWord::counts_itself)},
      {"rdw_adjustment", Adjustment(&R::rdw)},
      {"bdw_order", DescriptorFlag("big", "little", &R::bdw, &DescriptorWord::little)},
      {"bdw_counts_itself", DescriptorFlag("no", "yes", &R::bdw, &DescriptorWord::counts_itself)},
      {"bdw_adjustment", Adjustment(&R::bdw)},
      {"length_field",
       [](const std::string& value, S& parsed) -> Mistake {
         parsed.records.length_field = value;
         return value.empty() ? "must be a field's name" : "";
       }},
      {"length_adjustment",
       [](const std::string& value, S& parsed) {
         return files::TakeNumber(value, -1'000'000, 1'000'000, parsed.records.length_adjustment);
       }},
      {"short_records",
       [](const std::string& value, S& parsed) {
         bool null = false;
         Mistake mistake = files::TakeChoice(value, "refuse", "null", null);
         parsed.records.short_is_null = null;
         return mistake;
       }},
      {"long_records", Flag("refuse", "cut", &S::records, &R::cuts_long)},
      {"last_line_end", Flag("optional", "required", &S::records, &R::needs_last_line_end)},
      {"depending_on", Flag("fixed", "variable", &S::variable_occurs)},
      {"binary_order", Flag("big", "little", &S::comp_little)},
      {"comp5_order", Flag("big", "little", &S::native_little)},
      {"binary_sizes", Flag("2-4-8", "1-2-4-8", &S::small_binaries)},
      {"binary_digits", Flag("any", "picture", &S::limited_binaries)},
      {"float_format", OneOf<FloatForm>({{"ibm", FloatForm::kIbm},
                                         {"ieee", FloatForm::kIeeeBig},
                                         {"ieee_little", FloatForm::kIeeeLittle}},
                                        [](S& parsed, FloatForm form) { parsed.floats = form; })},
      {"national", Flag("utf-16be", "utf-16le", &S::national_little)},
      {"digits", Flag("strict", "relaxed", &S::relaxed)},
      {"edited", Flag("text", "numbers", &S::edited_numbers)},
      {"trim", OneOf<Trim>({{"none", Trim::kNone},
                            {"left", Trim::kLeft},
                            {"right", Trim::kRight},
                            {"both", Trim::kBoth}},
                           [](S& parsed, Trim trim) { parsed.trim = trim; })},
      {"low_values", Flag("text", "null", &S::low_values_null)},
      {"blank_text", Flag("text", "null", &S::blank_text_null)},
      {"blank_numbers", Flag("bad", "null", &S::blank_numbers_null)},
      {"qualified", Flag("needed", "always", &S::qualified)},
      {"hyphens", Flag("keep", "underscore", &S::underscores)},
      {"fillers", Flag("leave_out", "keep", &S::fillers)},
      {"leave_out", Names(&S::leave_out)},
      {"group_texts", Names(&S::group_texts)},
      {"segment_field", Text(&S::segment_field)},
      {"other_segments", Flag("refuse", "skip", &S::skips_other_segments)},
      {"record_number", Text(&S::record_number)},
      {"occurrence_number", Text(&S::occurrence_number)},
      {"record_length_column", Text(&S::record_length_column)},
  };
  return *takers;
}

Mistake TakeCondition(const std::string& value, ConditionText& condition) {
  const size_t equals = value.find('=');
  auto values = equals == value.npos ? absl::InvalidArgumentError("")
                                     : ParseList(std::string_view(value).substr(equals + 1));
  if (!values.ok() || equals == 0) return "must be FIELD=VALUE, or FIELD=VALUE,VALUE";
  condition = {value.substr(0, equals), *std::move(values)};
  return "";
}

SegmentText& SegmentOf(CopybookSettings& parsed, const std::string& name) {
  for (SegmentText& segment : parsed.segments)
    if (segment.name == name) return segment;
  return parsed.segments.emplace_back(SegmentText{name, {}, ""});
}

// Settings with a name behind a point.
std::optional<Mistake> TakeNamed(const std::string& name, const std::string& value,
                                 CopybookSettings& parsed) {
  const size_t point = name.find('.');
  const std::string kind = name.substr(0, point);
  const std::string of = point == name.npos ? "" : name.substr(point + 1);
  if (kind == "occurs") {
    parsed.by_table[name] = value;
    return value == "columns" || value == "counted" ? "" : "must be columns or counted";
  }
  if (kind == "rows") {
    parsed.by_table[name] = value;
    return value.empty() ? "must be the name of an item that occurs" : "";
  }
  if (kind == "binary_format" && value == "raw") {
    parsed.binary_formats[name] = false;
    return "";
  }
  if (of.empty()) return std::nullopt;
  if (kind == "redefines") return TakeCondition(value, parsed.redefines[of]);
  if (kind == "null_if") return TakeCondition(value, parsed.null_if[of]);
  if (kind == "length_of") {
    parsed.length_of[of] = value;
    return value.empty() ? "must be a field's name" : "";
  }
  if (kind == "segment") {
    auto list = ParseList(value);
    if (!list.ok()) return std::string(list.status().message());
    if (of.find('/') != of.npos) return "must be a name without slash";
    SegmentOf(parsed, of).values = *std::move(list);
    return "";
  }
  if (kind == "segment_group") {
    SegmentOf(parsed, of).group = value;
    return value.empty() ? "must be an item's name" : "";
  }
  return std::nullopt;
}

bool HasFormat(const CopybookSettings& parsed, std::initializer_list<RecordFormat> formats) {
  return std::find(formats.begin(), formats.end(), parsed.records.format) != formats.end();
}

// Mistakes that lie between settings.
void CheckTogether(const Settings& settings, const CopybookSettings& parsed,
                   files::Mistakes& mistakes) {
  using F = RecordFormat;
  if (!settings.contains("copybook")) mistakes.Add("copybook", "is missing: the copybook's path");
  if (!settings.contains("encoding"))
    mistakes.Add("encoding", "is missing: the code page of the file's texts, such as cp037");
  const auto only_for = [&](std::initializer_list<const char*> names,
                            std::initializer_list<F> formats, const char* words) {
    for (const char* name : names)
      if (settings.contains(name) && !HasFormat(parsed, formats))
        mistakes.Add(name, absl::StrCat("is for record_format ", words));
  };
  only_for({"record_length"}, {F::kFixed, F::kFixedBlocked}, "fixed and fixed_blocked");
  only_for({"rdw_order", "rdw_counts_itself", "rdw_adjustment"}, {F::kRdw, F::kBlocked},
           "rdw and blocked");
  only_for({"bdw_order", "bdw_counts_itself", "bdw_adjustment"}, {F::kBlocked, F::kFixedBlocked},
           "blocked and fixed_blocked");
  only_for({"length_field", "length_adjustment"}, {F::kLengthField}, "length_field");
  only_for({"last_line_end"}, {F::kLines}, "lines");
  only_for({"skip_last_records"}, {F::kFixed}, "fixed");
  if (HasFormat(parsed, {F::kBlocked, F::kFixedBlocked}) && settings.contains("skip_records"))
    mistakes.Add("skip_records", "is not for blocks");
  if (parsed.records.format == F::kLengthField && parsed.records.length_field.empty())
    mistakes.Add("length_field", "is missing: the field that says a record's length");
  if (parsed.records.format == F::kCounted && !parsed.variable_occurs)
    mistakes.Add("depending_on", "must be variable where record_format is counted");
  if (parsed.records.format == F::kLines && parsed.page != nullptr && parsed.page->ebcdic())
    mistakes.Add("record_format", "lines is for files in ASCII and its kin");
  for (const SegmentText& segment : parsed.segments) {
    if (segment.values.empty())
      mistakes.Add("segment." + segment.name, "is missing: the values of segment_field");
    if (parsed.segment_field.empty())
      mistakes.Add("segment." + segment.name, "needs segment_field");
  }
  if (!parsed.segment_field.empty() && parsed.segments.empty())
    mistakes.Add("segment_field", "needs segment.NAME, for each kind of record its values");
  if (settings.contains("other_segments") && parsed.segment_field.empty())
    mistakes.Add("other_segments", "needs segment_field");
}

}  // namespace

std::string CopybookSettings::ForTable(std::string_view name, const std::string& file,
                                       const std::string& table) const {
  for (const std::string& one : {absl::StrCat(View(name), ".", table),
                                 absl::StrCat(View(name), ".", file), std::string(name)})
    if (const auto found = by_table.find(one); found != by_table.end()) return found->second;
  return "";
}

bool CopybookSettings::BinaryIsText(std::string_view table, std::string_view column) const {
  for (const std::string& name :
       {absl::StrCat("binary_format.", View(table), "/", View(column)),
        absl::StrCat("binary_format.", View(column)), std::string("binary_format")})
    if (const auto found = binary_formats.find(name); found != binary_formats.end())
      return found->second;
  return false;
}

absl::StatusOr<SourceSettings> ParseSettings(const Settings& settings) {
  SourceSettings parsed;
  files::Mistakes mistakes;
  parsed.files = files::ParseFileSettings(
      settings, "copybook", ".dat", mistakes,
      [&](const std::string& name, const std::string& value) -> std::optional<Mistake> {
        const auto taker = CopybookTakers().find(name);
        if (taker != CopybookTakers().end()) return taker->second(value, parsed.format);
        if (auto mistake = TakeNamed(name, value, parsed.format)) return mistake;
        Mistake mistake;
        if (!parsed.format.rules.Take(name, value, mistake)) return std::nullopt;
        if (name.starts_with("binary_format")) {
          parsed.format.binary_formats[name] = true;
          if (!mistake.empty()) mistake = "must be raw, hex or base64";
        }
        return mistake;
      });
  CheckTogether(settings, parsed.format, mistakes);
  SLUICE_RETURN_IF_ERROR(mistakes.AsStatus());
  return parsed;
}

}  // namespace sluice::adapters::copybook
