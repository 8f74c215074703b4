#include "adapters/sqlite/settings.h"

#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/base/error.h"

namespace sluice::adapters::sqlite {
namespace {

constexpr int kMostBusyTimeoutMs = 30'000;

// A name such as "file:x?mode=rwc" or ":memory:" means something else to SQLite than to a reader of
// the configuration; behind "./" it is a file's name and nothing more.
std::string AsPlainPath(const std::string& file) { return file[0] == '/' ? file : "./" + file; }

}  // namespace

absl::StatusOr<SqliteSettings> ParseSettings(const Settings& settings) {
  SqliteSettings parsed;
  std::vector<std::pair<std::string, std::string>> mistakes;
  if (!settings.contains("file")) mistakes.emplace_back("file", "is missing: the database's path");
  for (const auto& [name, value] : settings) {
    if (name == "file") {
      if (value.empty() || value.find('\0') != std::string::npos) {
        mistakes.emplace_back(name, "must be the path of the database");
      } else {
        parsed.file = AsPlainPath(value);
      }
    } else if (name == "busy_timeout_ms") {
      int ms = 0;
      if (!absl::SimpleAtoi(value, &ms) || ms < 0 || ms > kMostBusyTimeoutMs) {
        mistakes.emplace_back(
            name, absl::StrCat("must be a whole number from 0 to ", kMostBusyTimeoutMs));
      } else {
        parsed.busy_timeout_ms = ms;
      }
    } else {
      mistakes.emplace_back(name, "is no setting of sqlite: those are file and busy_timeout_ms");
    }
  }
  if (mistakes.empty()) return parsed;
  const std::string sentence =
      absl::StrJoin(mistakes, "; ", [](std::string* out, const auto& mistake) {
        absl::StrAppend(out, "setting '", mistake.first, "' ", mistake.second);
      });
  absl::Status status = Error(v1::REASON_DEFINITION_INVALID, sentence);
  for (const auto& [name, mistake] : mistakes)
    AddFieldViolation(status, absl::StrCat("settings.", name), mistake);
  return status;
}

}  // namespace sluice::adapters::sqlite
