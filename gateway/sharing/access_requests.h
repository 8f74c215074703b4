// The Sharing service without its transport, as far as it is about access requests: an agency
// applies, the owner decides, the authority consents and settles, each a step of the table in
// request_life.h. Approving makes a grant; suspending and ending act on it.
//
// Each step is one transaction and an audit record (the grant's beside it), and what clocks are
// computed from. Who may see a request is as with grants, but before it is submitted its own
// agency and auditors alone. Methods that read may block. Any thread.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/audit/changes.h"
#include "gateway/base/clock.h"
#include "gateway/base/crypto.h"
#include "gateway/catalogue/dataset.h"
#include "gateway/identity/caller.h"
#include "gateway/identity/submit.h"
#include "gateway/sharing/rules.h"
#include "gateway/store/store.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::sharing {

class AccessRequests {
 public:
  // The references outlive the object.
  AccessRequests(store::Store& store, audit::Changes& changes, const Clock& clock,
                 RandomSource& random, std::shared_ptr<const Rules> rules)
      : store_(store),
        changes_(changes),
        clock_(clock),
        random_(random),
        rules_(std::move(rules)) {}

  // Caller: a system or person of the agency that asks. DATASET_UNKNOWN (also where its agency may
  // not know of the dataset), DATASET_RETIRED, DEFINITION_INVALID with field violations,
  // REQUEST_INVALID where an agency has too many undecided on one dataset; with an id: NOT_FOUND,
  // ETAG_MISMATCH and those of DecideStep. And those of audit::Changes.
  void DraftAccessRequest(const identity::Caller& caller, v1::DraftAccessRequestRequest request,
                          identity::Done<v1::DraftAccessRequestResponse> done);
  // Made and submitted at once. Caller: the sharing office of the agency that asks. The same.
  void SubmitAccessRequest(const identity::Caller& caller, v1::SubmitAccessRequestRequest request,
                           identity::Done<v1::SubmitAccessRequestResponse> done);
  // NOT_FOUND, those of DecideStep, ETAG_MISMATCH, DEFINITION_INVALID (the terms, against dataset
  // and request), and those of audit::Changes.
  void ApproveAccessRequest(const identity::Caller& caller, v1::ApproveAccessRequestRequest request,
                            identity::Done<v1::ApproveAccessRequestResponse> done);
  // Any other step. NOT_FOUND, those of DecideStep, ETAG_MISMATCH, REQUEST_INVALID (reason, basis,
  // papers), DEFINITION_INVALID where what is submitted or resumed does not stand any more, and
  // those of audit::Changes. SUSPEND and END act at commit.
  void TakeAccessStep(const identity::Caller& caller, v1::TakeAccessStepRequest request,
                      identity::Done<v1::TakeAccessStepResponse> done);
  // NOT_FOUND.
  absl::StatusOr<v1::GetAccessRequestResponse> GetAccessRequest(
      const identity::Caller& caller, const v1::GetAccessRequestRequest& request);
  // Only what the caller may see. PAGE_TOKEN_INVALID, REQUEST_INVALID.
  absl::StatusOr<v1::ListAccessRequestsResponse> ListAccessRequests(
      const identity::Caller& caller, const v1::ListAccessRequestsRequest& request);

  // The grant, without an id, that an owner would give; for a preview by the owner's office or an
  // owner. NOT_FOUND, OFFICE_REQUIRED, STEP_NOT_ALLOWED, DEFINITION_INVALID.
  struct Proposal {
    v1::AccessRequest request;
    v1::Grant grant;
    catalogue::DatasetPtr dataset;
  };
  absl::StatusOr<Proposal> Propose(const identity::Caller& caller, const std::string& id,
                                   const v1::Grant& terms);

 private:
  absl::StatusOr<Proposal> Propose(store::Reader& reader, const identity::Caller& caller,
                                   const std::string& id, const v1::Grant& terms) const;
  absl::Status CheckAsked(store::Reader& reader, const identity::Caller& caller,
                          v1::AccessRequest& request) const;
  absl::StatusOr<v1::AccessRequest> Begin(store::Reader& reader, const identity::Caller& caller,
                                          const v1::AccessRequest& wanted) const;
  absl::StatusOr<v1::AccessRequest> Mend(store::Reader& reader, const identity::Caller& caller,
                                         const v1::AccessRequest& wanted,
                                         v1::AccessRequest& before) const;
  absl::Status Submit(store::Reader& reader, const identity::Caller& caller,
                      v1::AccessRequest& request, v1::AccessStep step) const;
  absl::Status GiveId(store::Reader& reader, v1::AccessRequest& request) const;
  absl::StatusOr<audit::ChangeOutcome> Take(store::Transaction& transaction,
                                            const identity::Caller& caller,
                                            const v1::TakeAccessStepRequest& asked,
                                            v1::AccessRequest& after) const;
  std::vector<v1::Clock> ClocksOf(const v1::AccessRequest& request) const;

  store::Store& store_;
  audit::Changes& changes_;
  const Clock& clock_;
  RandomSource& random_;
  const std::shared_ptr<const Rules> rules_;
};

}  // namespace sluice::sharing
