// The Sharing service without its transport, as far as it is about updates of a catalogue that a
// change of laws or duties calls for (Decree 809, Art. 17): declared, done by the owner's sharing
// office, accepted by the authority, each a step of the table in matter_life.h. The entries
// themselves are changed through the Catalogue service, whose records stand beside these.
//
// As the authority acts somebody of another agency than the one whose catalogue it is, as with the
// review of an entry.
//
// Each step is one transaction and an audit record, and what its clocks are computed from. Seen by
// persons of the agency whose catalogue it is, auditors and the authority. Methods that read may
// block. Any thread.
#pragma once

#include <memory>
#include <utility>

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

class CatalogueUpdates {
 public:
  // The references outlive the object.
  CatalogueUpdates(store::Store& store, audit::Changes& changes, const Clock& clock,
                   RandomSource& random, std::shared_ptr<const Rules> rules)
      : store_(store),
        changes_(changes),
        clock_(clock),
        random_(random),
        rules_(std::move(rules)) {}

  // Caller: the sharing office of the agency whose catalogue it is, or the authority.
  // OFFICE_REQUIRED, SAME_HANDS, DEFINITION_INVALID with field violations (an agency or datasets
  // that there are not, too), REQUEST_INVALID where too many of the agency's are open, and those of
  // audit::Changes.
  void DeclareCatalogueUpdate(const identity::Caller& caller,
                              v1::DeclareCatalogueUpdateRequest request,
                              identity::Done<v1::DeclareCatalogueUpdateResponse> done);
  // Any other step. REQUEST_INVALID or DEFINITION_INVALID (reason), NOT_FOUND, ETAG_MISMATCH,
  // those of DecideMove, DEFINITION_INVALID (revisions; reason, where none of the entries was
  // changed), and those of audit::Changes.
  void TakeCatalogueUpdateStep(const identity::Caller& caller,
                               v1::TakeCatalogueUpdateStepRequest request,
                               identity::Done<v1::TakeCatalogueUpdateStepResponse> done);
  // NOT_FOUND.
  absl::StatusOr<v1::GetCatalogueUpdateResponse> GetCatalogueUpdate(
      const identity::Caller& caller, const v1::GetCatalogueUpdateRequest& request);
  // Only what the caller may see. PAGE_TOKEN_INVALID, REQUEST_INVALID.
  absl::StatusOr<v1::ListCatalogueUpdatesResponse> ListCatalogueUpdates(
      const identity::Caller& caller, const v1::ListCatalogueUpdatesRequest& request);

 private:
  absl::StatusOr<v1::CatalogueUpdate> Begin(store::Reader& reader, const identity::Caller& caller,
                                            const v1::CatalogueUpdate& wanted) const;
  template <class Response>
  void TellClocks(Response& response) const;

  store::Store& store_;
  audit::Changes& changes_;
  const Clock& clock_;
  RandomSource& random_;
  const std::shared_ptr<const Rules> rules_;
};

}  // namespace sluice::sharing
