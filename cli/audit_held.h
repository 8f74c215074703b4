// An answer to a search, held against a copy of the log: what a gateway left out of it, or made up.
#pragma once

#include <string>
#include <vector>

#include "cli/session.h"
#include "sluice/v1/audit.pb.h"

namespace sluice::cli {

// A copy has envelopes alone: a condition on what stands in details is USAGE.
absl::Status CanBeHeld(const v1::RecordFilter& filter);

// The copy in `folder` is verified as it is read. `records` is the whole answer of a gateway that
// searched to `searched_to`. SEARCH_INCOMPLETE, SEARCH_ALTERED, naming records; LOG_BROKEN where
// the copy does not hold.
absl::Status HoldAgainstCopy(Session& session, const std::string& folder,
                             const v1::RecordFilter& filter, const std::vector<v1::Record>& records,
                             int64_t searched_to);

}  // namespace sluice::cli
