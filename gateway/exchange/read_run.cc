#include "gateway/exchange/read_run.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "gateway/base/error.h"

namespace sluice::exchange {
namespace {

using State = RunningExchange::State;

// A source that gives no row for this many of its statement limits is given up: a filter that keeps
// little may make it look at many rows.
constexpr int kStatementsWithoutRow = 6;
// How long a consumer may still take what was handed over when its stream was ended.
constexpr Micros kTakeLast = kSecond;
constexpr absl::string_view kNothingReleased = " Nothing was released.";

}  // namespace

ReadRun::ReadRun(const BrokerParts& parts, const BrokerLimits& limits, Call call,
                 const v1::ReadRequest& request, std::shared_ptr<ReadWriter> writer)
    : parts_(parts),
      limits_(limits),
      access_{.parts = parts, .call = std::move(call), .request = policy::AsQuery(request)},
      media_type_(request.media_type().empty() ? std::string(kJsonLinesMediaType)
                                               : request.media_type()),
      read_digest_(RequestDigest(request, parts.pseudonyms)),
      resume_token_(request.resume_token()),
      writer_(std::move(writer)) {}

ReadRun::~ReadRun() { DropReader(); }

void ReadRun::Start() {
  const Call& call = access_.call;
  access_.started = parts_.clock.Now();
  access_.snapshot = parts_.snapshots.Get();
  policy::Decision decision =
      policy::Decide(*call.principal, access_.request, access_.snapshot, access_.started,
                     limits_.decide, v1::MODE_READ, call.peer);
  if (decision.denial) return Refuse(decision.denial->status, access_.Denied(*decision.denial));
  access_.plan = *std::move(decision.plan);
  writer_->Begin(access_.plan->output_schema);
  running_ = std::make_shared<RunningExchange>(call.principal, call.certificate,
                                               access_.plan->grant, call.deadline);
  running_->call_id = call.call_id;
  running_->method = call.method;
  running_->started = access_.started;
  running_->stream = true;
  running_->progress = [weak = weak_from_this()] {
    const auto run = weak.lock();
    return run ? run->ProgressSoFar() : RunningExchange::Progress();
  };
  running_->end = [weak = weak_from_this()](absl::Status why) {
    if (const auto run = weak.lock()) run->End(std::move(why));
  };
  running_->watch = [weak = weak_from_this()](Micros now) {
    if (const auto run = weak.lock()) run->Watch(now);
  };
  absl::Status status = Reserve();
  if (status.ok()) status = parts_.running.Add(running_, access_.snapshot, parts_.snapshots);
  // Not before: who closes the gate ends what runs.
  if (status.ok()) status = parts_.MayRelease();
  if (!status.ok()) return End(status, KindFor(status));
  {
    MutexLock lock(mutex_);
    encoding_ = true;
  }
  SubmitTask();
}

absl::Status ReadRun::Reserve() {
  const policy::Plan& plan = *access_.plan;
  if (!resume_token_.empty()) {
    SLUICE_ASSIGN_OR_RETURN(position_, parts_.tokens.OpenResume(access_.Binding(read_digest_),
                                                                resume_token_, access_.started));
  }
  const bool continued = position_ && position_->start.batches() > 0;
  maker_ = MakeBatchMaker(media_type_, plan.output_schema, limits_.payload_bytes, continued);
  if (maker_ == nullptr) {
    absl::Status status = Error(v1::REASON_REQUEST_INVALID, "the request has mistakes.");
    AddFieldViolation(status, "media_type", absl::StrCat("expected ", StreamMediaTypes()));
    return status;
  }
  // A further part is no repetition.
  if (position_) {
    access_.NameRequest();
  } else {
    SLUICE_RETURN_IF_ERROR(access_.TakeRequestId(read_digest_));
  }
  // The call and its first row; the others as they come.
  SLUICE_ASSIGN_OR_RETURN(auto reservation, parts_.quotas.Reserve(plan.grant->definition, 1, true,
                                                                  access_.started, &available_));
  SLUICE_ASSIGN_OR_RETURN(source_, access_.FindSource());
  MutexLock lock(mutex_);
  reserved_.push_back(std::move(reservation));
  if (!position_) return absl::OkStatus();
  last_key_ = position_->after;
  sent_ = StreamTotals(position_->tree);
  // The source is asked for nothing more.
  at_end_ = position_->at_end;
  if (at_end_) version_.version = position_->source_version;
  return absl::OkStatus();
}

// What was refused or failed before the stream was opened.
void ReadRun::Refuse(absl::Status why, audit::Draft draft) {
  access_.Refuse(std::move(why), std::move(draft), [run = shared_from_this()](absl::Status told) {
    run->Tell({.status = std::move(told)});
  });
}

void ReadRun::Tell(Ending ending) {
  {
    MutexLock lock(mutex_);
    ending_ = std::move(ending);
  }
  Pump();
}

void ReadRun::End(absl::Status why, v1::RecordKind kind) {
  if (running_ == nullptr || !running_->Advance(State::kRunning, State::kDone)) return;
  running_->CancelReader();
  {
    MutexLock lock(mutex_);
    ended_ = true;
    ended_at_ = parts_.clock.Monotonic();
    // What is said of calls in general does not hold once something has left.
    if (sent_.batches() > 0 && absl::EndsWith(why.message(), kNothingReleased))
      why = Error(ReasonOf(why), std::string(absl::StripSuffix(why.message(), kNothingReleased)));
    why_ = std::move(why);
    refusal_ = kind;
    leaving_.clear();
    ready_.reset();
    first_.reset();
    step_.reset();
  }
  Conclude();
}

void ReadRun::Conclude() {
  absl::Status refused;
  v1::RecordKind kind = v1::RECORD_KIND_UNSPECIFIED;
  std::deque<QuotaLedger::Reservation> unused;  // rows that were reserved and stay
  {
    MutexLock lock(mutex_);
    // What is being recorded stands in the log before the end does.
    if (!ended_ || closing_ || recording_) return;
    closing_ = true;
    if (opened_ < 0) refused = why_;
    kind = refusal_;
    unused.swap(reserved_);
  }
  unused.clear();
  if (refused.ok()) return RecordClosed();
  Refuse(std::move(refused), DraftOf(kind));
}

void ReadRun::Pump() {
  std::optional<Message> message;
  std::optional<Step> record;
  std::optional<Ending> ending;
  bool open = false, encode = false, end = false, drop = false;
  absl::Status why;
  {
    MutexLock lock(mutex_);
    if (ended_ || ending_) {
      if (!writing_) ending = std::exchange(ending_, std::nullopt);
      drop = !encoding_;  // else the task does
    } else {
      if (!writing_ && (first_ || !leaving_.empty())) {
        message = NextMessage();
        writing_ = true;
        write_began_ = parts_.clock.Monotonic();
      }
      why = cut_;
      if (opened_ < 0) {
        const bool nothing = exhausted_ && !cut_.ok() && !ready_;
        open = begun_ && !recording_ && !nothing;
        end = begun_ && !recording_ && nothing;
      } else if (!recording_ && !first_ && leaving_.empty()) {
        if (ready_) record = std::exchange(ready_, std::nullopt);
        end = !record && exhausted_;
      }
      if (open || record) recording_ = true;
      encode = begun_ && !encoding_ && !exhausted_ && !ready_;
      if (encode) encoding_ = true;
    }
  }
  if (ending) {
    if (drop) DropReader();
    if (running_ != nullptr) parts_.running.Remove(running_);
    return writer_->Finish(std::move(ending->status), std::move(ending->last));
  }
  if (message)
    writer_->Write(std::move(message->head), std::move(message->payload),
                   [run = shared_from_this()](bool ok) { run->Taken(ok); });
  if (encode) SubmitTask();
  if (open) RecordOpened();
  if (record) RecordProgress(*std::move(record));
  if (end) End(why, KindFor(why));
}

// The opening or a batch, which is let go here: it counts from now on.
ReadRun::Message ReadRun::NextMessage() {
  if (first_) return {*std::exchange(first_, std::nullopt), Pieces()};
  StreamBatch batch = std::move(leaving_.front());
  leaving_.pop_front();
  v1::ReadResponse head;
  if (step_) *head.mutable_step() = *std::exchange(step_, std::nullopt);
  head.set_batch(sent_.all_batches());
  head.set_rows(batch.rows);
  sent_.Add(batch);
  lengths_.Add(batch);
  if (resumable()) head.set_resume_token(TokenBehind(batch));
  for (int64_t rows = batch.rows; rows > 0 && !reserved_.empty();) {
    rows -= reserved_.front().Use(rows);
    if (reserved_.front().empty()) reserved_.pop_front();
  }
  return {std::move(head), std::move(batch.payload)};
}

// The last that was handed over.
std::string ReadRun::TokenBehind(const StreamBatch& batch) const {
  StreamPosition position;
  position.after = batch.last_key;
  position.at_end = batch.at_end;
  if (snapshot_) position.source_version = version_.version;
  position.start = position_ ? position_->start : v1::StreamStart();
  v1::StreamStart& start = position.start;
  if (!position_) start.set_first(opened_);
  start.set_previous(opened_);
  start.set_batches(sent_.all_batches());
  start.set_rows(start.rows() + sent_.rows());
  start.set_payload_bytes(start.payload_bytes() + sent_.bytes());
  start.set_bad_values(start.bad_values() + sent_.bad_values());
  start.set_digest(std::string(AsBytes(sent_.digest())));
  position.tree = sent_.tree();
  position.expires = parts_.clock.Now() + limits_.token_life;
  return parts_.tokens.SealResume(access_.Binding(read_digest_), position);
}

void ReadRun::Taken(bool ok) {
  {
    MutexLock lock(mutex_);
    writing_ = false;
  }
  if (!ok) End(Error(v1::REASON_CANCELLED, "the caller gave the call up."));
  Pump();
}

RunningExchange::Progress ReadRun::ProgressSoFar() const {
  MutexLock lock(mutex_);
  return {sent_.rows(), sent_.bytes(), writing_ ? write_began_ : 0};
}

void ReadRun::Watch(Micros now) {
  bool stalled = false, abort = false;
  {
    MutexLock lock(mutex_);
    const bool cut = ended_ && !why_.ok();
    abort = writing_ && (cut ? now - std::max(ended_at_, write_began_) > kTakeLast
                             : now - write_began_ > limits_.stall);
    stalled = abort && !ended_;
  }
  if (stalled)
    End(Error(v1::REASON_CONSUMER_STALLED,
              absl::StrCat("the consumer took nothing for ", limits_.stall / kSecond, " s.")));
  if (abort) writer_->Abort();
  const Micros asked = asked_source_;
  if (asked != 0 && now - asked > kStatementsWithoutRow * source_->statement_limit())
    End(Error(v1::REASON_SOURCE_UNAVAILABLE,
              absl::StrCat("source ", source_->definition().id(), " gives no rows."),
              {{"source", source_->definition().id()}}));
  Conclude();
  Pump();
}

}  // namespace sluice::exchange
