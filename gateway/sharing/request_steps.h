// What steps of a request have in common, whoever takes them, and how a request and its grant stay
// one: what is done to either is done to both, in one transaction. For this room.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "gateway/audit/changes.h"
#include "gateway/base/clock.h"
#include "gateway/identity/caller.h"
#include "gateway/sharing/request_life.h"
#include "gateway/store/store.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::sharing {

// All that the caller may act as at this moment, by what is registered. SUSPENDED, NOT_REGISTERED.
// `consumer_agency` is empty where nobody asks.
absl::StatusOr<Hands> HandsOf(store::Reader& reader, const identity::Caller& caller,
                              std::string_view owner_agency, std::string_view consumer_agency);
absl::StatusOr<Hands> HandsOf(store::Reader& reader, const identity::Caller& caller,
                              const v1::AccessRequest& request);
// A request that the caller may see. NOT_FOUND.
absl::StatusOr<v1::AccessRequest> SeenRequest(store::Reader& reader, const identity::Caller& caller,
                                              const std::string& id);

v1::AccessStep NewStep(const identity::Caller& caller, const Clock& clock, v1::AccessAction action);
// Etag and row of a request that a step changed.
absl::Status StoreStep(store::Transaction& transaction, v1::AccessRequest& request);
// Null `before` where there was none.
audit::ChangeOutcome RequestOutcome(std::string_view action, const v1::AccessRequest* before,
                                    const v1::AccessRequest& after);

// The request's grant becomes suspended, in force again, or revoked. What it was refused for where
// it cannot stand; nothing where it is that already.
absl::StatusOr<std::optional<audit::ChangeOutcome>> MoveGrantOf(
    store::Transaction& transaction, const identity::Caller& caller, const Clock& clock,
    const v1::AccessRequest& request, v1::AccessAction action, const std::string& reason);
// The other way round, after an owner changed the state of a grant: the request that it answers
// follows. What takes away is never refused; nothing where it answers none.
absl::StatusOr<std::optional<audit::ChangeOutcome>> FollowGrant(store::Transaction& transaction,
                                                                const identity::Caller& caller,
                                                                const Clock& clock,
                                                                const v1::Grant& grant);

}  // namespace sluice::sharing
