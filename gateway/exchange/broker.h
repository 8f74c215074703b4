// The way of one exchange: decide, reserve, read, apply, record, release (DESIGN, "The way of one
// exchange"). Knows nothing of gRPC.
//
// Query and Read are called on a gRPC thread and do only what takes microseconds there: the
// decision, the reservation, the hand-over to the source's pool. Everything else is one task in
// that pool, written as straight code, up to the append, whose callback lets the answer go.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "gateway/audit/log.h"
#include "gateway/audit/record.h"
#include "gateway/audit/subjects.h"
#include "gateway/base/operational_log.h"
#include "gateway/base/snapshot_cell.h"
#include "gateway/exchange/denials.h"
#include "gateway/exchange/drift.h"
#include "gateway/exchange/exchange_counts.h"
#include "gateway/exchange/quota.h"
#include "gateway/exchange/read_writer.h"
#include "gateway/exchange/release_gate.h"
#include "gateway/exchange/request_ids.h"
#include "gateway/exchange/running.h"
#include "gateway/exchange/sources.h"
#include "gateway/exchange/tokens.h"
#include "gateway/policy/decide.h"
#include "sluice/v1/exchange.pb.h"

namespace sluice::exchange {

class MatchTries;
class ReleaseTimer;
class ToldNumbers;

// Who calls, and how.
struct Call {
  // Shared by the calls of one certificate. Nobody, and no certificate, until it is known who
  // calls; only refusals are recorded of such a call.
  std::shared_ptr<const identity::Principal> principal = identity::Nobody();
  std::shared_ptr<const certs::VerifiedPeer> certificate;
  std::string call_id;
  std::string peer;     // "ipv4:10.0.0.7:41522"
  std::string method;   // "Exchange.Query"
  Micros deadline = 0;  // on the monotonic clock; 0: none
};

// What the broker stands on. All outlive it and every call.
struct BrokerParts {
  const SnapshotCell<policy::Snapshot>& snapshots;
  Sources& sources;
  RunningExchanges& running;
  QuotaLedger& quotas;
  RequestIds& request_ids;
  Tokens& tokens;
  Denials& denials;
  audit::Log& log;
  audit::RecordSealer& sealer;
  const audit::Pseudonyms& pseudonyms;
  const Clock& clock;
  OperationalLog& operations;
  const DriftWatch& drift;
  const ReleaseGate* gate = nullptr;  // null: always open

  absl::Status MayRelease() const { return gate == nullptr ? absl::OkStatus() : gate->Check(); }
};

// A preview that may be had: the caller is an owner, and would give this grant, which has no id, in
// answer to that access request.
struct Preview {
  std::string access_request;
  v1::Grant grant;
  int32_t rows = 3;
};

// What a stream would be, without its rows.
struct Description {
  v1::CheckResponse check;
  records::SchemaPtr schema;  // of its rows
};

struct BrokerLimits {
  policy::DecideLimits decide;
  // A whole reply stays under 1 MiB: this is for its rows.
  size_t payload_bytes = (1 << 20) - (96 << 10);
  Micros token_life = kHour;
  // Of a stream: what is recorded together before it leaves, what is held where it must be put into
  // no order, and how long a consumer may take nothing. A stream holds three steps, so they are
  // small: two batches of Arrow.
  int64_t step_rows = 16'384;
  int64_t step_bytes = (1 << 20) + (64 << 10);
  int64_t unordered_rows = 16'384;
  int64_t unordered_bytes = 4 << 20;
  Micros stall = 30 * kSecond;
  // Answers of Match leave at whole multiples of this after the call came: longer than one takes.
  Micros match_step = 10 * kMillisecond;
  Micros match_step_per_item = 50;
};

class Broker {
 public:
  using QueryDone = std::function<void(absl::StatusOr<v1::QueryResponse>)>;
  using MatchDone = std::function<void(absl::StatusOr<v1::MatchResponse>)>;
  using CountDone = std::function<void(absl::StatusOr<v1::CountResponse>)>;

  Broker(BrokerParts parts, BrokerLimits limits);
  ~Broker();

  // `done` is called once, from any thread; its status is fit for a foreign agency. The function
  // that is returned gives the call up (CANCELLED), at any time, from any thread.
  std::function<void()> Query(Call call, v1::QueryRequest request, QueryDone done);
  // A stream: messages go to `writer`, which is finished once, after the stream's last record. The
  // function that is returned gives it up.
  std::function<void()> Read(Call call, const v1::ReadRequest& request,
                             std::shared_ptr<ReadWriter> writer);

  // As Query.
  std::function<void()> Match(Call call, v1::MatchRequest request, MatchDone done);
  std::function<void()> Count(Call call, v1::CountRequest request, CountDone done);

  // The decision alone, as Query or Read would make it now, and the quota; recorded.
  void Check(Call call, const v1::CheckRequest& request,
             std::function<void(absl::StatusOr<v1::CheckResponse>)> done);
  // The same for a stream, with what its rows would look like; recorded as a check.
  void Describe(Call call, const v1::ReadRequest& request,
                std::function<void(absl::StatusOr<Description>)> done);
  // A page as the consumer would get it under that grant; recorded as PREVIEWED, counted nowhere.
  std::function<void()> Show(Call call, Preview preview, QueryDone done);

  const BrokerParts& parts() const { return parts_; }
  // How calls and streams ended so far.
  const ExchangeCounts& counts() const { return counts_; }

 private:
  const BrokerParts parts_;
  const BrokerLimits limits_;
  ExchangeCounts counts_;
  const std::unique_ptr<MatchTries> tries_;
  const std::unique_ptr<ToldNumbers> told_;
  const std::unique_ptr<ReleaseTimer> timer_;
};

// The one function that turns a status into what a foreign agency may read: statuses without a
// reason become INTERNAL and say no more; the rest, and what the operator alone may read of others
// (AddOperatorNote), is written to the operational log under the call's id.
absl::Status PublicStatus(const absl::Status& status, std::string_view call_id,
                          OperationalLog& operations);

// The part of a record that is the same for all records of a call.
audit::Draft DraftFor(v1::RecordKind kind, const Call& call);

}  // namespace sluice::exchange
