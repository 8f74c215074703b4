#include "gateway/sharing/catalogue_updates.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/catalogue/dataset_table.h"
#include "gateway/identity/definitions.h"
#include "gateway/identity/registration.h"
#include "gateway/records/utf8.h"
#include "gateway/sharing/matter_steps.h"

namespace sluice::sharing {
namespace {

using audit::ChangeOutcome;
using google::protobuf::util::TimeUtil;
using identity::Caller;

constexpr size_t kMostChangeWords = 4096;
constexpr size_t kMostLawWords = 1000;
constexpr size_t kMostUpdateReason = 1000;
constexpr int kMostDatasetsNamed = 100;
constexpr int64_t kMostOpenUpdates = 20;

v1::CatalogueUpdate OnlySaid(const Caller& caller, const v1::CatalogueUpdate& said) {
  v1::CatalogueUpdate update = said;
  update.clear_id();
  update.clear_state();
  update.clear_etag();
  update.clear_steps();
  if (update.agency().empty()) update.set_agency(caller.principal.agency);
  return update;
}

bool IsOf(const std::string& dataset, const std::string& agency) {
  return dataset.substr(0, dataset.find('/')) == agency;
}

absl::Status CheckNamed(store::Reader& reader, const v1::CatalogueUpdate& update,
                        identity::Mistakes& mistakes) {
  if (update.datasets_size() > kMostDatasetsNamed) mistakes.Add("update.datasets", "at most 100");
  std::set<std::string> seen;
  for (int i = 0; i < update.datasets_size() && i < kMostDatasetsNamed; ++i) {
    const std::string path = absl::StrCat("update.datasets[", i, "]");
    const std::string& name = update.datasets(i);
    SLUICE_ASSIGN_OR_RETURN(const auto dataset, catalogue::FindDataset(reader, name));
    if (!dataset || !IsOf(name, update.agency()))
      mistakes.Add(path, "that agency has no such dataset");
    else if (!seen.insert(name).second)
      mistakes.Add(path, "stands twice");
  }
  return absl::OkStatus();
}

void CheckLaw(const v1::LegalBasis& basis, identity::Mistakes& mistakes) {
  CheckMatterWords(basis.law(), kMostLawWords, "update.basis.law", mistakes);
  CheckMatterWords(basis.article(), kMostLawWords, "update.basis.article", mistakes);
  CheckMatterText(basis.text(), kMostLawWords, "update.basis.text", mistakes);
}

// When the owner's days began: at the declaration, or when it was last sent back.
Micros CalledFor(const v1::CatalogueUpdate& update) {
  Micros called = 0;
  for (const auto& step : StandOf(update).steps)
    if (step.action == v1::CATALOGUE_UPDATE_ACTION_DECLARE ||
        step.action == v1::CATALOGUE_UPDATE_ACTION_RETURN)
      called = step.taken;
  return called;
}

// What COMPLETE names: revisions that there are, and each dataset that the update is about. Where
// none of them is of after the call for it, the reason has to say why.
absl::Status CheckRevisions(store::Reader& reader, const v1::CatalogueUpdate& update,
                            const v1::TakeCatalogueUpdateStepRequest& asked) {
  identity::Mistakes mistakes;
  if (asked.action() != v1::CATALOGUE_UPDATE_ACTION_COMPLETE) {
    if (!asked.revisions().empty()) mistakes.Add("revisions", "only of COMPLETE");
    return mistakes.ToStatus();
  }
  if (asked.revisions().empty())
    mistakes.Add("revisions", "needed: the entries as they are by now");
  if (asked.revisions_size() > kMostDatasetsNamed) mistakes.Add("revisions", "at most 100");
  std::set<std::string> named;
  bool changed = false;
  for (int i = 0; i < asked.revisions_size() && i < kMostDatasetsNamed; ++i) {
    const std::string path = absl::StrCat("revisions[", i, "]");
    const v1::DatasetAtRevision& at = asked.revisions(i);
    SLUICE_ASSIGN_OR_RETURN(const auto dataset, catalogue::FindDataset(reader, at.dataset()));
    if (!dataset || !IsOf(at.dataset(), update.agency()))
      mistakes.Add(path + ".dataset", "that agency has no such dataset");
    else if (at.revision() != dataset->revision())
      mistakes.Add(path + ".revision",
                   absl::StrCat("it is at revision ", dataset->revision(), " by now"));
    else if (!named.insert(at.dataset()).second)
      mistakes.Add(path + ".dataset", "stands twice");
    else
      changed =
          changed || TimeUtil::TimestampToMicroseconds(dataset->changed()) > CalledFor(update);
  }
  for (const std::string& dataset : update.datasets())
    if (!named.contains(dataset))
      mistakes.Add("revisions", absl::StrCat("the update is about ", dataset, " as well"));
  if (mistakes.none() && !changed && records::IsBlank(asked.reason()))
    mistakes.Add("reason",
                 "needed: none of the entries was changed since it was called for, so say why the "
                 "catalogue stays as it is");
  return mistakes.ToStatus();
}

absl::Status CheckUpdateStep(const v1::TakeCatalogueUpdateStepRequest& asked) {
  const v1::CatalogueUpdateAction action = asked.action();
  if (!v1::CatalogueUpdateAction_IsValid(action) ||
      action == v1::CATALOGUE_UPDATE_ACTION_UNSPECIFIED)
    return InvalidField("action", "needed");
  if (action == v1::CATALOGUE_UPDATE_ACTION_DECLARE)
    return InvalidField("action", "has a method of its own");
  SLUICE_RETURN_IF_ERROR(
      CheckReason(asked.reason(), action != v1::CATALOGUE_UPDATE_ACTION_COMPLETE &&
                                      action != v1::CATALOGUE_UPDATE_ACTION_ACCEPT));
  identity::Mistakes mistakes;
  CheckMatterText(asked.reason(), kMostUpdateReason, "reason", mistakes);
  return mistakes.ToStatus();
}

}  // namespace

template <class Response>
void CatalogueUpdates::TellClocks(Response& response) const {
  for (v1::Clock& clock : ClocksOfMatter(*rules_, response.update(), clock_.Now()))
    *response.add_clocks() = std::move(clock);
}

// A new one, declared, without id and etag.
absl::StatusOr<v1::CatalogueUpdate> CatalogueUpdates::Begin(
    store::Reader& reader, const Caller& caller, const v1::CatalogueUpdate& wanted) const {
  v1::CatalogueUpdate update = OnlySaid(caller, wanted);
  // Who may not declare hears that first: what another agency has is not told.
  SLUICE_RETURN_IF_ERROR(
      AddMatterStep(reader, caller, clock_, v1::CATALOGUE_UPDATE_ACTION_DECLARE, update).status());
  identity::Mistakes mistakes;
  SLUICE_ASSIGN_OR_RETURN(const auto agency, identity::FindAgency(reader, update.agency()));
  if (!agency) mistakes.Add("update.agency", "there is no such agency");
  CheckMatterWords(update.change(), kMostChangeWords, "update.change", mistakes);
  CheckLaw(update.basis(), mistakes);
  SLUICE_RETURN_IF_ERROR(CheckNamed(reader, update, mistakes));
  SLUICE_RETURN_IF_ERROR(mistakes.ToStatus());
  MatterFilter open;
  open.owner_agency = update.agency();
  open.states = CatalogueUpdateLife().OpenStates();
  SLUICE_ASSIGN_OR_RETURN(const int64_t running,
                          CountMatters(reader, CatalogueUpdateLife().kind, open));
  if (running >= kMostOpenUpdates)
    return Error(v1::REASON_REQUEST_INVALID,
                 absl::StrCat(running, " updates of the catalogue of ", update.agency(),
                              " are not done, the most that there may be; end some first."),
                 {{"agency", update.agency()}});
  return update;
}

void CatalogueUpdates::DeclareCatalogueUpdate(
    const Caller& caller, v1::DeclareCatalogueUpdateRequest request,
    identity::Done<v1::DeclareCatalogueUpdateResponse> done) {
  if (request.dry_run()) {
    v1::DeclareCatalogueUpdateResponse response;
    const absl::Status status = store_.Read([&](store::Reader& reader) -> absl::Status {
      SLUICE_ASSIGN_OR_RETURN(*response.mutable_update(), Begin(reader, caller, request.update()));
      return absl::OkStatus();
    });
    if (!status.ok()) return done(status);
    TellClocks(response);
    return done(std::move(response));
  }
  identity::SubmitChange<v1::DeclareCatalogueUpdateResponse>(
      changes_, caller, audit::Changes::Effect::kAfterRecord,
      [this, caller, wanted = request.update()](
          store::Transaction& transaction,
          v1::DeclareCatalogueUpdateResponse& response) -> absl::StatusOr<ChangeOutcome> {
        SLUICE_ASSIGN_OR_RETURN(*response.mutable_update(), Begin(transaction, caller, wanted));
        TellClocks(response);
        return StoreNewMatter(transaction, random_, *response.mutable_update());
      },
      std::move(done));
}

void CatalogueUpdates::TakeCatalogueUpdateStep(
    const Caller& caller, v1::TakeCatalogueUpdateStepRequest request,
    identity::Done<v1::TakeCatalogueUpdateStepResponse> done) {
  if (absl::Status status = CheckUpdateStep(request); !status.ok()) return done(std::move(status));
  identity::SubmitChange<v1::TakeCatalogueUpdateStepResponse>(
      changes_, caller, audit::Changes::Effect::kAfterRecord,
      [this, caller, asked = std::move(request)](
          store::Transaction& transaction,
          v1::TakeCatalogueUpdateStepResponse& response) -> absl::StatusOr<ChangeOutcome> {
        SLUICE_ASSIGN_OR_RETURN(const auto before,
                                SeenMatter<v1::CatalogueUpdate>(transaction, caller, asked.id()));
        // Whoever was too late hears that, whatever the state allows by now.
        SLUICE_RETURN_IF_ERROR(store::CheckEtag(asked.etag(), before.etag()));
        v1::CatalogueUpdate& after = *response.mutable_update();
        after = before;
        SLUICE_ASSIGN_OR_RETURN(v1::CatalogueUpdateStep* const step,
                                AddMatterStep(transaction, caller, clock_, asked.action(), after));
        SLUICE_RETURN_IF_ERROR(CheckRevisions(transaction, before, asked));
        step->set_reason(asked.reason());
        *step->mutable_revisions() = asked.revisions();
        TellClocks(response);
        return StoreMatter(transaction, before, after);
      },
      std::move(done));
}

absl::StatusOr<v1::GetCatalogueUpdateResponse> CatalogueUpdates::GetCatalogueUpdate(
    const Caller& caller, const v1::GetCatalogueUpdateRequest& request) {
  v1::GetCatalogueUpdateResponse response;
  SLUICE_RETURN_IF_ERROR(store_.Read([&](store::Reader& reader) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(*response.mutable_update(),
                            SeenMatter<v1::CatalogueUpdate>(reader, caller, request.id()));
    const v1::CatalogueUpdate& found = response.update();
    SLUICE_ASSIGN_OR_RETURN(const Hands hands, HandsOfMatter(reader, caller, found));
    for (const int action : OpenMoves(CatalogueUpdateLife(), StandOf(found), hands))
      response.add_actions(static_cast<v1::CatalogueUpdateAction>(action));
    return absl::OkStatus();
  }));
  TellClocks(response);
  return response;
}

absl::StatusOr<v1::ListCatalogueUpdatesResponse> CatalogueUpdates::ListCatalogueUpdates(
    const Caller& caller, const v1::ListCatalogueUpdatesRequest& request) {
  MatterFilter filter;
  filter.owner_agency = request.agency();
  if (request.state() != v1::CATALOGUE_UPDATE_STATE_UNSPECIFIED) filter.states = {request.state()};
  SLUICE_ASSIGN_OR_RETURN(
      auto page, ListMatters<v1::CatalogueUpdate>(store_, caller, std::move(filter),
                                                  request.page_size(), request.page_token()));
  v1::ListCatalogueUpdatesResponse response;
  for (v1::CatalogueUpdate& one : page.found) *response.add_updates() = std::move(one);
  response.set_next_page_token(std::move(page.next));
  return response;
}

}  // namespace sluice::sharing
