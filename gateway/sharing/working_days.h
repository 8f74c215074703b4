// A jurisdiction's calendar of working days: holidays, and the weekend days that are worked in
// their place (调休), as data. What it says of a year that it does not cover is an error, never a
// guess.
//
//   SLUICE_ASSIGN_OR_RETURN(const WorkingDays days, WorkingDays::Parse(text, "calendar-cn.yaml"));
//   days.Add(days.DayOf(now), 10)    // the tenth working day behind today
//
// Days are the jurisdiction's own, from midnight to midnight of its time zone. Immutable; any
// thread. The file: docs/formats/yaml.md#a-calendar.
#pragma once

#include <array>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "gateway/base/clock.h"

namespace sluice::sharing {

class WorkingDays {
 public:
  // DEFINITION_INVALID with all mistakes, "file:line: path: mistake" a line each.
  static absl::StatusOr<WorkingDays> Parse(std::string_view text, std::string_view file);

  const std::string& name() const { return name_; }
  // Where it was read from, as errors name it.
  const std::string& file() const { return file_; }
  const absl::TimeZone& zone() const { return zone_; }
  // The last of the years that are covered without a gap from the first.
  int last_year() const;

  absl::CivilDay DayOf(Micros time) const;
  // The first moment of that day there.
  Micros StartOf(absl::CivilDay day) const;

  // All of them: CALENDAR_YEAR_MISSING, naming calendar, file and year.
  absl::StatusOr<bool> IsWorkingDay(absl::CivilDay day) const;
  // The n-th working day behind `day`, which itself does not count; for 0 `day`, whatever it is.
  // `n` is not negative.
  absl::StatusOr<absl::CivilDay> Add(absl::CivilDay day, int n) const;
  // Working days behind `from`, up to `to` and with it; negative where `to` is the earlier one:
  // CountBetween(a, b) is -CountBetween(b, a).
  absl::StatusOr<int> CountBetween(absl::CivilDay from, absl::CivilDay to) const;

 private:
  class FileReader;
  struct Year {
    std::set<absl::CivilDay> off, worked;
  };

  std::string name_, file_;
  absl::TimeZone zone_ = absl::UTCTimeZone();
  std::array<bool, 7> weekend_{};  // Monday first
  std::map<int, Year> years_;
};

}  // namespace sluice::sharing
