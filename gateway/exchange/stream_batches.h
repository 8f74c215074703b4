// Rows into the batches of a stream, and what is known of those that were made. Where one batch
// ends and the next begins follows from the rows and their order alone, never from time or from how
// the source gave them (docs/formats/stream.md); so a stream that goes on behind any batch makes
// the same batches as one that was never cut.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "gateway/audit/merkle.h"
#include "gateway/base/pieces.h"
#include "gateway/records/predicate.h"
#include "gateway/records/types.h"
#include "sluice/v1/audit_record.pb.h"

namespace sluice::exchange {

inline constexpr std::string_view kJsonLinesMediaType = "application/x-ndjson";
inline constexpr std::string_view kCsvMediaType = "text/csv";

// A batch of text is complete once it has this many rows or bytes.
inline constexpr int64_t kBatchRows = 2048;
inline constexpr size_t kBatchBytes = 256 << 10;
// One of Arrow once it has this many rows, or values of this many bytes.
inline constexpr int64_t kArrowBatchRows = 8192;
inline constexpr int64_t kArrowBatchBytes = 512 << 10;

struct StreamBatch {
  // Of Arrow: one message, whose first piece is its metadata with mark and length.
  Pieces payload;
  int64_t rows = 0;
  int64_t bad_values = 0;                          // let go as null, as they did not fit
  Hash digest = {};                                // SHA-256 of the payload
  std::vector<std::vector<std::string>> subjects;  // raw ids, a row each; leave with the run
  // Which row of the Add that completed it is its last; -1 where that was a row of an Add before.
  int64_t last_row = -1;
  // Where a stream goes on behind it; nothing where it has no row before it.
  std::optional<std::vector<records::Scalar>> last_key;
  bool at_end = false;  // no row follows
};

// What goes with rows beside their values. Each list is empty or has an entry a row.
struct RowFacts {
  std::vector<std::vector<std::string>> subjects;  // raw ids
  std::vector<int64_t> bad_values;
};

// What is known of a part of a stream: of its first batches, however many.
class StreamTotals {
 public:
  StreamTotals() = default;
  // A part behind batches with these hashes.
  explicit StreamTotals(audit::CompactRange before)
      : before_(before.size()), tree_(std::move(before)) {}

  void Add(const StreamBatch& batch);
  // Of this part.
  int64_t rows() const { return rows_; }
  int64_t bytes() const { return bytes_; }
  int64_t bad_values() const { return bad_values_; }
  int64_t batches() const { return static_cast<int64_t>(tree_.size() - before_); }
  // Of the whole stream, parts before this one too.
  const audit::CompactRange& tree() const { return tree_; }
  int64_t all_batches() const { return static_cast<int64_t>(tree_.size()); }
  // The RFC 6962 root over the batches' digests.
  Hash digest() const { return tree_.Root(); }

 private:
  int64_t rows_ = 0, bytes_ = 0, bad_values_ = 0;
  uint64_t before_ = 0;
  audit::CompactRange tree_;
};

// How long each batch is, so that a file can be checked later; nothing where they are too many.
class BatchLengths {
 public:
  static constexpr size_t kMost = 250'000;

  void Add(const StreamBatch& batch);
  const std::vector<int32_t>& list() const { return list_; }

 private:
  size_t batches_ = 0;
  std::vector<int32_t> list_;
};

// One thread at a time.
class BatchMaker {
 public:
  virtual ~BatchMaker() = default;
  // Adds rows; batches that are complete by them go to the end of `done`. ROW_TOO_LARGE.
  virtual absl::Status Add(const records::RecordBatch& rows, RowFacts facts,
                           std::vector<StreamBatch>& done) = 0;
  // No more rows come: what is left, if there is anything in it. `whole`: the rows ended, and were
  // not cut off.
  virtual void Finish(bool whole, std::vector<StreamBatch>& done) = 0;
};

// No payload is larger than `most_bytes`. `continued`: batches of the stream stand before. Nothing
// where there is no such media type.
std::unique_ptr<BatchMaker> MakeBatchMaker(std::string_view media_type,
                                           const records::SchemaPtr& schema, size_t most_bytes,
                                           bool continued);
// "application/x-ndjson, text/csv or …": those that there are.
std::string StreamMediaTypes();

}  // namespace sluice::exchange
