#include "gateway/audit/merkle.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <string>
#include <utility>

#include "gateway/base/error.h"

namespace sluice::audit {
namespace {

absl::Status RefuseProof(const char* why) { return absl::InvalidArgumentError(why); }

// Where a range of more than one leaf splits: the largest power of two below its length.
uint64_t SplitPoint(uint64_t length) { return std::bit_floor(length - 1); }

Hash FoldFromRight(const std::vector<Hash>& subtrees) {
  Hash root = subtrees.back();
  for (size_t i = subtrees.size() - 1; i-- > 0;) root = NodeHash(subtrees[i], root);
  return root;
}

// The root of leaves [begin, end), begin being aligned to the range's largest complete subtree.
absl::StatusOr<Hash> RangeHash(uint64_t begin, uint64_t end, const SubtreeHash& subtree) {
  std::vector<Hash> parts;
  while (begin < end) {
    const uint64_t leaves = std::bit_floor(end - begin);
    SLUICE_ASSIGN_OR_RETURN(const Hash part, subtree(begin, std::countr_zero(leaves)));
    parts.push_back(part);
    begin += leaves;
  }
  return FoldFromRight(parts);
}

// Climbs from a node towards the root as RFC 9162 does: `node` is its position in its level, `last`
// that of the level's last node.
struct Climb {
  uint64_t node;
  uint64_t last;

