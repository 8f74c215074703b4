// One Query on its way, or an owner's preview: a page of rows.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/exchange/answer_run.h"

namespace sluice::exchange {

class QueryRun : public AnswerRun {
 public:
  QueryRun(const BrokerParts& parts, const BrokerLimits& limits, Call call,
           v1::QueryRequest request, Broker::QueryDone done);

  // Decides, reserves, hands over. On the caller's thread; takes microseconds.
  void Start();
  // The same for an owner's preview; the request is empty.
  void StartPreview(const Preview& preview);

 private:
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
  TokenBinding Binding() const;

  absl::Status Reserve() override;
  absl::Status Read(adapters::Adapter& adapter, const adapters::CallContext& context) override;
  absl::Status Take(const records::RecordBatch& scanned,
                    const std::vector<adapters::BadCell>& bad_cells, Page& page);
  // Whether what was read may be told as one page.
  absl::Status CheckPage(bool cut) const;
  absl::Status Encode() override;
  void FillDraft(audit::Draft& draft) const override;
  v1::RecordKind kind() const override;
  void FillReleased(audit::Draft& draft) override;
  void FillSubjects(audit::Draft& draft) const;
  void LetGo(v1::Receipt receipt) override;
  void Tell(absl::Status told) override { done_(std::move(told)); }

  Broker::QueryDone done_;

  std::string access_request_;  // of a preview
  int64_t page_rows_ = 0;
  bool cut_by_quota_ = false;
  std::optional<PagePosition> position_;  // where this page begins, if not at the start

  // Made by the task, let go by the append's callback.
  Page page_;
  v1::QueryResponse response_;
  std::optional<PagePosition> next_;
  std::string digest_;
};

}  // namespace sluice::exchange
