#include "gateway/audit/segment.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gateway/audit/crc32c.h"
#include "gateway/audit/wire.h"
#include "gateway/base/check.h"
#include "gateway/base/error.h"

namespace sluice::audit {
namespace {

constexpr std::string_view kMagic = "SLUSEGMT";
constexpr uint32_t kFormatVersion = 1;
constexpr size_t kZeroesAtOnce = 1 << 20;
constexpr uint64_t kSyncEvery = 8 << 20;

// Offsets. The checksum covers everything behind it, to the block's end.
enum : size_t {
  kChecksum = 8,
  kVersionAt = 12,
  kNumber = 16,
  kSize = 24,
  kEpoch = 32,
  kFirstIndex = 40,
  kFirstSequence = 48,
  kPrevious = 56,
  kPreviousEnd = 64,
  kSupersedes = 72,
  kSupersedesFrom = 80,
  kHasRest = 88,     // 0 or 1, 32 bits
  kOriginSize = 92,  // 32 bits
  kRest = 96,
  kOrigin = 128,
  kTree = 384,  // hashes of the compact range, as many as first_index has bits set
};

absl::Status BadSegment(std::string_view what) {
  return absl::DataLossError(absl::string_view(what.data(), what.size()));
}

}  // namespace

std::string EncodeSegmentHeader(const SegmentHeader& header) {
  SLUICE_CHECK(header.origin.size() <= kMaxOrigin && header.tree.size() == header.first_index);
  std::string out(kSegmentHeader, '\0');
  char* const to = out.data();
  std::memcpy(to, kMagic.data(), kMagic.size());
  PutInteger<uint32_t>(to + kVersionAt, kFormatVersion);
  PutInteger<uint64_t>(to + kNumber, header.number);
  PutInteger<uint64_t>(to + kSize, header.size);
  PutInteger<uint64_t>(to + kEpoch, header.epoch);
  PutInteger<uint64_t>(to + kFirstIndex, header.first_index);
  PutInteger<uint64_t>(to + kFirstSequence, header.first_sequence);
  PutInteger<uint64_t>(to + kPrevious, header.previous);
  PutInteger<uint64_t>(to + kPreviousEnd, header.previous_end);
  PutInteger<uint64_t>(to + kSupersedes, header.supersedes);
  PutInteger<uint64_t>(to + kSupersedesFrom, header.supersedes_from);
  PutInteger<uint32_t>(to + kHasRest, header.previous_rest.has_value());
  PutInteger<uint32_t>(to + kOriginSize, static_cast<uint32_t>(header.origin.size()));
  if (header.previous_rest) std::memcpy(to + kRest, header.previous_rest->data(), kHashSize);
  std::memcpy(to + kOrigin, header.origin.data(), header.origin.size());
  size_t at = kTree;
  for (const Hash& hash : header.tree.hashes()) {
    std::memcpy(to + at, hash.data(), kHashSize);
    at += kHashSize;
  }
  PutInteger<uint32_t>(to + kChecksum, Crc32c(std::string_view(out).substr(kVersionAt)));
  return out;
}

absl::StatusOr<SegmentHeader> DecodeSegmentHeader(std::string_view bytes) {
  if (AllZero(bytes)) return absl::NotFoundError("prepared, not begun");
  if (bytes.size() < kSegmentHeader) return BadSegment("the header is cut off");
  bytes = bytes.substr(0, kSegmentHeader);
  if (bytes.substr(0, kMagic.size()) != kMagic)
    return BadSegment("it does not begin as a segment does");
  if (Crc32c(bytes.substr(kVersionAt)) != GetInteger<uint32_t>(bytes, kChecksum))
    return BadSegment("the header's checksum does not hold");
  if (GetInteger<uint32_t>(bytes, kVersionAt) != kFormatVersion)
    return BadSegment("the header has a version that this program does not know");
  SegmentHeader header;
  header.number = GetInteger<uint64_t>(bytes, kNumber);
  header.size = GetInteger<uint64_t>(bytes, kSize);
  header.epoch = GetInteger<uint64_t>(bytes, kEpoch);
  header.first_index = GetInteger<uint64_t>(bytes, kFirstIndex);
  header.first_sequence = GetInteger<uint64_t>(bytes, kFirstSequence);
  header.previous = GetInteger<uint64_t>(bytes, kPrevious);
  header.previous_end = GetInteger<uint64_t>(bytes, kPreviousEnd);
  header.supersedes = GetInteger<uint64_t>(bytes, kSupersedes);
  header.supersedes_from = GetInteger<uint64_t>(bytes, kSupersedesFrom);
  const uint32_t has_rest = GetInteger<uint32_t>(bytes, kHasRest);
  const uint32_t origin_size = GetInteger<uint32_t>(bytes, kOriginSize);
  if (has_rest > 1 || origin_size > kMaxOrigin || header.size % kBlock != 0 ||
      header.size < kSegmentHeader || header.previous >= std::max<uint64_t>(header.number, 1))
    return BadSegment("the header contradicts itself");
  if (has_rest == 1) header.previous_rest = HashFromBytes(bytes.substr(kRest, kHashSize));
  header.origin = std::string(bytes.substr(kOrigin, origin_size));
  std::vector<Hash> hashes;
  for (uint64_t bits = header.first_index; bits != 0; bits &= bits - 1)
    hashes.push_back(HashFromBytes(bytes.substr(kTree + hashes.size() * kHashSize, kHashSize)));
  SLUICE_ASSIGN_OR_RETURN(header.tree,
                          CompactRange::Restore(header.first_index, std::move(hashes)));
  // One form only: what no field reads is zero.
  if (EncodeSegmentHeader(header) != bytes) return BadSegment("the header holds more than it may");
  return header;
}

std::string SegmentName(uint64_t number) { return absl::StrFormat("%06d", number); }

uint64_t SegmentNumber(std::string_view name) {
  uint64_t number = 0;
  if (!absl::SimpleAtoi(absl::string_view(name.data(), name.size()), &number)) return 0;
  return SegmentName(number) == name ? number : 0;
}

std::string SegmentPath(const std::string& directory, uint64_t number) {
  return JoinPath(JoinPath(directory, "segments"), SegmentName(number));
}

std::string Place(uint64_t number, uint64_t offset) {
  return absl::StrCat("segments/", SegmentName(number), ", byte ", offset);
}

absl::Status CreateZeroed(FileSystem& files, const std::string& path, uint64_t size) {
  SLUICE_ASSIGN_OR_RETURN(auto file, files.CreateNew(path));
  const std::string zeros(std::min<uint64_t>(size, kZeroesAtOnce), '\0');
  for (uint64_t at = 0; at < size; at += zeros.size()) {
    SLUICE_RETURN_IF_ERROR(
        file->WriteAt(at, std::string_view(zeros).substr(0, std::min(size - at, zeros.size()))));
    // Often, so that the syncs of appends next to it do not wait for one long flush.
    if ((at + zeros.size()) % kSyncEvery == 0) SLUICE_RETURN_IF_ERROR(file->Sync());
  }
  SLUICE_RETURN_IF_ERROR(file->Sync());
  return file->Close();
}

}  // namespace sluice::audit
