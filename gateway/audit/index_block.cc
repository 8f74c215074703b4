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
  const char* const end_;
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
  if (bytes.size() < kSumBytes || bytes.size() > kBlockBytes) return BadBlock();
  BlockReader sum(bytes.substr(0, kSumBytes));
  const std::string_view rest = bytes.substr(kSumBytes);
  if (sum.Fixed(kSumBytes) != SumOf(rest, run)) return BadBlock();
  BlockReader reader(rest);
  Block block;
  block.number = reader.Varint();
  const uint64_t count = reader.Varint();
  const auto lowest = static_cast<int64_t>(reader.Varint());
  // A posting takes two bytes at least.
  if (count == 0 || count > kBlockBytes / 2) return BadBlock();
  block.postings.reserve(count);
  Posting posting;
  posting.term = static_cast<int64_t>(reader.Fixed(8));
  posting.index = Plus(lowest, reader.Varint());
  block.postings.push_back(posting);
  while (block.postings.size() < count && reader.good()) {
    const uint64_t on = reader.Varint();
    posting.term = Plus(posting.term, on);
    posting.index = Plus(on == 0 ? posting.index : lowest, reader.Varint());
    if (posting <= block.postings.back()) return BadBlock();
    block.postings.push_back(posting);
  }
  if (!reader.AtEnd()) return BadBlock();
  return block;
}

}  // namespace sluice::audit
