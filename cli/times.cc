#include "cli/times.h"

#include <optional>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "cli/failure.h"

namespace sluice::cli {
namespace {

std::string FormatAs(const char* format, Micros time, const absl::TimeZone& zone) {
  return absl::FormatTime(format, absl::FromUnixMicros(time), zone);
}

Micros UnitOf(char unit) {
  switch (unit) {
    case 's':
      return kSecond;
    case 'm':
      return kMinute;
    case 'h':
      return kHour;
    case 'd':
      return kDay;
    default:
      return 0;
  }
}

// "90m", "7d"; nothing where it is no duration.
std::optional<Micros> ParseSpan(absl::string_view text) {
  int64_t count = 0;
  if (text.size() < 2 || UnitOf(text.back()) == 0 ||
      !absl::SimpleAtoi(text.substr(0, text.size() - 1), &count) || count < 0 || count >= 1'000'000)
    return std::nullopt;
  return count * UnitOf(text.back());
}

// A day or a whole time; nothing where it is neither.
std::optional<Micros> ParseMoment(absl::string_view text, const absl::TimeZone& zone) {
  absl::Time time;
  std::string ignored;
  for (const char* format : {"%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"})
    if (absl::ParseTime(format, text, zone, &time, &ignored)) return absl::ToUnixMicros(time);
  for (const char* format : {absl::RFC3339_full, "%Y-%m-%d %H:%M:%S %Ez"})
    if (absl::ParseTime(format, text, &time, &ignored)) return absl::ToUnixMicros(time);
  return std::nullopt;
}

}  // namespace

Micros ToMicros(const google::protobuf::Timestamp& time) {
  return time.seconds() * kSecond + time.nanos() / 1000;
}

google::protobuf::Timestamp ToTimestamp(Micros time) {
  google::protobuf::Timestamp stamp;
  const Micros fraction = ((time % kSecond) + kSecond) % kSecond;
  stamp.set_seconds((time - fraction) / kSecond);
  stamp.set_nanos(static_cast<int32_t>(fraction * 1000));
  return stamp;
}

std::string FormatTime(Micros time, const absl::TimeZone& zone) {
  return FormatAs("%Y-%m-%d %H:%M:%S %Ez", time, zone);
}

std::string FormatDay(Micros time, const absl::TimeZone& zone) {
  return FormatAs("%Y-%m-%d", time, zone);
}

std::string FormatShort(Micros time, const absl::TimeZone& zone) {
  return FormatAs("%m-%d %H:%M:%S", time, zone);
}

std::string FormatOffset(Micros time, const absl::TimeZone& zone) {
  return FormatAs("%Ez", time, zone);
}

std::string FormatZulu(Micros time) {
  return FormatAs("%Y-%m-%d %H:%M:%SZ", time, absl::UTCTimeZone());
}

absl::StatusOr<Micros> ParseWhen(std::string_view text, Micros now, const absl::TimeZone& zone) {
  const absl::string_view view(text.data(), text.size());
  const absl::CivilDay today(zone.At(absl::FromUnixMicros(now)).cs);
  if (text == "today") return absl::ToUnixMicros(absl::FromCivil(today, zone));
  if (text == "yesterday") return absl::ToUnixMicros(absl::FromCivil(today - 1, zone));
  if (const auto span = ParseSpan(view)) return now - *span;
  if (const auto moment = ParseMoment(view, zone)) return *moment;
  return UsageError(absl::StrCat("\"", view, "\" is no time."),
                    "today, 2026-11-23, 2026-11-23T14:02:00+08:00, or a time ago: 2h");
}

absl::StatusOr<Micros> ParseUntil(std::string_view text, Micros now, const absl::TimeZone& zone) {
  const absl::string_view view(text.data(), text.size());
  if (const auto span = ParseSpan(view)) return now + *span;
  if (const auto moment = ParseMoment(view, zone)) return *moment;
  return UsageError(absl::StrCat("\"", view, "\" is no time."),
                    "2027-04-01, 2027-04-01T00:00:00+08:00, or a time from now: 90d");
}

}  // namespace sluice::cli
