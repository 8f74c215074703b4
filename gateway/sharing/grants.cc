#include "gateway/sharing/grants.h"

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/catalogue/definition_text.h"
#include "gateway/identity/definitions.h"
#include "gateway/sharing/grant_rules.h"
#include "gateway/sharing/grant_table.h"
#include "gateway/sharing/ids.h"
#include "gateway/sharing/pages.h"
#include "gateway/sharing/request_steps.h"
#include "gateway/sharing/request_table.h"
#include "gateway/sharing/sharing_parts.h"
#include "gateway/store/definition.h"

namespace sluice::sharing {
namespace {

using audit::ChangeOutcome;
using identity::Caller;
using identity::Mistakes;

// Revisions that a history tells at most.
constexpr int64_t kMostHistory = 100;

absl::Status GrantNotFound(const std::string& id) {
  return Error(v1::REASON_NOT_FOUND, "There is no such grant.", {{"grant", id}});
}

// The newest revision of a grant that the caller may see, and change.
absl::StatusOr<v1::Grant> OwnGrant(store::Reader& reader, const Caller& caller,
                                   const std::string& id) {
  SLUICE_ASSIGN_OR_RETURN(auto grant, FindGrant(reader, id));
  if (!grant || !MaySee(caller.principal, *grant)) return GrantNotFound(id);
  if (OwnerOf(*grant) != caller.principal.agency) return NotOwner(grant->dataset());
  return *std::move(grant);
}

absl::Status CheckKept(const v1::Grant& before, const v1::Grant& after) {
  Mistakes mistakes;
  if (before.dataset() != after.dataset())
    mistakes.Add("grant.dataset", "a grant keeps its dataset; make a new grant");
  if (before.consumer_agency() != after.consumer_agency())
    mistakes.Add("grant.consumer_agency", "a grant keeps its consumer; make a new grant");
  return mistakes.ToStatus();
}

// What the caller says, without what the gateway sets.
v1::Grant OnlySaid(v1::Grant grant) {
  grant.clear_revision();
  grant.clear_state();
  grant.clear_state_reason();
  grant.clear_etag();
  grant.clear_changed();
  grant.clear_changed_by();
  grant.clear_request();
  return grant;
}

// How the grant came to be what it is.
absl::Status TellHistory(store::Reader& reader, const v1::Grant& grant,
                         v1::GetGrantResponse& response) {
  SLUICE_ASSIGN_OR_RETURN(const auto revisions,
                          LoadRevisions(reader, grant.id(), grant.revision(), kMostHistory + 1));
  for (size_t i = 0; i < revisions.size(); ++i) {
    // One more was read, to compare with.
    if (i == 0 && revisions.size() > static_cast<size_t>(kMostHistory)) continue;
    v1::GrantRevision& step = *response.add_history();
    step.set_revision(revisions[i].revision());
    *step.mutable_changed() = revisions[i].changed();
    step.set_changed_by(revisions[i].changed_by());
    step.set_state(revisions[i].state());
    step.set_state_reason(revisions[i].state_reason());
    if (i == 0) continue;
    for (auto& line :
         identity::Differences(revisions[i - 1], revisions[i], catalogue::DefinitionText))
      step.add_differences(std::move(line));
  }
  if (grant.request().empty()) return absl::OkStatus();
  SLUICE_ASSIGN_OR_RETURN(auto request, FindAccessRequest(reader, grant.request()));
  if (request) *response.mutable_request() = *std::move(request);
  return absl::OkStatus();
}

}  // namespace

struct Grants::Plan {
  std::optional<v1::Grant> before;
  v1::Grant after;  // without id where it is new
  std::vector<std::string> differences;
};

bool MaySee(const identity::Principal& principal, const v1::Grant& grant) {
  return Sees(SightOf(principal), OwnerOf(grant), grant.consumer_agency());
}

Grants::Grants(store::Store& store, audit::Changes& changes, const Clock& clock,
               RandomSource& random, QuotaLeftSource quota_left)
    : store_(store),
      changes_(changes),
      clock_(clock),
      random_(random),
      quota_left_(std::move(quota_left)) {}

// All that depends on the present state; for a dry run and, within its transaction, for a change.
absl::StatusOr<Grants::Plan> Grants::MakePlan(store::Reader& reader, const Caller& caller,
                                              const v1::Grant& wanted) const {
  SLUICE_RETURN_IF_ERROR(identity::RequireRoleNow(reader, caller, v1::ROLE_OWNER));
  Plan plan;
  if (!wanted.id().empty()) {
    SLUICE_ASSIGN_OR_RETURN(plan.before, OwnGrant(reader, caller, wanted.id()));
    SLUICE_RETURN_IF_ERROR(store::CheckEtag(wanted.etag(), plan.before->etag()));
    if (plan.before->state() == v1::GRANT_STATE_REVOKED)
      return Error(v1::REASON_GRANT_REVOKED, "A revoked grant stays so; make a new one.",
                   {{"grant", wanted.id()}});
    SLUICE_RETURN_IF_ERROR(CheckKept(*plan.before, wanted));
  }
  SLUICE_ASSIGN_OR_RETURN(const auto dataset, OwnDataset(reader, caller, wanted.dataset()));
  plan.after = OnlySaid(wanted);
  plan.after.set_state(v1::GRANT_STATE_IN_FORCE);
  if (plan.before) {
    // What it was amended into goes on as it was: suspended, and the answer to its request.
    plan.after.set_state(plan.before->state());
    plan.after.set_state_reason(plan.before->state_reason());
    plan.after.set_request(plan.before->request());
  }
  plan.differences = identity::Differences(plan.before.value_or(v1::Grant::default_instance()),
                                           plan.after, catalogue::DefinitionText);
  if (plan.before && plan.differences.empty()) {
    plan.after = *plan.before;
    return plan;
  }
  SLUICE_RETURN_IF_ERROR(CheckGrant(reader, plan.after, dataset, clock_.Now()));
  plan.after.set_revision(plan.before ? plan.before->revision() + 1 : 1);
  return plan;
}

// A grant that is resumed has to stand as it would if it were given now.
absl::Status Grants::CheckStands(store::Reader& reader, const Caller& caller,
                                 const v1::Grant& grant) const {
  SLUICE_ASSIGN_OR_RETURN(const auto dataset, OwnDataset(reader, caller, grant.dataset()));
  return CheckGrant(reader, grant, dataset, clock_.Now());
}

void Grants::ApplyGrant(const Caller& caller, v1::ApplyGrantRequest request,
                        identity::Done<v1::ApplyGrantResponse> done) {
  absl::Status status = identity::RequireRole(caller, v1::ROLE_OWNER);
  if (!status.ok()) return done(status);
  if (request.dry_run()) {
    v1::ApplyGrantResponse response;
    status = store_.Read([&](store::Reader& reader) -> absl::Status {
      SLUICE_ASSIGN_OR_RETURN(Plan plan, MakePlan(reader, caller, request.grant()));
      *response.mutable_grant() = std::move(plan.after);
      for (const auto& line : plan.differences) response.add_differences(line);
      return absl::OkStatus();
    });
    if (!status.ok()) return done(status);
    return done(std::move(response));
  }
  identity::SubmitChange<v1::ApplyGrantResponse>(
      changes_, caller, audit::Changes::Effect::kAfterRecord,
      [this, caller, wanted = request.grant()](
          store::Transaction& transaction,
          v1::ApplyGrantResponse& response) -> absl::StatusOr<ChangeOutcome> {
        SLUICE_ASSIGN_OR_RETURN(Plan plan, MakePlan(transaction, caller, wanted));
        v1::Grant& grant = *response.mutable_grant();
        grant = std::move(plan.after);
        if (plan.before && plan.differences.empty()) return identity::Unchanged();
        for (const auto& line : plan.differences) response.add_differences(line);
        if (!plan.before) {
          SLUICE_ASSIGN_OR_RETURN(*grant.mutable_id(), NewGrantId(transaction, random_));
        }
        Stamp(caller, clock_, grant);
        SLUICE_RETURN_IF_ERROR(AddRevision(transaction, grant));
        return GrantOutcome(plan.before ? "update" : "create",
                            plan.before ? &*plan.before : nullptr, grant);
      },
      std::move(done));
}

// Revokes, suspends or resumes.
template <class Response>
void Grants::Move(const Caller& caller, const StateChange& change, identity::Done<Response> done) {
  absl::Status status = identity::RequireRole(caller, v1::ROLE_OWNER);
  if (status.ok()) status = CheckReason(change.reason, true);
  if (!status.ok()) return done(status);
  // What takes away acts at once; what gives back is recorded first.
  const auto effect = change.to == v1::GRANT_STATE_IN_FORCE ? audit::Changes::Effect::kAfterRecord
                                                            : audit::Changes::Effect::kAtCommit;
  identity::SubmitChange<Response>(
      changes_, caller, effect,
      [this, caller, change](store::Transaction& transaction,
                             Response& response) -> absl::StatusOr<ChangeOutcome> {
        SLUICE_RETURN_IF_ERROR(identity::RequireRoleNow(transaction, caller, v1::ROLE_OWNER));
        SLUICE_ASSIGN_OR_RETURN(const v1::Grant before, OwnGrant(transaction, caller, change.id));
        v1::Grant& after = *response.mutable_grant();
        after = before;
        if (before.state() == change.to) return identity::Unchanged();
        if (before.state() == v1::GRANT_STATE_REVOKED)
          return Error(v1::REASON_GRANT_REVOKED, "A revoked grant stays so; make a new one.",
                       {{"grant", change.id}});
        SLUICE_RETURN_IF_ERROR(store::CheckEtag(change.etag, before.etag()));
        if (change.to == v1::GRANT_STATE_IN_FORCE)
          SLUICE_RETURN_IF_ERROR(CheckStands(transaction, caller, before));
        after.set_revision(before.revision() + 1);
        after.set_state(change.to);
        after.set_state_reason(change.reason);
        Stamp(caller, clock_, after);
        SLUICE_RETURN_IF_ERROR(AddRevision(transaction, after));
        ChangeOutcome outcome = GrantOutcome(change.action, &before, after);
        outcome.reason = change.reason;
        SLUICE_ASSIGN_OR_RETURN(auto followed, FollowGrant(transaction, caller, clock_, after));
        if (followed) outcome.also.push_back(*std::move(followed));
        return outcome;
      },
      std::move(done));
}

void Grants::RevokeGrant(const Caller& caller, v1::RevokeGrantRequest request,
                         identity::Done<v1::RevokeGrantResponse> done) {
  Move<v1::RevokeGrantResponse>(
      caller, {request.id(), request.reason(), request.etag(), v1::GRANT_STATE_REVOKED, "revoke"},
      std::move(done));
}

void Grants::SetGrantState(const Caller& caller, v1::SetGrantStateRequest request,
                           identity::Done<v1::SetGrantStateResponse> done) {
  const bool suspend = request.state() == v1::GRANT_STATE_SUSPENDED;
  if (!suspend && request.state() != v1::GRANT_STATE_IN_FORCE)
    return done(InvalidField("state", "SUSPENDED or IN_FORCE; a grant is revoked by RevokeGrant"));
  Move<v1::SetGrantStateResponse>(caller,
                                  {request.id(), request.reason(), request.etag(), request.state(),
                                   suspend ? "suspend" : "resume"},
                                  std::move(done));
}

absl::StatusOr<v1::GetGrantResponse> Grants::GetGrant(const Caller& caller,
                                                      const v1::GetGrantRequest& request) {
  if (request.revision() < 0) return InvalidField("revision", "0 for the newest, or from 1");
  v1::GetGrantResponse response;
  bool newest = true;
  SLUICE_RETURN_IF_ERROR(store_.Read([&](store::Reader& reader) -> absl::Status {
    // Who may see it is the same for all revisions: dataset and consumer are kept.
    SLUICE_ASSIGN_OR_RETURN(auto grant, FindGrant(reader, request.id(), request.revision()));
    if (!grant || !MaySee(caller.principal, *grant)) return GrantNotFound(request.id());
    SLUICE_ASSIGN_OR_RETURN(const auto now, FindGrant(reader, request.id()));
    newest = now && now->revision() == grant->revision();
    SLUICE_RETURN_IF_ERROR(TellHistory(reader, *grant, response));
    *response.mutable_grant() = *std::move(grant);
    return absl::OkStatus();
  }));
  // An old revision has no quota of its own: the grant has one.
  if (newest && response.grant().has_quota() && quota_left_)
    *response.mutable_quota_left() = quota_left_(response.grant());
  return response;
}

absl::StatusOr<v1::ListGrantsResponse> Grants::ListGrants(const Caller& caller,
                                                          const v1::ListGrantsRequest& request) {
  SLUICE_ASSIGN_OR_RETURN(const int page, PageSize(request.page_size()));
  // A token is the last id given out; what follows is looked at anew for each caller.
  if (!request.page_token().empty() && !IsGrantId(request.page_token()))
    return Error(v1::REASON_PAGE_TOKEN_INVALID, "The page token is not one of this list's.");
  v1::ListGrantsResponse response;
  SLUICE_RETURN_IF_ERROR(store_.Read([&](store::Reader& reader) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(
        auto listed, LoadPage<v1::Grant>(
                         page, request.page_token(), [&](const std::string& after, int64_t most) {
                           return sharing::ListGrants(reader, SightOf(caller.principal),
                                                      request.dataset(), request.consumer_agency(),
                                                      after, most);
                         }));
    for (v1::Grant& grant : listed.found) *response.add_grants() = std::move(grant);
    response.set_next_page_token(std::move(listed.next));
    return absl::OkStatus();
  }));
  return response;
}

}  // namespace sluice::sharing
