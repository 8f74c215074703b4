#include "gateway/audit/log_proofs.h"

#include "absl/strings/str_cat.h"
#include "gateway/audit/log_tiles.h"
#include "gateway/base/error.h"

namespace sluice::audit {

absl::StatusOr<TlogProof> ProveUnder(Log& log, uint64_t index, const CosignedHead& head) {
  const Checkpoint& checkpoint = head.checkpoint;
  TlogProof proof{.index = index, .checkpoint = head.note};
  const SubtreeHash subtrees = SubtreesOf(log, checkpoint.size);
  SLUICE_ASSIGN_OR_RETURN(proof.path, InclusionProof(index, checkpoint.size, subtrees));
  SLUICE_ASSIGN_OR_RETURN(const Hash leaf, subtrees(index, 0));
  if (!CheckInclusion(index, checkpoint.size, leaf, proof.path, checkpoint.root).ok())
    return absl::DataLossError(absl::StrCat("#", index, " as read back is not under the head of ",
                                            checkpoint.size, " records that was cosigned"));
  return proof;
}

absl::StatusOr<std::vector<Hash>> ProveConsistency(Log& log, uint64_t old_size, uint64_t size) {
  if (old_size == 0) return std::vector<Hash>();
  return ConsistencyProof(old_size, size, SubtreesOf(log, size));
}

}  // namespace sluice::audit
