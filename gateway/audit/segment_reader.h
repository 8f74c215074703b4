// Reads the batches of one segment in order, with one batch in memory, and checks that they
// continue the log. Recovery, the verifier, the signer of heads and readers all read through here.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/audit/frame.h"
#include "gateway/audit/segment.h"
#include "gateway/base/file_system.h"

namespace sluice::audit {

// A batch as read. The views live until the reader's next call.
struct Batch {
  uint64_t offset = 0;
  uint64_t end = 0;  // of its padding
  FrameHeader header;
  std::vector<RecordView> records;
};

// One thread at a time. DATA_LOSS is about the bytes, and says no place: `position` does; every
// other failure is one of reading.
class SegmentReader {
 public:
  static absl::StatusOr<SegmentReader> Open(FileSystem& files, const std::string& path,
                                            ReadFrom from);

  uint64_t file_size() const { return file_size_; }
  absl::StatusOr<SegmentHeader> ReadHeader();

  void Seek(uint64_t offset) { position_ = offset; }
  // Where the next batch is looked for.
  uint64_t position() const { return position_; }
  // The batch at the position, which must end at or before `limit`; moves behind it.
  absl::StatusOr<Batch> Next(uint64_t limit);

  // The end of the last byte in [begin, end) that is not zero; `begin` where all are.
  absl::StatusOr<uint64_t> EndOfBytes(uint64_t begin, uint64_t end);
  // SHA-256 of [begin, end).
  absl::StatusOr<Hash> Digest(uint64_t begin, uint64_t end);
  // The first sound batch from `begin` on whose sequence is at least `sequence`; its offset, or the
  // file's size where there is none.
  absl::StatusOr<uint64_t> FindBatch(uint64_t begin, uint64_t sequence);

 private:
  SegmentReader(std::unique_ptr<ReadableFile> file, uint64_t size)
      : file_(std::move(file)), file_size_(size) {}
  // Bytes [offset, offset + count), which are within the file. Valid until the next call.
  absl::StatusOr<std::string_view> Get(uint64_t offset, size_t count, uint64_t limit);
  absl::Status EachPart(uint64_t begin, uint64_t end,
                        const std::function<void(std::string_view)>& each);

  std::unique_ptr<ReadableFile> file_;
  uint64_t file_size_;
  uint64_t position_ = kSegmentHeader;
  std::string window_;
  uint64_t window_begin_ = 0;
  size_t next_window_ = 0;
};

// Where the log stands while it is read front to back: what the next batch must say.
struct LogCursor {
  uint64_t sequence = 1;  // of the next batch
  uint64_t epoch = 0;     // of the last one; the next has this or a later one
  CompactRange tree;      // of all records before

  // At the beginning of a segment, trusting its header.
  static LogCursor At(const SegmentHeader& header);
  // DATA_LOSS in words where the batch does not come next. Otherwise moves behind it; `leaf`, where
  // given, gets each record's index and leaf hash.
  absl::Status Take(const Batch& batch,
                    const std::function<void(uint64_t, const Hash&)>& leaf = nullptr);
};

}  // namespace sluice::audit
