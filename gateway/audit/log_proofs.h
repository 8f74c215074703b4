// Proofs over a log that runs, for heads other than its newest. Blocking; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/audit/log.h"

namespace sluice::audit {

// A head of the log with the signatures of witnesses.
struct CosignedHead {
  std::string note;
  Checkpoint checkpoint;
};

// That the record is under that head. DATA_LOSS where what is read back is not; INVALID_ARGUMENT
// unless index < its size <= the log's.
absl::StatusOr<TlogProof> ProveUnder(Log& log, uint64_t index, const CosignedHead& head);

// From the tree of `old_size` records to that of `size`, 0 < old_size <= size <= the log's; the
// empty one from 0.
absl::StatusOr<std::vector<Hash>> ProveConsistency(Log& log, uint64_t old_size, uint64_t size);

}  // namespace sluice::audit
