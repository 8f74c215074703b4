#include "gateway/sharing/access_requests.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "gateway/base/error.h"
#include "gateway/catalogue/catalogue.h"
#include "gateway/catalogue/dataset_table.h"
#include "gateway/catalogue/entry_metadata.h"
#include "gateway/identity/definitions.h"
#include "gateway/sharing/grant_rules.h"
#include "gateway/sharing/ids.h"
#include "gateway/sharing/request_steps.h"
#include "gateway/sharing/request_table.h"
#include "gateway/sharing/sharing_parts.h"
#include "gateway/sharing/terms.h"
#include "gateway/store/definition.h"

namespace sluice::sharing {
namespace {

using audit::ChangeOutcome;
using identity::Caller;

constexpr size_t kMostJustification = 4096;
// More than anybody reads; a program gone astray would go on.
constexpr int64_t kMostUndecided = 20;

// What the caller says, in a request that has had no step.
v1::AccessRequest OnlySaid(const Caller& caller, const v1::AccessRequest& said) {
  v1::AccessRequest request = said;
  request.clear_id();
  request.clear_state();
  request.clear_grant();
  request.clear_submitted();
  request.clear_submitted_by();
  request.clear_etag();
  request.clear_behind();
  request.clear_steps();
  request.clear_unconditional();
  request.set_consumer_agency(caller.principal.agency);
  return request;
}

// What the gateway had set, into what is said anew.
void KeepSet(const v1::AccessRequest& before, v1::AccessRequest& after) {
  after.set_id(before.id());
  after.set_state(before.state());
  after.set_grant(before.grant());
  if (before.has_submitted()) *after.mutable_submitted() = before.submitted();
  after.set_submitted_by(before.submitted_by());
  after.set_behind(before.behind());
  *after.mutable_steps() = before.steps();
  after.set_unconditional(before.unconditional());
}

// Mistakes of the grant that would come of a request, as mistakes of the request.
absl::Status AsOfRequest(const absl::Status& status) {
  const auto mistakes = BadRequestOf(status);
  if (!mistakes) return status;
  identity::Mistakes all;
  for (const auto& mistake : mistakes->field_violations()) {
    std::string path = absl::StrCat("request.", absl::StripPrefix(mistake.field(), "grant."));
    // A request lists names, a grant lists fields with names.
    if (absl::StartsWith(path, "request.fields["))
      path = std::string(absl::StripSuffix(path, ".name"));
    all.Add(path, mistake.description());
  }
  return all.ToStatus();
}

// Mistakes of a grant, as mistakes of the terms that an owner gave.
absl::Status AsOfTerms(const absl::Status& status) {
  const auto mistakes = BadRequestOf(status);
  if (!mistakes) return status;
  identity::Mistakes all;
  for (const auto& mistake : mistakes->field_violations())
    all.Add(absl::StrCat("terms.", absl::StripPrefix(mistake.field(), "grant.")),
            mistake.description());
  return all.ToStatus();
}

}  // namespace

std::vector<v1::Clock> AccessRequests::ClocksOf(const v1::AccessRequest& request) const {
  if (!request.has_submitted()) return {};
  return rules_->ClocksOf(request, clock_.Now());
}

// Whether it could become a grant as it is asked for.
absl::Status AccessRequests::CheckAsked(store::Reader& reader, const Caller& caller,
                                        v1::AccessRequest& request) const {
  SLUICE_ASSIGN_OR_RETURN(const auto definition, catalogue::FindDataset(reader, request.dataset()));
  if (!definition || !catalogue::MayKnow(caller.principal, *definition))
    return Error(v1::REASON_DATASET_UNKNOWN, "There is no such dataset.");
  if (definition->state() == v1::DATASET_STATE_RETIRED)
    return Error(v1::REASON_DATASET_RETIRED,
                 absl::StrCat(definition->name(), " is offered no longer."),
                 {{"dataset", definition->name()}});
  SLUICE_ASSIGN_OR_RETURN(const auto dataset, catalogue::Compile(*definition));
  // Those may know of it who review or watch; asking for it is for later all the same.
  if (!catalogue::IsPublished(*definition))
    return Error(v1::REASON_NOT_PUBLISHED,
                 absl::StrCat("The authority has not published ", definition->name(), " yet."),
                 {{"dataset", definition->name()}});
  identity::Mistakes mistakes;
  if (request.justification().size() > kMostJustification)
    mistakes.Add("request.justification", "expected at most 4,096 bytes");
  const absl::Status grant =
      CheckGrant(reader, GrantFor(request, v1::Grant(), *dataset), dataset, clock_.Now());
  if (!grant.ok()) mistakes.AddAll("", AsOfRequest(grant));
  SLUICE_RETURN_IF_ERROR(mistakes.ToStatus());
  // The law's clocks go by what was offered when it was first submitted.
  if (!request.has_submitted())
    request.set_unconditional(definition->sharing() == v1::SHARING_ATTRIBUTE_UNCONDITIONAL);
  return absl::OkStatus();
}

// A new one, drafted, without id and etag.
absl::StatusOr<v1::AccessRequest> AccessRequests::Begin(store::Reader& reader, const Caller& caller,
                                                        const v1::AccessRequest& wanted) const {
  v1::AccessRequest request = OnlySaid(caller, wanted);
  SLUICE_RETURN_IF_ERROR(CheckAsked(reader, caller, request));
  SLUICE_ASSIGN_OR_RETURN(const Hands hands, HandsOf(reader, caller, request));
  SLUICE_ASSIGN_OR_RETURN(const LifeMove move, DecideStep(request, v1::ACCESS_ACTION_DRAFT, hands));
  SLUICE_ASSIGN_OR_RETURN(const int64_t undecided,
                          CountUndecided(reader, request.consumer_agency(), request.dataset()));
  if (undecided >= kMostUndecided)
    return Error(v1::REASON_REQUEST_INVALID,
                 absl::StrCat(undecided,
                              " requests of your agency on this dataset are undecided, "
                              "the most that there may be; withdraw some first."),
                 {{"dataset", request.dataset()}});
  AddStep(request, move, NewStep(caller, clock_, v1::ACCESS_ACTION_DRAFT));
  return request;
}

// One that was drafted or returned, as it is said anew. A step for whoever has none in it yet: he
// has taken the asking side. Beyond that its records tell who changed what.
absl::StatusOr<v1::AccessRequest> AccessRequests::Mend(store::Reader& reader, const Caller& caller,
                                                       const v1::AccessRequest& wanted,
                                                       v1::AccessRequest& before) const {
  SLUICE_ASSIGN_OR_RETURN(before, SeenRequest(reader, caller, wanted.id()));
  SLUICE_ASSIGN_OR_RETURN(const Hands hands, HandsOf(reader, caller, before));
  SLUICE_ASSIGN_OR_RETURN(const LifeMove move, DecideStep(before, v1::ACCESS_ACTION_DRAFT, hands));
  SLUICE_RETURN_IF_ERROR(store::CheckEtag(wanted.etag(), before.etag()));
  v1::AccessRequest after = OnlySaid(caller, wanted);
  if (after.dataset() != before.dataset()) {
    identity::Mistakes mistakes;
    mistakes.Add("request.dataset", "a request keeps its dataset; make a new one");
    return mistakes.ToStatus();
  }
  KeepSet(before, after);
  SLUICE_RETURN_IF_ERROR(CheckAsked(reader, caller, after));
  if (std::none_of(before.steps().begin(), before.steps().end(),
                   [&](const v1::AccessStep& step) { return step.taken_by() == hands.principal; }))
    AddStep(after, move, NewStep(caller, clock_, v1::ACCESS_ACTION_DRAFT));
  return after;
}

absl::Status AccessRequests::Submit(store::Reader& reader, const Caller& caller,
                                    v1::AccessRequest& request, v1::AccessStep step) const {
  SLUICE_ASSIGN_OR_RETURN(const Hands hands, HandsOf(reader, caller, request));
  SLUICE_ASSIGN_OR_RETURN(const LifeMove move, DecideStep(request, step.action(), hands));
  SLUICE_RETURN_IF_ERROR(CheckAsked(reader, caller, request));
  if (!request.has_submitted()) {
    *request.mutable_submitted() = step.taken();
    request.set_submitted_by(step.taken_by());
  }
  AddStep(request, move, std::move(step));
  return absl::OkStatus();
}

absl::Status AccessRequests::GiveId(store::Reader& reader, v1::AccessRequest& request) const {
  while (request.id().empty()) {
    const std::string id = absl::StrCat("r-", RandomId(random_));
    SLUICE_ASSIGN_OR_RETURN(const auto known, FindAccessRequest(reader, id));
    if (!known) request.set_id(id);
  }
  request.set_etag(store::EtagOf(request));
  return absl::OkStatus();
}

void AccessRequests::DraftAccessRequest(const Caller& caller, v1::DraftAccessRequestRequest request,
                                        identity::Done<v1::DraftAccessRequestResponse> done) {
  const v1::AccessRequest& wanted = request.request();
  if (request.dry_run()) {
    v1::DraftAccessRequestResponse response;
    const absl::Status status = store_.Read([&](store::Reader& reader) -> absl::Status {
      v1::AccessRequest before;
      SLUICE_ASSIGN_OR_RETURN(*response.mutable_request(),
                              wanted.id().empty() ? Begin(reader, caller, wanted)
                                                  : Mend(reader, caller, wanted, before));
      return absl::OkStatus();
    });
    if (!status.ok()) return done(status);
    return done(std::move(response));
  }
  identity::SubmitChange<v1::DraftAccessRequestResponse>(
      changes_, caller, audit::Changes::Effect::kAfterRecord,
      [this, caller, wanted](
          store::Transaction& transaction,
          v1::DraftAccessRequestResponse& response) -> absl::StatusOr<ChangeOutcome> {
        v1::AccessRequest& made = *response.mutable_request();
        if (!wanted.id().empty()) {
          v1::AccessRequest before;
          SLUICE_ASSIGN_OR_RETURN(made, Mend(transaction, caller, wanted, before));
          made.set_etag(store::EtagOf(made));
          if (made.etag() == before.etag()) return identity::Unchanged();
          SLUICE_RETURN_IF_ERROR(PutAccessRequest(transaction, made));
          return RequestOutcome("update", &before, made);
        }
        SLUICE_ASSIGN_OR_RETURN(made, Begin(transaction, caller, wanted));
        SLUICE_RETURN_IF_ERROR(GiveId(transaction, made));
        SLUICE_RETURN_IF_ERROR(AddAccessRequest(transaction, made));
        return RequestOutcome("draft", nullptr, made);
      },
      std::move(done));
}

void AccessRequests::SubmitAccessRequest(const Caller& caller,
                                         v1::SubmitAccessRequestRequest request,
                                         identity::Done<v1::SubmitAccessRequestResponse> done) {
  const auto begin = [this, caller](store::Reader& reader, const v1::AccessRequest& wanted,
                                    v1::AccessRequest& made) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(made, Begin(reader, caller, wanted));
    return Submit(reader, caller, made, NewStep(caller, clock_, v1::ACCESS_ACTION_SUBMIT));
  };
  if (request.dry_run()) {
    v1::SubmitAccessRequestResponse response;
    const absl::Status status = store_.Read([&](store::Reader& reader) {
      return begin(reader, request.request(), *response.mutable_request());
    });
    if (!status.ok()) return done(status);
    return done(std::move(response));
  }
  identity::SubmitChange<v1::SubmitAccessRequestResponse>(
      changes_, caller, audit::Changes::Effect::kAfterRecord,
      [this, begin, wanted = request.request()](
          store::Transaction& transaction,
          v1::SubmitAccessRequestResponse& response) -> absl::StatusOr<ChangeOutcome> {
        v1::AccessRequest& made = *response.mutable_request();
        SLUICE_RETURN_IF_ERROR(begin(transaction, wanted, made));
        SLUICE_RETURN_IF_ERROR(GiveId(transaction, made));
        SLUICE_RETURN_IF_ERROR(AddAccessRequest(transaction, made));
        return RequestOutcome("submit", nullptr, made);
      },
      std::move(done));
}

