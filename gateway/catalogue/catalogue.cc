#include "gateway/catalogue/catalogue.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/base/crypto.h"
#include "gateway/base/error.h"
#include "gateway/catalogue/dataset_table.h"
#include "gateway/catalogue/definition_text.h"
#include "gateway/catalogue/schema_drift.h"
#include "gateway/identity/definitions.h"
#include "gateway/identity/registration.h"
#include "gateway/store/definition.h"

namespace sluice::catalogue {
namespace {

using audit::ChangeOutcome;
using identity::Caller;
using identity::Mistakes;

constexpr int kMostPerPage = 1000;
constexpr int kUsualPage = 100;

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

absl::Status StillInUse(const std::string& name, const std::vector<BrokenGrant>& broken) {
  std::vector<std::string> ids;
  for (const auto& grant : broken) ids.push_back(grant.id);
  const std::string list = absl::StrJoin(ids, ", ");
  absl::Status status =
      Error(v1::REASON_STILL_IN_USE,
            absl::StrCat("Grants in force would not stand on this revision: ", list, "."),
            {{"dataset", name}, {"grants", list}});
  for (const auto& grant : broken)
    AddFieldViolation(status, absl::StrCat("grants.", grant.id), grant.why);
  return status;
}

absl::StatusOr<int> PageSize(int asked) {
  if (asked == 0) return kUsualPage;
  if (asked > 0 && asked <= kMostPerPage) return asked;
  absl::Status status = Error(v1::REASON_REQUEST_INVALID, "page_size: 1 to 1,000");
  AddFieldViolation(status, "page_size", "1 to 1,000");
  return status;
}

}  // namespace

// What is to be applied, checked as far as it can be outside of a transaction.
struct Catalogue::Wanted {
  DatasetPtr dataset;
  std::string etag;
  std::string source_etag;  // of the source that the description was compared with
};

struct Catalogue::Plan {
  std::optional<v1::Dataset> before;
  v1::Dataset after;
  std::vector<std::string> differences;
};

Catalogue::Catalogue(store::Store& store, audit::Changes& changes, const Clock& clock,
                     DescribeTable describe, GrantsBrokenBy broken_by)
    : store_(store),
      changes_(changes),
      clock_(clock),
      describe_(std::move(describe)),
      broken_by_(std::move(broken_by)) {}

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
  definition.clear_etag();
  definition.clear_revision();
  definition.clear_changed();
  definition.clear_changed_by();
  auto dataset = Compile(definition);
  if (!dataset.ok()) {
    Mistakes mistakes;
    mistakes.AddAll("dataset", dataset.status());
    return mistakes.ToStatus();
  }
  wanted.dataset = *std::move(dataset);
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
  plan.differences = identity::Differences(plan.before.value_or(v1::Dataset::default_instance()),
                                           definition, DefinitionText);
  if (plan.before && plan.differences.empty()) {
    plan.after = *plan.before;
    return plan;
  }
  if (plan.before) {
    SLUICE_ASSIGN_OR_RETURN(const auto broken, broken_by_(reader, wanted.dataset));
    if (!broken.empty()) return StillInUse(definition.name(), broken);
  }
  plan.after = definition;
  plan.after.set_revision(plan.before ? plan.before->revision() + 1 : 1);
  *plan.after.mutable_changed() =
      google::protobuf::util::TimeUtil::MicrosecondsToTimestamp(clock_.Now());
  plan.after.set_changed_by(caller.principal.path);
  plan.after.set_etag(store::EtagOf(plan.after));
  return plan;
}

void Catalogue::ApplyDataset(const Caller& caller, v1::ApplyDatasetRequest request,
                             identity::Done<v1::ApplyDatasetResponse> done) {
  auto wanted = Check(caller, request);
  if (!wanted.ok()) return done(wanted.status());
  const auto answer = [](const Plan& plan, v1::ApplyDatasetResponse& response) {
    *response.mutable_dataset() = plan.after;
    for (const auto& line : plan.differences) response.add_differences(line);
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
        return outcome;
      },
      std::move(done));
}

absl::StatusOr<v1::GetDatasetResponse> Catalogue::GetDataset(const Caller& caller,
                                                             const v1::GetDatasetRequest& request) {
  v1::GetDatasetResponse response;
  SLUICE_RETURN_IF_ERROR(store_.Read([&](store::Reader& reader) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(auto dataset, FindDataset(reader, request.name()));
    if (!dataset)
      return Error(v1::REASON_DATASET_UNKNOWN, "There is no such dataset.",
                   {{"dataset", request.name()}});
    *response.mutable_dataset() = VisibleTo(caller.principal, *std::move(dataset));
    return absl::OkStatus();
  }));
  return response;
}

absl::StatusOr<v1::ListDatasetsResponse> Catalogue::ListDatasets(
    const Caller& caller, const v1::ListDatasetsRequest& request) {
  SLUICE_ASSIGN_OR_RETURN(const int page, PageSize(request.page_size()));
  // A token is the last name given out: the list is open to all, so there is nothing to seal.
  const auto after = HexDecode(request.page_token());
  if (!after.ok() || (!after->empty() && !identity::SplitName(*after)))
    return Error(v1::REASON_PAGE_TOKEN_INVALID, "The page token is not one of this list's.");
  v1::ListDatasetsResponse response;
  SLUICE_RETURN_IF_ERROR(store_.Read([&](store::Reader& reader) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(auto datasets,
                            catalogue::ListDatasets(reader, request.agency(), *after, page + 1));
    const bool more = datasets.size() > static_cast<size_t>(page);
    if (more) datasets.pop_back();
    if (more) response.set_next_page_token(HexEncode(datasets.back().name()));
    for (auto& dataset : datasets)
      *response.add_datasets() = VisibleTo(caller.principal, std::move(dataset));
    return absl::OkStatus();
  }));
  return response;
}

v1::Dataset VisibleTo(const identity::Principal& principal, v1::Dataset dataset) {
  const std::string agency = dataset.name().substr(0, dataset.name().find('/'));
  if (principal.agency == agency || principal.Has(v1::ROLE_OPERATOR)) return dataset;
  dataset.clear_source();
  dataset.clear_table();
  for (auto& field : *dataset.mutable_fields()) field.clear_column();
  return dataset;
}

}  // namespace sluice::catalogue
