#include "gateway/audit/index_block.h"

#include <utility>

#include "gateway/audit/crc32c.h"

namespace sluice::audit {
namespace {

constexpr size_t kSumBytes = 4;
// Sum, three numbers, and a posting with its term in full.
constexpr size_t kHeadBytes = kSumBytes + 3 * 10 + 8 + 10;
constexpr size_t kMostPostingBytes = 20;

void PutFixed(std::string& out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

void PutVarint(std::string& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

// Reads what the two above wrote. Behind the end it gives zeros and is not good.
class BlockReader {
 public:
  explicit BlockReader(std::string_view bytes)
      : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}
  uint64_t Fixed(int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes; ++i) value |= uint64_t{Byte()} << (8 * i);
    return value;
  }
  uint64_t Varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const uint8_t byte = Byte();
      value |= uint64_t{byte & 0x7fU} << shift;
      if (byte < 0x80) return value;
    }
    good_ = false;
    return value;
  }
  bool good() const { return good_; }
  bool AtEnd() const { return good_ && at_ == end_; }

 private:
  uint8_t Byte() {
    if (at_ < end_) return static_cast<uint8_t>(*at_++);
    good_ = false;
    return 0;
  }
  const char* at_;
  const char* end_;
  bool good_ = true;
};

uint32_t SumOf(std::string_view rest, int64_t run) {
  std::string number;
  PutFixed(number, static_cast<uint64_t>(run), 8);
  return Crc32c(rest, Crc32c(number));
}

absl::Status BadBlock() { return absl::DataLossError("a block of terms is damaged"); }

// Indices and terms wrap round without overflow.
int64_t Plus(int64_t value, uint64_t more) {
  return static_cast<int64_t>(static_cast<uint64_t>(value) + more);
}
uint64_t Less(int64_t value, int64_t less) {
  return static_cast<uint64_t>(value) - static_cast<uint64_t>(less);
}

// Reads postings one after the other.
class BlockWalk {
 public:
  // Not good where the sum does not fit.
  BlockWalk(std::string_view bytes, int64_t run) : reader_(bytes.substr(0, 0)) {
    if (bytes.size() < kSumBytes || bytes.size() > kBlockBytes) return;
    BlockReader sum(bytes.substr(0, kSumBytes));
    const std::string_view rest = bytes.substr(kSumBytes);
    if (sum.Fixed(kSumBytes) != SumOf(rest, run)) return;
    reader_ = BlockReader(rest);
    number_ = reader_.Varint();
    count_ = left_ = reader_.Varint();
    lowest_ = static_cast<int64_t>(reader_.Varint());
    at_.term = static_cast<int64_t>(reader_.Fixed(8));
    at_.index = Plus(lowest_, reader_.Varint());
    // A posting takes two bytes at least.
    good_ = reader_.good() && count_ > 0 && count_ <= kBlockBytes / 2;
  }
  bool good() const { return good_; }
  uint64_t number() const { return number_; }
  uint64_t count() const { return count_; }
  const Posting& at() const { return at_; }
  // False at the end, and where it is damaged.
  bool Next() {
    if (--left_ == 0) {
      good_ = reader_.AtEnd();
      return false;
    }
    const Posting before = at_;
    const uint64_t on = reader_.Varint();
    at_.term = Plus(at_.term, on);
    at_.index = Plus(on == 0 ? at_.index : lowest_, reader_.Varint());
    good_ = reader_.good() && before < at_;
    return good_;
  }

 private:
  BlockReader reader_;
  uint64_t number_ = 0, count_ = 0, left_ = 0;
  int64_t lowest_ = 0;
  Posting at_;
  bool good_ = false;
};

}  // namespace

bool BlockPacker::Add(const Posting& posting) {
  if (count_ == 0) {
    first_ = posting;
  } else {
    if (kHeadBytes + body_.size() + kMostPostingBytes > kBlockBytes) return false;
    PutVarint(body_, Less(posting.term, last_.term));
    PutVarint(body_, Less(posting.index, posting.term == last_.term ? last_.index : lowest_));
  }
  last_ = posting;
  ++count_;
  return true;
}

std::string BlockPacker::Take() {
  std::string rest;
  rest.reserve(kBlockBytes);
  PutVarint(rest, number_++);
  PutVarint(rest, std::exchange(count_, 0));
  PutVarint(rest, static_cast<uint64_t>(lowest_));
  PutFixed(rest, static_cast<uint64_t>(first_.term), 8);
  PutVarint(rest, Less(first_.index, lowest_));
  rest += body_;
  body_.clear();
  std::string block;
  block.reserve(kSumBytes + rest.size());
  PutFixed(block, SumOf(rest, run_), kSumBytes);
  return block += rest;
}

absl::StatusOr<Block> UnpackBlock(std::string_view bytes, int64_t run) {
  BlockWalk walk(bytes, run);
  if (!walk.good()) return BadBlock();
  Block block;
  block.number = walk.number();
  block.postings.reserve(walk.count());
  do block.postings.push_back(walk.at());
  while (walk.Next());
  if (!walk.good()) return BadBlock();
  return block;
}

absl::StatusOr<std::vector<int64_t>> IndicesInBlock(std::string_view bytes, int64_t run,
                                                    const Posting& first, int64_t term) {
  BlockWalk walk(bytes, run);
  if (!walk.good() || walk.at() != first) return BadBlock();
  std::vector<int64_t> indices;
  do {
    if (walk.at().term > term) return indices;
    if (walk.at().term == term) indices.push_back(walk.at().index);
  } while (walk.Next());
  if (!walk.good()) return BadBlock();
  return indices;
}

}  // namespace sluice::audit
