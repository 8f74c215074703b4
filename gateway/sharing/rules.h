// The sharing procedure's rules in data: calendars of working days, and profiles of clocks. Those
// shipped with the gateway (gateway/sharing/rules/) hold where the configuration names no others of
// the same name. Immutable; any thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/sharing/clock_profile.h"
#include "gateway/sharing/working_days.h"

namespace sluice::sharing {

struct RuleFile {
  std::string file, text;
};

class Rules {
 public:
  // `calendars` and `profiles` come before the shipped ones. A profile with `agencies` holds for
  // datasets of those, the one without for all others; a clock that it does not have is as in the
  // shipped profile. INVALID_ARGUMENT with all mistakes, "file:line: path: mistake" a line each.
  static absl::StatusOr<std::shared_ptr<const Rules>> Make(const std::vector<RuleFile>& calendars,
                                                           const std::vector<RuleFile>& profiles);
  // The shipped ones alone.
  static std::shared_ptr<const Rules> Shipped();

  // Of a request from its submission on, in the profile's order, each clock's runs oldest first.
  std::vector<v1::Clock> ClocksOf(const v1::AccessRequest& request, Micros now) const;
  // Of any events, for the datasets of that agency.
  std::vector<v1::Clock> ClocksOf(std::string_view owner_agency, bool unconditional,
                                  const std::vector<ClockEvent>& events, Micros now) const;

  const std::map<std::string, WorkingDays>& calendars() const { return calendars_; }
  const ClockProfile& ProfileOf(std::string_view owner_agency) const;

 private:
  std::map<std::string, WorkingDays> calendars_;
  std::vector<ClockProfile> profiles_;  // the one for all others last
};

// Of the clocks that have not ended, the one that is over first; null where there is none.
const v1::Clock* NextClock(const std::vector<v1::Clock>& clocks);

// The shipped files, as they stand in gateway/sharing/rules/.
const std::vector<RuleFile>& ShippedCalendars();
const RuleFile& ShippedProfile();

}  // namespace sluice::sharing
