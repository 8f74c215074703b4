// The clocks that a law sets, as data, and what a clock says: a pure function of recorded events,
// calendar, rule and now. Nothing ticks, so nothing is lost by a restart, and a calendar that is
// mended mends every clock that was computed by it.
//
// How days count: the day of the event that starts a clock does not; working days behind it do,
// but for those on which the clock stood still for any part. It is over when the last of them is,
// at midnight of the calendar's zone. Immutable; any thread. The file: docs/formats/yaml.md#clocks.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/base/clock.h"
#include "gateway/sharing/working_days.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::sharing {

// What happened, in the order in which it did: "submit", "return", …
struct ClockEvent {
  std::string what;
  Micros at = 0;
};

struct ClockRule {
  enum class For { kAny, kConditional, kUnconditional };

  std::string name, law, article;
  For condition = For::kAny;
  v1::SharingOffice office = v1::SHARING_OFFICE_UNSPECIFIED;
  std::set<std::string> from, to;
  std::set<std::string> still_from, still_to;  // empty: it never stands still
  std::set<std::string> extended_by;           // empty: it is never longer
  int working_days = 0;
  int extension = 0;
  int warn = 0;  // WARNING where no more than these are left
  v1::SharingOffice escalates_to = v1::SHARING_OFFICE_UNSPECIFIED;
};

struct ClockProfile {
  std::string name, file;
  std::string calendar;
  std::set<std::string> agencies;  // owners for whom it holds; empty: all others
  std::vector<ClockRule> clocks;
  int calendar_line = 0;

  // DEFINITION_INVALID with all mistakes, "file:line: path: mistake" a line each.
  static absl::StatusOr<ClockProfile> Parse(std::string_view text, std::string_view file);
};

// Every run of that clock so far, oldest first: it begins anew where it ended and an event of
// `from` follows. Events are in the order in which they happened. Where the calendar does not reach
// far enough, `trouble` says so, and a state that cannot be told stays unspecified.
std::vector<v1::Clock> RunsOf(const ClockRule& rule, const std::vector<ClockEvent>& events,
                              const WorkingDays& calendar, Micros now);

// The words that a profile may use for events.
const std::set<std::string>& ClockEventWords();

// "owner_office"; UNSPECIFIED for another word.
v1::SharingOffice OfficeFromWord(std::string_view word);
std::string OfficeWord(v1::SharingOffice office);
// "ask_extension".
std::string ActionWord(v1::AccessAction action);
// "extension_asked".
std::string AccessStateWord(v1::AccessRequestState state);

}  // namespace sluice::sharing
