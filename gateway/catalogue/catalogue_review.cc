// The way of an entry from its owner's desk over the authority's into the catalogue.
#include <google/protobuf/util/time_util.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/catalogue/catalogue.h"
#include "gateway/catalogue/dataset_table.h"
#include "gateway/records/utf8.h"
#include "gateway/store/definition.h"

namespace sluice::catalogue {
namespace {

using audit::ChangeOutcome;
using identity::Caller;

constexpr size_t kMostNote = 1000;

absl::Status CheckReview(const v1::ReviewDatasetRequest& request) {
  const bool returns = request.publication() == v1::PUBLICATION_RETURNED;
  if (!returns && request.publication() != v1::PUBLICATION_PUBLISHED)
    return InvalidField("publication", "PUBLISHED or RETURNED");
  if (returns && records::IsBlank(request.note()))
    return InvalidField("note", "needed for returning: all that its owner has to mend");
  if (request.note().size() > kMostNote || !records::ValidUtf8(request.note()))
    return InvalidField("note", "at most 1,000 bytes of UTF-8");
  return absl::OkStatus();
}

}  // namespace

// Of a revision that an owner applies: what was published stays so, for consumers rely on it;
// anything else begins again.
void Catalogue::SetPublication(const std::optional<v1::Dataset>& before, v1::Dataset& after) const {
  if (before && IsPublished(*before)) {
    after.set_publication(before->publication());
    if (before->has_published()) *after.mutable_published() = before->published();
    after.set_publication_note(before->publication_note());
  } else if (publication_ == PublicationRule::kAuthority) {
    after.set_publication(v1::PUBLICATION_AWAITED);
  } else {
    after.set_publication(v1::PUBLICATION_PUBLISHED);
    *after.mutable_published() =
        google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(clock_.Now());
  }
}

void Catalogue::ReviewDataset(const Caller& caller, v1::ReviewDatasetRequest request,
                              identity::Done<v1::ReviewDatasetResponse> done) {
  absl::Status status = identity::RequireRole(caller, v1::ROLE_AUTHORITY);
  if (status.ok()) status = CheckReview(request);
  if (!status.ok()) return done(status);
  identity::SubmitChange<v1::ReviewDatasetResponse>(
      changes_, caller, audit::Changes::Effect::kAfterRecord,
      [this, caller, request = std::move(request)](store::Transaction& transaction,
                                                   v1::ReviewDatasetResponse& response) {
        return Review(transaction, caller, request, *response.mutable_dataset());
      },
      std::move(done));
}

absl::StatusOr<ChangeOutcome> Catalogue::Review(store::Transaction& transaction,
                                                const Caller& caller,
                                                const v1::ReviewDatasetRequest& request,
                                                v1::Dataset& after) const {
  SLUICE_RETURN_IF_ERROR(identity::RequireRoleNow(transaction, caller, v1::ROLE_AUTHORITY));
  SLUICE_ASSIGN_OR_RETURN(const auto before, FindDataset(transaction, request.name()));
  if (!before) return NoSuchDataset(request.name());
  const std::string owner = before->name().substr(0, before->name().find('/'));
  if (owner == caller.principal.agency)
    return Error(v1::REASON_SAME_HANDS,
                 "An entry is reviewed by somebody of another agency than its owner's.",
                 {{"dataset", request.name()}});
  // The answer shows what the authority may see; the record has all of it.
  after = VisibleTo(caller.principal, *before);
  if (before->publication() == request.publication()) return identity::Unchanged();
  const bool returns = request.publication() == v1::PUBLICATION_RETURNED;
  if (IsPublished(*before)) {
    if (!returns) return identity::Unchanged();
    return InvalidField("publication",
                        "what is published stays so; its owner suspends or retires it");
  }
  if (before->state() == v1::DATASET_STATE_RETIRED)
    return Error(v1::REASON_DATASET_RETIRED, absl::StrCat(before->name(), " is offered no longer."),
                 {{"dataset", request.name()}});
  SLUICE_RETURN_IF_ERROR(store::CheckEtag(request.etag(), before->etag()));
  if (!returns) SLUICE_RETURN_IF_ERROR(CheckForPublication(*before));
  v1::Dataset reviewed = *before;
  reviewed.set_publication(request.publication());
  reviewed.set_publication_note(request.note());
  if (!returns)
    *reviewed.mutable_published() =
        google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(clock_.Now());
  Stamp(caller, before->revision() + 1, reviewed);
  SLUICE_RETURN_IF_ERROR(AddRevision(transaction, reviewed));
  ChangeOutcome outcome = identity::OutcomeOf("dataset", reviewed.name(),
                                              returns ? "return" : "publish", &*before, &reviewed);
  outcome.resource_revision = reviewed.revision();
  outcome.dataset = reviewed.name();
  outcome.owner_agency = owner;
  outcome.reason = request.note();
  after = VisibleTo(caller.principal, std::move(reviewed));
  return outcome;
}

}  // namespace sluice::catalogue
