// What a clock says: RunsOf.
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "gateway/sharing/clock_profile.h"

namespace sluice::sharing {
namespace {

using google::protobuf::util::TimeUtil;

struct ClockRun {
  Micros started = 0;
  std::optional<Micros> ended;
  int working_days = 0;
  bool extended = false;
  // Each from its first to its last day; the last one open where `still`.
  std::vector<std::pair<absl::CivilDay, absl::CivilDay>> stills;
  bool still = false;
};

// Of one run: days that count, in order.
class CountedDays {
 public:
  CountedDays(const ClockRun& run, const WorkingDays& calendar) : run_(run), calendar_(calendar) {}

  absl::StatusOr<bool> Counts(absl::CivilDay day) const {
    for (const auto& [first, last] : run_.stills)
      if (first <= day && day <= last) return false;
    return calendar_.IsWorkingDay(day);
  }
  // From where on nothing counts, as long as it stands still.
  absl::CivilDay end() const {
    return run_.still ? run_.stills.back().first : absl::CivilDay::max();
  }

 private:
  const ClockRun& run_;
  const WorkingDays& calendar_;
};

// Where the walk over a run's days came to.
struct ClockWalk {
  int counted = 0;
  std::optional<absl::CivilDay> due;  // its last day
  absl::Status trouble;
  absl::CivilDay trouble_day;
};

ClockWalk WalkToDue(const ClockRun& run, const WorkingDays& calendar) {
  ClockWalk walk;
  const CountedDays days(run, calendar);
  absl::CivilDay day = calendar.DayOf(run.started);
  while (walk.counted < run.working_days && day + 1 < days.end()) {
    const auto counts = days.Counts(++day);
    if (!counts.ok()) {
      walk.trouble = counts.status();
      walk.trouble_day = day;
      return walk;
    }
    if (*counts && ++walk.counted == run.working_days) walk.due = day;
  }
  return walk;
}

// Whether its last day is behind it on that day, by what has happened so far. False where the
// calendar does not tell.
bool IsPastDue(const ClockRun& run, const WorkingDays& calendar, absl::CivilDay day) {
  const ClockWalk walk = WalkToDue(run, calendar);
  return walk.due && day > *walk.due;
}

// What was late already is not made longer.
std::vector<ClockRun> ReplayEvents(const ClockRule& rule, const std::vector<ClockEvent>& events,
                                   const WorkingDays& calendar) {
  std::vector<ClockRun> runs;
  for (const ClockEvent& event : events) {
    const absl::CivilDay day = calendar.DayOf(event.at);
    const bool runs_now = !runs.empty() && !runs.back().ended;
    if (!runs_now) {
      if (!rule.from.contains(event.what)) continue;
      ClockRun run;
      run.started = event.at;
      run.working_days = rule.working_days;
      runs.push_back(std::move(run));
      continue;
    }
    ClockRun& run = runs.back();
    if (rule.to.contains(event.what)) {
      run.ended = event.at;
    } else if (run.still && rule.still_to.contains(event.what)) {
      run.stills.back().second = day;
      run.still = false;
    } else if (!run.still && rule.still_from.contains(event.what)) {
      run.stills.emplace_back(day, absl::CivilDay::max());
      run.still = true;
    } else if (!run.extended && rule.extended_by.contains(event.what) &&
               !IsPastDue(run, calendar, day)) {
      run.extended = true;
      run.working_days += rule.extension;
    }
  }
  return runs;
}

// How late `day` is, at least 1; trouble where the calendar ends before it.
void SetLate(const WorkingDays& calendar, absl::CivilDay due, absl::CivilDay day,
             v1::Clock& clock) {
  const auto late = calendar.CountBetween(due, day);
  if (late.ok())
    clock.set_working_days_late(std::max(1, *late));
  else
    clock.set_trouble(std::string(late.status().message()));
}

void SetOpenState(const ClockRule& rule, const ClockRun& run, const WorkingDays& calendar,
                  const ClockWalk& walk, absl::CivilDay today, v1::Clock& clock) {
  if (walk.due && today > *walk.due) {
    clock.set_state(v1::CLOCK_STATE_BREACHED);
    return SetLate(calendar, *walk.due, today, clock);
  }
  if (run.still) {
    clock.set_state(v1::CLOCK_STATE_STOPPED);
    clock.set_working_days_left(run.working_days - walk.counted);
    return;
  }
  if (!walk.due) {
    // It is not over before the day that the calendar does not know.
    if (today < walk.trouble_day) clock.set_state(v1::CLOCK_STATE_RUNNING);
    return;
  }
  const CountedDays days(run, calendar);
  int left = 0;
  for (absl::CivilDay day = today; day < *walk.due;) {
    const auto counts = days.Counts(++day);
    if (counts.ok() && *counts) ++left;
  }
  clock.set_working_days_left(left);
  clock.set_state(left <= rule.warn ? v1::CLOCK_STATE_WARNING : v1::CLOCK_STATE_RUNNING);
}

v1::Clock ClockOf(const ClockRule& rule, const ClockRun& run, const WorkingDays& calendar,
                  Micros now) {
  v1::Clock clock;
  clock.set_name(rule.name);
  clock.set_law(rule.law);
  clock.set_article(rule.article);
  clock.set_office(rule.office);
  clock.set_escalates_to(rule.escalates_to);
  clock.set_calendar(calendar.name());
  clock.set_working_days(run.working_days);
  *clock.mutable_started() = TimeUtil::MicrosecondsToTimestamp(run.started);
  const ClockWalk walk = WalkToDue(run, calendar);
  if (!walk.trouble.ok()) clock.set_trouble(std::string(walk.trouble.message()));
  if (walk.due)
    *clock.mutable_due() = TimeUtil::MicrosecondsToTimestamp(calendar.StartOf(*walk.due + 1));
  if (!run.ended) {
    SetOpenState(rule, run, calendar, walk, calendar.DayOf(now), clock);
    return clock;
  }
  *clock.mutable_ended() = TimeUtil::MicrosecondsToTimestamp(*run.ended);
  const absl::CivilDay ended = calendar.DayOf(*run.ended);
  if (walk.due && ended > *walk.due) {
    clock.set_state(v1::CLOCK_STATE_MISSED);
    SetLate(calendar, *walk.due, ended, clock);
  } else if (walk.due || walk.trouble.ok() || ended < walk.trouble_day) {
    clock.set_state(v1::CLOCK_STATE_MET);
  }
  return clock;
}

}  // namespace

std::vector<v1::Clock> RunsOf(const ClockRule& rule, const std::vector<ClockEvent>& events,
                              const WorkingDays& calendar, Micros now) {
  std::vector<v1::Clock> clocks;
  for (const ClockRun& run : ReplayEvents(rule, events, calendar))
    clocks.push_back(ClockOf(rule, run, calendar, now));
  return clocks;
}

}  // namespace sluice::sharing
