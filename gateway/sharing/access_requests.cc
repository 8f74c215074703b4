#include "gateway/sharing/access_requests.h"

#include <google/protobuf/util/time_util.h>

#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "gateway/base/error.h"
#include "gateway/catalogue/catalogue.h"
#include "gateway/catalogue/dataset_table.h"
#include "gateway/identity/definitions.h"
#include "gateway/records/utf8.h"
#include "gateway/sharing/grant_rules.h"
#include "gateway/sharing/ids.h"
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

absl::Status RequestNotFound(const std::string& id) {
  return Error(v1::REASON_NOT_FOUND, "There is no such access request.", {{"access_request", id}});
}

// A request that the caller may see.
absl::StatusOr<v1::AccessRequest> Seen(store::Reader& reader, const Caller& caller,
                                       const std::string& id) {
  SLUICE_ASSIGN_OR_RETURN(auto request, FindAccessRequest(reader, id));
  if (!request || !Sees(SightOf(caller.principal), OwnerOf(*request), request->consumer_agency()))
    return RequestNotFound(id);
  return *std::move(request);
}

// One that the caller, an owner, may decide.
absl::StatusOr<v1::AccessRequest> Own(store::Reader& reader, const Caller& caller,
                                      const std::string& id) {
  SLUICE_RETURN_IF_ERROR(identity::RequireRoleNow(reader, caller, v1::ROLE_OWNER));
  SLUICE_ASSIGN_OR_RETURN(v1::AccessRequest request, Seen(reader, caller, id));
  if (OwnerOf(request) != caller.principal.agency) return NotOwner(request.dataset());
  return request;
}

const char* StateWord(v1::AccessRequestState state) {
  switch (state) {
    case v1::ACCESS_REQUEST_STATE_APPROVED:
      return "approved";
    case v1::ACCESS_REQUEST_STATE_REFUSED:
      return "refused";
    case v1::ACCESS_REQUEST_STATE_WITHDRAWN:
      return "withdrawn";
    default:
      return "undecided";
  }
}

absl::Status CheckUndecided(const v1::AccessRequest& request, const std::string& etag) {
  if (request.state() != v1::ACCESS_REQUEST_STATE_SUBMITTED)
    return Error(v1::REASON_REQUEST_DECIDED,
                 absl::StrCat("Access request ", request.id(), " was ", StateWord(request.state()),
                              " before."),
                 {{"access_request", request.id()}, {"dataset", request.dataset()}});
  return store::CheckEtag(etag, request.etag());
}

ChangeOutcome RequestOutcome(const char* action, const v1::AccessRequest* before,
                             const v1::AccessRequest& after) {
  ChangeOutcome outcome = identity::OutcomeOf("access_request", after.id(), action, before, &after);
  outcome.dataset = after.dataset();
  outcome.owner_agency = OwnerOf(after);
  return outcome;
}

