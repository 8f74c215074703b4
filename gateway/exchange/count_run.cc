#include "gateway/exchange/count_run.h"

#include <limits>

#include "gateway/base/error.h"
#include "gateway/exchange/scan.h"
#include "gateway/policy/apply.h"
#include "gateway/records/row_batch.h"

namespace sluice::exchange {
namespace {

constexpr int kMostGroupFields = 8;

}  // namespace

CountRun::CountRun(const BrokerParts& parts, const BrokerLimits& limits, ToldNumbers& told,
                   Call call, v1::CountRequest request, Broker::CountDone done)
    : AnswerRun(parts, limits, std::move(call), policy::AsQuery(request)),
      told_(told),
      request_(std::move(request)),
      done_(std::move(done)) {}

void CountRun::Start() {
  policy::Decision decision = Decide(v1::MODE_COUNT);
  if (decision.plan && request_.group_by_size() > kMostGroupFields) {
    decision.denial =
        policy::Denial{.status = InvalidField("group_by", "expected at most 8 fields"),
                       .dataset = decision.plan->dataset,
                       .grant = decision.plan->grant,
                       .asked = decision.plan->asked,
                       .names_subjects = decision.plan->names_subjects};
    decision.plan.reset();
  }
  Go(std::move(decision));
}

int64_t CountRun::least() const {
  const int32_t set = access_.plan->grant->definition.least_group();
  return set > 0 ? set : policy::kLeastGroup;
}

// A count is a call, and no rows.
absl::Status CountRun::Reserve() {
  const bool named = !request_.request_id().empty();
  SLUICE_RETURN_IF_ERROR(
      access_.TakeRequestId(named ? RequestDigest(request_, parts_.pseudonyms) : std::string()));
  SLUICE_ASSIGN_OR_RETURN(source_, access_.FindSource());
  if (access_.place.first >= 0) return absl::OkStatus();
  int64_t reserved = 0;
  SLUICE_ASSIGN_OR_RETURN(reservation_, parts_.quotas.Reserve(access_.plan->grant->definition, 0,
                                                              false, access_.started, &reserved));
  return absl::OkStatus();
}

absl::Status CountRun::Read(adapters::Adapter& adapter, const adapters::CallContext& context) {
  const policy::Plan& plan = *access_.plan;
  counter_.emplace(plan.output_schema);
  adapters::ScanRequest scan = MakeScan(plan);
  scan.key.clear();  // in no order
  SLUICE_ASSIGN_OR_RETURN(auto reader, adapter.Scan(std::move(scan), context));
  SLUICE_RETURN_IF_ERROR(
      ReadAll(*reader, *running_, [&](const records::RecordBatch& batch) -> absl::StatusOr<bool> {
        SLUICE_ASSIGN_OR_RETURN(
            const policy::Applied applied,
            policy::Apply(plan, batch, std::numeric_limits<int64_t>::max(), parts_.pseudonyms));
        SLUICE_RETURN_IF_ERROR(counter_->Take(applied.output));
        return true;
      }));
  version_ = reader->version();
  snapshot_ = reader->snapshot();
  return absl::OkStatus();
}

absl::Status CountRun::Encode() {
  const policy::Plan& plan = *access_.plan;
  CountQuestion question =
      QuestionOf(plan.predicate, {request_.group_by().begin(), request_.group_by().end()});
  SLUICE_ASSIGN_OR_RETURN(const policy::GroupRows rows,
                          told_.Take(plan.grant->definition, std::move(question), counter_->rows(),
                                     least(), access_.started));
  const policy::GroupCounter::Told told = counter_->Tell(rows, least());
  std::string payload = records::EncodeRowBatch(told.batch);
  if (payload.size() > limits_.payload_bytes)
    return Error(v1::REASON_RESULT_TOO_LARGE,
                 "the groups are larger than one message may be; group by fewer fields.");
  digest_ = std::string(AsBytes(Sha256(payload)));
  response_.set_payload(std::move(payload));
  response_.set_groups(told.batch.rows());
  response_.set_suppressed(told.suppressed);
  response_.set_least_group(static_cast<int32_t>(least()));
  return absl::OkStatus();
}

void CountRun::FillReleased(audit::Draft& draft) {
  v1::AuditEnvelope& envelope = draft.envelope;
  envelope.set_count(response_.groups());
  envelope.set_digest(digest_);
  envelope.set_payload_bytes(static_cast<int64_t>(response_.payload().size()));
  envelope.set_media_type(std::string(records::kRowBatchMediaType));
  envelope.set_source_version(version_.version);
  draft.detail.set_rejected_records(version_.rejected_records);
  FillResponse(response_);
  FillSource(version_, snapshot_, 0, *response_.mutable_applied());
  response_.set_media_type(envelope.media_type());
}

void CountRun::LetGo(v1::Receipt receipt) {
  const int64_t index = receipt.index();
  *response_.mutable_receipt() = std::move(receipt);
  parts_.request_ids.Released(access_.place, index, 0);
  *response_.mutable_applied()->mutable_quota_left() =
      parts_.quotas.Left(access_.plan->grant->definition, access_.started);
  done_(std::move(response_));
}

}  // namespace sluice::exchange
