// A file system that hands everything on and notes what is written and synced below one folder, so
// that a bare loop can do exactly the same.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bench/forwarding_files.h"
#include "gateway/base/mutex.h"

namespace sluice::bench {

struct Write {
  std::string path;
  bool sync = false;  // or a write
  uint64_t offset = 0;
  size_t bytes = 0;
};

// Any thread may call any function. `files` outlives it.
class WritesRecorded : public ForwardingFiles {
 public:
  WritesRecorded(FileSystem& files, std::string below)
      : ForwardingFiles(files), below_(std::move(below)) {}

  // What was noted since the last call.
  std::vector<Write> Take();

  absl::StatusOr<std::unique_ptr<WritableFile>> OpenForWrite(const std::string& path,
                                                             uint32_t mode) override;
  absl::StatusOr<std::unique_ptr<WritableFile>> CreateNew(const std::string& path,
                                                          uint32_t mode) override;

  void Note(Write write);

 private:
  absl::StatusOr<std::unique_ptr<WritableFile>> Watched(
      const std::string& path, absl::StatusOr<std::unique_ptr<WritableFile>> file);

  const std::string below_;
  Mutex mutex_;
  std::vector<Write> noted_ SLUICE_GUARDED_BY(mutex_);
};

}  // namespace sluice::bench
