// Writes frames into the last segment and begins the next one when it is full. The next file is
// zero-filled ahead of time, when the last is half full, so that no append waits for it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "gateway/audit/segment_reader.h"
#include "gateway/base/file_system.h"
#include "gateway/base/mutex.h"

namespace sluice::audit {

// The file of the next segment. The writer's thread wants and takes, the background thread
// prepares.
class NextSegment {
 public:
  NextSegment(FileSystem& files, std::string directory) : files_(files), directory_(directory) {}

  // True the first time for a number: somebody is to call Prepare.
  bool Want(uint64_t number, uint64_t size);
  bool wanted() const;
  // Makes the file that is wanted. The failure is also what Take returns, where it is not one of
  // space: that is tried once more when the file is needed.
  absl::Status Prepare();
  // The file with that number, which has at least `size` zero bytes. Waits while it is prepared.
  struct Taken {
    std::unique_ptr<WritableFile> file;
    uint64_t size = 0;
  };
  absl::StatusOr<Taken> Take(uint64_t number, uint64_t size);

 private:
  enum class State { kNone, kWanted, kPreparing, kDone };
  absl::Status Make(uint64_t number, uint64_t size);

  FileSystem& files_;
  const std::string directory_;
  mutable Mutex mutex_;
  Condition changed_;
  State state_ SLUICE_GUARDED_BY(mutex_) = State::kNone;
  uint64_t number_ SLUICE_GUARDED_BY(mutex_) = 0;
  uint64_t size_ SLUICE_GUARDED_BY(mutex_) = 0;
  absl::Status result_ SLUICE_GUARDED_BY(mutex_);
};

// One thread.
class SegmentWriter {
 public:
  // `last` may be written to at its end.
  SegmentWriter(FileSystem& files, std::string directory, uint64_t segment_bytes,
                SegmentExtent last, NextSegment& next)
      : files_(files),
        directory_(std::move(directory)),
        segment_bytes_(segment_bytes),
        last_(std::move(last)),
        next_(next) {}
  absl::Status Open();

  // Makes room for a frame of that size, beginning a segment where the last has none left: then its
  // header is returned. `cursor` is the log's end.
  absl::StatusOr<std::optional<SegmentHeader>> MakeRoom(uint64_t size, const LogCursor& cursor);
  // Writes and syncs; returns its offset. Never called again after a failure.
  absl::StatusOr<uint64_t> Write(std::string_view frame);
  // Whether the next segment is to be prepared now: true once for each.
  bool WantsNext();

 private:
  FileSystem& files_;
  const std::string directory_;
  const uint64_t segment_bytes_;
  SegmentExtent last_;
  NextSegment& next_;
  std::unique_ptr<WritableFile> file_;
};

}  // namespace sluice::audit
