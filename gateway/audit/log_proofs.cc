#include "gateway/audit/log_proofs.h"

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"

namespace sluice::audit {
namespace {

SubtreeHash SubtreesOf(Log& log) {
  return [&log](uint64_t begin, int level) -> absl::StatusOr<Hash> {
    SLUICE_ASSIGN_OR_RETURN(const std::vector<Hash> found, log.Subtrees(begin >> level, level, 1));
    return found[0];
  };
}

}  // namespace

absl::StatusOr<TlogProof> ProveUnder(Log& log, uint64_t index, const CosignedHead& head) {
  const Checkpoint& checkpoint = head.checkpoint;
  TlogProof proof{.index = index, .checkpoint = head.note};
  SLUICE_ASSIGN_OR_RETURN(proof.path, InclusionProof(index, checkpoint.size, SubtreesOf(log)));
  SLUICE_ASSIGN_OR_RETURN(const std::vector<Hash> leaf, log.Subtrees(index, 0, 1));
  if (!CheckInclusion(index, checkpoint.size, leaf[0], proof.path, checkpoint.root).ok())
    return absl::DataLossError(absl::StrCat("#", index, " as read back is not under the head of ",
                                            checkpoint.size, " records that was cosigned"));
  return proof;
}

absl::StatusOr<std::vector<Hash>> ProveConsistency(Log& log, uint64_t old_size, uint64_t size) {
  if (old_size == 0) return std::vector<Hash>();
  return ConsistencyProof(old_size, size, SubtreesOf(log));
}

}  // namespace sluice::audit
