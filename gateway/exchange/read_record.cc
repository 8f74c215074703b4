// What a Read's records say, and what follows once they are durable.
#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/exchange/read_run.h"

namespace sluice::exchange {

audit::Draft ReadRun::DraftOf(v1::RecordKind kind) const {
  audit::Draft draft = DraftFor(kind, access_.call);
  access_.FillPlan(draft);
  if (position_) *draft.envelope.mutable_continues() = position_->start;
  return draft;
}

audit::Draft ReadRun::DraftWith(v1::RecordKind kind, const StreamTotals& totals) const {
  audit::Draft draft = DraftFor(kind, access_.call);
  v1::AuditEnvelope& envelope = draft.envelope;
  access_.FillGrant(envelope);
  envelope.set_opened(opened_);
  *envelope.mutable_opened_time() = opened_time_;
  envelope.set_steps(steps_);
  envelope.set_batches(totals.batches());
  envelope.set_count(totals.rows());
  envelope.set_payload_bytes(totals.bytes());
  envelope.set_digest(std::string(AsBytes(totals.digest())));
  envelope.set_media_type(media_type_);
  envelope.set_source_version(version_.version);
  envelope.set_bad_values(totals.bad_values());
  if (position_) *envelope.mutable_continues() = position_->start;
  return draft;
}

void ReadRun::RecordOpened() {
  audit::Draft draft = DraftOf(v1::RECORD_KIND_OPENED);
  draft.envelope.set_media_type(media_type_);
  {
    MutexLock lock(mutex_);
    draft.envelope.set_source_version(version_.version);
    draft.detail.set_rejected_records(version_.rejected_records);
  }
  auto sealed = parts_.sealer.Seal(std::move(draft));
  if (!sealed.ok()) return NotRecorded(sealed.status());
  parts_.log.Append(*std::move(sealed),
                    [run = shared_from_this()](absl::StatusOr<v1::Receipt> receipt) {
                      if (!receipt.ok()) return run->NotRecorded(receipt.status());
                      run->Opened(*receipt);
                    });
}

void ReadRun::NotRecorded(absl::Status why) {
  {
    MutexLock lock(mutex_);
    recording_ = false;
  }
  End(std::move(why));
  Conclude();  // where it had ended before
}

void ReadRun::Opened(const v1::Receipt& receipt) {
  v1::ReadResponse message;
  v1::StreamOpening& opening = *message.mutable_opening();
  opening.set_call_id(access_.call.call_id);
  opening.set_request_id(access_.request_id);
  opening.set_media_type(media_type_);
  *opening.mutable_receipt() = receipt;
  if (position_) *opening.mutable_continues() = position_->start;
  access_.FillApplied(*opening.mutable_applied());
  *opening.mutable_applied()->mutable_quota_left() =
      parts_.quotas.Left(access_.plan->grant->definition, access_.started);
  parts_.request_ids.Released(access_.place, receipt.index(), 0);
  v1::AuditEnvelope envelope;
  // Its time is the sealer's.
  if (!envelope.ParseFromString(receipt.envelope())) envelope.Clear();
  {
    MutexLock lock(mutex_);
    recording_ = false;
    opened_ = receipt.index();
    opened_time_ = envelope.time();
    FillSource(version_, snapshot_, 0, *opening.mutable_applied());
    if (!ended_) first_ = std::move(message);
  }
  Conclude();
  Pump();
}

void ReadRun::RecordProgress(Step step) {
  audit::Draft draft;
  {
    MutexLock lock(mutex_);
    // All that was handed over, and this step.
    StreamTotals totals = sent_;
    for (const StreamBatch& batch : step.batches) totals.Add(batch);
    draft = DraftWith(v1::RECORD_KIND_PROGRESS, totals);
    draft.envelope.set_steps(steps_ + 1);
  }
  draft.envelope.set_subjects_released(step.scope);
  draft.detail.mutable_released()->Swap(&step.released);
  auto sealed = parts_.sealer.Seal(std::move(draft));
  if (!sealed.ok()) return NotRecorded(sealed.status());
  auto recorded = std::make_shared<Step>(std::move(step));
  parts_.log.Append(*std::move(sealed),
                    [run = shared_from_this(), recorded](absl::StatusOr<v1::Receipt> receipt) {
                      if (!receipt.ok()) return run->NotRecorded(receipt.status());
                      run->Recorded(*receipt, std::move(*recorded));
                    });
}

// The step's record is durable: its batches may go.
void ReadRun::Recorded(const v1::Receipt& receipt, Step step) {
  {
    MutexLock lock(mutex_);
    recording_ = false;
    ++steps_;
    if (!ended_) {
      v1::StreamStep& with = step_.emplace();
      *with.mutable_receipt() = receipt;
      for (StreamBatch& batch : step.batches) {
        with.add_batch_digests(batch.digest.data(), batch.digest.size());
        leaving_.push_back(std::move(batch));
      }
    }
  }
  Conclude();
  Pump();
}

void ReadRun::RecordClosed() {
  audit::Draft draft;
  absl::Status why;
  {
    MutexLock lock(mutex_);
    draft = DraftWith(v1::RECORD_KIND_CLOSED, sent_);
    why = why_;
  }
  if (!why.ok()) {
    why = PublicStatus(why, access_.call.call_id, parts_.operations);
    draft.envelope.set_reason(ReasonOf(why));
    draft.detail.set_message(std::string(why.message()));
    MutexLock lock(mutex_);
    why_ = why;
  }
  draft.detail.set_request_id(access_.request_id);
  auto sealed = parts_.sealer.Seal(std::move(draft));
  if (!sealed.ok()) return Closed(sealed.status());
  parts_.log.Append(
      *std::move(sealed),
      [run = shared_from_this()](absl::StatusOr<v1::Receipt> receipt) { run->Closed(receipt); });
}

void ReadRun::Closed(const absl::StatusOr<v1::Receipt>& receipt) {
  Ending ending;
  {
    MutexLock lock(mutex_);
    if (receipt.ok() && why_.ok()) {
      ending.last = LastMessage(*receipt);
    } else if (receipt.ok()) {
      ending.status = ErrorWith(*receipt);
    } else if (ReasonOf(receipt.status()) == v1::REASON_OVERLOADED && !parts_.log.poisoned()) {
      closing_ = false;  // the log has much to do: Watch tries again
      return;
    } else {
      ending.status = PublicStatus(receipt.status(), access_.call.call_id, parts_.operations);
      AddKey(ending.status, "call", access_.call.call_id);
    }
  }
  Tell(std::move(ending));
}

v1::ReadResponse ReadRun::LastMessage(const v1::Receipt& receipt) const {
  v1::ReadResponse message;
  v1::StreamClosing& closing = *message.mutable_closing();
  *closing.mutable_receipt() = receipt;
  const v1::StreamStart before = position_ ? position_->start : v1::StreamStart();
  closing.set_rows(before.rows() + sent_.rows());
  closing.set_payload_bytes(before.payload_bytes() + sent_.bytes());
  closing.set_digest(std::string(AsBytes(sent_.digest())));
  for (const int32_t length : lengths_.list()) closing.add_batch_lengths(length);
  *closing.mutable_quota_left() =
      parts_.quotas.Left(access_.plan->grant->definition, parts_.clock.Now());
  closing.set_bad_values(before.bad_values() + sent_.bad_values());
  return message;
}

// Why the stream was cut, and where that is recorded.
absl::Status ReadRun::ErrorWith(const v1::Receipt& receipt) const {
  absl::Status status = why_;
  AddKey(status, "call", access_.call.call_id);
  AddKey(status, "request_id", access_.request_id);
  AddKey(status, "index", absl::StrCat(receipt.index()));
  AddKey(status, "opened", absl::StrCat(opened_));
  AddKey(status, "rows", absl::StrCat(sent_.rows()));
  return status;
}

}  // namespace sluice::exchange
