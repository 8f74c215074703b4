// A segment: a file of fixed size, zero-filled in advance, whose first block is a header and whose
// further blocks are batches (frame.h) one behind the other, then zeros. docs/formats/audit-log.md
// has the layout.
//
// The header is what makes a file part of the log: it is written and synced when the segment's turn
// comes, or, by recovery, when all that the segment begins with is synced. Before, the file's
// contents mean nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/audit/merkle.h"
#include "gateway/base/file_system.h"

namespace sluice::audit {

inline constexpr uint64_t kSegmentHeader = 4096;
inline constexpr size_t kMaxOrigin = 255;

struct SegmentHeader {
  std::string origin;           // at most kMaxOrigin bytes
  uint64_t number = 0;          // the file's own, from 1
  uint64_t size = 0;            // of the file, a multiple of 4096
  uint64_t epoch = 0;           // of the opening that made it
  uint64_t first_index = 0;     // of the first record in it
  uint64_t first_sequence = 0;  // of the first batch in it

  // The segment whose batches come before, and where reading it stops. 0 where there is none.
  uint64_t previous = 0;
  uint64_t previous_end = 0;
  // SHA-256 of the previous segment's bytes from previous_end on where recovery cut it there, so
  // that also what is set aside cannot be changed unnoticed. Unset: those bytes are zeros.
  std::optional<Hash> previous_rest;

  // Where recovery made it: what it supersedes. Nothing of that segment from that place on is read
  // again. Segments between `previous` and this one are superseded whole. 0 otherwise.
  uint64_t supersedes = 0;
  uint64_t supersedes_from = 0;

  // The compact range of the tree of `first_index` records: reading can begin here.
  CompactRange tree;
};

// A segment in reading order, and where reading it stops.
struct SegmentExtent {
  SegmentHeader header;
  uint64_t end = 0;
};

// Exactly kSegmentHeader bytes.
std::string EncodeSegmentHeader(const SegmentHeader& header);
// DATA_LOSS in words. NOT_FOUND where all bytes are zero: a segment that was prepared and not
// begun.
absl::StatusOr<SegmentHeader> DecodeSegmentHeader(std::string_view bytes);

// "000012"; seven digits and more from a million on.
std::string SegmentName(uint64_t number);
// 0 where it is not the name of a segment.
uint64_t SegmentNumber(std::string_view name);
std::string SegmentPath(const std::string& directory, uint64_t number);
// "segments/000012, byte 4096"
std::string Place(uint64_t number, uint64_t offset);

// Creates a file of `size` zero bytes and syncs it, not its directory.
absl::Status CreateZeroed(FileSystem& files, const std::string& path, uint64_t size);

}  // namespace sluice::audit