  bool at_top() const { return last == 0; }
  // Whether the next component stands to the left. Skips the levels in which the last node has no
  // sibling and is carried upwards.
  bool Step() {
    const bool left = (node & 1) != 0 || node == last;
    if (left && (node & 1) == 0) Shift(std::countr_zero(node));
    Shift(1);
    return left;
  }
  void Shift(int levels) {
    // A node of position 0 is the leftmost of every level above, and the top is reached.
    node = levels < 64 ? node >> levels : 0;
    last = levels < 64 ? last >> levels : 0;
  }
};

}  // namespace

Hash EmptyRoot() { return Sha256(""); }

Hash LeafHash(std::string_view entry) { return Sha256({std::string_view("\0", 1), entry}); }

Hash NodeHash(const Hash& left, const Hash& right) {
  // One update of 65 bytes is cheaper than three.
  std::array<char, 1 + 2 * kHashSize> bytes;
  bytes[0] = 1;
  std::memcpy(bytes.data() + 1, left.data(), kHashSize);
  std::memcpy(bytes.data() + 1 + kHashSize, right.data(), kHashSize);
  return Sha256(std::string_view(bytes.data(), bytes.size()));
}

absl::StatusOr<CompactRange> CompactRange::Restore(uint64_t size, std::vector<Hash> hashes) {
  if (hashes.size() != static_cast<size_t>(std::popcount(size))) {
    return RefuseProof("the number of hashes does not fit the size of the compact range");
  }
  CompactRange range;
  range.size_ = size;
  range.hashes_ = std::move(hashes);
  return range;
}

void CompactRange::Append(const Hash& leaf) {
  Hash hash = leaf;
  for (uint64_t bits = size_; (bits & 1) != 0; bits >>= 1) {
    hash = NodeHash(hashes_.back(), hash);
    hashes_.pop_back();
  }
  hashes_.push_back(hash);
  ++size_;
}

Hash CompactRange::Root() const { return hashes_.empty() ? EmptyRoot() : FoldFromRight(hashes_); }

Hash RootOf(const std::vector<Hash>& leaves) {
  CompactRange range;
  for (const Hash& leaf : leaves) range.Append(leaf);
  return range.Root();
}

absl::StatusOr<Hash> RootFromSubtrees(uint64_t size, const SubtreeHash& subtree) {
  if (size == 0) return EmptyRoot();
  return RangeHash(0, size, subtree);
}

absl::StatusOr<std::vector<Hash>> InclusionProof(uint64_t index, uint64_t size,
                                                 const SubtreeHash& subtree) {
  if (index >= size) return RefuseProof("the index is not below the tree's size");
  std::vector<Hash> path;
  uint64_t begin = 0, end = size;
  while (end - begin > 1) {
    const uint64_t middle = begin + SplitPoint(end - begin);
    const bool left = index < middle;
    SLUICE_ASSIGN_OR_RETURN(const Hash sibling, left ? RangeHash(middle, end, subtree)
                                                     : RangeHash(begin, middle, subtree));
    path.push_back(sibling);
    (left ? end : begin) = middle;
  }
  std::reverse(path.begin(), path.end());
  return path;
}

absl::StatusOr<std::vector<Hash>> ConsistencyProof(uint64_t old_size, uint64_t size,
                                                   const SubtreeHash& subtree) {
  if (old_size == 0) return RefuseProof("a consistency proof from size 0 proves nothing");
  if (old_size > size) return RefuseProof("the old size is above the new one");
  std::vector<Hash> path;
  uint64_t begin = 0, end = size;
  while (end != old_size) {
    const uint64_t middle = begin + SplitPoint(end - begin);
    const bool left = old_size <= middle;
    SLUICE_ASSIGN_OR_RETURN(const Hash sibling, left ? RangeHash(middle, end, subtree)
                                                     : RangeHash(begin, middle, subtree));
    path.push_back(sibling);
    (left ? end : begin) = middle;
  }
  // The old root itself is known to whoever checks; a subtree to the right of others is not.
  if (begin != 0) {
    SLUICE_ASSIGN_OR_RETURN(const Hash rest, RangeHash(begin, end, subtree));
    path.push_back(rest);
  }
  std::reverse(path.begin(), path.end());
  return path;
}

absl::StatusOr<Hash> RootFromInclusion(uint64_t index, uint64_t size, const Hash& leaf,
                                       const std::vector<Hash>& path) {
  if (index >= size) return RefuseProof("the index is not below the tree's size");
  Climb climb{index, size - 1};
  Hash root = leaf;
  for (const Hash& component : path) {
    if (climb.at_top()) return RefuseProof("the inclusion path is too long");
    root = climb.Step() ? NodeHash(component, root) : NodeHash(root, component);
  }
  if (!climb.at_top()) return RefuseProof("the inclusion path is too short");
  return root;
}

absl::Status CheckInclusion(uint64_t index, uint64_t size, const Hash& leaf,
                            const std::vector<Hash>& path, const Hash& root) {
  SLUICE_ASSIGN_OR_RETURN(const Hash led_to, RootFromInclusion(index, size, leaf, path));
  if (led_to != root) return RefuseProof("the inclusion path does not lead to the root");
  return absl::OkStatus();
}

absl::Status CheckConsistency(uint64_t old_size, uint64_t size, const Hash& old_root,
                              const Hash& root, const std::vector<Hash>& path) {
  if (old_size == 0) return RefuseProof("a consistency proof from size 0 proves nothing");
  if (old_size > size) return RefuseProof("the old size is above the new one");
  if (old_size == size) {
    if (!path.empty()) return RefuseProof("trees of one size have an empty consistency path");
    if (old_root != root) return RefuseProof("two roots of the same size");
    return absl::OkStatus();
  }
  if (path.empty()) return RefuseProof("the consistency path is empty");

  Climb climb{old_size - 1, size - 1};
  climb.Shift(std::countr_one(climb.node));
  // An old tree that is one complete subtree starts the path itself.
  const bool complete = std::has_single_bit(old_size);
  Hash old_led_to = complete ? old_root : path.front();
  Hash led_to = old_led_to;
  for (size_t i = complete ? 0 : 1; i < path.size(); ++i) {
    if (climb.at_top()) return RefuseProof("the consistency path is too long");
    if (climb.Step()) {
      old_led_to = NodeHash(path[i], old_led_to);
      led_to = NodeHash(path[i], led_to);
    } else {
      led_to = NodeHash(led_to, path[i]);
    }
  }
  if (!climb.at_top()) return RefuseProof("the consistency path is too short");
  if (old_led_to != old_root)
    return RefuseProof("the consistency path does not lead to the old root");
  if (led_to != root) return RefuseProof("the consistency path does not lead to the new root");
  return absl::OkStatus();
}

}  // namespace sluice::audit
