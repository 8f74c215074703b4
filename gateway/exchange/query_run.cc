#include "gateway/exchange/query_run.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"

namespace sluice::exchange {

QueryRun::QueryRun(const BrokerParts& parts, const BrokerLimits& limits, Call call,
                   v1::QueryRequest request, Broker::QueryDone done)
    : AnswerRun(parts, limits, std::move(call), std::move(request)), done_(std::move(done)) {}

void QueryRun::Start() { Go(Decide(v1::MODE_QUERY)); }

void QueryRun::StartPreview(const Preview& preview) {
  access_.started = parts_.clock.Now();
  access_.request_id = access_.call.call_id;
  access_request_ = preview.access_request;
  Go(DecidePreview(preview.grant));
}

// As the consumer's call would be decided if it held the grant.
policy::Decision QueryRun::DecidePreview(const v1::Grant& definition) {
  auto snapshot = std::make_shared<policy::Snapshot>(*parts_.snapshots.Get());
  policy::Decision refused;
  const auto dataset = snapshot->datasets.find(definition.dataset());
  if (dataset == snapshot->datasets.end()) {
    refused.denial =
        policy::Denial{.status = Error(v1::REASON_DATASET_UNKNOWN, "there is no such dataset.")};
    return refused;
  }
  auto grant = policy::Compile(definition, dataset->second);
  if (!grant.ok()) {
    refused.denial = policy::Denial{.status = grant.status(), .dataset = dataset->second};
    return refused;
  }
  snapshot->by_consumer[absl::StrCat(definition.consumer_agency(), "\n", definition.dataset())] = {
      *grant};
  access_.snapshot = snapshot;
  identity::Principal consumer;
  consumer.kind = identity::PrincipalKind::kSystem;
  consumer.agency = definition.consumer_agency();
  if (!definition.systems().empty()) consumer.name = definition.systems(0);
  return policy::Decide(consumer, access_.request, access_.snapshot, access_.started,
                        limits_.decide);
}

TokenBinding QueryRun::Binding() const {
  v1::QueryRequest request = access_.request;
  request.clear_page_token();
  return access_.Binding(RequestDigest(std::move(request), parts_.pseudonyms));
}

// Everything between the decision and the source: token, repeats, quota.
absl::Status QueryRun::Reserve() {
  const v1::QueryRequest& request = access_.request;
  const policy::Plan& plan = *access_.plan;
  if (is_preview()) {
    page_rows_ = plan.page_rows;
    SLUICE_ASSIGN_OR_RETURN(source_, access_.FindSource());
    return absl::OkStatus();
  }
  if (!request.page_token().empty()) {
    SLUICE_ASSIGN_OR_RETURN(
        position_, parts_.tokens.OpenPage(Binding(), request.page_token(), access_.started));
  }
  const bool named = !request.request_id().empty();
  SLUICE_RETURN_IF_ERROR(
      access_.TakeRequestId(named ? RequestDigest(request, parts_.pseudonyms) : std::string()));
  if (access_.place.first < 0) {
    SLUICE_ASSIGN_OR_RETURN(reservation_,
                            parts_.quotas.Reserve(plan.grant->definition, plan.page_rows, true,
                                                  access_.started, &page_rows_));
  } else {
    // Counted once; but rows that the first answer did not have were not counted.
    const int64_t counted = std::min<int64_t>(access_.place.rows, plan.page_rows);
    SLUICE_ASSIGN_OR_RETURN(
        reservation_, parts_.quotas.ReserveMore(plan.grant->definition, plan.page_rows - counted,
                                                counted > 0 ? 0 : 1, access_.started, &page_rows_));
    page_rows_ += counted;
  }
  cut_by_quota_ = page_rows_ < plan.page_rows;
  SLUICE_ASSIGN_OR_RETURN(source_, access_.FindSource());
  return absl::OkStatus();
}

void QueryRun::FillDraft(audit::Draft& draft) const {
  if (position_) draft.envelope.set_first_page(position_->first_page);
  if (is_preview()) {
    draft.envelope.set_resource_kind("access_request");
    draft.envelope.set_resource_name(access_request_);
  }
}

}  // namespace sluice::exchange