absl::StatusOr<AccessRequests::Proposal> AccessRequests::Propose(store::Reader& reader,
                                                                 const Caller& caller,
                                                                 const std::string& id,
                                                                 const v1::Grant& terms) const {
  Proposal proposal;
  SLUICE_ASSIGN_OR_RETURN(proposal.request, SeenRequest(reader, caller, id));
  SLUICE_ASSIGN_OR_RETURN(const Hands hands, HandsOf(reader, caller, proposal.request));
  const bool owns =
      std::any_of(hands.offices.begin(), hands.offices.end(), [](v1::SharingOffice office) {
        return office == v1::SHARING_OFFICE_OWNER_OFFICE || office == v1::SHARING_OFFICE_OWNER;
      });
  // Whoever is none of the two hears what the step is for.
  if (!owns || FindLifeRow(proposal.request.state(), v1::ACCESS_ACTION_GRANT) == nullptr)
    SLUICE_RETURN_IF_ERROR(DecideStep(proposal.request, v1::ACCESS_ACTION_GRANT, hands).status());
  SLUICE_ASSIGN_OR_RETURN(proposal.dataset, OwnDataset(reader, caller, proposal.request.dataset()));
  proposal.grant = GrantFor(proposal.request, terms, *proposal.dataset);
  SLUICE_RETURN_IF_ERROR(AsOfTerms(CheckWithin(proposal.grant, proposal.request)));
  SLUICE_RETURN_IF_ERROR(
      AsOfTerms(CheckGrant(reader, proposal.grant, proposal.dataset, clock_.Now())));
  return proposal;
}

