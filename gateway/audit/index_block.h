// Terms of details, packed: what one page of the search index holds (index_runs.h).
//
//   4 bytes   CRC-32C of the rest, behind that of the run's number (8 bytes); both little-endian
//   varint    number of the block in its run, from 0
//   varint    how many postings
//   varint    the least index that any posting of the run may have
//   8 bytes   the first term, little-endian; varint: its index less that least one
//   then, for each posting: varint: its term less the one before; and as a varint its index, less
//   the one before where the term is the same, else less that least one
//
// Varints are LEB128. Postings ascend by term, then by index; none comes twice.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace sluice::audit {

// The record of this index has this term.
struct Posting {
  int64_t term = 0, index = 0;
  friend auto operator<=>(const Posting&, const Posting&) = default;
};

// One with its row fits into a page of 4,096 bytes of SQLite.
inline constexpr size_t kBlockBytes = 4040;

class BlockPacker {
 public:
  // Of run `run`, whose indices are at least `lowest`.
  BlockPacker(int64_t run, int64_t lowest) : run_(run), lowest_(lowest) {}

  // False where the block has no room for it. Postings come in their order.
  bool Add(const Posting& posting);
  bool empty() const { return count_ == 0; }
  const Posting& first() const { return first_; }
  const Posting& last() const { return last_; }
  // What was added; then the next block begins.
  std::string Take();

 private:
  const int64_t run_, lowest_;
  uint64_t number_ = 0, count_ = 0;
  Posting first_, last_;
  std::string body_;
};

struct Block {
  uint64_t number = 0;
  std::vector<Posting> postings;  // one at least
};

// DATA_LOSS where it is no whole block of this run.
absl::StatusOr<Block> UnpackBlock(std::string_view bytes, int64_t run);

// The indices of one term in it, rising. DATA_LOSS also where it does not begin with `first`.
absl::StatusOr<std::vector<int64_t>> IndicesInBlock(std::string_view bytes, int64_t run,
                                                    const Posting& first, int64_t term);

}  // namespace sluice::audit
