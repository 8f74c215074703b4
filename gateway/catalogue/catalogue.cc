#include "gateway/catalogue/catalogue.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/base/error.h"
#include "gateway/catalogue/dataset_table.h"
#include "gateway/catalogue/definition_text.h"
#include "gateway/catalogue/schema_drift.h"
#include "gateway/identity/definitions.h"
#include "gateway/identity/registration.h"
#include "gateway/records/utf8.h"
#include "gateway/store/definition.h"

namespace sluice::catalogue {
namespace {

using audit::ChangeOutcome;
using identity::Caller;
using identity::Mistakes;

constexpr size_t kMostReason = 1000;

absl::Status NotOwned(const v1::Dataset& definition) {
  return Error(v1::REASON_SOURCE_NOT_OWNED,
               absl::StrCat("Your agency has no source \"", definition.source(), "\"."),
               {{"dataset", definition.name()}, {"source", definition.source()}});
}

// The source, where it is the dataset's agency's.
absl::StatusOr<std::optional<v1::Source>> OwnSource(store::Reader& reader, const Dataset& dataset) {
  // Only a withheld dataset, which is never read, may do without: Compile sees to that.
  if (dataset.definition.source().empty()) return std::optional<v1::Source>();
  SLUICE_ASSIGN_OR_RETURN(auto source, identity::FindSource(reader, dataset.definition.source()));
  if (!source || source->owner_agency() != dataset.owner_agency)
    return NotOwned(dataset.definition);
  return source;
}

absl::Status CheckPurposes(store::Reader& reader, const v1::Dataset& definition) {
  SLUICE_ASSIGN_OR_RETURN(const auto purposes, identity::LoadPurposes(reader));
  Mistakes mistakes;
  for (int i = 0; i < definition.purposes_size(); ++i) {
    const auto known = std::find_if(purposes.begin(), purposes.end(), [&](const auto& purpose) {
      return purpose.code() == definition.purposes(i);
    });
    const std::string path = absl::StrCat("dataset.purposes[", i, "]");
    if (known == purposes.end())
      mistakes.Add(path,
                   absl::StrCat("\"", definition.purposes(i), "\" is not on the authority's list"));
    else if (known->withdrawn())
      mistakes.Add(path, absl::StrCat("\"", definition.purposes(i), "\" was withdrawn"));
  }
  return mistakes.ToStatus();
}

absl::Status StillInUse(const std::string& name, const std::vector<v1::TouchedGrant>& touched) {
  std::vector<std::string> ids;
  for (const auto& grant : touched)
    if (grant.broken()) ids.push_back(grant.grant());
  const std::string list = absl::StrJoin(ids, ", ");
  absl::Status status = Error(v1::REASON_STILL_IN_USE,
                              absl::StrCat("Grants in force rely on what this takes away: ", list,
                                           ". Amend them, or say that they may break."),
                              {{"dataset", name}, {"grants", list}});
  for (const auto& grant : touched)
    if (grant.broken())
      AddFieldViolation(status, absl::StrCat("grants.", grant.grant()),
                        absl::StrJoin(grant.effects(), "; "));
  return status;
}

bool AnyBroken(const std::vector<v1::TouchedGrant>& touched) {
  return std::any_of(touched.begin(), touched.end(),
                     [](const v1::TouchedGrant& grant) { return grant.broken(); });
}

std::vector<std::string> Ended(const std::vector<v1::TouchedGrant>& touched) {
  std::vector<std::string> ids;
  for (const auto& grant : touched)
    if (grant.ends()) ids.push_back(grant.grant());
  return ids;
}

absl::Status Retired(const std::string& name) {
  return Error(v1::REASON_DATASET_RETIRED, "A retired dataset stays so; make one of another name.",
               {{"dataset", name}});
}

// Null for what is no state to be set.
const char* ActionFor(v1::DatasetState state) {
  switch (state) {
    case v1::DATASET_STATE_OFFERED:
      return "resume";
    case v1::DATASET_STATE_SUSPENDED:
      return "suspend";
    case v1::DATASET_STATE_RETIRED:
      return "retire";
    default:
      return nullptr;
  }
}

absl::Status CheckAudience(store::Reader& reader, const v1::Dataset& definition) {
  Mistakes mistakes;
  for (int i = 0; i < definition.audience_size(); ++i) {
    SLUICE_ASSIGN_OR_RETURN(const auto agency,
                            identity::FindAgency(reader, definition.audience(i)));
    if (!agency) mistakes.Add(absl::StrCat("dataset.audience[", i, "]"), "there is no such agency");
  }
  return mistakes.ToStatus();
}

}  // namespace

// What is to be applied, checked as far as it can be outside of a transaction.
struct Catalogue::Wanted {
  DatasetPtr dataset;
  bool break_grants = false;
  std::string etag;
  std::string source_etag;  // of the source that the description was compared with
};

struct Catalogue::Plan {
  std::optional<v1::Dataset> before;
  v1::Dataset after;
  std::vector<std::string> differences;
  std::vector<v1::TouchedGrant> touched;
};

Catalogue::Catalogue(store::Store& store, audit::Changes& changes, const Clock& clock,
                     DescribeTable describe, GrantsOnDatasets& grants, SourceFindings findings,
                     PublicationRule publication)
    : store_(store),
      changes_(changes),
      clock_(clock),
      describe_(std::move(describe)),
      grants_(grants),
      findings_(std::move(findings)),
      publication_(publication) {}

absl::StatusOr<Catalogue::Wanted> Catalogue::Check(const Caller& caller,
                                                   const v1::ApplyDatasetRequest& request) {
  SLUICE_RETURN_IF_ERROR(identity::RequireRole(caller, v1::ROLE_OWNER));
  v1::Dataset definition = request.dataset();
  if (const auto parts = identity::SplitName(definition.name());
      parts && parts->agency != caller.principal.agency)
    return Error(v1::REASON_NOT_OWNER, "Only an owner of the dataset's own agency may apply it.",
                 {{"dataset", definition.name()}});
  Wanted wanted;
  wanted.etag = definition.etag();
  wanted.break_grants = request.break_grants() || request.dry_run();
  definition.clear_state();
  definition.clear_state_reason();
  definition.clear_etag();
  definition.clear_revision();
  definition.clear_changed();
  definition.clear_changed_by();
  definition.clear_publication();
  definition.clear_published();
  definition.clear_publication_note();
  auto dataset = Compile(definition);
  if (!dataset.ok()) {
    Mistakes mistakes;
    mistakes.AddAll("dataset", dataset.status());
    return mistakes.ToStatus();
  }
  wanted.dataset = *std::move(dataset);
  if (publication_ == PublicationRule::kAuthority)
    SLUICE_RETURN_IF_ERROR(CheckForPublication(definition));
  SLUICE_RETURN_IF_ERROR(CompareWithSource(wanted));
  return wanted;
}

absl::Status Catalogue::CompareWithSource(Wanted& wanted) {
  std::optional<v1::Source> source;
  SLUICE_RETURN_IF_ERROR(store_.Read([&](store::Reader& reader) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(source, OwnSource(reader, *wanted.dataset));
    return absl::OkStatus();
  }));
  if (!source) return absl::OkStatus();
  wanted.source_etag = source->etag();
  const std::string& table = wanted.dataset->definition.table();
  const auto description = describe_(*source, table);
  if (description.ok()) return CheckDrift(*wanted.dataset, *description);
  if (!absl::IsNotFound(description.status())) return description.status();
  absl::Status status =
      Error(v1::REASON_SCHEMA_DRIFT,
            absl::StrCat("Source ", source->id(), " has no table \"", table, "\"."),
            {{"dataset", wanted.dataset->definition.name()}});
  AddFieldViolation(status, "dataset.table", "the source has no such table");
  return status;
}

