#include "gateway/sharing/request_steps.h"

#include <google/protobuf/util/time_util.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/identity/registration.h"
#include "gateway/identity/submit.h"
#include "gateway/sharing/clock_profile.h"
#include "gateway/sharing/grant_rules.h"
#include "gateway/sharing/grant_table.h"
#include "gateway/sharing/request_table.h"
#include "gateway/sharing/sharing_parts.h"
#include "gateway/store/definition.h"

namespace sluice::sharing {
namespace {

bool HoldsRole(const v1::Person& person, v1::Role role) {
  for (const int held : person.roles())
    if (held == role) return true;
  return false;
}

struct GrantMove {
  v1::GrantState to;
  const char* action;
};
std::optional<GrantMove> GrantMoveOf(v1::AccessAction action) {
  switch (action) {
    case v1::ACCESS_ACTION_SUSPEND:
      return GrantMove{v1::GRANT_STATE_SUSPENDED, "suspend"};
    case v1::ACCESS_ACTION_RESUME:
      return GrantMove{v1::GRANT_STATE_IN_FORCE, "resume"};
    case v1::ACCESS_ACTION_END:
      return GrantMove{v1::GRANT_STATE_REVOKED, "revoke"};
    default:
      return std::nullopt;
  }
}

v1::AccessAction ActionOfGrant(v1::GrantState state) {
  if (state == v1::GRANT_STATE_SUSPENDED) return v1::ACCESS_ACTION_SUSPEND;
  if (state == v1::GRANT_STATE_REVOKED) return v1::ACCESS_ACTION_END;
  return v1::ACCESS_ACTION_RESUME;
}

}  // namespace

absl::StatusOr<Hands> HandsOf(store::Reader& reader, const identity::Caller& caller,
                              std::string_view owner_agency, std::string_view consumer_agency) {
  SLUICE_RETURN_IF_ERROR(identity::RequireActiveNow(reader, caller));
  const identity::Principal& who = caller.principal;
  Hands hands;
  hands.principal = who.path;
  const bool asks = who.agency == consumer_agency;
  if (asks) hands.offices.push_back(v1::SHARING_OFFICE_REQUESTER);
  if (who.kind != identity::PrincipalKind::kPerson) return hands;
  SLUICE_ASSIGN_OR_RETURN(const auto person, identity::FindPerson(reader, who.QualifiedName()));
  if (!person) return hands;
  const bool office = HoldsRole(*person, v1::ROLE_SHARING_OFFICE);
  const bool owns = who.agency == owner_agency;
  if (asks && office) hands.offices.push_back(v1::SHARING_OFFICE_REQUESTER_OFFICE);
  if (owns && office) hands.offices.push_back(v1::SHARING_OFFICE_OWNER_OFFICE);
  if (owns && HoldsRole(*person, v1::ROLE_OWNER)) hands.offices.push_back(v1::SHARING_OFFICE_OWNER);
  if (HoldsRole(*person, v1::ROLE_AUTHORITY)) hands.offices.push_back(v1::SHARING_OFFICE_AUTHORITY);
  return hands;
}

absl::StatusOr<Hands> HandsOf(store::Reader& reader, const identity::Caller& caller,
                              const v1::AccessRequest& request) {
  return HandsOf(reader, caller, OwnerOf(request), request.consumer_agency());
}

absl::StatusOr<v1::AccessRequest> SeenRequest(store::Reader& reader, const identity::Caller& caller,
                                              const std::string& id) {
  SLUICE_ASSIGN_OR_RETURN(auto request, FindAccessRequest(reader, id));
  if (!request || !MaySeeRequest(caller.principal, *request))
    return Error(v1::REASON_NOT_FOUND, "There is no such access request.",
                 {{"access_request", id}});
  return *std::move(request);
}

v1::AccessStep NewStep(const identity::Caller& caller, const Clock& clock,
                       v1::AccessAction action) {
  v1::AccessStep step;
  step.set_action(action);
  *step.mutable_taken() = google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(clock.Now());
  step.set_taken_by(caller.principal.path);
  return step;
}

absl::Status StoreStep(store::Transaction& transaction, v1::AccessRequest& request) {
  request.set_etag(store::EtagOf(request));
  return PutAccessRequest(transaction, request);
}

audit::ChangeOutcome RequestOutcome(std::string_view action, const v1::AccessRequest* before,
                                    const v1::AccessRequest& after) {
  audit::ChangeOutcome outcome =
      identity::OutcomeOf("access_request", after.id(), std::string(action), before, &after);
  outcome.dataset = after.dataset();
  outcome.owner_agency = OwnerOf(after);
  return outcome;
}

absl::StatusOr<std::optional<audit::ChangeOutcome>> MoveGrantOf(
    store::Transaction& transaction, const identity::Caller& caller, const Clock& clock,
    const v1::AccessRequest& request, v1::AccessAction action, const std::string& reason) {
  const auto move = GrantMoveOf(action);
  if (!move) return std::optional<audit::ChangeOutcome>();
  SLUICE_ASSIGN_OR_RETURN(const auto before, FindGrant(transaction, request.grant()));
  if (!before) return absl::InternalError(absl::StrCat("grant ", request.grant(), " is gone"));
  if (before->state() == move->to || before->state() == v1::GRANT_STATE_REVOKED)
    return std::optional<audit::ChangeOutcome>();
  if (move->to == v1::GRANT_STATE_IN_FORCE) {
    SLUICE_ASSIGN_OR_RETURN(const auto dataset, OwnDataset(transaction, caller, before->dataset()));
    SLUICE_RETURN_IF_ERROR(CheckGrant(transaction, *before, dataset, clock.Now()));
  }
  v1::Grant after = *before;
  after.set_revision(before->revision() + 1);
  after.set_state(move->to);
  after.set_state_reason(reason);
  Stamp(caller, clock, after);
  SLUICE_RETURN_IF_ERROR(AddRevision(transaction, after));
  audit::ChangeOutcome outcome = GrantOutcome(move->action, &*before, after);
  outcome.reason = reason;
  return std::optional<audit::ChangeOutcome>(std::move(outcome));
}

absl::StatusOr<std::optional<audit::ChangeOutcome>> FollowGrant(store::Transaction& transaction,
                                                                const identity::Caller& caller,
                                                                const Clock& clock,
                                                                const v1::Grant& grant) {
  const std::optional<audit::ChangeOutcome> nothing;
  if (grant.request().empty()) return nothing;
  SLUICE_ASSIGN_OR_RETURN(const auto before, FindAccessRequest(transaction, grant.request()));
  // One that was reopened has another grant by now, or none.
  if (!before || before->grant() != grant.id()) return nothing;
  const v1::AccessAction action = ActionOfGrant(grant.state());
  // As the owner, whose the grant is; nothing that he did for another side keeps it in force.
  const auto move = DecideStep(*before, action, {"", {v1::SHARING_OFFICE_OWNER}});
  if (!move.ok() && action == v1::ACCESS_ACTION_RESUME) return move.status();
  if (!move.ok()) return nothing;
  v1::AccessRequest after = *before;
  v1::AccessStep step = NewStep(caller, clock, action);
  step.set_reason(grant.state_reason());
  AddStep(after, *move, std::move(step));
  SLUICE_RETURN_IF_ERROR(StoreStep(transaction, after));
  audit::ChangeOutcome outcome = RequestOutcome(ActionWord(action), &*before, after);
  outcome.reason = grant.state_reason();
  return std::optional<audit::ChangeOutcome>(std::move(outcome));
}

}  // namespace sluice::sharing
