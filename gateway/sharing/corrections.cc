#include "gateway/sharing/corrections.h"

#include <set>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/catalogue/catalogue.h"
#include "gateway/catalogue/dataset_table.h"
#include "gateway/identity/definitions.h"
#include "gateway/sharing/grant_table.h"
#include "gateway/sharing/matter_steps.h"

namespace sluice::sharing {
namespace {

using audit::ChangeOutcome;
using identity::Caller;

constexpr size_t kMostDoubt = 4096;
constexpr size_t kMostAnswer = 1000;
constexpr size_t kMostDoubtedName = 200;
// More than anybody answers; a program gone astray would go on. Open ones, and those of a day
// whatever became of them.
constexpr int64_t kMostCorrections = 20;

// What the caller says, in a correction that has had no step.
v1::Correction OnlySaid(const Caller& caller, const v1::Correction& said) {
  v1::Correction correction = said;
  correction.clear_id();
  correction.clear_state();
  correction.clear_etag();
  correction.clear_steps();
  correction.set_consumer_agency(caller.principal.agency);
  return correction;
}

// Names of all fields that any grant on the dataset ever gave that agency. NO_GRANT where there
// never was one; DATASET_UNKNOWN where it may not know of the dataset either.
absl::StatusOr<std::set<std::string>> FieldsLent(store::Reader& reader, const Caller& caller,
                                                 const std::string& dataset) {
  SLUICE_ASSIGN_OR_RETURN(const auto grants, AllGrantsOf(reader, dataset, caller.principal.agency));
  if (grants.empty()) {
    SLUICE_ASSIGN_OR_RETURN(const auto definition, catalogue::FindDataset(reader, dataset));
    if (!definition || !catalogue::MayKnow(caller.principal, *definition))
      return Error(v1::REASON_DATASET_UNKNOWN, "There is no such dataset.");
    return Error(v1::REASON_NO_GRANT,
                 "Your agency never had a grant on this dataset, so that it was lent nothing to "
                 "doubt.",
                 {{"dataset", dataset}});
  }
  std::set<std::string> fields;
  for (const v1::Grant& grant : grants)
    for (const v1::GrantedField& field : grant.fields()) fields.insert(field.name());
  return fields;
}

void CheckFields(const v1::Correction& correction, const std::set<std::string>& lent,
                 identity::Mistakes& mistakes) {
  std::set<std::string> seen;
  for (int i = 0; i < correction.fields_size(); ++i) {
    const std::string& field = correction.fields(i);
    const std::string path = absl::StrCat("correction.fields[", i, "]");
    if (field.size() > kMostDoubtedName || !lent.contains(field))
      mistakes.Add(path, "not a field that a grant of your agency's gave");
    else if (!seen.insert(field).second)
      mistakes.Add(path, "stands twice");
  }
}

// Of one agency on one dataset: how many may wait for an answer, and how many are raised in a day.
absl::Status CheckNotTooMany(store::Reader& reader, const Caller& caller,
                             const v1::Correction& correction, Micros now) {
  MatterFilter filter;
  filter.dataset = correction.dataset();
  filter.consumer_agency = correction.consumer_agency();
  SLUICE_ASSIGN_OR_RETURN(const auto newest, LoadMatters<v1::Correction>(reader, caller.principal,
                                                                         filter, kMostCorrections));
  filter.states = CorrectionLife().OpenStates();
  SLUICE_ASSIGN_OR_RETURN(const int64_t unanswered,
                          CountMatters(reader, CorrectionLife().kind, filter));
  if (unanswered >= kMostCorrections)
    return Error(v1::REASON_REQUEST_INVALID,
                 absl::StrCat(unanswered,
                              " corrections of your agency on this dataset are not answered, the "
                              "most that there may be; put what is doubted together, or withdraw "
                              "some first."),
                 {{"dataset", correction.dataset()}});
  if (newest.size() == static_cast<size_t>(kMostCorrections) &&
      StandOf(newest.back()).steps.front().taken > now - kDay)
    return Error(v1::REASON_REQUEST_INVALID,
                 absl::StrCat("Your agency raised ", kMostCorrections,
                              " corrections on this dataset within a day, the most that there may "
                              "be, whatever became of them; put what is doubted together, and "
                              "raise it later."),
                 {{"dataset", correction.dataset()}});
  return absl::OkStatus();
}

absl::Status CheckAnswer(const v1::TakeCorrectionStepRequest& asked) {
  const v1::CorrectionAction action = asked.action();
  if (!v1::CorrectionAction_IsValid(action) || action == v1::CORRECTION_ACTION_UNSPECIFIED)
    return InvalidField("action", "needed");
  if (action == v1::CORRECTION_ACTION_RAISE)
    return InvalidField("action", "has a method of its own");
  SLUICE_RETURN_IF_ERROR(CheckReason(asked.reason(), action != v1::CORRECTION_ACTION_WITHDRAW));
  identity::Mistakes mistakes;
  if (!asked.reason().empty()) CheckMatterWords(asked.reason(), kMostAnswer, "reason", mistakes);
  CheckMatterPapers(asked.papers(), "papers", mistakes);
  return mistakes.ToStatus();
}

}  // namespace

template <class Response>
void Corrections::TellClocks(Response& response) const {
  for (v1::Clock& clock : ClocksOfMatter(*rules_, response.correction(), clock_.Now()))
    *response.add_clocks() = std::move(clock);
}

// A new one, raised, without id and etag.
absl::StatusOr<v1::Correction> Corrections::Begin(store::Reader& reader, const Caller& caller,
                                                  const v1::Correction& wanted) const {
  v1::Correction correction = OnlySaid(caller, wanted);
  SLUICE_ASSIGN_OR_RETURN(const auto lent, FieldsLent(reader, caller, correction.dataset()));
  identity::Mistakes mistakes;
  CheckFields(correction, lent, mistakes);
  CheckMatterWords(correction.doubt(), kMostDoubt, "correction.doubt", mistakes);
  if (correction.has_record_index() && correction.record_index() < 0)
    mistakes.Add("correction.record_index", "an index of the log, as the answer's receipt has it");
  CheckMatterPapers(correction.papers(), "correction.papers", mistakes);
  SLUICE_RETURN_IF_ERROR(mistakes.ToStatus());
  SLUICE_RETURN_IF_ERROR(CheckNotTooMany(reader, caller, correction, clock_.Now()));
  SLUICE_RETURN_IF_ERROR(
      AddMatterStep(reader, caller, clock_, v1::CORRECTION_ACTION_RAISE, correction).status());
  return correction;
}

void Corrections::RaiseCorrection(const Caller& caller, v1::RaiseCorrectionRequest request,
                                  identity::Done<v1::RaiseCorrectionResponse> done) {
  if (request.dry_run()) {
    v1::RaiseCorrectionResponse response;
    const absl::Status status = store_.Read([&](store::Reader& reader) -> absl::Status {
      SLUICE_ASSIGN_OR_RETURN(*response.mutable_correction(),
                              Begin(reader, caller, request.correction()));
      return absl::OkStatus();
    });
    if (!status.ok()) return done(status);
    TellClocks(response);
    return done(std::move(response));
  }
  identity::SubmitChange<v1::RaiseCorrectionResponse>(
      changes_, caller, audit::Changes::Effect::kAfterRecord,
      [this, caller, wanted = request.correction()](
          store::Transaction& transaction,
          v1::RaiseCorrectionResponse& response) -> absl::StatusOr<ChangeOutcome> {
        SLUICE_ASSIGN_OR_RETURN(*response.mutable_correction(), Begin(transaction, caller, wanted));
        TellClocks(response);
        return StoreNewMatter(transaction, random_, *response.mutable_correction());
      },
      std::move(done));
}

void Corrections::TakeCorrectionStep(const Caller& caller, v1::TakeCorrectionStepRequest request,
                                     identity::Done<v1::TakeCorrectionStepResponse> done) {
  if (absl::Status status = CheckAnswer(request); !status.ok()) return done(std::move(status));
  identity::SubmitChange<v1::TakeCorrectionStepResponse>(
      changes_, caller, audit::Changes::Effect::kAfterRecord,
      [this, caller, asked = std::move(request)](
          store::Transaction& transaction,
          v1::TakeCorrectionStepResponse& response) -> absl::StatusOr<ChangeOutcome> {
        SLUICE_ASSIGN_OR_RETURN(const auto before,
                                SeenMatter<v1::Correction>(transaction, caller, asked.id()));
        // Whoever was too late hears that, whatever the state allows by now.
        SLUICE_RETURN_IF_ERROR(store::CheckEtag(asked.etag(), before.etag()));
        v1::Correction& after = *response.mutable_correction();
        after = before;
        SLUICE_ASSIGN_OR_RETURN(v1::CorrectionStep* const step,
                                AddMatterStep(transaction, caller, clock_, asked.action(), after));
        step->set_reason(asked.reason());
        *step->mutable_papers() = asked.papers();
        TellClocks(response);
        return StoreMatter(transaction, before, after);
      },
      std::move(done));
}

absl::StatusOr<v1::GetCorrectionResponse> Corrections::GetCorrection(
    const Caller& caller, const v1::GetCorrectionRequest& request) {
  v1::GetCorrectionResponse response;
  SLUICE_RETURN_IF_ERROR(store_.Read([&](store::Reader& reader) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(*response.mutable_correction(),
                            SeenMatter<v1::Correction>(reader, caller, request.id()));
    const v1::Correction& found = response.correction();
    SLUICE_ASSIGN_OR_RETURN(const Hands hands, HandsOfMatter(reader, caller, found));
    for (const int action : OpenMoves(CorrectionLife(), StandOf(found), hands))
      response.add_actions(static_cast<v1::CorrectionAction>(action));
    return absl::OkStatus();
  }));
  TellClocks(response);
  return response;
}

absl::StatusOr<v1::ListCorrectionsResponse> Corrections::ListCorrections(
    const Caller& caller, const v1::ListCorrectionsRequest& request) {
  MatterFilter filter;
  filter.dataset = request.dataset();
  filter.consumer_agency = request.consumer_agency();
  if (request.state() != v1::CORRECTION_STATE_UNSPECIFIED) filter.states = {request.state()};
  SLUICE_ASSIGN_OR_RETURN(
      auto page, ListMatters<v1::Correction>(store_, caller, std::move(filter), request.page_size(),
                                             request.page_token()));
  v1::ListCorrectionsResponse response;
  for (v1::Correction& one : page.found) *response.add_corrections() = std::move(one);
  response.set_next_page_token(std::move(page.next));
  return response;
}

}  // namespace sluice::sharing
