// Synthetic rows for bulk reads: permits of premises that do not exist, the same in every run. Ten
// columns and a remark, some 180 bytes a row, none of it about a person.
#pragma once

#include <cstdint>
#include <vector>

#include "gateway/records/types.h"

namespace sluice::bench {

// Some batches are held in memory; numbers beyond show the same rows again under other keys, so
// that a table may be larger than memory. Immutable; any thread.
class Permits {
 public:
  static constexpr int64_t kBatchRows = 5000;

  // permit_no int64 (the key, from 1), holder, premises, district, kind utf8, issued and expires
  // date32, fee decimal128(12,2), capital decimal128(18,2), inspected timestamp(utc), remark utf8.
  // Null at times: expires, capital, inspected, remark.
  static const records::SchemaPtr& Schema();

  explicit Permits(int64_t batches);
  // Rows number * kBatchRows and on: their permit_no is one more.
  records::RecordBatch Batch(int64_t number) const;

 private:
  std::vector<records::RecordBatch> batches_;
};

}  // namespace sluice::bench
