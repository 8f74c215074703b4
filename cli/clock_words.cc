#include "cli/clock_words.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "cli/times.h"
#include "gateway/sharing/clock_profile.h"

namespace sluice::cli {
namespace {

std::string WorkingDayCount(int days) {
  return absl::StrCat(days, days == 1 ? " working day" : " working days");
}

// The last day, not the moment behind it.
std::string LastDay(const v1::Clock& clock, const absl::TimeZone& zone) {
  return FormatDay(ToMicros(clock.due()) - kSecond, zone);
}

// Unknown where the calendar ends.
std::string LateWords(const v1::Clock& clock) {
  return clock.working_days_late() == 0 ? "late: " + clock.trouble()
                                        : WorkingDayCount(clock.working_days_late()) + " late";
}

}  // namespace

std::string ClockWords(const v1::Clock& clock, const absl::TimeZone& zone) {
  switch (clock.state()) {
    case v1::CLOCK_STATE_BREACHED:
      return absl::StrCat("BREACHED: was due ", LastDay(clock, zone), ", ", LateWords(clock));
    case v1::CLOCK_STATE_MISSED:
      return absl::StrCat("missed: ended ", FormatDay(ToMicros(clock.ended()), zone), ", ",
                          LateWords(clock));
    case v1::CLOCK_STATE_MET:
      return "met " + FormatDay(ToMicros(clock.ended()), zone);
    case v1::CLOCK_STATE_STOPPED:
      return absl::StrCat("stands still, ", WorkingDayCount(clock.working_days_left()), " left");
    case v1::CLOCK_STATE_RUNNING:
    case v1::CLOCK_STATE_WARNING:
      if (!clock.has_due()) break;
      if (clock.working_days_left() == 0)
        return absl::StrCat(LastDay(clock, zone), ", today is the last working day");
      return absl::StrCat(LastDay(clock, zone), ", ", WorkingDayCount(clock.working_days_left()),
                          " left");
    default:
      break;
  }
  return "not known: " + clock.trouble();
}

std::string ClockName(const v1::Clock& clock) {
  return absl::StrCat(clock.name(), " (", clock.law(), " ", clock.article(), ")");
}

std::string StepVerb(v1::AccessAction action) {
  switch (action) {
    case v1::ACCESS_ACTION_DRAFT:
      return "request --mend";
    case v1::ACCESS_ACTION_GRANT:
      return "approve";
    default:
      return absl::StrReplaceAll(sharing::ActionWord(action), {{"_", "-"}});
  }
}

std::string OfficeWords(v1::SharingOffice office) {
  switch (office) {
    case v1::SHARING_OFFICE_REQUESTER:
      return "requester";
    case v1::SHARING_OFFICE_REQUESTER_OFFICE:
      return "requester's office";
    case v1::SHARING_OFFICE_OWNER_OFFICE:
      return "owner's office";
    case v1::SHARING_OFFICE_OWNER:
      return "owner";
    case v1::SHARING_OFFICE_AUTHORITY:
      return "authority";
    default:
      return "nobody";
  }
}

}  // namespace sluice::cli
