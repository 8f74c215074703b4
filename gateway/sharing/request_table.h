// Access requests as rows. For this room.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/identity/principal.h"
#include "gateway/sharing/grant_table.h"
#include "gateway/store/store.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::sharing {

absl::StatusOr<std::optional<v1::AccessRequest>> FindAccessRequest(store::Reader& reader,
                                                                   std::string_view id);
struct RequestFilter {
  std::string dataset, consumer_agency;  // empty: any
  v1::AccessRequestState state = v1::ACCESS_REQUEST_STATE_UNSPECIFIED;
};
// Whether the principal may see it: as Sees, but before it is submitted its own agency and auditors
// alone.
bool MaySeeRequest(const identity::Principal& principal, const v1::AccessRequest& request);
// Newest first, older than the one with the id `after` where that is not empty.
absl::StatusOr<std::vector<v1::AccessRequest>> LoadAccessRequests(store::Reader& reader,
                                                                  const identity::Principal& who,
                                                                  const RequestFilter& filter,
                                                                  std::string_view after,
                                                                  int64_t most);
// Those in one of the states that the principal may see, oldest first.
absl::StatusOr<std::vector<v1::AccessRequest>> LoadRequestsIn(
    store::Reader& reader, const identity::Principal& who,
    const std::vector<v1::AccessRequestState>& states, int64_t most);
// How many requests of an agency on a dataset are undecided.
absl::StatusOr<int64_t> CountUndecided(store::Reader& reader, std::string_view consumer_agency,
                                       std::string_view dataset);
absl::Status AddAccessRequest(store::Transaction& transaction, const v1::AccessRequest& request);
absl::Status PutAccessRequest(store::Transaction& transaction, const v1::AccessRequest& request);

// The agency of "agency/dataset".
std::string OwnerOf(const v1::AccessRequest& request);

}  // namespace sluice::sharing
