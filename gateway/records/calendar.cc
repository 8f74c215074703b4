#include <chrono>

#include "absl/status/status.h"
#include "absl/time/civil_time.h"
#include "gateway/records/types.h"
#include "gateway/records/value_text.h"

namespace sluice::records {
namespace {

constexpr int64_t kSecondMicros = 1'000'000;
constexpr int64_t kDayMicros = 86'400 * kSecondMicros;

// The year may be any that 64 bits of microseconds or 32 bits of days can reach.
CivilDate CivilOf(int64_t days) {
  if (days >= kMinDate32 && days <= kMaxDate32) {
    const std::chrono::year_month_day date{
        std::chrono::sys_days{std::chrono::days{static_cast<int32_t>(days)}}};
    return {static_cast<int>(date.year()), static_cast<int>(static_cast<unsigned>(date.month())),
            static_cast<int>(static_cast<unsigned>(date.day()))};
  }
  // The standard's years end at 32767.
  const absl::CivilDay date = absl::CivilDay(1970, 1, 1) + days;
  return {static_cast<int32_t>(date.year()), date.month(), date.day()};
}

void AppendDigits(int64_t value, int width, std::string& out) {
  char text[20];
  for (int i = width; i-- > 0; value /= 10) text[i] = static_cast<char>('0' + value % 10);
  out.append(text, static_cast<size_t>(width));
}

void AppendCivil(const CivilDate& date, std::string& out) {
  int64_t year = date.year;
  int width = 4;
  if (year < 1 || year > 9999) {
    out += year < 0 ? '-' : '+';
    year = year < 0 ? -year : year;
    for (int64_t bound = 9999; year > bound; bound = bound * 10 + 9) ++width;
  }
  AppendDigits(year, width, out);
  out += '-';
  AppendDigits(date.month, 2, out);
  out += '-';
  AppendDigits(date.day, 2, out);
}

// Takes parts off the front of a text; once one is missing, all that follow are as well.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}
  // Exactly so many digits.
  int32_t Digits(size_t count) {
    int32_t value = 0;
    if (rest_.size() < count) ok_ = false;
    for (size_t i = 0; ok_ && i < count; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9') ok_ = false;
      value = value * 10 + (rest_[i] - '0');
    }
    if (ok_) rest_.remove_prefix(count);
    return ok_ ? value : 0;
  }
  bool TryAny(std::string_view characters, char* found = nullptr) {
    if (!ok_ || rest_.empty() || characters.find(rest_[0]) == characters.npos) return false;
    if (found != nullptr) *found = rest_[0];
    rest_.remove_prefix(1);
    return true;
  }
  void Expect(std::string_view characters) { ok_ = TryAny(characters) && ok_; }
  void Demand(bool condition) { ok_ = ok_ && condition; }
  size_t DigitsAhead() const {
    const size_t end = rest_.find_first_not_of("0123456789");
    return end == rest_.npos ? rest_.size() : end;
  }
  bool AtEnd() const { return ok_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

int32_t ReadDate(Reader& reader) {
  CivilDate date;
  date.year = reader.Digits(4);
  reader.Expect("-");
  date.month = reader.Digits(2);
  reader.Expect("-");
  date.day = reader.Digits(2);
  const auto days = DaysFromCivil(date);
  reader.Demand(days.has_value());
  return days.value_or(0);
}

// Microseconds since midnight.
int64_t ReadTime(Reader& reader) {
  const int32_t hour = reader.Digits(2);
  reader.Expect(":");
  const int32_t minute = reader.Digits(2);
  reader.Expect(":");
  const int32_t second = reader.Digits(2);
  reader.Demand(hour <= 23 && minute <= 59 && second <= 59);
  int32_t micros = 0;
  if (reader.TryAny(".")) {
    const size_t count = reader.DigitsAhead();
    reader.Demand(count >= 1 && count <= 6);
    micros = reader.Digits(count <= 6 ? count : 0);
    for (size_t i = count; i < 6; ++i) micros *= 10;
  }
  return ((hour * 60 + minute) * 60 + second) * kSecondMicros + micros;
}

// How far local time is ahead of UTC, in microseconds.
int64_t ReadOffset(Reader& reader) {
  if (reader.TryAny("Z")) return 0;
  char sign = '+';
  reader.Demand(reader.TryAny("+-", &sign));
  const int32_t hour = reader.Digits(2);
  reader.Expect(":");
  const int32_t minute = reader.Digits(2);
  reader.Demand(hour <= 23 && minute <= 59);
  const int64_t offset = (hour * 60 + minute) * 60 * kSecondMicros;
  return sign == '-' ? -offset : offset;
}

}  // namespace

CivilDate CivilFromDays(int32_t days) { return CivilOf(days); }

std::optional<int32_t> DaysFromCivil(const CivilDate& date) {
  if (date.year < 1 || date.year > 9999 || date.month < 1 || date.month > 12 || date.day < 1 ||
      date.day > 31) {
    return std::nullopt;
  }
  const std::chrono::year_month_day civil{std::chrono::year{date.year},
                                          std::chrono::month{static_cast<unsigned>(date.month)},
                                          std::chrono::day{static_cast<unsigned>(date.day)}};
  if (!civil.ok()) return std::nullopt;
  return static_cast<int32_t>(std::chrono::sys_days{civil}.time_since_epoch().count());
}

void AppendDate(int32_t days, std::string& out) { AppendCivil(CivilOf(days), out); }

void AppendTimestamp(int64_t micros, bool utc, std::string& out) {
  int64_t days = micros / kDayMicros;
  int64_t of_day = micros % kDayMicros;
  if (of_day < 0) {
    --days;
    of_day += kDayMicros;
  }
  AppendCivil(CivilOf(days), out);
  int64_t seconds = of_day / kSecondMicros;
  out += 'T';
  AppendDigits(seconds / 3600, 2, out);
  out += ':';
  AppendDigits(seconds / 60 % 60, 2, out);
  out += ':';
  AppendDigits(seconds % 60, 2, out);
  if (int64_t fraction = of_day % kSecondMicros; fraction != 0) {
    int width = 6;
    for (; fraction % 10 == 0; fraction /= 10) --width;
    out += '.';
    AppendDigits(fraction, width, out);
  }
  if (utc) out += 'Z';
}

std::string FormatDate(int32_t days) {
  std::string out;
  AppendDate(days, out);
  return out;
}

std::string FormatTimestamp(int64_t micros, bool utc) {
  std::string out;
  AppendTimestamp(micros, utc, out);
  return out;
}

absl::StatusOr<int32_t> ParseDate(std::string_view text) {
  Reader reader(text);
  const int32_t days = ReadDate(reader);
  if (!reader.AtEnd()) {
    return absl::InvalidArgumentError("expected a date such as 2026-11-24");
  }
  return days;
}

absl::StatusOr<int64_t> ParseTimestamp(std::string_view text, bool utc) {
  Reader reader(text);
  const int64_t days = ReadDate(reader);
  reader.Expect("T ");
  // No overflow: ReadDate keeps to four digits of year.
  int64_t micros = days * kDayMicros + ReadTime(reader);
  if (utc) micros -= ReadOffset(reader);
  if (!reader.AtEnd() || micros < kMinTimestamp || micros > kMaxTimestamp) {
    return absl::InvalidArgumentError(
        utc ? "expected a time with zone such as 2026-11-24T02:00:00.5Z"
            : "expected a time without zone such as 2026-11-24T02:00:00.5");
  }
  return micros;
}

}  // namespace sluice::records
