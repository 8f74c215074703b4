#include "gateway/exchange/match_run.h"

#include <algorithm>

#include "gateway/base/error.h"
#include "gateway/exchange/released_subjects.h"
#include "gateway/exchange/scan.h"

namespace sluice::exchange {
namespace {

// Case, end user, on behalf of.
constexpr size_t kClaimTags = 3;
constexpr char kMatchMediaType[] = "application/vnd.sluice.match+protobuf";

}  // namespace

MatchRun::MatchRun(const BrokerParts& parts, const BrokerLimits& limits, MatchTries& tries,
                   ReleaseTimer& timer, Call call, v1::MatchRequest request, Broker::MatchDone done)
    : AnswerRun(parts, limits, std::move(call), policy::AsQuery(request)),
      tries_(tries),
      timer_(timer),
      request_(std::move(request)),
      done_(std::move(done)) {}

void MatchRun::Start() { Go(DecideMatch()); }

policy::Decision MatchRun::DecideMatch() {
  policy::Decision decision = Decide(v1::MODE_MATCH);
  if (decision.plan) {
    auto matcher = policy::Matcher::Make(request_, *decision.plan);
    if (matcher.ok()) {
      matcher_ = *std::move(matcher);
      return decision;
    }
    decision.denial = policy::Denial{.status = matcher.status(),
                                     .dataset = decision.plan->dataset,
                                     .grant = decision.plan->grant};
    decision.plan.reset();
  }
  policy::Denial& denial = *decision.denial;
  if (denial.dataset != nullptr) denial.asked = policy::AskedIn(request_, *denial.dataset);
  denial.names_subjects = !denial.asked.empty();
  return decision;
}

absl::Status MatchRun::Reserve() {
  const v1::Grant& grant = access_.plan->grant->definition;
  const bool named = !request_.request_id().empty();
  SLUICE_RETURN_IF_ERROR(
      access_.TakeRequestId(named ? RequestDigest(request_, parts_.pseudonyms) : std::string()));
  SLUICE_ASSIGN_OR_RETURN(source_, access_.FindSource());
  // A repetition asks nothing new.
  if (access_.place.first >= 0) return absl::OkStatus();
  int64_t reserved = 0;
  const int64_t items = request_.items_size();
  SLUICE_ASSIGN_OR_RETURN(reservation_,
                          parts_.quotas.Reserve(grant, items, false, access_.started, &reserved));
  SLUICE_ASSIGN_OR_RETURN(misses_, parts_.quotas.ReserveMisses(grant, items, access_.started));
  std::vector<std::string> records;
  for (const std::string& record : matcher_->records())
    records.push_back(parts_.pseudonyms.ForParameter(grant.dataset(), record));
  SLUICE_RETURN_IF_ERROR(tries_.Take(grant, records, access_.started));
  tried_ = std::move(records);
  return absl::OkStatus();
}

void MatchRun::Drop() {
  misses_.Settle(0);
  if (access_.plan) tries_.GiveBack(access_.plan->grant->definition, tried_, access_.started);
  tried_.clear();
}

absl::Status MatchRun::Read(adapters::Adapter& adapter, const adapters::CallContext& context) {
  SLUICE_ASSIGN_OR_RETURN(auto reader, adapter.Scan(MakeScan(*access_.plan), context));
  SLUICE_RETURN_IF_ERROR(
      ReadAll(*reader, *running_, [&](const records::RecordBatch& batch) -> absl::StatusOr<bool> {
        SLUICE_RETURN_IF_ERROR(matcher_->Take(*access_.plan, batch));
        return true;
      }));
  version_ = reader->version();
  snapshot_ = reader->snapshot();
  return absl::OkStatus();
}

absl::Status MatchRun::Encode() {
  outcomes_ = matcher_->Outcomes();
  std::string payload = matcher_->Encode(access_.plan->grant->definition.match_tells_fields());
  digest_ = std::string(AsBytes(Sha256(payload)));
  response_.set_payload(std::move(payload));
  return absl::OkStatus();
}

// What was named, as keyed digests: of each field those of all items, in order.
void MatchRun::FillDraft(audit::Draft& draft) const {
  for (const std::string& name : access_.request.fields()) {
    v1::ParameterDigest& parameter = *draft.detail.add_parameters();
    parameter.set_name(name);
    for (const v1::MatchItem& item : request_.items()) {
      const auto value = item.values().find(name);
      if (value != item.values().end())
        parameter.add_digests(parts_.pseudonyms.ForParameter(
            access_.plan->grant->definition.dataset(), value->second.SerializeAsString()));
    }
  }
}

void MatchRun::FillReleased(audit::Draft& draft) {
  const catalogue::Dataset& dataset = *access_.plan->dataset;
  v1::AuditEnvelope& envelope = draft.envelope;
  // The envelope, which the consumer gets with its receipt, says the same whatever was found.
  if (!dataset.subject_fields.empty()) {
    envelope.set_subjects_released(v1::SUBJECT_SCOPE_LISTED);
    SubjectList subjects(parts_.pseudonyms, access_.started, *draft.detail.mutable_released());
    for (const auto& [field, id] : matcher_->found())
      subjects.Add(dataset.field(field).subject(), id);
    draft.least_tags = kClaimTags + static_cast<size_t>(draft.detail.asked_size()) +
                       static_cast<size_t>(request_.items_size()) * dataset.subject_fields.size();
  }
  envelope.set_count(request_.items_size());
  envelope.set_match_misses(static_cast<uint32_t>(
      std::count_if(outcomes_.begin(), outcomes_.end(),
                    [](v1::MatchOutcome outcome) { return outcome != v1::MATCH_OUTCOME_MATCH; })));
  envelope.set_digest(digest_);
  envelope.set_payload_bytes(static_cast<int64_t>(response_.payload().size()));
  envelope.set_media_type(kMatchMediaType);
  envelope.set_source_version(version_.version);
  draft.detail.set_rejected_records(version_.rejected_records);
  FillResponse(response_);
  FillSource(version_, snapshot_, 0, *response_.mutable_applied());
  response_.set_media_type(kMatchMediaType);
}

void MatchRun::Await(std::function<void()> go) {
  const std::chrono::microseconds step(limits_.match_step +
                                       limits_.match_step_per_item * request_.items_size());
  const auto took = std::chrono::steady_clock::now() - came_;
  timer_.At(came_ + step * (took / step + 1), std::move(go));
}

void MatchRun::LetGo(v1::Receipt receipt) {
  const v1::Grant& grant = access_.plan->grant->definition;
  const int64_t index = receipt.index();
  *response_.mutable_receipt() = std::move(receipt);
  reservation_.Settle(request_.items_size());
  misses_.Settle(std::count_if(outcomes_.begin(), outcomes_.end(), [](v1::MatchOutcome outcome) {
    return outcome != v1::MATCH_OUTCOME_MATCH;
  }));
  // What was not found, or is as it was named, tells nobody anything of a record to guess on.
  std::vector<std::string> not_in_vain;
  for (size_t i = 0; i < tried_.size(); ++i)
    if (outcomes_[i] != v1::MATCH_OUTCOME_NO_MATCH) not_in_vain.push_back(tried_[i]);
  tries_.GiveBack(grant, not_in_vain, access_.started);
  tried_.clear();
  parts_.request_ids.Released(access_.place, index, request_.items_size());
  *response_.mutable_applied()->mutable_quota_left() = parts_.quotas.Left(grant, access_.started);
  done_(std::move(response_));
}

}  // namespace sluice::exchange
