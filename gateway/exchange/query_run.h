// One Query on its way. Kept alive by whoever works on it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/exchange/broker.h"

namespace sluice::exchange {

class QueryRun : public std::enable_shared_from_this<QueryRun> {
 public:
  QueryRun(const BrokerParts& parts, const BrokerLimits& limits, Call call,
           v1::QueryRequest request, Broker::QueryDone done);

  // Decides, reserves, hands over. On the caller's thread; takes microseconds.
  void Start();
  // Ends the permitted call, by whoever watches over it, with this status, unless its record is
  // being written or it is done.
  void End(absl::Status why) { End(std::move(why), v1::RECORD_KIND_FAILED); }

 private:
  // DENIED for what the call itself ran into of identity and decision (reasons before 70 in
  // reason.proto), FAILED for the rest.
  static v1::RecordKind KindFor(const absl::Status& status);
  void End(absl::Status why, v1::RecordKind kind);

  // What the source gave for one page.
  struct Page {
    std::vector<records::RecordBatch> output;
    int64_t rows = 0;
    int64_t bytes = 0;                               // that output holds
    std::vector<std::vector<records::Scalar>> keys;  // of each row, where pages follow each other
    std::vector<std::vector<std::string>> subjects;  // raw ids of each row; leave with the run
    bool more = false;
    adapters::SourceVersion version;
    bool snapshot = false;
    std::vector<int64_t> bad_values;  // of each row, in fields that the consumer sees
  };

  absl::Status Reserve(const policy::SnapshotPtr& snapshot, Micros now);
  TokenBinding Binding() const;
  void Deny(const policy::Denial& denial);
  void Finish(absl::Status why, v1::RecordKind kind, audit::Draft draft);

  // On the source's pool.
  absl::Status Work(absl::StatusOr<adapters::Adapter*> adapter);
  absl::StatusOr<Page> ReadPage(adapters::Adapter& adapter);
  adapters::ScanRequest MakeScan() const;
  absl::Status Take(const records::RecordBatch& scanned,
                    const std::vector<adapters::BadCell>& bad_cells, Page& page);
  void CountBadValues(const std::vector<int64_t>& kept,
                      const std::vector<adapters::BadCell>& bad_cells, Page& page) const;
  static int64_t BadValues(const Page& page);
  absl::Status Encode(Page& page);
  void Release(const Page& page);
  void Released(const v1::Receipt& receipt);

  void FillPlan(audit::Draft& draft) const;
  void FillAsked(const catalogue::Dataset* dataset,
                 const std::vector<policy::BoundFilter::Asked>& asked, bool named,
                 audit::Draft& draft) const;
  void FillReleased(const Page& page, audit::Draft& draft) const;
  void FillApplied(const Page& page);

  const BrokerParts& parts_;
  const BrokerLimits& limits_;
  const Call call_;
  const v1::QueryRequest request_;
  Broker::QueryDone done_;

  Micros started_ = 0;  // wall clock
  policy::SnapshotPtr snapshot_;
  std::optional<policy::Plan> plan_;
  std::shared_ptr<SourceAtWork> source_;
  std::shared_ptr<RunningExchange> running_;
  QuotaLedger::Reservation reservation_;
  int64_t page_rows_ = 0;
  bool cut_by_quota_ = false;
  std::string request_id_, request_id_digest_, request_digest_;
  std::optional<PagePosition> position_;  // where this page begins, if not at the start
  RequestIds::Place place_;

  // Made by the task, let go by the append's callback.
  v1::QueryResponse response_;
  std::optional<PagePosition> next_;
  std::string digest_;
};

}  // namespace sluice::exchange
