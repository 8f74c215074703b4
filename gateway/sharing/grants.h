// The Sharing service without its transport, as far as it is about grants, by the owners of the
// datasets.
//
// A grant is seen by persons of the owner's agency, by every principal of the consumer's, by
// auditors and the authority; for all others it does not exist (NOT_FOUND). It is changed by
// persons with the role owner of the owner's agency alone. Methods that read may block. Any thread.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "gateway/audit/changes.h"
#include "gateway/base/clock.h"
#include "gateway/base/crypto.h"
#include "gateway/identity/caller.h"
#include "gateway/identity/submit.h"
#include "gateway/store/store.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::sharing {

// What the grant's quota has left now; the exchange counts it.
using QuotaLeftSource = std::function<v1::QuotaLeft(const v1::Grant&)>;

class Grants {
 public:
  // The references outlive the object.
  Grants(store::Store& store, audit::Changes& changes, const Clock& clock, RandomSource& random,
         QuotaLeftSource quota_left);

  // A new grant where the id is empty, else the next revision of one in force or expired, which
  // keeps its dataset and consumer. ROLE_REQUIRED, NOT_OWNER, NOT_FOUND, DATASET_UNKNOWN,
  // DEFINITION_INVALID with field violations, GRANT_REVOKED, ETAG_MISMATCH, and those of
  // audit::Changes. Unchanged where it is applied again.
  void ApplyGrant(const identity::Caller& caller, v1::ApplyGrantRequest request,
                  identity::Done<v1::ApplyGrantResponse> done);
  // Acts at commit. ROLE_REQUIRED, NOT_OWNER, NOT_FOUND, REQUEST_INVALID, ETAG_MISMATCH. Unchanged
  // where it was revoked before.
  void RevokeGrant(const identity::Caller& caller, v1::RevokeGrantRequest request,
                   identity::Done<v1::RevokeGrantResponse> done);
  // Suspending acts at commit. The same, GRANT_REVOKED, and where it is resumed those of
  // ApplyGrant.
  void SetGrantState(const identity::Caller& caller, v1::SetGrantStateRequest request,
                     identity::Done<v1::SetGrantStateResponse> done);
  // NOT_FOUND.
  absl::StatusOr<v1::GetGrantResponse> GetGrant(const identity::Caller& caller,
                                                const v1::GetGrantRequest& request);
  // Only what the caller may see. PAGE_TOKEN_INVALID, REQUEST_INVALID.
  absl::StatusOr<v1::ListGrantsResponse> ListGrants(const identity::Caller& caller,
                                                    const v1::ListGrantsRequest& request);

 private:
  struct Plan;
  struct StateChange {
    std::string id, reason, etag;
    v1::GrantState to;
    const char* action;
  };
  absl::StatusOr<Plan> MakePlan(store::Reader& reader, const identity::Caller& caller,
                                const v1::Grant& wanted) const;
  absl::Status CheckStands(store::Reader& reader, const identity::Caller& caller,
                           const v1::Grant& grant) const;
  template <class Response>
  void Move(const identity::Caller& caller, const StateChange& change,
            identity::Done<Response> done);

  store::Store& store_;
  audit::Changes& changes_;
  const Clock& clock_;
  RandomSource& random_;
  const QuotaLeftSource quota_left_;
};

// Whether the principal may see the grant.
bool MaySee(const identity::Principal& principal, const v1::Grant& grant);

}  // namespace sluice::sharing
