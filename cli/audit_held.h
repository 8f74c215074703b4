// An answer to a search, held against a copy of the log: what a gateway left out of it, or made up.
#pragma once

#include <string>
#include <vector>

#include "cli/session.h"
#include "sluice/v1/audit.pb.h"

namespace sluice::cli {

// Whether holding such an answer takes search tokens: a condition is on what stands in details, of
// which a copy has tags alone (gateway/audit/search_tags.h).
bool NeedsSearchTokens(const v1::RecordFilter& filter);

// The whole answer of a gateway to one search.
struct HeldAnswer {
  std::vector<v1::Record> records;
  int64_t searched_to = 0;
  std::vector<v1::SearchToken> tokens;
};

// The copy in `folder` is verified as it is read. SEARCH_INCOMPLETE, SEARCH_ALTERED, naming
// records; LOG_BROKEN where the copy does not hold. Says how many records a copy cannot judge:
// whose details are erased, or list more subjects than have tags.
absl::Status HoldAgainstCopy(Session& session, const std::string& folder,
                             const v1::RecordFilter& filter, const HeldAnswer& answer);

}  // namespace sluice::cli