// What the gateway itself writes into each new revision.
void Catalogue::Stamp(const Caller& caller, int64_t revision, v1::Dataset& after) const {
  after.set_revision(revision);
  *after.mutable_changed() =
      google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(clock_.Now());
  after.set_changed_by(caller.principal.path);
  after.set_etag(store::EtagOf(after));
}

// All that depends on the present state; for a dry run and, within its transaction, for a change.
absl::StatusOr<Catalogue::Plan> Catalogue::MakePlan(store::Reader& reader, const Caller& caller,
                                                    const Wanted& wanted) const {
  SLUICE_RETURN_IF_ERROR(identity::RequireRoleNow(reader, caller, v1::ROLE_OWNER));
  const v1::Dataset& definition = wanted.dataset->definition;
  Plan plan;
  SLUICE_ASSIGN_OR_RETURN(plan.before, FindDataset(reader, definition.name()));
  SLUICE_RETURN_IF_ERROR(
      store::CheckEtag(wanted.etag, plan.before ? plan.before->etag() : std::string()));
  SLUICE_ASSIGN_OR_RETURN(const auto source, OwnSource(reader, *wanted.dataset));
  if (source && source->etag() != wanted.source_etag)
    return Error(v1::REASON_ETAG_MISMATCH, "The source was changed meanwhile; apply again.",
                 {{"source", source->id()}});
  SLUICE_RETURN_IF_ERROR(CheckPurposes(reader, definition));
  SLUICE_RETURN_IF_ERROR(CheckAudience(reader, definition));
  plan.after = definition;
  plan.after.set_state(v1::DATASET_STATE_OFFERED);
  if (plan.before) {
    if (plan.before->state() == v1::DATASET_STATE_RETIRED) return Retired(definition.name());
    // A suspended dataset that is described anew stays suspended.
    plan.after.set_state(plan.before->state());
    plan.after.set_state_reason(plan.before->state_reason());
  }
  SetPublication(plan.before, plan.after);
  plan.differences = identity::Differences(plan.before.value_or(v1::Dataset::default_instance()),
                                           plan.after, DefinitionText);
  if (plan.before && plan.differences.empty()) {
    plan.after = *plan.before;
    return plan;
  }
  if (plan.before) {
    SLUICE_ASSIGN_OR_RETURN(const auto before, Compile(*plan.before));
    SLUICE_ASSIGN_OR_RETURN(plan.touched, grants_.TouchedBy(reader, before, wanted.dataset));
    if (AnyBroken(plan.touched) && !wanted.break_grants)
      return StillInUse(definition.name(), plan.touched);
  }
  Stamp(caller, plan.before ? plan.before->revision() + 1 : 1, plan.after);
  return plan;
}

