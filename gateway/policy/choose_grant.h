// Which grant a call is under.
#pragma once

#include "absl/status/statusor.h"
#include "gateway/identity/principal.h"
#include "gateway/policy/snapshot.h"
#include "sluice/v1/exchange.pb.h"

namespace sluice::policy {

// The one grant that allows it. Where there is none, `nearest` is the one that came nearest (or
// null), and the status says what it lacks: NO_GRANT, GRANT_UNKNOWN, MODE_NOT_GRANTED,
// SYSTEM_NOT_GRANTED, PURPOSE_NOT_GRANTED, GRANT_NOT_YET_VALID, GRANT_EXPIRED, GRANT_REVOKED,
// GRANT_AMBIGUOUS. Errors name only grants of the caller's own agency.
absl::StatusOr<GrantPtr> ChooseGrant(const identity::Principal& principal,
                                     const v1::QueryRequest& request, const Snapshot& snapshot,
                                     Micros now, GrantPtr* nearest);

}  // namespace sluice::policy
