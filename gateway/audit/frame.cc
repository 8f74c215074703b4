#include "gateway/audit/frame.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "gateway/audit/crc32c.h"
#include "gateway/audit/wire.h"

namespace sluice::audit {
namespace {

constexpr std::string_view kFrameMagic = "SLUBATCH";

// Offsets within the header. The checksum covers everything from kFrameLength to the frame's end.
enum : size_t {
  kFrameChecksum = 8,
  kFrameLength = 12,
  kFrameCount = 16,
  kFrameClock = 20,  // one byte, three zero
  kFrameSequence = 24,
  kFrameEpoch = 32,
  kFrameFirstIndex = 40,
  kFrameTime = 48,
  kFrameReserved = 56,  // eight zero bytes
  kFrameTree = 64,
};
static_assert(kFrameTree + kHashSize == kFrameHeader);

absl::Status BadFrame(std::string_view what) {
  return absl::DataLossError(absl::string_view(what.data(), what.size()));
}

}  // namespace

bool AllZero(std::string_view bytes) {
  return bytes.empty() ||
         (bytes[0] == 0 && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

void EncodeFrame(FrameHeader header, const std::vector<RecordView>& records, std::string& out) {
  size_t length = kFrameHeader;
  for (const RecordView& record : records)
    length += RecordBytes(record.envelope.size(), record.sealed_detail.size());
  SLUICE_CHECK(length <= kMaxFrame && !records.empty());
  out.clear();
  out.reserve(RoundUp(length));
  out.resize(kFrameHeader);
  char* const head = out.data();
  std::memcpy(head, kFrameMagic.data(), kFrameMagic.size());
  PutInteger<uint32_t>(head + kFrameLength, static_cast<uint32_t>(length));
  PutInteger<uint32_t>(head + kFrameCount, static_cast<uint32_t>(records.size()));
  head[kFrameClock] = static_cast<char>(header.clock);
  PutInteger<uint64_t>(head + kFrameSequence, header.sequence);
  PutInteger<uint64_t>(head + kFrameEpoch, header.epoch);
  PutInteger<uint64_t>(head + kFrameFirstIndex, header.first_index);
  PutInteger<int64_t>(head + kFrameTime, header.time);
  std::memcpy(head + kFrameTree, header.tree.data(), kHashSize);
  for (const RecordView& record : records) {
    char lengths[8];
    PutInteger<uint32_t>(lengths, static_cast<uint32_t>(record.envelope.size()));
    PutInteger<uint32_t>(lengths + 4, static_cast<uint32_t>(record.sealed_detail.size()));
    out.append(lengths, sizeof lengths).append(record.envelope).append(record.sealed_detail);
  }
  const uint32_t checksum = Crc32c(std::string_view(out).substr(kFrameLength));
  PutInteger<uint32_t>(out.data() + kFrameChecksum, checksum);
  out.resize(RoundUp(length));
}

absl::StatusOr<FrameHeader> DecodeFrameHeader(std::string_view bytes, uint64_t room) {
  SLUICE_CHECK(bytes.size() >= kFrameHeader);
  if (bytes.substr(0, kFrameMagic.size()) != kFrameMagic) return BadFrame("no batch begins here");
  FrameHeader header;
  header.length = GetInteger<uint32_t>(bytes, kFrameLength);
  header.count = GetInteger<uint32_t>(bytes, kFrameCount);
  const uint32_t clock = GetInteger<uint32_t>(bytes, kFrameClock);
  if (header.length < kFrameHeader || header.length > kMaxFrame || RoundUp(header.length) > room)
    return BadFrame("the batch's length cannot be");
  if (header.count == 0 || header.count > (header.length - kFrameHeader) / RecordBytes(0, 0))
    return BadFrame("the batch's number of records cannot be");
  if ((clock & 0xffffff) != 0 || clock >> 24 > static_cast<uint32_t>(ClockState::kUnsynchronised) ||
      GetInteger<uint64_t>(bytes, kFrameReserved) != 0)
    return BadFrame("the batch's header is damaged");
  header.clock = static_cast<ClockState>(clock >> 24);
  header.sequence = GetInteger<uint64_t>(bytes, kFrameSequence);
  header.epoch = GetInteger<uint64_t>(bytes, kFrameEpoch);
  header.first_index = GetInteger<uint64_t>(bytes, kFrameFirstIndex);
  header.time = GetInteger<int64_t>(bytes, kFrameTime);
  header.tree = HashFromBytes(bytes.substr(kFrameTree, kHashSize));
  return header;
}

absl::StatusOr<std::vector<RecordView>> DecodeFrame(const FrameHeader& header,
                                                    std::string_view bytes) {
  SLUICE_CHECK(bytes.size() == RoundUp(header.length));
  const std::string_view covered = bytes.substr(kFrameLength, header.length - kFrameLength);
  if (Crc32c(covered) != GetInteger<uint32_t>(bytes, kFrameChecksum))
    return BadFrame("the batch's checksum does not hold");
  if (!AllZero(bytes.substr(header.length))) return BadFrame("the batch's padding is not zero");
  std::string_view rest = bytes.substr(kFrameHeader, header.length - kFrameHeader);
  std::vector<RecordView> records;
  records.reserve(header.count);
  while (records.size() < header.count) {
    if (rest.size() < 8) return BadFrame("a record's lengths are cut off");
    const size_t envelope = GetInteger<uint32_t>(rest, 0), detail = GetInteger<uint32_t>(rest, 4);
    rest.remove_prefix(8);
    if (envelope > kMaxEnvelope || detail > kMaxSealedDetail || envelope + detail > rest.size())
      return BadFrame("a record's lengths cannot be");
    records.push_back({rest.substr(0, envelope), rest.substr(envelope, detail)});
    rest.remove_prefix(envelope + detail);
  }
  if (!rest.empty()) return BadFrame("bytes follow the batch's last record");
  return records;
}

}  // namespace sluice::audit
