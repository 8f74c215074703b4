#include "gateway/exchange/query_run.h"

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"

namespace sluice::exchange {
namespace {

std::string Deterministic(const google::protobuf::Message& message) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&coded);
  }
  return bytes;
}

// All that makes two requests the same access.
std::string DigestOf(v1::QueryRequest request, bool with_token,
                     const audit::Pseudonyms& pseudonyms) {
  request.clear_request_id();
  request.clear_traceparent();
  if (!with_token) request.clear_page_token();
  return pseudonyms.ForRequest(Deterministic(request));
}

}  // namespace

v1::RecordKind QueryRun::KindFor(const absl::Status& status) {
  const v1::Reason reason = ReasonOf(status);
  return reason != v1::REASON_UNSPECIFIED && reason < v1::REASON_TOO_MANY_CALLS
             ? v1::RECORD_KIND_DENIED
             : v1::RECORD_KIND_FAILED;
}

QueryRun::QueryRun(const BrokerParts& parts, const BrokerLimits& limits, Call call,
                   v1::QueryRequest request, Broker::QueryDone done)
    : parts_(parts),
      limits_(limits),
      call_(std::move(call)),
      request_(std::move(request)),
      done_(std::move(done)) {}

void QueryRun::Start() {
  started_ = parts_.clock.Now();
  snapshot_ = parts_.snapshots.Get();
  policy::Decision decision =
      policy::Decide(call_.principal, request_, snapshot_, started_, limits_.decide);
  if (decision.denial) return Deny(*decision.denial);
  plan_ = *std::move(decision.plan);
  running_ = std::make_shared<RunningExchange>(call_.principal, call_.certificate, plan_->grant,
                                               call_.deadline);
  running_->end = [weak = weak_from_this()](absl::Status why) {
    if (const auto run = weak.lock()) run->End(std::move(why));
  };
  absl::Status status = Reserve(snapshot_, started_);
  if (status.ok()) status = parts_.running.Add(running_);
  if (!status.ok()) {
    running_->Advance(RunningExchange::State::kRunning, RunningExchange::State::kDone);
    audit::Draft draft = DraftFor(KindFor(status), call_);
    FillPlan(draft);
    return Finish(std::move(status), KindFor(status), std::move(draft));
  }
  status = source_->Submit([run = shared_from_this()](absl::StatusOr<adapters::Adapter*> adapter) {
    return run->Work(std::move(adapter));
  });
  if (!status.ok()) End(status, KindFor(status));
}

TokenBinding QueryRun::Binding() const {
  const v1::Grant& grant = plan_->grant->definition;
  return {call_.principal.path,
          grant.id(),
          grant.revision(),
          grant.dataset(),
          plan_->dataset->definition.revision(),
          DigestOf(request_, false, parts_.pseudonyms)};
}

// Everything between the decision and the source: token, repeats, quota.
absl::Status QueryRun::Reserve(const policy::SnapshotPtr& snapshot, Micros now) {
  if (!request_.page_token().empty()) {
    SLUICE_ASSIGN_OR_RETURN(position_, parts_.tokens.Open(Binding(), request_.page_token(), now));
  }
  request_id_ = request_.request_id();
  if (request_id_.empty()) {
    request_id_ = call_.call_id;
  } else {
    request_id_digest_ =
        parts_.pseudonyms.ForRequest(absl::StrCat(call_.principal.path, "\n", request_id_));
    request_digest_ = DigestOf(request_, true, parts_.pseudonyms);
    SLUICE_ASSIGN_OR_RETURN(place_,
                            parts_.request_ids.Take(request_id_digest_, request_digest_, now));
  }
  if (place_.first < 0) {
    SLUICE_ASSIGN_OR_RETURN(
        reservation_,
        parts_.quotas.Reserve(plan_->grant->definition, plan_->page_rows, true, now, &page_rows_));
  } else {
    // Counted once; but rows that the first answer did not have were not counted.
    const int64_t counted = std::min<int64_t>(place_.rows, plan_->page_rows);
    SLUICE_ASSIGN_OR_RETURN(reservation_, parts_.quotas.ReserveMore(
                                              plan_->grant->definition, plan_->page_rows - counted,
                                              counted > 0 ? 0 : 1, now, &page_rows_));
    page_rows_ += counted;
  }
  cut_by_quota_ = page_rows_ < plan_->page_rows;
  const std::string& source = plan_->dataset->definition.source();
  source_ = snapshot->directory->sources.contains(source) ? parts_.sources.Find(source) : nullptr;
  if (source_ == nullptr)
    return Error(v1::REASON_SOURCE_UNAVAILABLE,
                 absl::StrCat("source ", source, " is not set up. Nothing was released."),
                 {{"source", source}});
  return absl::OkStatus();
}

