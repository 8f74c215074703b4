// One Count on its way: rows are read, filtered and masked as for a stream, and only numbers of
// them leave.
#pragma once

#include <optional>
#include <string>

#include "gateway/exchange/answer_run.h"
#include "gateway/exchange/told_numbers.h"
#include "gateway/policy/group_counter.h"

namespace sluice::exchange {

class CountRun : public AnswerRun {
 public:
  // `told` outlives the run.
  CountRun(const BrokerParts& parts, const BrokerLimits& limits, ToldNumbers& told, Call call,
           v1::CountRequest request, Broker::CountDone done);
  void Start();

 private:
  SourceAtWork::Part part() const override { return SourceAtWork::Part::kStream; }
  absl::Status Reserve() override;
  absl::Status Read(adapters::Adapter& adapter, const adapters::CallContext& context) override;
  absl::Status Encode() override;
  v1::RecordKind kind() const override { return v1::RECORD_KIND_COUNTED; }
  void FillReleased(audit::Draft& draft) override;
  void LetGo(v1::Receipt receipt) override;
  void Tell(absl::Status told) override { done_(std::move(told)); }

  int64_t least() const;

  ToldNumbers& told_;
  const v1::CountRequest request_;
  const Broker::CountDone done_;
  std::optional<policy::GroupCounter> counter_;
  adapters::SourceVersion version_;
  bool snapshot_ = false;
  v1::CountResponse response_;
  std::string digest_;
};

}  // namespace sluice::exchange
