// Which of an agency's grants a call stands on.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "gateway/base/clock.h"
#include "gateway/identity/principal.h"
#include "gateway/policy/snapshot.h"
#include "sluice/v1/exchange.pb.h"

namespace sluice::policy {

// The one grant that allows the call: its mode, system, purpose and time, not revoked. Else why
// none does (GRANT_UNKNOWN, NO_GRANT, MODE_NOT_GRANTED, SYSTEM_NOT_GRANTED, PURPOSE_NOT_GRANTED,
// GRANT_NOT_YET_VALID, GRANT_EXPIRED, GRANT_REVOKED, GRANT_AMBIGUOUS), as the grant tells that came
// nearest; that one is put into `nearest`. The error teaches what the agency's own grants on the
// dataset allow (key "held", a line each), and says nothing of others'.
absl::StatusOr<GrantPtr> PickGrant(const identity::Principal& principal,
                                   const v1::QueryRequest& request, v1::Mode mode,
                                   const Snapshot& snapshot, const catalogue::Dataset& dataset,
                                   Micros now, GrantPtr& nearest);

// The agency's grants on a dataset that this system may use now in that mode, each for its own
// purposes. None for a person, and none where the dataset itself allows no call.
std::vector<GrantPtr> UsableGrants(const identity::Principal& principal, v1::Mode mode,
                                   const Snapshot& snapshot, const catalogue::Dataset& dataset,
                                   Micros now);

}  // namespace sluice::policy
