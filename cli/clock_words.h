// The law's clocks in words.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "sluice/v1/procedure.pb.h"

namespace sluice::cli {

// "2026-03-16, 3 working days left", "2026-03-16, today is the last day",
// "BREACHED: was due 2026-03-16, 2 working days late", "stands still, 8 working days left",
// "met 2026-03-13", "missed: ended 2026-03-18, 2 working days late", or why nobody knows.
std::string ClockWords(const v1::Clock& clock, const absl::TimeZone& zone);
// "reply_conditional": with its law behind it.
std::string ClockName(const v1::Clock& clock);
// "agree", "ask-extension": as it is typed.
std::string StepVerb(v1::AccessAction action);
// "owner's sharing office".
std::string OfficeWords(v1::SharingOffice office);

}  // namespace sluice::cli
