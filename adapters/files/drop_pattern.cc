#include "adapters/files/drop_pattern.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "adapters/files/folder.h"
#include "gateway/base/view.h"

namespace sluice::adapters::files {
namespace {

constexpr int64_t kDayMicros = 86'400'000'000;
constexpr std::string_view kSeparators = "-_. ";

std::string Trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(kSeparators);
  if (first == text.npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(kSeparators) - first + 1));
}

// The text before the date and that behind it without its ending, and a separator between.
std::string TableOf(std::string_view before, std::string_view behind) {
  behind = behind.substr(0, behind.rfind('.'));
  const std::string left = Trimmed(before), right = Trimmed(behind);
  if (left.empty() || right.empty()) return left + right;
  const char last = before.back();
  return absl::StrCat(left, std::string(1, kSeparators.find(last) == kSeparators.npos ? '-' : last),
                      right);
}

}  // namespace

absl::StatusOr<DropPattern> DropPattern::Parse(std::string_view pattern) {
  DropPattern parsed;
  std::string before, behind;
  bool table = false, date = false;
  while (!pattern.empty()) {
    if (pattern[0] != '{') {
      const size_t end = std::min(pattern.find('{'), pattern.size());
      parsed.tokens_.push_back({Token::Kind::kText, std::string(pattern.substr(0, end))});
      (date ? behind : before) += pattern.substr(0, end);
      pattern.remove_prefix(end);
      continue;
    }
    const size_t end = pattern.find('}');
    if (end == pattern.npos) return absl::InvalidArgumentError("close each brace");
    const std::string_view inner = pattern.substr(1, end - 1);
    pattern.remove_prefix(end + 1);
    if (inner == "table") {
      if (table) return absl::InvalidArgumentError("name {table} once");
      table = true;
      parsed.tokens_.push_back({Token::Kind::kTable, ""});
      continue;
    }
    if (date) return absl::InvalidArgumentError("hold one date");
    date = true;
    parsed.tokens_.push_back({Token::Kind::kDate, ""});
    auto day = TimePattern::ForDate(inner), time = TimePattern::ForTimestamp(inner);
    if (!day.ok() && !time.ok())
      return absl::InvalidArgumentError(
          absl::StrCat("have a date in braces that can ", day.status().message()));
    if (day.ok()) parsed.date_ = *std::move(day);
    if (time.ok()) parsed.timestamp_ = *std::move(time);
  }
  if (!date) return absl::InvalidArgumentError("hold a date, as in persons-{yyyyMMdd}.csv");
  for (const Token& token : parsed.tokens_)
    if (token.text.find('/') != token.text.npos || token.text.find('\0') != token.text.npos)
      return absl::InvalidArgumentError("be a file's name: its folder is said beside it");
  if (!parsed.tokens_[0].text.empty() && parsed.tokens_[0].text[0] == '.')
    return absl::InvalidArgumentError("not begin with a point: hidden files are not read");
  if (!table) parsed.table_ = TableOf(before, behind);
  if (!table && !IsFileName(parsed.table_))
    return absl::InvalidArgumentError("have text beside the date, or {table}, to name the table");
  return parsed;
}

std::optional<int64_t> DropPattern::DateOf(std::string_view text) const {
  if (timestamp_) return timestamp_->Micros(text, true);
  const auto days = date_->Days(text);
  if (!days) return std::nullopt;
  return *days * kDayMicros;
}

// Names are short: every length is tried.
bool DropPattern::MatchFrom(size_t token, std::string_view rest, Found& found) const {
  if (token == tokens_.size()) return rest.empty();
  const Token& one = tokens_[token];
  if (one.kind == Token::Kind::kText)
    return rest.starts_with(one.text) && MatchFrom(token + 1, rest.substr(one.text.size()), found);
  for (size_t length = 1; length <= rest.size(); ++length) {
    const std::string_view part = rest.substr(0, length);
    if (one.kind == Token::Kind::kTable) {
      found.table = std::string(part);
    } else if (const auto date = DateOf(part)) {
      found.micros = *date;
    } else {
      continue;
    }
    if (MatchFrom(token + 1, rest.substr(length), found)) return true;
  }
  return false;
}

std::optional<DropPattern::Found> DropPattern::Match(std::string_view name) const {
  Found found;
  found.table = table_;
  if (!IsFileName(name) || name.size() > 255 || !MatchFrom(0, name, found)) return std::nullopt;
  if (!IsFileName(found.table)) return std::nullopt;
  return found;
}

}  // namespace sluice::adapters::files
