#include "adapters/dbf/settings.h"

#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"

namespace sluice::adapters::dbf {
namespace {

using files::Mistake;

std::optional<Mistake> TakeSetting(const std::string& name, const std::string& value,
                                   DbfSettings& parsed) {
  if (name == "encoding") {
    parsed.page = CodePageNamed(value);
    return parsed.page != nullptr ? Mistake() : absl::StrCat("must be one of ", CodePageNames());
  }
  if (name == "deleted") return files::TakeChoice(value, "skip", "refuse", parsed.refuses_deleted);
  if (name == "blank") {
    return files::TakeChoice(value, "text", "null", parsed.blank_is_null);
  }
  if (name == "missing_memos")
    return files::TakeChoice(value, "refuse", "null", parsed.missing_memos_are_null);
  if (name == "short_file") return files::TakeChoice(value, "refuse", "read", parsed.reads_short);
  if (name == "records_behind")
    return files::TakeChoice(value, "refuse", "ignore", parsed.reads_rest);
  if (name == "most_memo_bytes")
    return files::TakeNumber(value, 1'024, 64 << 20, parsed.most_memo_bytes);
  Mistake mistake;
  if (parsed.rules.Take(name, value, mistake)) return mistake;
  return std::nullopt;
}

}  // namespace

absl::StatusOr<SourceSettings> ParseSettings(const Settings& settings) {
  SourceSettings parsed;
  files::Mistakes mistakes;
  parsed.files = files::ParseFileSettings(
      settings, "dbf", ".dbf", mistakes,
      [&](const std::string& name, const std::string& value) {
        return TakeSetting(name, value, parsed.format);
      },
      files::Packing::kNone);
  SLUICE_RETURN_IF_ERROR(mistakes.AsStatus());
  return parsed;
}

}  // namespace sluice::adapters::dbf
