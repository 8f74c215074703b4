#include "gateway/sharing/grants.h"

#include <google/protobuf/util/time_util.h>

#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/catalogue/dataset_table.h"
#include "gateway/catalogue/definition_text.h"
#include "gateway/identity/definitions.h"
#include "gateway/identity/registration.h"
#include "gateway/records/utf8.h"
#include "gateway/sharing/grant_rules.h"
#include "gateway/sharing/grant_table.h"
#include "gateway/store/definition.h"

namespace sluice::sharing {
namespace {

using audit::ChangeOutcome;
using identity::Caller;
using identity::Mistakes;

constexpr int kMostPerPage = 1000;
constexpr int kUsualPage = 100;
constexpr size_t kIdLength = 6;
// Ids are read out on the telephone: no i, l, o, 0 and 1.
constexpr std::string_view kIdAlphabet = "23456789abcdefghjkmnpqrstuvwxyz";
// The alphabet's size does not divide 256: bytes from here on would favour some characters.
constexpr size_t kFairBytes = 256 / kIdAlphabet.size() * kIdAlphabet.size();

bool IsGrantId(std::string_view id) {
  return id.size() == kIdLength && id.find_first_not_of(kIdAlphabet) == std::string_view::npos;
}

absl::Status NotFound(const std::string& id) {
  return Error(v1::REASON_NOT_FOUND, "There is no such grant.", {{"grant", id}});
}

absl::Status NotOwner(const std::string& dataset) {
  return Error(v1::REASON_NOT_OWNER, "Only an owner of the dataset's agency may do this.",
               {{"dataset", dataset}});
}

absl::Status Invalid(std::string_view field, std::string_view mistake) {
  absl::Status status = Error(v1::REASON_REQUEST_INVALID,
                              absl::StrCat(absl::string_view(field.data(), field.size()), ": ",
                                           absl::string_view(mistake.data(), mistake.size())));
  AddFieldViolation(status, field, mistake);
  return status;
}

// The newest revision of a grant that the caller may see, and change.
absl::StatusOr<v1::Grant> OwnGrant(store::Reader& reader, const Caller& caller,
                                   const std::string& id) {
  SLUICE_ASSIGN_OR_RETURN(auto grant, FindGrant(reader, id));
  if (!grant || !MaySee(caller.principal, *grant)) return NotFound(id);
  if (OwnerOf(*grant) != caller.principal.agency) return NotOwner(grant->dataset());
  return *std::move(grant);
}

absl::StatusOr<catalogue::DatasetPtr> OwnDataset(store::Reader& reader, const Caller& caller,
                                                 const std::string& name) {
  const auto parts = identity::SplitName(name);
  if (parts && parts->agency != caller.principal.agency) return NotOwner(name);
  SLUICE_ASSIGN_OR_RETURN(const auto definition, catalogue::FindDataset(reader, name));
  if (!definition)
    return Error(v1::REASON_DATASET_UNKNOWN, "There is no such dataset.", {{"dataset", name}});
  return catalogue::Compile(*definition);
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
  return grant;
}

ChangeOutcome GrantOutcome(const char* action, const v1::Grant* before, const v1::Grant& after) {
  ChangeOutcome outcome = identity::OutcomeOf("grant", after.id(), action, before, &after);
  outcome.resource_revision = after.revision();
  outcome.dataset = after.dataset();
  outcome.owner_agency = OwnerOf(after);
  return outcome;
}

Sight SightOf(const identity::Principal& principal) {
  Sight sight;
  sight.all = principal.Has(v1::ROLE_AUDITOR) || principal.Has(v1::ROLE_AUTHORITY);
  if (principal.kind == identity::PrincipalKind::kPerson) sight.as_owner = principal.agency;
  sight.as_consumer = principal.agency;
  return sight;
}

}  // namespace

struct Grants::Plan {
  std::optional<v1::Grant> before;
  v1::Grant after;  // without id where it is new
  std::vector<std::string> differences;
};

bool MaySee(const identity::Principal& principal, const v1::Grant& grant) {
  const Sight sight = SightOf(principal);
  return sight.all || sight.as_owner == OwnerOf(grant) ||
         sight.as_consumer == grant.consumer_agency();
}

Grants::Grants(store::Store& store, audit::Changes& changes, const Clock& clock,
               RandomSource& random, QuotaLeftSource quota_left)
    : store_(store),
      changes_(changes),
      clock_(clock),
      random_(random),
      quota_left_(std::move(quota_left)) {}

absl::StatusOr<std::string> Grants::NewId(store::Reader& reader) {
  while (true) {
    std::string id;
    while (id.size() < kIdLength) {
      const auto byte = static_cast<uint8_t>(random_.Bytes(1)[0]);
      if (byte < kFairBytes) id += kIdAlphabet[byte % kIdAlphabet.size()];
    }
    SLUICE_ASSIGN_OR_RETURN(const auto known, FindGrant(reader, id));
    if (!known) return id;
  }
}

void Grants::Stamp(const Caller& caller, v1::Grant& grant) const {
  *grant.mutable_changed() =
      google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(clock_.Now());
  grant.set_changed_by(caller.principal.path);
  grant.set_etag(store::EtagOf(grant));
}

// All that depends on the present state; for a dry run and, within its transaction, for a change.
absl::StatusOr<Grants::Plan> Grants::MakePlan(store::Reader& reader, const Caller& caller,
                                              const v1::Grant& wanted) const {
  SLUICE_RETURN_IF_ERROR(identity::RequireRoleNow(reader, caller, v1::ROLE_OWNER));
  Plan plan;
  if (!wanted.id().empty()) {
    SLUICE_ASSIGN_OR_RETURN(plan.before, OwnGrant(reader, caller, wanted.id()));
    SLUICE_RETURN_IF_ERROR(store::CheckEtag(wanted.etag(), plan.before->etag()));
    if (plan.before->state() != v1::GRANT_STATE_IN_FORCE)
      return Error(v1::REASON_GRANT_REVOKED, "A revoked grant stays so; make a new one.",
                   {{"grant", wanted.id()}});
    SLUICE_RETURN_IF_ERROR(CheckKept(*plan.before, wanted));
  }
  SLUICE_ASSIGN_OR_RETURN(const auto dataset, OwnDataset(reader, caller, wanted.dataset()));
  plan.after = OnlySaid(wanted);
  plan.after.set_state(v1::GRANT_STATE_IN_FORCE);
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
          SLUICE_ASSIGN_OR_RETURN(*grant.mutable_id(), NewId(transaction));
        }
        Stamp(caller, grant);
        SLUICE_RETURN_IF_ERROR(AddRevision(transaction, grant));
        return GrantOutcome(plan.before ? "update" : "create",
                            plan.before ? &*plan.before : nullptr, grant);
      },
      std::move(done));
}