void Catalogue::ApplyDataset(const Caller& caller, v1::ApplyDatasetRequest request,
                             identity::Done<v1::ApplyDatasetResponse> done) {
  auto wanted = Check(caller, request);
  if (!wanted.ok()) return done(wanted.status());
  const auto answer = [](const Plan& plan, v1::ApplyDatasetResponse& response) {
    *response.mutable_dataset() = plan.after;
    for (const auto& line : plan.differences) response.add_differences(line);
    for (const auto& grant : plan.touched) *response.add_touched() = grant;
  };
  if (request.dry_run()) {
    v1::ApplyDatasetResponse response;
    const absl::Status status = store_.Read([&](store::Reader& reader) -> absl::Status {
      SLUICE_ASSIGN_OR_RETURN(const Plan plan, MakePlan(reader, caller, *wanted));
      answer(plan, response);
      return absl::OkStatus();
    });
    if (!status.ok()) return done(status);
    return done(std::move(response));
  }
  identity::SubmitChange<v1::ApplyDatasetResponse>(
      changes_, caller, audit::Changes::Effect::kAfterRecord,
      [this, caller, answer, wanted = *std::move(wanted)](
          store::Transaction& transaction,
          v1::ApplyDatasetResponse& response) -> absl::StatusOr<ChangeOutcome> {
        SLUICE_ASSIGN_OR_RETURN(const Plan plan, MakePlan(transaction, caller, wanted));
        answer(plan, response);
        if (plan.before && plan.differences.empty()) return identity::Unchanged();
        SLUICE_RETURN_IF_ERROR(AddRevision(transaction, plan.after));
        ChangeOutcome outcome =
            identity::OutcomeOf("dataset", plan.after.name(), plan.before ? "update" : "create",
                                plan.before ? &*plan.before : nullptr, &plan.after);
        outcome.resource_revision = plan.after.revision();
        outcome.dataset = plan.after.name();
        outcome.owner_agency = wanted.dataset->owner_agency;
        SLUICE_ASSIGN_OR_RETURN(
            outcome.also,
            grants_.Revoke(transaction, caller, Ended(plan.touched),
                           absl::StrCat("cannot stand on revision ", plan.after.revision(), " of ",
                                        plan.after.name())));
        return outcome;
      },
      std::move(done));
}

