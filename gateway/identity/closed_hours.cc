#include "gateway/identity/closed_hours.h"

#include <array>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/civil_time.h"
#include "gateway/base/error.h"

namespace sluice::identity {
namespace {

constexpr std::array<std::string_view, 7> kDays = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
constexpr unsigned kEveryDay = 0x7f;
constexpr int kDayMinutes = 24 * 60;
constexpr Micros kNever = 8 * kDay;

absl::Status Wrong(std::string_view what) {
  return absl::InvalidArgumentError(
      absl::StrCat(absl::string_view(what.data(), what.size()),
                   "; \"Mon-Fri 22:00-02:00\", \"Sat,Sun\" or \"01:30-03:00\" was expected"));
}

absl::StatusOr<int> DayOf(std::string_view name) {
  for (size_t i = 0; i < kDays.size(); ++i)
    if (kDays[i] == name) return static_cast<int>(i);
  return Wrong("a day is Mon, Tue, Wed, Thu, Fri, Sat or Sun");
}

absl::StatusOr<unsigned> DaysOf(const std::string& text) {
  unsigned days = 0;
  for (const std::string& part : std::vector<std::string>(absl::StrSplit(text, ','))) {
    const std::vector<std::string> ends = absl::StrSplit(part, '-');
    if (ends.size() > 2) return Wrong("days are Mon-Fri or Sat,Sun");
    SLUICE_ASSIGN_OR_RETURN(const int first, DayOf(ends.front()));
    SLUICE_ASSIGN_OR_RETURN(const int last, DayOf(ends.back()));
    for (int day = first;; day = (day + 1) % 7) {
      days |= 1u << day;
      if (day == last) break;
    }
  }
  return days;
}

// "22:00" in minutes, up to "24:00".
absl::StatusOr<int> MinutesOf(const std::string& text) {
  int hours = 0, minutes = 0;
  const bool form = text.size() == 5 && text[2] == ':' && absl::ascii_isdigit(text[0]) &&
                    absl::ascii_isdigit(text[3]) && absl::SimpleAtoi(text.substr(0, 2), &hours) &&
                    absl::SimpleAtoi(text.substr(3), &minutes);
  if (!form || minutes > 59 || hours * 60 + minutes > kDayMinutes)
    return Wrong("a time is 00:00 to 24:00");
  return hours * 60 + minutes;
}

Micros MicrosAt(absl::CivilMinute minute, const absl::TimeZone& zone, Micros now) {
  const absl::TimeZone::TimeInfo info = zone.At(absl::CivilSecond(minute));
  // An hour that comes twice: the one to come. One that does not come: where it was left out.
  const Micros first =
      absl::ToUnixMicros(info.kind == absl::TimeZone::TimeInfo::SKIPPED ? info.trans : info.pre);
  if (first > now) return first;
  const Micros second = absl::ToUnixMicros(info.post);
  return second > now ? second : now + kMinute;
}

}  // namespace

absl::StatusOr<ClosedHours::Span> ClosedHours::ParseSpan(std::string_view text) {
  const std::vector<std::string> parts =
      absl::StrSplit(absl::string_view(text.data(), text.size()), ' ', absl::SkipEmpty());
  if (parts.empty() || parts.size() > 2) return Wrong("days, hours, or both with a space between");
  Span span;
  span.days = kEveryDay;
  span.to = kDayMinutes;
  const bool hours_alone = parts.size() == 1 && parts[0].find(':') != std::string::npos;
  if (!hours_alone) {
    SLUICE_ASSIGN_OR_RETURN(span.days, DaysOf(parts[0]));
  }
  if (parts.size() == 1 && !hours_alone) return span;
  const std::vector<std::string> ends = absl::StrSplit(parts.back(), '-');
  if (ends.size() != 2) return Wrong("hours have a beginning and an end");
  SLUICE_ASSIGN_OR_RETURN(span.from, MinutesOf(ends[0]));
  SLUICE_ASSIGN_OR_RETURN(span.to, MinutesOf(ends[1]));
  if (span.from == span.to) return Wrong("hours that end when they begin");
  if (span.to < span.from) span.to += kDayMinutes;
  return span;
}

absl::StatusOr<ClosedHours> ClosedHours::Parse(const std::vector<std::string>& spans,
                                               const absl::TimeZone& zone) {
  ClosedHours hours;
  hours.zone_ = zone;
  for (const std::string& text : spans) {
    SLUICE_ASSIGN_OR_RETURN(const Span span, ParseSpan(text));
    hours.spans_.push_back(span);
  }
  return hours;
}

std::optional<Micros> ClosedHours::EndAt(Micros now) const {
  const absl::CivilSecond second = zone_.At(absl::FromUnixMicros(now)).cs;
  const absl::CivilMinute here(second);
  std::optional<Micros> end;
  for (const Span& span : spans_) {
    for (const int back : {0, 1}) {  // it may have begun yesterday
      const absl::CivilDay day = absl::CivilDay(second) - back;
      const int weekday = static_cast<int>(absl::GetWeekday(day));  // 0 is Monday
      if ((span.days >> weekday & 1) == 0) continue;
      const absl::CivilMinute midnight(day);
      if (here < midnight + span.from || here >= midnight + span.to) continue;
      const Micros at = MicrosAt(midnight + span.to, zone_, now);
      if (!end || at > *end) end = at;
    }
  }
  return end;
}

std::optional<Micros> ClosedHours::ClosedUntil(Micros now) const {
  std::optional<Micros> until;
  // One span may begin where another ends.
  for (Micros at = now; at < now + kNever; at = *until) {
    const auto end = EndAt(at);
    if (!end) break;
    until = end;
  }
  return until;
}

absl::StatusOr<absl::TimeZone> FindZone(const std::string& name) {
  if (name.empty()) return absl::LocalTimeZone();
  absl::TimeZone zone;
  std::string parsed;
  absl::Time at;
  if (name.size() == 6 && (name[0] == '+' || name[0] == '-')) {
    // "2000-01-01T00:00:00+08:00" tells the offset.
    if (absl::ParseTime(absl::RFC3339_full, absl::StrCat("2000-01-01T00:00:00", name), &at,
                        &parsed)) {
      const absl::Duration behind =
          at - absl::FromCivil(absl::CivilDay(2000, 1, 1), absl::UTCTimeZone());
      return absl::FixedTimeZone(static_cast<int>(-absl::ToInt64Seconds(behind)));
    }
  } else if (absl::LoadTimeZone(name, &zone)) {
    return zone;
  }
  return absl::InvalidArgumentError(
      "this machine knows no such zone: an IANA name (with the package tzdata) or an offset like "
      "\"+08:00\"");
}

}  // namespace sluice::identity
