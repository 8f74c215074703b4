// The rules that all stand on: purposes, sources, revocation lists.
#include <google/protobuf/util/message_differencer.h>
#include <google/protobuf/util/time_util.h>

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/identity/definitions.h"
#include "gateway/identity/registration.h"
#include "gateway/identity/registry.h"
#include "gateway/store/definition.h"

namespace sluice::identity {
namespace {

using audit::ChangeOutcome;
using google::protobuf::util::TimeUtil;
using Effect = audit::Changes::Effect;
using store::Transaction;

v1::ListPurposesResponse PurposeList(const std::vector<v1::Purpose>& purposes) {
  v1::ListPurposesResponse list;
  for (const auto& purpose : purposes) *list.add_purposes() = purpose;
  return list;
}

// What the list will be: as sent, and what is known besides, withdrawn.
struct PurposePlan {
  v1::ListPurposesResponse before, after;
  std::vector<std::string> differences;
};
absl::StatusOr<PurposePlan> PlanPurposes(store::Reader& reader,
                                         const v1::ApplyPurposesRequest& request) {
  SLUICE_ASSIGN_OR_RETURN(const auto known, LoadPurposes(reader));
  std::map<std::string, v1::Purpose> purposes;
  for (const auto& purpose : known) {
    purposes[purpose.code()] = purpose;
    purposes[purpose.code()].set_withdrawn(true);
  }
  for (const auto& purpose : request.purposes()) purposes[purpose.code()] = purpose;
  PurposePlan plan;
  plan.before = PurposeList(known);
  for (const auto& [code, purpose] : purposes) *plan.after.add_purposes() = purpose;
  plan.differences = Differences(plan.before, plan.after);
  return plan;
}

struct SourcePlan {
  std::optional<v1::Source> before;
  v1::Source after;
  std::vector<std::string> differences;
};
absl::StatusOr<SourcePlan> PlanSource(store::Reader& reader, const v1::Source& source,
                                      const std::string& etag) {
  SourcePlan plan;
  SLUICE_ASSIGN_OR_RETURN(plan.before, FindSource(reader, source.id()));
  SLUICE_RETURN_IF_ERROR(store::CheckEtag(etag, plan.before ? plan.before->etag() : ""));
  SLUICE_ASSIGN_OR_RETURN(const auto owner, FindAgency(reader, source.owner_agency()));
  Mistakes mistakes;
  if (!owner) mistakes.Add("source.owner_agency", "there is no such agency");
  // Datasets of the old owner stand on it, and their readers' grants on those.
  if (plan.before && plan.before->owner_agency() != source.owner_agency())
    mistakes.Add("source.owner_agency", "a source keeps its owner; set up another source");
  SLUICE_RETURN_IF_ERROR(mistakes.ToStatus());
  plan.after = source;
  plan.after.set_etag(store::EtagOf(plan.after));
  plan.differences = Differences(plan.before.value_or(v1::Source::default_instance()), plan.after);
  return plan;
}

void SetTime(Micros time, google::protobuf::Timestamp* timestamp) {
  *timestamp = TimeUtil::MicrosecondsToTimestamp(time);
}

v1::RevocationList ToProto(const certs::ListState& state, int64_t revoked) {
  v1::RevocationList list;
  list.set_authority(state.authority);
  list.set_authority_key(HexEncode(AsBytes(state.spki_hash)));
  if (state.present) {
    SetTime(state.this_update, list.mutable_this_update());
    SetTime(state.next_update, list.mutable_next_update());
    list.set_number(state.number);
    list.set_revoked(revoked);
  }
  return list;
}

v1::RevocationList ToProto(const certs::ChainVerifier::AcceptedList& accepted) {
  certs::ListState state;
  state.authority = accepted.list.issuer();
  state.spki_hash = accepted.authority_spki_hash;
  state.present = true;
  state.number = accepted.list.number();
  state.this_update = accepted.list.this_update();
  state.next_update = accepted.list.next_update();
  return ToProto(state, static_cast<int64_t>(accepted.list.size()));
}

absl::StatusOr<ChangeOutcome> PutList(Transaction& transaction,
                                      const certs::ChainVerifier::AcceptedList& accepted,
                                      v1::RevocationList& response) {
  response = ToProto(accepted);
  SLUICE_ASSIGN_OR_RETURN(const auto known, LoadPublishedLists(transaction));
  PublishedList list{response.authority_key(), accepted.list.ToPem(), response.number(),
                     response.revoked()};
  for (const auto& old : known) {
    if (old.authority_key != list.authority_key) continue;
    if (old.pem == list.pem) return Unchanged();
    // The verifier may not know this one yet, or not any more: an old list would give revoked
    // certificates back.
    if (old.number >= list.number)
      return Error(v1::REASON_DEFINITION_INVALID,
                   absl::StrCat("List ", old.number, " of this authority is known, this is list ",
                                list.number, "."));
  }
  SLUICE_RETURN_IF_ERROR(PutPublishedList(transaction, list));
  ChangeOutcome outcome =
      OutcomeOf("revocation-list", list.authority_key, "publish", nullptr, &response);
  outcome.resource_revision = list.number;
  return outcome;
}

}  // namespace

void Registry::ApplyPurposes(const Caller& caller, v1::ApplyPurposesRequest request,
                             Done<v1::ApplyPurposesResponse> done) {
  absl::Status status = RequireRole(caller, v1::ROLE_AUTHORITY);
  if (status.ok()) status = CheckPurposes({request.purposes().begin(), request.purposes().end()});
  if (!status.ok()) return done(status);
  const auto answer = [](const PurposePlan& plan, v1::ApplyPurposesResponse& response) {
    *response.mutable_purposes() = plan.after.purposes();
    for (const auto& line : plan.differences) response.add_differences(line);
  };
  if (request.dry_run()) {
    v1::ApplyPurposesResponse response;
    status = store_.Read([&](store::Reader& reader) -> absl::Status {
      SLUICE_RETURN_IF_ERROR(RequireRoleNow(reader, caller, v1::ROLE_AUTHORITY));
      SLUICE_ASSIGN_OR_RETURN(const PurposePlan plan, PlanPurposes(reader, request));
      answer(plan, response);
      return absl::OkStatus();
    });
    if (!status.ok()) return done(status);
    return done(std::move(response));
  }
  SubmitChange<v1::ApplyPurposesResponse>(
      changes_, caller, Effect::kAfterRecord,
      [caller, answer, request = std::move(request)](
          Transaction& transaction,
          v1::ApplyPurposesResponse& response) -> absl::StatusOr<ChangeOutcome> {
        SLUICE_RETURN_IF_ERROR(RequireRoleNow(transaction, caller, v1::ROLE_AUTHORITY));
        SLUICE_ASSIGN_OR_RETURN(const PurposePlan plan, PlanPurposes(transaction, request));
        answer(plan, response);
        if (plan.differences.empty()) return Unchanged();
        for (const auto& purpose : plan.after.purposes())
          SLUICE_RETURN_IF_ERROR(PutPurpose(transaction, purpose));
        return OutcomeOf("purpose", "purposes", "apply", &plan.before, &plan.after);
      },
      std::move(done));
}

absl::StatusOr<v1::ListPurposesResponse> Registry::ListPurposes(const Caller&,
                                                                const v1::ListPurposesRequest&) {
  v1::ListPurposesResponse response;
  SLUICE_RETURN_IF_ERROR(store_.Read([&](store::Reader& reader) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(const auto purposes, LoadPurposes(reader));
    response = PurposeList(purposes);
    return absl::OkStatus();
  }));
  return response;
}

