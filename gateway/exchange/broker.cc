#include "gateway/exchange/broker.h"

#include "gateway/base/error.h"
#include "gateway/exchange/check_run.h"
#include "gateway/exchange/count_run.h"
#include "gateway/exchange/match_run.h"
#include "gateway/exchange/query_run.h"
#include "gateway/exchange/read_run.h"

namespace sluice::exchange {

namespace {

// Tells the counts how the call ended.
template <class Response>
std::function<void(absl::StatusOr<Response>)> Counting(
    ExchangeCounts& counts, ExchangeCounts::Mode mode, const Clock& clock,
    std::function<void(absl::StatusOr<Response>)> done) {
  return [&counts, mode, &clock, began = clock.Monotonic(),
          done = std::move(done)](absl::StatusOr<Response> outcome) {
    counts.Ended(mode, outcome.status(), clock.Monotonic() - began);
    done(std::move(outcome));
  };
}

std::function<void()> GiveUp(std::shared_ptr<AnswerRun> run) {
  return [run = std::move(run)] {
    run->End(Error(v1::REASON_CANCELLED, "the caller gave the call up."));
  };
}

}  // namespace

Broker::Broker(BrokerParts parts, BrokerLimits limits)
    : parts_(parts),
      limits_(limits),
      tries_(std::make_unique<MatchTries>()),
      told_(std::make_unique<ToldNumbers>()),
      timer_(std::make_unique<ReleaseTimer>()) {}
Broker::~Broker() = default;

std::function<void()> Broker::Match(Call call, v1::MatchRequest request, MatchDone done) {
  auto run = std::make_shared<MatchRun>(
      parts_, limits_, *tries_, *timer_, std::move(call), std::move(request),
      Counting(counts_, ExchangeCounts::Mode::kMatch, parts_.clock, std::move(done)));
  run->Start();
  return GiveUp(run);
}

std::function<void()> Broker::Count(Call call, v1::CountRequest request, CountDone done) {
  auto run = std::make_shared<CountRun>(
      parts_, limits_, *told_, std::move(call), std::move(request),
      Counting(counts_, ExchangeCounts::Mode::kCount, parts_.clock, std::move(done)));
  run->Start();
  return GiveUp(run);
}

std::function<void()> Broker::Query(Call call, v1::QueryRequest request, QueryDone done) {
  auto run = std::make_shared<QueryRun>(
      parts_, limits_, std::move(call), std::move(request),
      Counting(counts_, ExchangeCounts::Mode::kQuery, parts_.clock, std::move(done)));
  run->Start();
  return GiveUp(run);
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
  if (!policy::ShowsRows(grant)) {
    done(Error(v1::REASON_MODE_NOT_GRANTED,
               "the terms allow neither Query nor Read: their consumer sees no rows."));
    return [] {};
  }
  v1::QueryRequest request;
  request.set_dataset(grant.dataset());
  request.set_purpose(grant.purposes(0));
  request.set_page_size(preview.rows);
  // What is about a call, and not about what is seen.
  grant.clear_case_reference_required();
  grant.clear_end_user_required();
  grant.clear_not_before();
  grant.clear_conditions();
  grant.clear_max_page_rows();
  grant.clear_least_group();
  grant.clear_match_tells_fields();
  grant.mutable_quota()->clear_misses_per_day();
  grant.mutable_quota()->clear_tries_per_record();
  for (v1::GrantedField& field : *grant.mutable_fields()) field.clear_match(), field.clear_finds();
  grant.clear_modes();
  grant.add_modes(v1::MODE_QUERY);
  auto run = std::make_shared<QueryRun>(parts_, limits_, std::move(call), std::move(request),
                                        std::move(done));
  run->StartPreview(preview);
  return GiveUp(run);
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
