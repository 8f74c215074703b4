// A batch as it stands in a segment: one frame, written at once and made durable by one sync.
// docs/formats/audit-log.md has the layout byte by byte; this is its only reader and writer.
//
// Pure functions and values; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/audit/merkle.h"
#include "gateway/base/clock.h"

namespace sluice::audit {

inline constexpr size_t kFrameHeader = 96;
inline constexpr size_t kMaxEnvelope = 65'535;
// A detail of 1 MiB and what sealing adds (nonce, tag, random bytes, key name).
inline constexpr size_t kMaxSealedDetail = (1 << 20) + 4096;
// No frame is longer, padding apart; a reader holds one in memory.
inline constexpr size_t kMaxFrame = 16 << 20;

struct FrameHeader {
  uint32_t length = 0;       // of header and records, without padding
  uint32_t count = 0;        // of records, at least 1
  uint64_t sequence = 0;     // of the batch, from 1, over all segments
  uint64_t epoch = 0;        // of the opening of the log that wrote it, from 1
  uint64_t first_index = 0;  // of the first record
  Micros time = 0;           // the writer's clock
  ClockState clock = ClockState::kUnknown;
  Hash tree = {};  // root of the tree of the records before this batch
};

struct RecordView {
  std::string_view envelope;
  std::string_view sealed_detail;
};

// Bytes that a record takes within a frame.
constexpr size_t RecordBytes(size_t envelope, size_t detail) { return 8 + envelope + detail; }

// Encodes into `out` (replaced): header, records, zeros up to a multiple of kBlock. Length and
// count come from the records.
void EncodeFrame(FrameHeader header, const std::vector<RecordView>& records, std::string& out);

// What stands at the beginning of `bytes` (at least kFrameHeader of them), where it may be a frame
// of a file of which `room` bytes are left. The checksum is not checked: that needs the whole
// frame. DATA_LOSS in words otherwise.
absl::StatusOr<FrameHeader> DecodeFrameHeader(std::string_view bytes, uint64_t room);

// Checks the whole frame, padding included; `bytes` is exactly RoundUp(header.length) long. The
// views point into `bytes`. DATA_LOSS in words.
absl::StatusOr<std::vector<RecordView>> DecodeFrame(const FrameHeader& header,
                                                    std::string_view bytes);

}  // namespace sluice::audit
