// One Match on its way: yes, no or not found about values that the consumer names. Nothing of the
// record leaves, and neither the answer's size nor the moment that it leaves tells of it: a MATCHED
// record and its reply are as long whatever was found, and replies leave at whole steps of time
// after the call came.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "gateway/exchange/answer_run.h"
#include "gateway/exchange/match_tries.h"
#include "gateway/exchange/release_timer.h"
#include "gateway/policy/match.h"

namespace sluice::exchange {

class MatchRun : public AnswerRun {
 public:
  // `tries` and `timer` outlive the run.
  MatchRun(const BrokerParts& parts, const BrokerLimits& limits, MatchTries& tries,
           ReleaseTimer& timer, Call call, v1::MatchRequest request, Broker::MatchDone done);
  // On the caller's thread; takes microseconds, and some more for each item.
  void Start();

 private:
  // The plan's matcher, or why there is none.
  policy::Decision DecideMatch();
  absl::Status Reserve() override;
  absl::Status Read(adapters::Adapter& adapter, const adapters::CallContext& context) override;
  absl::Status Encode() override;
  void FillDraft(audit::Draft& draft) const override;
  v1::RecordKind kind() const override { return v1::RECORD_KIND_MATCHED; }
  void FillReleased(audit::Draft& draft) override;
  void Await(std::function<void()> go) override;
  void LetGo(v1::Receipt receipt) override;
  void Drop() override;
  void Tell(absl::Status told) override { done_(std::move(told)); }

  MatchTries& tries_;
  ReleaseTimer& timer_;
  const v1::MatchRequest request_;
  const Broker::MatchDone done_;
  const ReleaseTimer::Time came_ = std::chrono::steady_clock::now();

  std::optional<policy::Matcher> matcher_;
  QuotaLedger::Reservation misses_;
  std::vector<std::string> tried_;  // keyed digests of the records, in the items' order

  adapters::SourceVersion version_;
  bool snapshot_ = false;
  std::vector<v1::MatchOutcome> outcomes_;
  v1::MatchResponse response_;
  std::string digest_;
};

}  // namespace sluice::exchange
