// Rows into batches of text, and what is known of those that were made. Where one batch ends and
// the next begins follows from the rows and their order alone, never from time or from how the
// source gave them (docs/formats/stream.md).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gateway/audit/merkle.h"
#include "gateway/records/text_writers.h"
#include "gateway/records/types.h"

namespace sluice::exchange {

inline constexpr std::string_view kJsonLinesMediaType = "application/x-ndjson";
inline constexpr std::string_view kCsvMediaType = "text/csv";

// A batch is complete once it has this many rows or bytes.
inline constexpr int64_t kBatchRows = 2048;
inline constexpr size_t kBatchBytes = 256 << 10;

struct StreamBatch {
  std::string payload;
  int64_t rows = 0;
  int64_t bad_values = 0;                          // let go as null, as they did not fit
  Hash digest = {};                                // SHA-256 of the payload
  std::vector<std::vector<std::string>> subjects;  // raw ids, a row each; leave with the run
};

// What goes with a row beside its text.
struct RowFacts {
  std::vector<std::string> subjects;  // raw ids
  int64_t bad_values = 0;
};

// What is known of a stream's first batches, however many.
class StreamTotals {
 public:
  // Lengths beyond this many batches are not kept.
  static constexpr size_t kMostLengths = 250'000;

  void Add(const StreamBatch& batch);
  int64_t rows() const { return rows_; }
  int64_t bytes() const { return bytes_; }
  int64_t bad_values() const { return bad_values_; }
  int64_t batches() const { return static_cast<int64_t>(tree_.size()); }
  // The RFC 6962 root over the batches' digests.
  Hash digest() const { return tree_.Root(); }
  // Empty where there are too many.
  const std::vector<int32_t>& lengths() const { return lengths_; }

 private:
  int64_t rows_ = 0, bytes_ = 0, bad_values_ = 0;
  audit::CompactRange tree_;
  std::vector<int32_t> lengths_;
};

// One thread at a time.
class BatchMaker {
 public:
  // No payload is larger than `most_bytes`.
  BatchMaker(records::RowTextWriter::Format format, const records::Schema& schema,
             size_t most_bytes)
      : writer_(format, schema), most_bytes_(most_bytes) {
    open_.payload = writer_.header();
  }

  // Adds a row; a batch that is complete by it goes to the end of `done`. ROW_TOO_LARGE.
  absl::Status Add(const records::RecordBatch& batch, int64_t row, RowFacts facts,
                   std::vector<StreamBatch>& done);
  // The last batch, if there is anything in it.
  void Finish(std::vector<StreamBatch>& done);

 private:
  void Close(std::vector<StreamBatch>& done);

  const records::RowTextWriter writer_;
  const size_t most_bytes_;
  StreamBatch open_;
};

}  // namespace sluice::exchange
