// Holds what an adapter process sends against what it was asked: a stranger's bytes become a batch
// of the schema asked for, in the order asked for, or an error. One thread.
#pragma once

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/adapter.h"
#include "sluice/v1/adapter.pb.h"

namespace sluice::adapters::remote {

class Checker {
 public:
  // The request outlives it.
  explicit Checker(const ScanRequest& request);

  struct Checked {
    records::RecordBatch batch;
    std::vector<BadCell> bad_cells;
  };
  // Nothing where the message has no batch. SCHEMA_DRIFT for other columns than asked for, rows out
  // of the key's order, and two of one key; SOURCE_BAD_VALUE for nulls where none may be and dates
  // outside of the years 1 to 9999; SOURCE_UNAVAILABLE for what keeps to no protocol.
  absl::StatusOr<std::optional<Checked>> Take(v1::ScanResponse& message);

  int64_t rows() const { return rows_; }  // so far
  // Behind which row a scan goes on: the last one, or what the request says. Only with a key.
  std::optional<KeyPosition> position() const;

 private:
  absl::StatusOr<records::RecordBatch> Decode(v1::ScanResponse& message) const;
  absl::StatusOr<records::RecordBatch> AsAsked(records::RecordBatch batch) const;
  absl::Status CheckValues(const records::RecordBatch& batch) const;
  absl::Status CheckOrder(const records::RecordBatch& batch) const;
  absl::StatusOr<std::vector<BadCell>> CheckCells(const v1::ScanResponse& message,
                                                  const records::RecordBatch& batch) const;

  const ScanRequest& request_;
  const records::SchemaPtr schema_;
  int64_t rows_ = 0;
  // The key of the row before, a column of one row for each; empty before the first.
  std::vector<records::Column> last_;
};

}  // namespace sluice::adapters::remote