void Grants::RevokeGrant(const Caller& caller, v1::RevokeGrantRequest request,
                         identity::Done<v1::RevokeGrantResponse> done) {
  absl::Status status = identity::RequireRole(caller, v1::ROLE_OWNER);
  if (status.ok() && records::IsBlank(request.reason()))
    status = Invalid("reason", "needed: it is recorded");
  if (status.ok() && request.reason().size() > 1000)
    status = Invalid("reason", "at most 1,000 bytes");
  if (!status.ok()) return done(status);
  identity::SubmitChange<v1::RevokeGrantResponse>(
      changes_, caller, audit::Changes::Effect::kAtCommit,
      [this, caller, request = std::move(request)](
          store::Transaction& transaction,
          v1::RevokeGrantResponse& response) -> absl::StatusOr<ChangeOutcome> {
        SLUICE_RETURN_IF_ERROR(identity::RequireRoleNow(transaction, caller, v1::ROLE_OWNER));
        SLUICE_ASSIGN_OR_RETURN(const v1::Grant before,
                                OwnGrant(transaction, caller, request.id()));
        v1::Grant& after = *response.mutable_grant();
        after = before;
        if (before.state() == v1::GRANT_STATE_REVOKED) return identity::Unchanged();
        SLUICE_RETURN_IF_ERROR(store::CheckEtag(request.etag(), before.etag()));
        after.set_revision(before.revision() + 1);
        after.set_state(v1::GRANT_STATE_REVOKED);
        after.set_state_reason(request.reason());
        Stamp(caller, after);
        SLUICE_RETURN_IF_ERROR(AddRevision(transaction, after));
        ChangeOutcome outcome = GrantOutcome("revoke", &before, after);
        outcome.reason = request.reason();
        return outcome;
      },
      std::move(done));
}

absl::StatusOr<v1::GetGrantResponse> Grants::GetGrant(const Caller& caller,
                                                      const v1::GetGrantRequest& request) {
  if (request.revision() < 0) return Invalid("revision", "0 for the newest, or from 1");
  v1::GetGrantResponse response;
  bool newest = true;
  SLUICE_RETURN_IF_ERROR(store_.Read([&](store::Reader& reader) -> absl::Status {
    // Who may see it is the same for all revisions: dataset and consumer are kept.
    SLUICE_ASSIGN_OR_RETURN(auto grant, FindGrant(reader, request.id(), request.revision()));
    if (!grant || !MaySee(caller.principal, *grant)) return NotFound(request.id());
    SLUICE_ASSIGN_OR_RETURN(const auto now, FindGrant(reader, request.id()));
    newest = now && now->revision() == grant->revision();
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
  if (request.page_size() < 0 || request.page_size() > kMostPerPage)
    return Invalid("page_size", "1 to 1,000");
  const int page = request.page_size() == 0 ? kUsualPage : request.page_size();
  // A token is the last id given out; what follows is looked at anew for each caller.
  if (!request.page_token().empty() && !IsGrantId(request.page_token()))
    return Error(v1::REASON_PAGE_TOKEN_INVALID, "The page token is not one of this list's.");
  v1::ListGrantsResponse response;
  SLUICE_RETURN_IF_ERROR(store_.Read([&](store::Reader& reader) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(
        auto grants,
        sharing::ListGrants(reader, SightOf(caller.principal), request.dataset(),
                            request.consumer_agency(), request.page_token(), page + 1));
    if (grants.size() > static_cast<size_t>(page)) {
      grants.pop_back();
      response.set_next_page_token(grants.back().id());
    }
    for (auto& grant : grants) *response.add_grants() = std::move(grant);
    return absl::OkStatus();
  }));
  return response;
}

}  // namespace sluice::sharing