void Catalogue::SetDatasetState(const Caller& caller, v1::SetDatasetStateRequest request,
                                identity::Done<v1::SetDatasetStateResponse> done) {
  absl::Status status = identity::RequireRole(caller, v1::ROLE_OWNER);
  if (status.ok() && records::IsBlank(request.reason()))
    status = InvalidField("reason", "needed: it is recorded, and told to consumers");
  if (status.ok() && request.reason().size() > kMostReason)
    status = InvalidField("reason", "at most 1,000 bytes");
  if (status.ok() && ActionFor(request.state()) == nullptr)
    status = InvalidField("state", "SUSPENDED, RETIRED or OFFERED");
  if (status.ok() && request.break_grants() && request.state() != v1::DATASET_STATE_RETIRED)
    status = InvalidField("break_grants", "goes with RETIRED alone");
  if (!status.ok()) return done(status);
  // What takes away acts at once; what gives back is recorded first.
  const auto effect = request.state() == v1::DATASET_STATE_OFFERED
                          ? audit::Changes::Effect::kAfterRecord
                          : audit::Changes::Effect::kAtCommit;
  identity::SubmitChange<v1::SetDatasetStateResponse>(
      changes_, caller, effect,
      [this, caller, request = std::move(request)](store::Transaction& transaction,
                                                   v1::SetDatasetStateResponse& response)
          -> absl::StatusOr<ChangeOutcome> { return Move(transaction, caller, request, response); },
      std::move(done));
}

absl::StatusOr<ChangeOutcome> Catalogue::Move(store::Transaction& transaction, const Caller& caller,
                                              const v1::SetDatasetStateRequest& request,
                                              v1::SetDatasetStateResponse& response) {
  SLUICE_RETURN_IF_ERROR(identity::RequireRoleNow(transaction, caller, v1::ROLE_OWNER));
  SLUICE_ASSIGN_OR_RETURN(const auto before, FindDataset(transaction, request.name()));
  if (!before || !MayKnow(caller.principal, *before)) return NoSuchDataset(request.name());
  const std::string owner = before->name().substr(0, before->name().find('/'));
  if (owner != caller.principal.agency)
    return Error(v1::REASON_NOT_OWNER, "Only an owner of the dataset's own agency may do this.",
                 {{"dataset", request.name()}});
  v1::Dataset& after = *response.mutable_dataset();
  after = *before;
  if (before->state() == request.state()) return identity::Unchanged();
  if (before->state() == v1::DATASET_STATE_RETIRED) return Retired(request.name());
  SLUICE_RETURN_IF_ERROR(store::CheckEtag(request.etag(), before->etag()));
  std::vector<v1::TouchedGrant> touched;
  if (request.state() == v1::DATASET_STATE_RETIRED) {
    SLUICE_ASSIGN_OR_RETURN(const auto compiled, Compile(*before));
    SLUICE_ASSIGN_OR_RETURN(touched, grants_.TouchedBy(transaction, compiled, nullptr));
    if (AnyBroken(touched) && !request.break_grants()) return StillInUse(request.name(), touched);
  }
  after.set_state(request.state());
  after.set_state_reason(request.reason());
  Stamp(caller, before->revision() + 1, after);
  SLUICE_RETURN_IF_ERROR(AddRevision(transaction, after));
  ChangeOutcome outcome =
      identity::OutcomeOf("dataset", after.name(), ActionFor(request.state()), &*before, &after);
  outcome.resource_revision = after.revision();
  outcome.dataset = after.name();
  outcome.owner_agency = owner;
  outcome.reason = request.reason();
  for (const auto& grant : touched) *response.add_touched() = grant;
  SLUICE_ASSIGN_OR_RETURN(outcome.also, grants_.Revoke(transaction, caller, Ended(touched),
                                                       absl::StrCat(after.name(), " is retired")));
  return outcome;
}

}  // namespace sluice::catalogue
