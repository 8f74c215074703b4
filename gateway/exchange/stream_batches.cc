#include "gateway/exchange/stream_batches.h"

#include <utility>

#include "gateway/base/error.h"

namespace sluice::exchange {

void StreamTotals::Add(const StreamBatch& batch) {
  rows_ += batch.rows;
  bad_values_ += batch.bad_values;
  bytes_ += static_cast<int64_t>(batch.payload.size());
  tree_.Append(audit::LeafHash(AsBytes(batch.digest)));
  if (tree_.size() <= kMostLengths) {
    lengths_.push_back(static_cast<int32_t>(batch.payload.size()));
  } else {
    lengths_ = {};
  }
}

absl::Status BatchMaker::Add(const records::RecordBatch& batch, int64_t row, RowFacts facts,
                             std::vector<StreamBatch>& done) {
  const size_t before = open_.payload.size();
  writer_.AppendRow(batch, row, open_.payload);
  if (open_.payload.size() > most_bytes_ && before > 0) {
    // It begins the next batch.
    std::string text = open_.payload.substr(before);
    open_.payload.resize(before);
    Close(done);
    open_.payload = std::move(text);
  }
  if (open_.payload.size() > most_bytes_)
    return Error(v1::REASON_ROW_TOO_LARGE, "one row is larger than a message may be.");
  ++open_.rows;
  open_.bad_values += facts.bad_values;
  if (!facts.subjects.empty()) open_.subjects.push_back(std::move(facts.subjects));
  if (open_.rows >= kBatchRows || open_.payload.size() >= kBatchBytes) Close(done);
  return absl::OkStatus();
}

void BatchMaker::Finish(std::vector<StreamBatch>& done) {
  if (!open_.payload.empty()) Close(done);
}

void BatchMaker::Close(std::vector<StreamBatch>& done) {
  open_.digest = Sha256(open_.payload);
  done.push_back(std::exchange(open_, StreamBatch()));
  open_.payload.reserve(kBatchBytes + 4096);
}

}  // namespace sluice::exchange
