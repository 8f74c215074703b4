#include "gateway/exchange/check_run.h"

#include <utility>

#include "gateway/base/error.h"

namespace sluice::exchange {

CheckRun::CheckRun(const BrokerParts& parts, const BrokerLimits& limits, Call call,
                   const v1::CheckRequest& request, Done done)
    : limits_(limits),
      mode_(request.mode() == v1::MODE_UNSPECIFIED ? v1::MODE_QUERY : request.mode()),
      access_{.parts = parts, .call = std::move(call), .request = policy::AsQuery(request)},
      done_(std::move(done)) {}

CheckRun::CheckRun(const BrokerParts& parts, const BrokerLimits& limits, Call call,
                   const v1::ReadRequest& request, Done done)
    : limits_(limits),
      mode_(v1::MODE_READ),
      read_digest_(RequestDigest(request, parts.pseudonyms)),
      resume_token_(request.resume_token()),
      access_{.parts = parts, .call = std::move(call), .request = policy::AsQuery(request)},
      done_(std::move(done)) {}

void CheckRun::Start() {
  const BrokerParts& parts = access_.parts;
  access_.started = parts.clock.Now();
  access_.snapshot = parts.snapshots.Get();
  access_.NameRequest();
  policy::Decision decision =
      policy::Decide(*access_.call.principal, access_.request, access_.snapshot, access_.started,
                     limits_.decide, mode_, access_.call.peer);
  const auto told = [run = shared_from_this()](absl::Status status) {
    run->done_(std::move(status));
  };
  if (decision.denial)
    return access_.Refuse(decision.denial->status, access_.Denied(*decision.denial), told);
  access_.plan = *std::move(decision.plan);
  if (absl::Status status = Passes(); !status.ok()) {
    audit::Draft draft = DraftFor(KindFor(status), access_.call);
    access_.FillPlan(draft);
    return access_.Refuse(std::move(status), std::move(draft), told);
  }
  Record();
}

// What a call would run into behind its decision, as far as it can be told without the source.
absl::Status CheckRun::Passes() const {
  if (!resume_token_.empty()) {
    SLUICE_RETURN_IF_ERROR(
        access_.parts.tokens
            .OpenResume(access_.Binding(read_digest_), resume_token_, access_.started)
            .status());
  }
  SLUICE_RETURN_IF_ERROR(
      access_.parts.quotas.Check(access_.plan->grant->definition, access_.started));
  SLUICE_RETURN_IF_ERROR(access_.parts.MayRelease());
  return access_.FindSource().status();
}

void CheckRun::Record() {
  const BrokerParts& parts = access_.parts;
  audit::Draft draft = DraftFor(v1::RECORD_KIND_CHECKED, access_.call);
  access_.FillPlan(draft);
  auto sealed = parts.sealer.Seal(std::move(draft));
  const auto fail = [run = shared_from_this()](const absl::Status& why) {
    absl::Status told = PublicStatus(why, run->access_.call.call_id, run->access_.parts.operations);
    AddKey(told, "call", run->access_.call.call_id);
    run->done_(std::move(told));
  };
  if (!sealed.ok()) return fail(sealed.status());
  parts.log.Append(*std::move(sealed),
                   [run = shared_from_this(), fail](absl::StatusOr<v1::Receipt> receipt) {
                     if (!receipt.ok()) return fail(receipt.status());
                     run->Recorded(*receipt);
                   });
}

void CheckRun::Recorded(const v1::Receipt& receipt) {
  Description description;
  description.schema = access_.plan->output_schema;
  v1::CheckResponse& response = description.check;
  response.set_call_id(access_.call.call_id);
  access_.FillApplied(*response.mutable_applied());
  *response.mutable_applied()->mutable_quota_left() =
      access_.parts.quotas.Left(access_.plan->grant->definition, access_.started);
  *response.mutable_receipt() = receipt;
  done_(std::move(description));
}

}  // namespace sluice::exchange
