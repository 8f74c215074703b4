// The Sharing service without its transport, as far as it is about corrections (Decree 809, Art.
// 26): an agency doubts data that it was lent, and their owner looks and answers, each a step of
// the table in matter_life.h. Nothing of a grant or of the data is changed by any of them.
//
// Each step is one transaction and an audit record, and what its clock is computed from. Seen by
// the agency that doubts, persons of the dataset's agency, auditors and the authority. Methods that
// read may block. Any thread.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/audit/changes.h"
#include "gateway/base/clock.h"
#include "gateway/base/crypto.h"
#include "gateway/identity/caller.h"
#include "gateway/identity/submit.h"
#include "gateway/sharing/rules.h"
#include "gateway/store/store.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::sharing {

class Corrections {
 public:
  // The references outlive the object.
  Corrections(store::Store& store, audit::Changes& changes, const Clock& clock,
              RandomSource& random, std::shared_ptr<const Rules> rules)
      : store_(store),
        changes_(changes),
        clock_(clock),
        random_(random),
        rules_(std::move(rules)) {}

  // Caller: a system or person of an agency that has a grant on the dataset, or had one.
  // DATASET_UNKNOWN (also where its agency may not know of it), NO_GRANT, DEFINITION_INVALID with
  // field violations, REQUEST_INVALID where too many of the agency's on the dataset are open or
  // were raised within a day, and those of audit::Changes.
  void RaiseCorrection(const identity::Caller& caller, v1::RaiseCorrectionRequest request,
                       identity::Done<v1::RaiseCorrectionResponse> done);
  // Any other step. REQUEST_INVALID (reason), DEFINITION_INVALID (papers), NOT_FOUND,
  // ETAG_MISMATCH, those of DecideMove, and those of audit::Changes.
  void TakeCorrectionStep(const identity::Caller& caller, v1::TakeCorrectionStepRequest request,
                          identity::Done<v1::TakeCorrectionStepResponse> done);
  // NOT_FOUND.
  absl::StatusOr<v1::GetCorrectionResponse> GetCorrection(const identity::Caller& caller,
                                                          const v1::GetCorrectionRequest& request);
  // Only what the caller may see. PAGE_TOKEN_INVALID, REQUEST_INVALID.
  absl::StatusOr<v1::ListCorrectionsResponse> ListCorrections(
      const identity::Caller& caller, const v1::ListCorrectionsRequest& request);

 private:
  absl::StatusOr<v1::Correction> Begin(store::Reader& reader, const identity::Caller& caller,
                                       const v1::Correction& wanted) const;
  template <class Response>
  void TellClocks(Response& response) const;

  store::Store& store_;
  audit::Changes& changes_;
  const Clock& clock_;
  RandomSource& random_;
  const std::shared_ptr<const Rules> rules_;
};

}  // namespace sluice::sharing
