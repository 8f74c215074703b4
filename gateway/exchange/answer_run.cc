#include "gateway/exchange/answer_run.h"

#include <algorithm>

#include "gateway/base/error.h"

namespace sluice::exchange {

AnswerRun::AnswerRun(const BrokerParts& parts, const BrokerLimits& limits, Call call,
                     v1::QueryRequest decided_on)
    : parts_(parts),
      limits_(limits),
      access_{.parts = parts, .call = std::move(call), .request = std::move(decided_on)} {}

policy::Decision AnswerRun::Decide(v1::Mode mode) {
  access_.started = parts_.clock.Now();
  access_.snapshot = parts_.snapshots.Get();
  return policy::Decide(*access_.call.principal, access_.request, access_.snapshot, access_.started,
                        limits_.decide, mode, access_.call.peer);
}

void AnswerRun::Go(policy::Decision decision) {
  const Call& call = access_.call;
  if (decision.denial) return Finish(decision.denial->status, access_.Denied(*decision.denial));
  access_.plan = *std::move(decision.plan);
  running_ = std::make_shared<RunningExchange>(call.principal, call.certificate,
                                               access_.plan->grant, call.deadline);
  running_->call_id = call.call_id;
  running_->method = call.method;
  running_->started = access_.started;
  running_->end = [weak = weak_from_this()](absl::Status why) {
    if (const auto run = weak.lock()) run->End(std::move(why));
  };
  absl::Status status = Reserve();
  if (status.ok()) status = parts_.running.Add(running_, access_.snapshot, parts_.snapshots);
  // Not before: who closes the gate ends what runs.
  if (status.ok()) status = parts_.MayRelease();
  if (!status.ok()) return End(status, KindFor(status));
  status = source_->Submit(
      [run = shared_from_this()](absl::StatusOr<adapters::Adapter*> adapter) {
        return run->Work(std::move(adapter));
      },
      part());
  if (!status.ok()) End(status, KindFor(status));
}

audit::Draft AnswerRun::DraftOf(v1::RecordKind kind) const {
  audit::Draft draft = DraftFor(kind, access_.call);
  access_.FillPlan(draft);
  FillDraft(draft);
  return draft;
}

void AnswerRun::End(absl::Status why, v1::RecordKind kind) {
  if (running_ == nullptr ||
      !running_->Advance(RunningExchange::State::kRunning, RunningExchange::State::kDone)) {
    return;
  }
  running_->CancelReader();
  Finish(std::move(why), DraftOf(kind));
}

// The refusal or failure is recorded, then told. `draft` has all but reason and message.
void AnswerRun::Finish(absl::Status why, audit::Draft draft) {
  reservation_.Settle(0);
  Drop();
  access_.Refuse(std::move(why), std::move(draft), [run = shared_from_this()](absl::Status told) {
    if (run->running_ != nullptr) run->parts_.running.Remove(run->running_);
    run->Tell(std::move(told));
  });
}

absl::Status AnswerRun::Work(absl::StatusOr<adapters::Adapter*> adapter) {
  if (running_->state() != RunningExchange::State::kRunning)
    return Error(v1::REASON_CANCELLED, "ended while it waited for the source.");
  if (!adapter.ok()) {
    End(adapter.status(), v1::RECORD_KIND_FAILED);
    return adapter.status();
  }
  const Micros limit = parts_.clock.Monotonic() + source_->statement_limit();
  adapters::CallContext context;
  context.clock = &parts_.clock;
  context.deadline = limit;
  if (access_.call.deadline > 0) context.deadline = std::min(limit, access_.call.deadline);
  context.stop = running_->stop;
  context.rests = source_->others_wait();
  const absl::Status outcome = Read(**adapter, context);
  const absl::Status status = outcome.ok() ? Encode() : outcome;
  if (status.ok()) {
    Release();
  } else {
    End(status, KindFor(status));
  }
  // A deadline that the caller set shorter than the source's own says nothing of the source.
  if (ReasonOf(outcome) == v1::REASON_DEADLINE_EXCEEDED && access_.call.deadline > 0 &&
      access_.call.deadline < limit)
    return Error(v1::REASON_CANCELLED, "the caller's own deadline passed.");
  return outcome;
}

void AnswerRun::Release() {
  audit::Draft draft = DraftOf(kind());
  FillReleased(draft);
  auto sealed = parts_.sealer.Seal(std::move(draft));
  if (!sealed.ok()) return End(sealed.status(), v1::RECORD_KIND_FAILED);
  if (!running_->Advance(RunningExchange::State::kRunning, RunningExchange::State::kReleasing))
    return;
  parts_.log.Append(
      *std::move(sealed), [run = shared_from_this()](absl::StatusOr<v1::Receipt> receipt) {
        if (receipt.ok()) return run->Released(*std::move(receipt));
        run->parts_.running.Remove(run->running_);
        run->reservation_.Settle(0);
        run->Drop();
        run->parts_.request_ids.GiveBack(run->access_.place);
        absl::Status told =
            PublicStatus(receipt.status(), run->access_.call.call_id, run->parts_.operations);
        AddKey(told, "call", run->access_.call.call_id);
        run->Tell(std::move(told));
      });
}

// The record is durable: the answer may go, unless the grant went in the meantime.
void AnswerRun::Released(v1::Receipt receipt) {
  Await([run = shared_from_this(), receipt = std::move(receipt)]() mutable {
    run->running_->Advance(RunningExchange::State::kReleasing, RunningExchange::State::kDone);
    if (absl::Status why = run->running_->withdrawn(); !why.ok()) {
      audit::Draft draft = run->DraftOf(v1::RECORD_KIND_FAILED);
      draft.envelope.set_repeats(receipt.index());
      return run->Finish(std::move(why), std::move(draft));
    }
    run->parts_.running.Remove(run->running_);
    run->LetGo(std::move(receipt));
  });
}

absl::Status ReadAll(adapters::RecordReader& reader, RunningExchange& running,
                     const std::function<absl::StatusOr<bool>(const records::RecordBatch&)>& take) {
  struct Watched {
    RunningExchange& exchange;
    ~Watched() { exchange.SetReader(nullptr); }
  } watched{running};
  running.SetReader(&reader);
  for (;;) {
    SLUICE_ASSIGN_OR_RETURN(auto batch, reader.Next());
    if (!batch) return absl::OkStatus();
    SLUICE_ASSIGN_OR_RETURN(const bool more, take(*batch));
    if (!more) return absl::OkStatus();
  }
}

}  // namespace sluice::exchange