void Registry::ApplySource(const Caller& caller, v1::ApplySourceRequest request,
                           Done<v1::ApplySourceResponse> done) {
  absl::Status status = RequireRole(caller, v1::ROLE_OPERATOR);
  const std::string etag = request.source().etag();
  if (status.ok()) {
    Mistakes mistakes;
    const absl::Status prepared = PrepareSource(*request.mutable_source());
    if (!prepared.ok()) mistakes.AddAll("source", prepared);
    if (!request.source().kind().empty()) {
      const absl::Status checked = check_source_(request.source());
      if (!checked.ok()) mistakes.AddAll("source", checked);
    }
    status = mistakes.ToStatus();
  }
  if (!status.ok()) return done(status);
  const auto answer = [](const SourcePlan& plan, v1::ApplySourceResponse& response) {
    *response.mutable_source() = plan.after;
    for (const auto& line : plan.differences) response.add_differences(line);
  };
  if (request.dry_run()) {
    v1::ApplySourceResponse response;
    status = store_.Read([&](store::Reader& reader) -> absl::Status {
      SLUICE_RETURN_IF_ERROR(RequireRoleNow(reader, caller, v1::ROLE_OPERATOR));
      SLUICE_ASSIGN_OR_RETURN(const SourcePlan plan, PlanSource(reader, request.source(), etag));
      answer(plan, response);
      return absl::OkStatus();
    });
    if (!status.ok()) return done(status);
    return done(std::move(response));
  }
  SubmitChange<v1::ApplySourceResponse>(
      changes_, caller, Effect::kAfterRecord,
      [caller, answer, etag, source = request.source()](
          Transaction& transaction,
          v1::ApplySourceResponse& response) -> absl::StatusOr<ChangeOutcome> {
        SLUICE_RETURN_IF_ERROR(RequireRoleNow(transaction, caller, v1::ROLE_OPERATOR));
        SLUICE_ASSIGN_OR_RETURN(const SourcePlan plan, PlanSource(transaction, source, etag));
        answer(plan, response);
        if (plan.differences.empty()) return Unchanged();
        SLUICE_RETURN_IF_ERROR(PutSource(transaction, *response.mutable_source()));
        ChangeOutcome outcome = OutcomeOf("source", source.id(), plan.before ? "update" : "create",
                                          plan.before ? &*plan.before : nullptr, &plan.after);
        outcome.owner_agency = source.owner_agency();
        return outcome;
      },
      std::move(done));
}

