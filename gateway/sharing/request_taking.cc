// Steps that need no more than words: all but drafting and granting.
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/records/utf8.h"
#include "gateway/sharing/access_requests.h"
#include "gateway/sharing/request_life.h"
#include "gateway/sharing/request_steps.h"
#include "gateway/sharing/sharing_parts.h"
#include "gateway/store/definition.h"

namespace sluice::sharing {
namespace {

using audit::ChangeOutcome;
using identity::Caller;

constexpr size_t kMostBasis = 1000;
constexpr int kMostPapers = 32;
constexpr size_t kMostPaper = 500;

absl::Status CheckBasis(const v1::LegalBasis& basis, bool needed) {
  if (needed && records::IsBlank(basis.law()))
    return InvalidField("basis.law", "needed: whoever is concerned reads it");
  if (needed && records::IsBlank(basis.article()))
    return InvalidField("basis.article", "needed: whoever is concerned reads it");
  for (const std::string* text : {&basis.law(), &basis.article(), &basis.text()})
    if (text->size() > kMostBasis) return InvalidField("basis", "at most 1,000 bytes each");
  return absl::OkStatus();
}

absl::Status CheckPapers(const v1::TakeAccessStepRequest& asked) {
  const bool returned = asked.action() == v1::ACCESS_ACTION_RETURN;
  if (returned && asked.papers().empty())
    return InvalidField("papers", "needed: all that is missing is told once");
  if (!returned && asked.action() != v1::ACCESS_ACTION_SUBMIT && !asked.papers().empty())
    return InvalidField("papers", "only of RETURN and SUBMIT");
  if (asked.papers_size() > kMostPapers) return InvalidField("papers", "at most 32");
  for (int i = 0; i < asked.papers_size(); ++i)
    if (records::IsBlank(asked.papers(i)) || asked.papers(i).size() > kMostPaper)
      return InvalidField(absl::StrCat("papers[", i, "]"), "1 to 500 bytes");
  return absl::OkStatus();
}

bool NeedsReason(v1::AccessAction action) {
  return action != v1::ACCESS_ACTION_SUBMIT && action != v1::ACCESS_ACTION_WITHDRAW &&
         action != v1::ACCESS_ACTION_PROVIDE && action != v1::ACCESS_ACTION_DROP_DISPUTE;
}

absl::Status CheckWords(const v1::TakeAccessStepRequest& asked) {
  const v1::AccessAction action = asked.action();
  if (!v1::AccessAction_IsValid(action) || action == v1::ACCESS_ACTION_UNSPECIFIED)
    return InvalidField("action", "needed");
  if (action == v1::ACCESS_ACTION_DRAFT || action == v1::ACCESS_ACTION_GRANT)
    return InvalidField("action", "has a method of its own");
  SLUICE_RETURN_IF_ERROR(CheckReason(asked.reason(), NeedsReason(action)));
  const bool decides = action == v1::ACCESS_ACTION_AGREE || action == v1::ACCESS_ACTION_REFUSE;
  SLUICE_RETURN_IF_ERROR(CheckBasis(asked.basis(), decides));
  return CheckPapers(asked);
}

}  // namespace

absl::StatusOr<ChangeOutcome> AccessRequests::Take(store::Transaction& transaction,
                                                   const Caller& caller,
                                                   const v1::TakeAccessStepRequest& asked,
                                                   v1::AccessRequest& after) const {
  SLUICE_ASSIGN_OR_RETURN(const v1::AccessRequest before,
                          SeenRequest(transaction, caller, asked.id()));
  SLUICE_ASSIGN_OR_RETURN(const Hands hands, HandsOf(transaction, caller, before));
  SLUICE_ASSIGN_OR_RETURN(const LifeMove move, DecideStep(before, asked.action(), hands));
  SLUICE_RETURN_IF_ERROR(store::CheckEtag(asked.etag(), before.etag()));
  after = before;
  v1::AccessStep step = NewStep(caller, clock_, asked.action());
  step.set_reason(asked.reason());
  if (asked.has_basis()) *step.mutable_basis() = asked.basis();
  *step.mutable_papers() = asked.papers();
  SLUICE_ASSIGN_OR_RETURN(
      auto grant, MoveGrantOf(transaction, caller, clock_, before, asked.action(), asked.reason()));
  if (asked.action() == v1::ACCESS_ACTION_SUBMIT)
    SLUICE_RETURN_IF_ERROR(Submit(transaction, caller, after, std::move(step)));
  else
    AddStep(after, move, std::move(step));
  // What is decided anew makes a grant of its own.
  if (asked.action() == v1::ACCESS_ACTION_REOPEN) after.clear_grant();
  SLUICE_RETURN_IF_ERROR(StoreStep(transaction, after));
  ChangeOutcome outcome = RequestOutcome(ActionWord(asked.action()), &before, after);
  outcome.reason = asked.reason();
  if (grant) outcome.also.push_back(*std::move(grant));
  return outcome;
}

void AccessRequests::TakeAccessStep(const Caller& caller, v1::TakeAccessStepRequest request,
                                    identity::Done<v1::TakeAccessStepResponse> done) {
  if (absl::Status status = CheckWords(request); !status.ok()) return done(std::move(status));
  const bool takes_away =
      request.action() == v1::ACCESS_ACTION_SUSPEND || request.action() == v1::ACCESS_ACTION_END;
  identity::SubmitChange<v1::TakeAccessStepResponse>(
      changes_, caller,
      takes_away ? audit::Changes::Effect::kAtCommit : audit::Changes::Effect::kAfterRecord,
      [this, caller, request](store::Transaction& transaction, v1::TakeAccessStepResponse& response)
          -> absl::StatusOr<ChangeOutcome> {
        SLUICE_ASSIGN_OR_RETURN(ChangeOutcome outcome,
                                Take(transaction, caller, request, *response.mutable_request()));
        for (v1::Clock& clock : ClocksOf(response.request()))
          *response.add_clocks() = std::move(clock);
        return outcome;
      },
      std::move(done));
}

}  // namespace sluice::sharing
