// What the services for grants and for access requests have in common. For this room.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/audit/changes.h"
#include "gateway/base/clock.h"
#include "gateway/base/crypto.h"
#include "gateway/catalogue/dataset.h"
#include "gateway/identity/caller.h"
#include "gateway/sharing/grant_table.h"
#include "gateway/store/store.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::sharing {

absl::Status NotOwner(const std::string& dataset);
// REQUEST_INVALID for a reason that is blank, where it is needed, or longer than 1,000 bytes.
absl::Status CheckReason(std::string_view reason, bool needed);
// 1 to 1,000, or 100 for 0; REQUEST_INVALID.
absl::StatusOr<int> PageSize(int asked);

Sight SightOf(const identity::Principal& principal);
bool Sees(const Sight& sight, const std::string& owner_agency, const std::string& consumer_agency);

// A dataset of the caller's own agency. NOT_OWNER, DATASET_UNKNOWN.
absl::StatusOr<catalogue::DatasetPtr> OwnDataset(store::Reader& reader,
                                                 const identity::Caller& caller,
                                                 const std::string& name);

// One that no grant has.
absl::StatusOr<std::string> NewGrantId(store::Reader& reader, RandomSource& random);
// Who changed it, when, and the etag that follows.
void Stamp(const identity::Caller& caller, const Clock& clock, v1::Grant& grant);
// Null `before` where there was none.
audit::ChangeOutcome GrantOutcome(const char* action, const v1::Grant* before,
                                  const v1::Grant& after);

}  // namespace sluice::sharing
