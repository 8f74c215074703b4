// The Merkle tree of RFC 6962, section 2.1, with SHA-256: hashes, a compact range to append with,
// proofs and their checks (RFC 9162, sections 2.1.3.2 and 2.1.4.2). Pure functions.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/base/crypto.h"

namespace sluice::audit {

Hash EmptyRoot();
Hash LeafHash(std::string_view entry);
Hash NodeHash(const Hash& left, const Hash& right);

// What must be kept to append: one hash per bit that is set in the size, the largest subtree first.
class CompactRange {
 public:
  CompactRange() = default;
  // INVALID_ARGUMENT where the number of hashes does not fit the size.
  static absl::StatusOr<CompactRange> Restore(uint64_t size, std::vector<Hash> hashes);
  void Append(const Hash& leaf);
  uint64_t size() const { return size_; }
  const std::vector<Hash>& hashes() const { return hashes_; }
  Hash Root() const;

 private:
  uint64_t size_ = 0;
  std::vector<Hash> hashes_;
};

// The root of exactly these leaves.
Hash RootOf(const std::vector<Hash>& leaves);

// The hash of the complete subtree that covers leaves [begin, begin + 2^level). Callers provide it
// from tiles or memory; begin is a multiple of 2^level.
using SubtreeHash = std::function<absl::StatusOr<Hash>(uint64_t begin, int level)>;

// The root of a tree of `size` leaves, from at most 64 subtrees.
absl::StatusOr<Hash> RootFromSubtrees(uint64_t size, const SubtreeHash& subtree);

// Sibling of the leaf first. INVALID_ARGUMENT unless index < size.
absl::StatusOr<std::vector<Hash>> InclusionProof(uint64_t index, uint64_t size,
                                                 const SubtreeHash& subtree);
// INVALID_ARGUMENT unless 0 < old_size <= size. Empty where both are equal.
absl::StatusOr<std::vector<Hash>> ConsistencyProof(uint64_t old_size, uint64_t size,
                                                   const SubtreeHash& subtree);

// OK, or INVALID_ARGUMENT saying what does not hold.
absl::Status CheckInclusion(uint64_t index, uint64_t size, const Hash& leaf,
                            const std::vector<Hash>& path, const Hash& root);
// The root that a path leads to; INVALID_ARGUMENT where the path has the wrong length.
absl::StatusOr<Hash> RootFromInclusion(uint64_t index, uint64_t size, const Hash& leaf,
                                       const std::vector<Hash>& path);
// A proof from size 0 proves nothing and is refused.
absl::Status CheckConsistency(uint64_t old_size, uint64_t size, const Hash& old_root,
                              const Hash& root, const std::vector<Hash>& path);

}  // namespace sluice::audit
