#include "adapters/files/time_pattern.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "gateway/records/types.h"

namespace sluice::adapters::files {
namespace {

constexpr int64_t kSecondMicros = 1'000'000;

// Up to `most` digits off the front; nothing where there are fewer than `least`.
std::optional<int> TakeDigits(std::string_view& text, int least, int most) {
  int value = 0, count = 0;
  while (count < most && static_cast<size_t>(count) < text.size() &&
         absl::ascii_isdigit(text[count]))
    value = value * 10 + (text[count++] - '0');
  if (count < least) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(count));
  return value;
}

// Minutes that local time is ahead of UTC.
std::optional<int> TakeOffset(std::string_view& text) {
  if (text.starts_with('Z')) {
    text.remove_prefix(1);
    return 0;
  }
  if (text.size() < 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return std::nullopt;
  const int sign = text[0] == '-' ? -1 : 1;
  text.remove_prefix(1);
  const auto hours = TakeDigits(text, 2, 2);
  if (!hours) return std::nullopt;
  text.remove_prefix(1);
  const auto minutes = TakeDigits(text, 2, 2);
  if (!minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  return sign * (*hours * 60 + *minutes);
}

}  // namespace

struct TimePattern::Read {
  // By Part.
  std::array<int, 8> values = {};
  int64_t micros = 0;  // of the fraction
  bool has_offset = false;
};

absl::StatusOr<TimePattern> TimePattern::Compile(std::string_view pattern) {
  struct Known {
    std::string_view text;
    Token token;
  };
  static constexpr std::array<Known, 10> kKnown = {{{"yyyy", {Part::kYear, 4, 4}},
                                                    {"MM", {Part::kMonth, 2, 2}},
                                                    {"M", {Part::kMonth, 1, 2}},
                                                    {"dd", {Part::kDay, 2, 2}},
                                                    {"d", {Part::kDay, 1, 2}},
                                                    {"HH", {Part::kHour, 2, 2}},
                                                    {"H", {Part::kHour, 1, 2}},
                                                    {"mm", {Part::kMinute, 2, 2}},
                                                    {"ss", {Part::kSecond, 2, 2}},
                                                    {"X", {Part::kOffset}}}};
  TimePattern compiled;
  while (!pattern.empty()) {
    const char letter = pattern[0];
    size_t run = pattern.find_first_not_of(letter);
    if (run == pattern.npos) run = pattern.size();
    if (!absl::ascii_isalpha(letter) || letter == 'T') {
      compiled.tokens_.push_back({Part::kText, 0, 0, letter});
      pattern.remove_prefix(1);
      continue;
    }
    const std::string_view letters = pattern.substr(0, run);
    const auto known = std::find_if(kKnown.begin(), kKnown.end(),
                                    [&](const Known& one) { return one.text == letters; });
    if (letter == 'S' && run <= 6) {
      compiled.tokens_.push_back({Part::kFraction, static_cast<int>(run), static_cast<int>(run)});
    } else if (known != kKnown.end()) {
      compiled.tokens_.push_back(known->token);
    } else {
      return absl::InvalidArgumentError(
          "be of yyyy MM dd HH mm ss, M d H, S to SSSSSS, X, T and signs");
    }
    pattern.remove_prefix(run);
  }
  return compiled;
}

int TimePattern::Count(Part part) const {
  return static_cast<int>(std::count_if(tokens_.begin(), tokens_.end(),
                                        [&](const Token& token) { return token.part == part; }));
}

absl::StatusOr<TimePattern> TimePattern::ForDate(std::string_view pattern) {
  auto compiled = Compile(pattern);
  if (!compiled.ok()) return compiled;
  for (const Part part : {Part::kYear, Part::kMonth, Part::kDay})
    if (compiled->Count(part) != 1)
      return absl::InvalidArgumentError("name year, month and day once each, as in yyyy-MM-dd");
  for (const Part part :
       {Part::kHour, Part::kMinute, Part::kSecond, Part::kFraction, Part::kOffset})
    if (compiled->Count(part) != 0)
      return absl::InvalidArgumentError("hold no time of day: a date has none");
  return compiled;
}

absl::StatusOr<TimePattern> TimePattern::ForTimestamp(std::string_view pattern) {
  auto compiled = Compile(pattern);
  if (!compiled.ok()) return compiled;
  for (const Part part : {Part::kYear, Part::kMonth, Part::kDay, Part::kHour, Part::kMinute})
    if (compiled->Count(part) != 1)
      return absl::InvalidArgumentError(
          "name year, month, day, hour and minute once each, as in yyyy-MM-dd HH:mm:ss");
  for (const Part part : {Part::kSecond, Part::kFraction, Part::kOffset})
    if (compiled->Count(part) > 1) return absl::InvalidArgumentError("name no part twice");
  return compiled;
}

bool TimePattern::Match(std::string_view text, Read& read) const {
  for (const Token& token : tokens_) {
    if (token.part == Part::kText) {
      if (!text.starts_with(token.text)) return false;
      text.remove_prefix(1);
      continue;
    }
    const auto value =
        token.part == Part::kOffset ? TakeOffset(text) : TakeDigits(text, token.least, token.most);
    if (!value) return false;
    read.values[static_cast<size_t>(token.part)] = *value;
    if (token.part == Part::kOffset) read.has_offset = true;
    if (token.part == Part::kFraction) {
      read.micros = *value;
      for (int i = token.most; i < 6; ++i) read.micros *= 10;
    }
  }
  return text.empty();
}

std::optional<int32_t> TimePattern::Days(std::string_view text) const {
  Read read;
  if (!Match(text, read)) return std::nullopt;
  return records::DaysFromCivil({read.values[0], read.values[1], read.values[2]});
}

std::optional<int64_t> TimePattern::Micros(std::string_view text, bool utc) const {
  Read read;
  if (!Match(text, read) || (read.has_offset && !utc)) return std::nullopt;
  const auto days = records::DaysFromCivil({read.values[0], read.values[1], read.values[2]});
  const int hour = read.values[static_cast<size_t>(Part::kHour)];
  const int minute = read.values[static_cast<size_t>(Part::kMinute)];
  const int second = read.values[static_cast<size_t>(Part::kSecond)];
  if (!days || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const int64_t minutes =
      (int64_t{*days} * 24 + hour) * 60 + minute - read.values[static_cast<size_t>(Part::kOffset)];
  const int64_t micros = (minutes * 60 + second) * kSecondMicros + read.micros;
  if (micros < records::kMinTimestamp || micros > records::kMaxTimestamp) return std::nullopt;
  return micros;
}

}  // namespace sluice::adapters::files
