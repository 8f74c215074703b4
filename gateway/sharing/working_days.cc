#include "gateway/sharing/working_days.h"

#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"

namespace sluice::sharing {

int WorkingDays::last_year() const {
  int last = 0;
  for (const auto& [year, days] : years_) {
    if (last != 0 && year != last + 1) break;
    last = year;
  }
  return last;
}

absl::CivilDay WorkingDays::DayOf(Micros time) const {
  return absl::ToCivilDay(absl::FromUnixMicros(time), zone_);
}

Micros WorkingDays::StartOf(absl::CivilDay day) const {
  return absl::ToUnixMicros(absl::FromCivil(day, zone_));
}

absl::StatusOr<bool> WorkingDays::IsWorkingDay(absl::CivilDay day) const {
  const auto year = years_.find(static_cast<int>(day.year()));
  if (year == years_.end())
    return Error(v1::REASON_CALENDAR_YEAR_MISSING,
                 absl::StrCat("Calendar ", name_, " (", file_, ") does not cover ", day.year(),
                              "; add that year to it."),
                 {{"calendar", name_}, {"year", absl::StrCat(day.year())}});
  const bool weekend = weekend_[static_cast<size_t>(absl::GetWeekday(day))];
  return weekend ? year->second.worked.contains(day) : !year->second.off.contains(day);
}

absl::StatusOr<absl::CivilDay> WorkingDays::Add(absl::CivilDay day, int n) const {
  while (n > 0) {
    SLUICE_ASSIGN_OR_RETURN(const bool working, IsWorkingDay(++day));
    if (working) --n;
  }
  return day;
}

absl::StatusOr<int> WorkingDays::CountBetween(absl::CivilDay from, absl::CivilDay to) const {
  const int sign = from <= to ? 1 : -1;
  if (sign < 0) std::swap(from, to);
  int count = 0;
  while (from < to) {
    SLUICE_ASSIGN_OR_RETURN(const bool working, IsWorkingDay(++from));
    if (working) ++count;
  }
  return sign * count;
}

}  // namespace sluice::sharing
