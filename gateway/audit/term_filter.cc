#include "gateway/audit/term_filter.h"

#include <algorithm>

#include "gateway/audit/crc32c.h"

namespace sluice::audit {
namespace {

constexpr size_t kWordsALine = 8;
constexpr size_t kLineBytes = 8 * kWordsALine;
constexpr int64_t kTermsALine = 8 * static_cast<int64_t>(kLineBytes) / 10;
constexpr int kBitsATerm = 6;
constexpr int kBitsOfAPlace = 9;  // a line has 512
constexpr size_t kFilterSum = 4;

// Terms are random already, those of a test perhaps not: SplitMix64's last steps.
uint64_t Mix(uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

uint32_t SumOfFilter(std::string_view lines, int64_t run) {
  char number[8];
  for (int i = 0; i < 8; ++i) number[i] = static_cast<char>(static_cast<uint64_t>(run) >> (8 * i));
  return Crc32c(lines, Crc32c({number, sizeof(number)}));
}

}  // namespace

TermFilter::TermFilter(size_t lines, FilterRoom& room) : room_(room), words_(lines * kWordsALine) {
  room_.left -= lines * kLineBytes;
}

TermFilter::~TermFilter() { room_.left += words_.size() * 8; }

std::shared_ptr<TermFilter> TermFilter::Make(int64_t terms, FilterRoom& room) {
  const auto lines = static_cast<size_t>(std::max<int64_t>(1, terms / kTermsALine + 1));
  if (lines > room.left / kLineBytes) return nullptr;
  return std::shared_ptr<TermFilter>(new TermFilter(lines, room));
}

absl::StatusOr<std::shared_ptr<TermFilter>> TermFilter::Unpack(std::string_view bytes, int64_t run,
                                                               FilterRoom& room) {
  if (bytes.size() < kFilterSum + kLineBytes || (bytes.size() - kFilterSum) % kLineBytes != 0)
    return absl::DataLossError("a filter of terms is cut off");
  const std::string_view lines = bytes.substr(kFilterSum);
  uint32_t sum = 0;
  for (size_t i = 0; i < kFilterSum; ++i)
    sum |= uint32_t{static_cast<uint8_t>(bytes[i])} << (8 * i);
  if (sum != SumOfFilter(lines, run)) return absl::DataLossError("a filter of terms is damaged");
  if (lines.size() > room.left) return std::shared_ptr<TermFilter>();
  std::shared_ptr<TermFilter> filter(new TermFilter(lines.size() / kLineBytes, room));
  for (size_t i = 0; i < lines.size(); ++i)
    filter->words_[i / 8] |= uint64_t{static_cast<uint8_t>(lines[i])} << (8 * (i % 8));
  return filter;
}

size_t TermFilter::LineOf(uint64_t hash) const {
  const uint64_t lines = words_.size() / kWordsALine;
  return ((hash >> 32) * lines >> 32) * kWordsALine;
}

void TermFilter::Add(int64_t term) {
  const uint64_t hash = Mix(static_cast<uint64_t>(term));
  uint64_t* const line = &words_[LineOf(hash)];
  uint64_t places = Mix(hash);
  for (int i = 0; i < kBitsATerm; ++i, places >>= kBitsOfAPlace)
    line[places >> 6 & (kWordsALine - 1)] |= uint64_t{1} << (places & 63);
}

bool TermFilter::MayHave(int64_t term) const {
  const uint64_t hash = Mix(static_cast<uint64_t>(term));
  const uint64_t* const line = &words_[LineOf(hash)];
  uint64_t places = Mix(hash);
  for (int i = 0; i < kBitsATerm; ++i, places >>= kBitsOfAPlace)
    if ((line[places >> 6 & (kWordsALine - 1)] >> (places & 63) & 1) == 0) return false;
  return true;
}

std::string TermFilter::Pack(int64_t run) const {
  std::string bytes(kFilterSum, '\0');
  bytes.reserve(kFilterSum + words_.size() * 8);
  for (const uint64_t word : words_)
    for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<char>(word >> (8 * i)));
  const uint32_t sum = SumOfFilter(std::string_view(bytes).substr(kFilterSum), run);
  for (size_t i = 0; i < kFilterSum; ++i) bytes[i] = static_cast<char>(sum >> (8 * i));
  return bytes;
}

}  // namespace sluice::audit
