#include "adapters/files/mistakes.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"

namespace sluice::adapters::files {

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

Mistake TakeDuration(const std::string& value, int64_t most_seconds, int64_t& seconds) {
  const std::string_view units = "smhd";
  static constexpr int64_t kSeconds[] = {1, 60, 3'600, 86'400};
  const size_t unit = value.empty() ? units.npos : units.find(value.back());
  int64_t number = 0;
  if (unit != units.npos && absl::SimpleAtoi(value.substr(0, value.size() - 1), &number) &&
      number >= 0 && number <= most_seconds / kSeconds[unit]) {
    seconds = number * kSeconds[unit];
    return "";
  }
  return absl::StrCat("must be a time such as 30s, 5m, 2h or 1d, of at most ", most_seconds, "s");
}

}  // namespace sluice::adapters::files
