#include "gateway/audit/frame.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "gateway/audit/crc32c.h"
#include "gateway/audit/wire.h"

namespace sluice::audit {
namespace {

constexpr std::string_view kMagic = "SLUBATCH";

// Offsets within the header. The checksum covers everything from kLength to the frame's end.
enum : size_t {
  kChecksum = 8,
  kLength = 12,
  kCount = 16,
  kClock = 20,  // one byte, three zero
  kSequence = 24,
  kEpoch = 32,
  kFirstIndex = 40,
  kTime = 48,
  kReserved = 56,  // eight zero bytes
  kTree = 64,
};
static_assert(kTree + kHashSize == kFrameHeader);

absl::Status Bad(std::string_view what) {
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
  std::memcpy(head, kMagic.data(), kMagic.size());
  PutInteger<uint32_t>(head + kLength, static_cast<uint32_t>(length));
  PutInteger<uint32_t>(head + kCount, static_cast<uint32_t>(records.size()));
  head[kClock] = static_cast<char>(header.clock);
  PutInteger<uint64_t>(head + kSequence, header.sequence);
  PutInteger<uint64_t>(head + kEpoch, header.epoch);
  PutInteger<uint64_t>(head + kFirstIndex, header.first_index);
  PutInteger<int64_t>(head + kTime, header.time);
  std::memcpy(head + kTree, header.tree.data(), kHashSize);
  for (const RecordView& record : records) {
    char lengths[8];
    PutInteger<uint32_t>(lengths, static_cast<uint32_t>(record.envelope.size()));
    PutInteger<uint32_t>(lengths + 4, static_cast<uint32_t>(record.sealed_detail.size()));
    out.append(lengths, sizeof lengths).append(record.envelope).append(record.sealed_detail);
  }
  const uint32_t checksum = Crc32c(std::string_view(out).substr(kLength));
  PutInteger<uint32_t>(out.data() + kChecksum, checksum);
  out.resize(RoundUp(length));
}

absl::StatusOr<FrameHeader> DecodeFrameHeader(std::string_view bytes, uint64_t room) {
  SLUICE_CHECK(bytes.size() >= kFrameHeader);
  if (bytes.substr(0, kMagic.size()) != kMagic) return Bad("no batch begins here");
  FrameHeader header;
  header.length = GetInteger<uint32_t>(bytes, kLength);
  header.count = GetInteger<uint32_t>(bytes, kCount);
  const uint32_t clock = GetInteger<uint32_t>(bytes, kClock);
  if (header.length < kFrameHeader || header.length > kMaxFrame || RoundUp(header.length) > room)
    return Bad("the batch's length cannot be");
  if (header.count == 0 || header.count > (header.length - kFrameHeader) / RecordBytes(0, 0))
    return Bad("the batch's number of records cannot be");
  if ((clock & 0xffffff) != 0 || clock >> 24 > static_cast<uint32_t>(ClockState::kUnsynchronised) ||
      GetInteger<uint64_t>(bytes, kReserved) != 0)
    return Bad("the batch's header is damaged");
  header.clock = static_cast<ClockState>(clock >> 24);
  header.sequence = GetInteger<uint64_t>(bytes, kSequence);
  header.epoch = GetInteger<uint64_t>(bytes, kEpoch);
  header.first_index = GetInteger<uint64_t>(bytes, kFirstIndex);
  header.time = GetInteger<int64_t>(bytes, kTime);
  header.tree = HashFromBytes(bytes.substr(kTree, kHashSize));
  return header;
}

absl::StatusOr<std::vector<RecordView>> DecodeFrame(const FrameHeader& header,
                                                    std::string_view bytes) {
  SLUICE_CHECK(bytes.size() == RoundUp(header.length));
  const std::string_view covered = bytes.substr(kLength, header.length - kLength);
  if (Crc32c(covered) != GetInteger<uint32_t>(bytes, kChecksum))
    return Bad("the batch's checksum does not hold");
  if (!AllZero(bytes.substr(header.length))) return Bad("the batch's padding is not zero");
  std::string_view rest = bytes.substr(kFrameHeader, header.length - kFrameHeader);
  std::vector<RecordView> records;
  records.reserve(header.count);
  while (records.size() < header.count) {
    if (rest.size() < 8) return Bad("a record's lengths are cut off");
    const size_t envelope = GetInteger<uint32_t>(rest, 0), detail = GetInteger<uint32_t>(rest, 4);
    rest.remove_prefix(8);
    if (envelope > kMaxEnvelope || detail > kMaxSealedDetail || envelope + detail > rest.size())
      return Bad("a record's lengths cannot be");
    records.push_back({rest.substr(0, envelope), rest.substr(envelope, detail)});
    rest.remove_prefix(envelope + detail);
  }
  if (!rest.empty()) return Bad("bytes follow the batch's last record");
  return records;
}

}  // namespace sluice::audit
