// One Query on its way. Kept alive by whoever works on it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/exchange/access.h"

namespace sluice::exchange {

class QueryRun : public std::enable_shared_from_this<QueryRun> {
 public:
  QueryRun(const BrokerParts& parts, const BrokerLimits& limits, Call call,
           v1::QueryRequest request, Broker::QueryDone done);

  // Decides, reserves, hands over. On the caller's thread; takes microseconds.
  void Start();
  // The same for an owner's preview; the request is empty.
  void StartPreview(const Preview& preview);
  // Ends the permitted call, by whoever watches over it, with this status, unless its record is
  // being written or it is done.
  void End(absl::Status why) { End(std::move(why), v1::RECORD_KIND_FAILED); }

 private:
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

  bool is_preview() const { return !access_request_.empty(); }
  policy::Decision DecidePreview(const v1::Grant& grant);
  // What was decided: refuses, or goes on.
  void Go(policy::Decision decision);
  absl::Status Reserve();
  TokenBinding Binding() const;
  // A record of this kind, with what the plan says.
  audit::Draft DraftOf(v1::RecordKind kind) const;
  void Finish(absl::Status why, audit::Draft draft);

  // On the source's pool.
  absl::Status Work(absl::StatusOr<adapters::Adapter*> adapter);
  absl::StatusOr<Page> ReadPage(adapters::Adapter& adapter);
  absl::Status Take(const records::RecordBatch& scanned,
                    const std::vector<adapters::BadCell>& bad_cells, Page& page);
  absl::Status Encode(Page& page);
  void Release(const Page& page);
  void Released(v1::Receipt receipt);

  void FillReleased(const Page& page, audit::Draft& draft) const;

  const BrokerParts& parts_;
  const BrokerLimits& limits_;
  Access access_;
  Broker::QueryDone done_;

  std::string access_request_;  // of a preview
  std::shared_ptr<SourceAtWork> source_;
  std::shared_ptr<RunningExchange> running_;
  QuotaLedger::Reservation reservation_;
  int64_t page_rows_ = 0;
  bool cut_by_quota_ = false;
  std::optional<PagePosition> position_;  // where this page begins, if not at the start

  // Made by the task, let go by the append's callback.
  v1::QueryResponse response_;
  std::optional<PagePosition> next_;
  std::string digest_;
};

}  // namespace sluice::exchange
