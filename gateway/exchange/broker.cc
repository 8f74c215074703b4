#include "gateway/exchange/broker.h"

#include "gateway/base/error.h"
#include "gateway/exchange/check_run.h"
#include "gateway/exchange/query_run.h"
#include "gateway/exchange/read_run.h"

namespace sluice::exchange {

std::function<void()> Broker::Query(Call call, v1::QueryRequest request, QueryDone done) {
  QueryDone counted = [this, began = parts_.clock.Monotonic(),
                       done = std::move(done)](absl::StatusOr<v1::QueryResponse> outcome) {
    counts_.Ended(ExchangeCounts::Mode::kQuery, outcome.status(), parts_.clock.Monotonic() - began);
    done(std::move(outcome));
  };
  auto run = std::make_shared<QueryRun>(parts_, limits_, std::move(call), std::move(request),
                                        std::move(counted));
  run->Start();
  return [run] { run->End(Error(v1::REASON_CANCELLED, "the caller gave the call up.")); };
}

std::function<void()> Broker::Read(Call call, const v1::ReadRequest& request,
                                   std::shared_ptr<ReadWriter> writer) {
  auto run = std::make_shared<ReadRun>(parts_, limits_, std::move(call), request,
                                       Counted(std::move(writer), counts_, parts_.clock));
  run->Start();
  return [run] { run->End(Error(v1::REASON_CANCELLED, "the caller gave the call up.")); };
}

std::function<void()> Broker::Show(Call call, Preview preview, QueryDone done) {
  v1::Grant& grant = preview.grant;
  v1::QueryRequest request;
  request.set_dataset(grant.dataset());
  request.set_purpose(grant.purposes(0));
  request.set_page_size(preview.rows);
  // What is about a call, and not about what is seen.
  grant.clear_case_reference_required();
  grant.clear_end_user_required();
  grant.clear_not_before();
  grant.clear_max_page_rows();
  grant.clear_modes();
  grant.add_modes(v1::MODE_QUERY);
  auto run = std::make_shared<QueryRun>(parts_, limits_, std::move(call), std::move(request),
                                        std::move(done));
  run->StartPreview(preview);
  return [run] { run->End(Error(v1::REASON_CANCELLED, "the caller gave the call up.")); };
}

void Broker::Check(Call call, const v1::CheckRequest& request,
                   std::function<void(absl::StatusOr<v1::CheckResponse>)> done) {
  std::make_shared<CheckRun>(parts_, limits_, std::move(call), request,
                             [done = std::move(done)](absl::StatusOr<Description> outcome) {
                               if (!outcome.ok()) return done(outcome.status());
                               done(std::move(outcome->check));
                             })
      ->Start();
}

void Broker::Describe(Call call, const v1::ReadRequest& request,
                      std::function<void(absl::StatusOr<Description>)> done) {
  std::make_shared<CheckRun>(parts_, limits_, std::move(call), request, std::move(done))->Start();
}

absl::Status PublicStatus(const absl::Status& status, std::string_view call_id,
                          OperationalLog& operations) {
  if (status.ok()) return status;
  if (ReasonOf(status) != v1::REASON_UNSPECIFIED) {
    const std::string note = OperatorNoteOf(status);
    if (note.empty()) return status;
    operations.Write(Severity::kWarning, "source_said", note,
                     {{"call", call_id}, {"reason", ReasonName(ReasonOf(status))}});
    absl::Status told = status;
    RemoveOperatorNote(told);
    return told;
  }
  operations.Write(Severity::kError, "internal", std::string(status.message()),
                   {{"call", call_id}});
  return Error(v1::REASON_INTERNAL,
               "the gateway failed; its operator finds why under the call's id.",
               {{"call", call_id}});
}

audit::Draft DraftFor(v1::RecordKind kind, const Call& call) {
  audit::Draft draft = audit::NewDraft(kind);
  *draft.envelope.mutable_actor() = call.principal->ToActor();
  draft.detail.set_call_id(call.call_id);
  draft.detail.set_peer(call.peer);
  draft.detail.set_method(call.method);
  draft.detail.set_certificate_serial(call.principal->serial);
  draft.detail.set_certificate_digest(call.principal->certificate_digest);
  return draft;
}

}  // namespace sluice::exchange
