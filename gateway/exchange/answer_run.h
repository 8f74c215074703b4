// A call that is answered once, on its way: decided, reserved, asked of the source, recorded, let
// go. What it asks and what it answers is its kind's matter: a page of rows (QueryRun), yes or no
// (MatchRun), numbers (CountRun). Kept alive by whoever works on it.
#pragma once

#include <memory>
#include <string>

#include "gateway/exchange/access.h"

namespace sluice::exchange {

class AnswerRun : public std::enable_shared_from_this<AnswerRun> {
 public:
  AnswerRun(const AnswerRun&) = delete;
  AnswerRun& operator=(const AnswerRun&) = delete;
  virtual ~AnswerRun() = default;

  // Ends the permitted call, by whoever watches over it, with this status, unless its record is
  // being written or it is done.
  void End(absl::Status why) { End(std::move(why), v1::RECORD_KIND_FAILED); }

 protected:
  // `decided_on`: the request as a query.
  AnswerRun(const BrokerParts& parts, const BrokerLimits& limits, Call call,
            v1::QueryRequest decided_on);

  // Decides by the state of now. On the caller's thread; takes microseconds.
  policy::Decision Decide(v1::Mode mode);
  // Refuses, or goes on.
  void Go(policy::Decision decision);
  void End(absl::Status why, v1::RecordKind kind);
  // A record of this kind, with what the plan says.
  audit::Draft DraftOf(v1::RecordKind kind) const;
  // What every answer says of the call, and of what was done to it.
  template <class Response>
  void FillResponse(Response& response) const {
    access_.FillApplied(*response.mutable_applied());
    response.set_call_id(access_.call.call_id);
    response.set_request_id(access_.request_id);
  }

  const BrokerParts& parts_;
  const BrokerLimits& limits_;
  Access access_;
  std::shared_ptr<SourceAtWork> source_;  // from Reserve on
  QuotaLedger::Reservation reservation_;
  std::shared_ptr<RunningExchange> running_;  // from the decision on

 private:
  // One that reads much gives way to those that read little.
  virtual SourceAtWork::Part part() const { return SourceAtWork::Part::kCall; }
  // What lies between the decision and the source: tokens, repeats, quota. Sets source_.
  virtual absl::Status Reserve() = 0;
  // On the source's pool: reads all that the answer needs. The status says how the source did.
  virtual absl::Status Read(adapters::Adapter& adapter, const adapters::CallContext& context) = 0;
  // Makes the answer of what was read.
  virtual absl::Status Encode() = 0;
  // What the record of any outcome says beside the plan.
  virtual void FillDraft(audit::Draft& /*draft*/) const {}
  // The record of the answer, whose digest and counts go into the draft.
  virtual v1::RecordKind kind() const = 0;
  virtual void FillReleased(audit::Draft& draft) = 0;
  // The record is durable: calls `go`, at once or later, from any thread.
  virtual void Await(std::function<void()> go) { go(); }
  virtual void LetGo(v1::Receipt receipt) = 0;
  // What was reserved beside reservation_ is given back.
  virtual void Drop() {}
  virtual void Tell(absl::Status told) = 0;

  void Finish(absl::Status why, audit::Draft draft);
  absl::Status Work(absl::StatusOr<adapters::Adapter*> adapter);
  void Release();
  void Released(v1::Receipt receipt);
};

// Reads on until nothing comes, or `take` says that it is enough or fails.
absl::Status ReadAll(adapters::RecordReader& reader, RunningExchange& running,
                     const std::function<absl::StatusOr<bool>(const records::RecordBatch&)>& take);

}  // namespace sluice::exchange