void QueryRun::Deny(const policy::Denial& denial) {
  audit::Draft draft = DraftFor(v1::RECORD_KIND_DENIED, call_);
  v1::AuditEnvelope& envelope = draft.envelope;
  envelope.set_dataset(denial.dataset != nullptr ? denial.dataset->definition.name() : "");
  // A name that is no dataset's may be anything, an identifier too: it is not kept.
  if (denial.dataset != nullptr) {
    envelope.set_dataset_revision(denial.dataset->definition.revision());
    envelope.set_owner_agency(denial.dataset->owner_agency);
    if (snapshot_->directory->purposes.contains(request_.purpose()))
      envelope.set_purpose(request_.purpose());
  }
  if (denial.grant != nullptr) {
    envelope.set_grant(denial.grant->definition.id());
    envelope.set_grant_revision(denial.grant->definition.revision());
  }
  FillAsked(denial.dataset.get(), denial.asked, !denial.asked.empty(), draft);
  envelope.set_subjects_released(v1::SUBJECT_SCOPE_NONE);
  Finish(denial.status, v1::RECORD_KIND_DENIED, std::move(draft));
}

void QueryRun::End(absl::Status why, v1::RecordKind kind) {
  if (running_ == nullptr ||
      !running_->Advance(RunningExchange::State::kRunning, RunningExchange::State::kDone)) {
    return;
  }
  running_->CancelReader();
  audit::Draft draft = DraftFor(kind, call_);
  FillPlan(draft);
  Finish(std::move(why), kind, std::move(draft));
}

// The refusal or failure is recorded, then told. `draft` has all but reason and message.
void QueryRun::Finish(absl::Status why, v1::RecordKind kind, audit::Draft draft) {
  reservation_.Settle(0);
  parts_.request_ids.GiveBack(place_);
  absl::Status told = PublicStatus(why, call_.call_id, parts_.operations);
  AddKey(told, "call", call_.call_id);
  if (!request_id_.empty()) AddKey(told, "request_id", request_id_);
  draft.envelope.set_reason(ReasonOf(told));
  draft.detail.set_message(std::string(told.message()));
  draft.detail.set_request_id(request_id_);
  auto answer = [run = shared_from_this(), told](absl::StatusOr<int64_t> index) mutable {
    if (run->running_ != nullptr) run->parts_.running.Remove(run->running_);
    if (!index.ok()) {
      // What could not be recorded is not even told apart.
      told = PublicStatus(index.status(), run->call_.call_id, run->parts_.operations);
      AddKey(told, "call", run->call_.call_id);
    } else if (*index >= 0) {
      AddKey(told, "index", absl::StrCat(*index));
    }
    run->done_(std::move(told));
  };
  if (kind == v1::RECORD_KIND_DENIED)
    return parts_.denials.Record(std::move(draft), std::move(answer));
  auto sealed = parts_.sealer.Seal(std::move(draft));
  if (!sealed.ok()) return answer(sealed.status());
  parts_.log.Append(*std::move(sealed),
                    [answer = std::move(answer)](absl::StatusOr<v1::Receipt> receipt) mutable {
                      if (!receipt.ok()) return answer(receipt.status());
                      answer(receipt->index());
                    });
}

}  // namespace sluice::exchange
