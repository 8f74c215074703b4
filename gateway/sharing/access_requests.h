// The Sharing service without its transport, as far as it is about access requests: an agency
// applies, the owner approves (which makes a grant) or refuses.
//
//   SUBMITTED ──▶ APPROVED (a grant)     REFUSED (reason, law)     WITHDRAWN (by the agency)
//
// Who may see a request is as with grants. Methods that read may block. Any thread.
#pragma once

#include "absl/status/statusor.h"
#include "gateway/audit/changes.h"
#include "gateway/base/clock.h"
#include "gateway/base/crypto.h"
#include "gateway/catalogue/dataset.h"
#include "gateway/identity/caller.h"
#include "gateway/identity/submit.h"
#include "gateway/store/store.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::sharing {

class AccessRequests {
 public:
  // The references outlive the object.
  AccessRequests(store::Store& store, audit::Changes& changes, const Clock& clock,
                 RandomSource& random)
      : store_(store), changes_(changes), clock_(clock), random_(random) {}

  // Caller: a system or person of the agency that asks. DATASET_UNKNOWN (also where its agency may
  // not know of the dataset), DEFINITION_INVALID with field violations, OVERLOADED where an agency
  // has too many undecided on one dataset, and those of audit::Changes.
  void SubmitAccessRequest(const identity::Caller& caller, v1::SubmitAccessRequestRequest request,
                           identity::Done<v1::SubmitAccessRequestResponse> done);
  // Caller: an owner. ROLE_REQUIRED, NOT_OWNER, NOT_FOUND, REQUEST_DECIDED, ETAG_MISMATCH,
  // DEFINITION_INVALID (the terms, against dataset and request), and those of audit::Changes.
  void ApproveAccessRequest(const identity::Caller& caller, v1::ApproveAccessRequestRequest request,
                            identity::Done<v1::ApproveAccessRequestResponse> done);
  // The same, and REQUEST_INVALID.
  void RefuseAccessRequest(const identity::Caller& caller, v1::RefuseAccessRequestRequest request,
                           identity::Done<v1::RefuseAccessRequestResponse> done);
  // Caller: a system or person of the agency that made it. NOT_FOUND, REQUEST_DECIDED,
  // ETAG_MISMATCH.
  void WithdrawAccessRequest(const identity::Caller& caller,
                             v1::WithdrawAccessRequestRequest request,
                             identity::Done<v1::WithdrawAccessRequestResponse> done);
  // NOT_FOUND.
  absl::StatusOr<v1::GetAccessRequestResponse> GetAccessRequest(
      const identity::Caller& caller, const v1::GetAccessRequestRequest& request);
  // Only what the caller may see. PAGE_TOKEN_INVALID, REQUEST_INVALID.
  absl::StatusOr<v1::ListAccessRequestsResponse> ListAccessRequests(
      const identity::Caller& caller, const v1::ListAccessRequestsRequest& request);

  // The grant, without an id, that an owner would give; for a preview. Errors as with approval.
  struct Proposal {
    v1::AccessRequest request;
    v1::Grant grant;
    catalogue::DatasetPtr dataset;
  };
  absl::StatusOr<Proposal> Propose(const identity::Caller& caller, const std::string& id,
                                   const v1::Grant& terms);

 private:
  template <class Response, class Decide>
  void Conclude(const identity::Caller& caller, std::string id, std::string etag,
                const char* action, std::string reason, Decide decide,
                identity::Done<Response> done);
  absl::StatusOr<Proposal> Propose(store::Reader& reader, const identity::Caller& caller,
                                   const std::string& id, const v1::Grant& terms) const;
  absl::StatusOr<v1::AccessRequest> Prepare(store::Reader& reader, const identity::Caller& caller,
                                            const v1::AccessRequest& wanted) const;
  void StampDecision(const identity::Caller& caller, v1::AccessRequest& request) const;

  store::Store& store_;
  audit::Changes& changes_;
  const Clock& clock_;
  RandomSource& random_;
};

}  // namespace sluice::sharing