void Registry::PublishRevocationList(const Caller& caller, v1::PublishRevocationListRequest request,
                                     Done<v1::PublishRevocationListResponse> done) {
  const absl::Status status = RequireRole(caller, v1::ROLE_OPERATOR);
  if (!status.ok()) return done(status);
  SubmitChange<v1::PublishRevocationListResponse>(
      changes_, caller, Effect::kAtCommit,
      [this, caller, pem = request.pem()](
          Transaction& transaction,
          v1::PublishRevocationListResponse& response) -> absl::StatusOr<ChangeOutcome> {
        SLUICE_RETURN_IF_ERROR(RequireRoleNow(transaction, caller, v1::ROLE_OPERATOR));
        SLUICE_ASSIGN_OR_RETURN(const auto accepted,
                                verifier_()->CheckNewList(pem, "pem", clock_.Now()));
        return PutList(transaction, accepted, *response.mutable_list());
      },
      std::move(done));
}

absl::StatusOr<v1::ListRevocationListsResponse> Registry::ListRevocationLists(
    const Caller& caller, const v1::ListRevocationListsRequest&) {
  SLUICE_RETURN_IF_ERROR(RequireListRole(caller));
  std::map<std::string, PublishedList> published;
  SLUICE_RETURN_IF_ERROR(store_.Read([&](store::Reader& reader) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(const auto lists, LoadPublishedLists(reader));
    for (const auto& list : lists) published[list.authority_key] = list;
    return absl::OkStatus();
  }));
  v1::ListRevocationListsResponse response;
  for (const auto& state : verifier_()->Lists()) {
    const auto known = published.find(HexEncode(AsBytes(state.spki_hash)));
    const bool ours = known != published.end() && known->second.number == state.number;
    *response.add_lists() = ToProto(state, ours ? known->second.revoked : 0);
  }
  return response;
}

}  // namespace sluice::identity