// What the caller says, without what the gateway sets.
v1::AccessRequest OnlySaid(const Caller& caller, v1::AccessRequest request) {
  request.clear_id();
  request.clear_grant();
  request.clear_decision_reason();
  request.clear_decision_basis();
  request.clear_submitted();
  request.clear_submitted_by();
  request.clear_decided();
  request.clear_decided_by();
  request.clear_etag();
  request.set_consumer_agency(caller.principal.agency);
  request.set_state(v1::ACCESS_REQUEST_STATE_SUBMITTED);
  return request;
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

absl::Status CheckBasis(const v1::LegalBasis& basis) {
  if (records::IsBlank(basis.law()))
    return InvalidField("basis.law", "needed: the agency reads it");
  if (records::IsBlank(basis.article()))
    return InvalidField("basis.article", "needed: the agency reads it");
  for (const std::string* text : {&basis.law(), &basis.article(), &basis.text()})
    if (text->size() > kMostJustification) return InvalidField("basis", "at most 4,096 bytes each");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::AccessRequest> AccessRequests::Prepare(store::Reader& reader,
                                                          const Caller& caller,
                                                          const v1::AccessRequest& wanted) const {
  v1::AccessRequest request = OnlySaid(caller, wanted);
  SLUICE_ASSIGN_OR_RETURN(const auto definition, catalogue::FindDataset(reader, request.dataset()));
  if (!definition || !catalogue::MayKnow(caller.principal, *definition))
    return Error(v1::REASON_DATASET_UNKNOWN, "There is no such dataset.");
  if (definition->state() == v1::DATASET_STATE_RETIRED)
    return Error(v1::REASON_DATASET_RETIRED,
                 absl::StrCat(definition->name(), " is offered no longer."),
                 {{"dataset", definition->name()}});
  SLUICE_ASSIGN_OR_RETURN(const auto dataset, catalogue::Compile(*definition));
  identity::Mistakes mistakes;
  if (request.justification().size() > kMostJustification)
    mistakes.Add("request.justification", "expected at most 4,096 bytes");
  const absl::Status grant =
      CheckGrant(reader, GrantFor(request, v1::Grant(), *dataset), dataset, clock_.Now());
  if (!grant.ok()) mistakes.AddAll("", AsOfRequest(grant));
  SLUICE_RETURN_IF_ERROR(mistakes.ToStatus());
  SLUICE_ASSIGN_OR_RETURN(const int64_t undecided,
                          CountUndecided(reader, request.consumer_agency(), request.dataset()));
  if (undecided >= kMostUndecided)
    return Error(v1::REASON_REQUEST_INVALID,
                 absl::StrCat(undecided,
                              " requests of your agency on this dataset are undecided, "
                              "the most that there may be; withdraw some first."),
                 {{"dataset", request.dataset()}});
  *request.mutable_submitted() =
      google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(clock_.Now());
  request.set_submitted_by(caller.principal.path);
  return request;
}

void AccessRequests::SubmitAccessRequest(const Caller& caller,
                                         v1::SubmitAccessRequestRequest request,
                                         identity::Done<v1::SubmitAccessRequestResponse> done) {
  if (request.dry_run()) {
    v1::SubmitAccessRequestResponse response;
    const absl::Status status = store_.Read([&](store::Reader& reader) -> absl::Status {
      SLUICE_ASSIGN_OR_RETURN(*response.mutable_request(),
                              Prepare(reader, caller, request.request()));
      return absl::OkStatus();
    });
    if (!status.ok()) return done(status);
    return done(std::move(response));
  }
  identity::SubmitChange<v1::SubmitAccessRequestResponse>(
      changes_, caller, audit::Changes::Effect::kAfterRecord,
      [this, caller, wanted = request.request()](
          store::Transaction& transaction,
          v1::SubmitAccessRequestResponse& response) -> absl::StatusOr<ChangeOutcome> {
        SLUICE_RETURN_IF_ERROR(identity::RequireActiveNow(transaction, caller));
        v1::AccessRequest& made = *response.mutable_request();
        SLUICE_ASSIGN_OR_RETURN(made, Prepare(transaction, caller, wanted));
        while (made.id().empty()) {
          const std::string id = absl::StrCat("r-", RandomId(random_));
          SLUICE_ASSIGN_OR_RETURN(const auto known, FindAccessRequest(transaction, id));
          if (!known) made.set_id(id);
        }
        made.set_etag(store::EtagOf(made));
        SLUICE_RETURN_IF_ERROR(AddAccessRequest(transaction, made));
        return RequestOutcome("create", nullptr, made);
      },
      std::move(done));
}

void AccessRequests::StampDecision(const Caller& caller, v1::AccessRequest& request) const {
  *request.mutable_decided() =
      google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(clock_.Now());
  request.set_decided_by(caller.principal.path);
  request.set_etag(store::EtagOf(request));
}

absl::StatusOr<AccessRequests::Proposal> AccessRequests::Propose(store::Reader& reader,
                                                                 const Caller& caller,
                                                                 const std::string& id,
                                                                 const v1::Grant& terms) const {
  Proposal proposal;
  SLUICE_ASSIGN_OR_RETURN(proposal.request, Own(reader, caller, id));
  SLUICE_RETURN_IF_ERROR(CheckUndecided(proposal.request, ""));
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
  SLUICE_RETURN_IF_ERROR(identity::RequireRole(caller, v1::ROLE_OWNER));
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
  absl::Status status = identity::RequireRole(caller, v1::ROLE_OWNER);
  if (!status.ok()) return done(status);
  // Fills the answer with the request and the grant as they would be, the grant without its id.
  const auto propose = [this, caller, request](store::Reader& reader, v1::AccessRequest& before,
                                               v1::ApproveAccessRequestResponse& response) {
    auto proposal = Propose(reader, caller, request.id(), request.terms());
    if (!proposal.ok()) return proposal.status();
    SLUICE_RETURN_IF_ERROR(store::CheckEtag(request.etag(), proposal->request.etag()));
    before = proposal->request;
    *response.mutable_grant() = std::move(proposal->grant);
    response.mutable_grant()->set_revision(1);
    *response.mutable_request() = std::move(proposal->request);
    response.mutable_request()->set_state(v1::ACCESS_REQUEST_STATE_APPROVED);
    return absl::OkStatus();
  };
  if (request.dry_run()) {
    v1::ApproveAccessRequestResponse response;
    status = store_.Read([&](store::Reader& reader) {
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
        StampDecision(caller, after);
        SLUICE_RETURN_IF_ERROR(PutAccessRequest(transaction, after));
        ChangeOutcome outcome = RequestOutcome("approve", &before, after);
        outcome.also.push_back(GrantOutcome("create", nullptr, grant));
        return outcome;
      },
      std::move(done));
}

// Refuses or withdraws: `decide` finds the request and sets what is said of the decision.
template <class Response, class Decide>
void AccessRequests::Conclude(const Caller& caller, std::string id, std::string etag,
                              const char* action, std::string reason, Decide decide,
                              identity::Done<Response> done) {
  identity::SubmitChange<Response>(
      changes_, caller, audit::Changes::Effect::kAfterRecord,
      [this, caller, id = std::move(id), etag = std::move(etag), action, reason = std::move(reason),
       decide](store::Transaction& transaction,
               Response& response) -> absl::StatusOr<ChangeOutcome> {
        SLUICE_ASSIGN_OR_RETURN(const v1::AccessRequest before, decide.Find(transaction, id));
        SLUICE_RETURN_IF_ERROR(CheckUndecided(before, etag));
        v1::AccessRequest& after = *response.mutable_request();
        after = before;
        decide.Set(after);
        after.set_decision_reason(reason);
        StampDecision(caller, after);
        SLUICE_RETURN_IF_ERROR(PutAccessRequest(transaction, after));
        ChangeOutcome outcome = RequestOutcome(action, &before, after);
        outcome.reason = reason;
        return outcome;
      },
      std::move(done));
}

void AccessRequests::RefuseAccessRequest(const Caller& caller,
                                         v1::RefuseAccessRequestRequest request,
                                         identity::Done<v1::RefuseAccessRequestResponse> done) {
  absl::Status status = identity::RequireRole(caller, v1::ROLE_OWNER);
  if (status.ok()) status = CheckReason(request.reason(), true);
  if (status.ok()) status = CheckBasis(request.basis());
  if (!status.ok()) return done(status);
  struct Refusal {
    Caller caller;
    v1::LegalBasis basis;
    absl::StatusOr<v1::AccessRequest> Find(store::Reader& reader, const std::string& id) const {
      return Own(reader, caller, id);
    }
    void Set(v1::AccessRequest& after) const {
      after.set_state(v1::ACCESS_REQUEST_STATE_REFUSED);
      *after.mutable_decision_basis() = basis;
    }
  };
  Conclude(caller, request.id(), request.etag(), "refuse", request.reason(),
           Refusal{caller, request.basis()}, std::move(done));
}

void AccessRequests::WithdrawAccessRequest(const Caller& caller,
                                           v1::WithdrawAccessRequestRequest request,
                                           identity::Done<v1::WithdrawAccessRequestResponse> done) {
  if (absl::Status status = CheckReason(request.reason(), false); !status.ok()) return done(status);
  struct Withdrawal {
    Caller caller;
    absl::StatusOr<v1::AccessRequest> Find(store::Reader& reader, const std::string& id) const {
      SLUICE_RETURN_IF_ERROR(identity::RequireActiveNow(reader, caller));
      SLUICE_ASSIGN_OR_RETURN(v1::AccessRequest found, Seen(reader, caller, id));
      if (found.consumer_agency() != caller.principal.agency)
        return Error(v1::REASON_NOT_OWNER, "Only the agency that made a request withdraws it.",
                     {{"access_request", id}});
      return found;
    }
    void Set(v1::AccessRequest& after) const {
      after.set_state(v1::ACCESS_REQUEST_STATE_WITHDRAWN);
    }
  };
  Conclude(caller, request.id(), request.etag(), "withdraw", request.reason(), Withdrawal{caller},
           std::move(done));
}

absl::StatusOr<v1::GetAccessRequestResponse> AccessRequests::GetAccessRequest(
    const Caller& caller, const v1::GetAccessRequestRequest& request) {
  v1::GetAccessRequestResponse response;
  SLUICE_RETURN_IF_ERROR(store_.Read([&](store::Reader& reader) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(*response.mutable_request(), Seen(reader, caller, request.id()));
    const v1::AccessRequest& found = response.request();
    if (found.state() != v1::ACCESS_REQUEST_STATE_SUBMITTED ||
        OwnerOf(found) != caller.principal.agency ||
        caller.principal.kind != identity::PrincipalKind::kPerson)
      return absl::OkStatus();
    SLUICE_ASSIGN_OR_RETURN(const auto dataset, OwnDataset(reader, caller, found.dataset()));
    *response.mutable_proposed() = GrantFor(found, v1::Grant(), *dataset);
    return absl::OkStatus();
  }));
  return response;
}

absl::StatusOr<v1::ListAccessRequestsResponse> AccessRequests::ListAccessRequests(
    const Caller& caller, const v1::ListAccessRequestsRequest& request) {
  SLUICE_ASSIGN_OR_RETURN(const int page, PageSize(request.page_size()));
  // A token is the last id given out; what follows is looked at anew for each caller.
  if (!request.page_token().empty() && !IsAccessRequestId(request.page_token()))
    return Error(v1::REASON_PAGE_TOKEN_INVALID, "The page token is not one of this list's.");
  v1::ListAccessRequestsResponse response;
  SLUICE_RETURN_IF_ERROR(store_.Read([&](store::Reader& reader) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(
        auto found,
        LoadAccessRequests(reader, SightOf(caller.principal),
                           {request.dataset(), request.consumer_agency(), request.state()},
                           request.page_token(), page + 1));
    if (found.size() > static_cast<size_t>(page)) {
      found.pop_back();
      response.set_next_page_token(found.back().id());
    }
    for (v1::AccessRequest& one : found) *response.add_requests() = std::move(one);
    return absl::OkStatus();
  }));
  return response;
}

}  // namespace sluice::sharing