absl::StatusOr<AccessRequests::Proposal> AccessRequests::Propose(const Caller& caller,
                                                                 const std::string& id,
                                                                 const v1::Grant& terms) {
  Proposal proposal;
  SLUICE_RETURN_IF_ERROR(store_.Read([&](store::Reader& reader) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(proposal, Propose(reader, caller, id, terms));
    return absl::OkStatus();
  }));
  return proposal;
}

void AccessRequests::ApproveAccessRequest(const Caller& caller,
                                          v1::ApproveAccessRequestRequest request,
                                          identity::Done<v1::ApproveAccessRequestResponse> done) {
  // Fills the answer with the request and the grant as they would be, the grant without its id.
  const auto propose = [this, caller, request](store::Reader& reader, v1::AccessRequest& before,
                                               v1::ApproveAccessRequestResponse& response) {
    auto found = SeenRequest(reader, caller, request.id());
    if (!found.ok()) return found.status();
    before = *std::move(found);
    const auto hands = HandsOf(reader, caller, before);
    if (!hands.ok()) return hands.status();
    const auto move = DecideStep(before, v1::ACCESS_ACTION_GRANT, *hands);
    if (!move.ok()) return move.status();
    SLUICE_RETURN_IF_ERROR(store::CheckEtag(request.etag(), before.etag()));
    auto proposal = Propose(reader, caller, request.id(), request.terms());
    if (!proposal.ok()) return proposal.status();
    *response.mutable_grant() = std::move(proposal->grant);
    response.mutable_grant()->set_revision(1);
    v1::AccessStep step = NewStep(caller, clock_, v1::ACCESS_ACTION_GRANT);
    *step.mutable_basis() = response.grant().basis();
    *response.mutable_request() = before;
    AddStep(*response.mutable_request(), *move, std::move(step));
    return absl::OkStatus();
  };
  if (request.dry_run()) {
    v1::ApproveAccessRequestResponse response;
    const absl::Status status = store_.Read([&](store::Reader& reader) {
      v1::AccessRequest before;
      return propose(reader, before, response);
    });
    if (!status.ok()) return done(status);
    return done(std::move(response));
  }
  identity::SubmitChange<v1::ApproveAccessRequestResponse>(
      changes_, caller, audit::Changes::Effect::kAfterRecord,
      [this, caller, propose](
          store::Transaction& transaction,
          v1::ApproveAccessRequestResponse& response) -> absl::StatusOr<ChangeOutcome> {
        v1::AccessRequest before;
        SLUICE_RETURN_IF_ERROR(propose(transaction, before, response));
        v1::Grant& grant = *response.mutable_grant();
        SLUICE_ASSIGN_OR_RETURN(*grant.mutable_id(), NewGrantId(transaction, random_));
        Stamp(caller, clock_, grant);
        SLUICE_RETURN_IF_ERROR(AddRevision(transaction, grant));
        v1::AccessRequest& after = *response.mutable_request();
        after.set_grant(grant.id());
        SLUICE_RETURN_IF_ERROR(StoreStep(transaction, after));
        ChangeOutcome outcome = RequestOutcome("grant", &before, after);
        outcome.also.push_back(GrantOutcome("create", nullptr, grant));
        return outcome;
      },
      std::move(done));
}

}  // namespace sluice::sharing
