// A file system that hands everything on and notes what is written and synced below one folder, so
// that a bare loop can do exactly the same.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/base/file_system.h"
#include "gateway/base/mutex.h"

namespace sluice::bench {

struct Write {
  std::string path;
  bool sync = false;  // or a write
  uint64_t offset = 0;
  size_t bytes = 0;
};

// Any thread may call any function. `files` outlives it.
class WritesRecorded : public FileSystem {
 public:
  WritesRecorded(FileSystem& files, std::string below) : files_(files), below_(std::move(below)) {}

  // What was noted since the last call.
  std::vector<Write> Take();

  absl::StatusOr<std::unique_ptr<WritableFile>> OpenForWrite(const std::string& path,
                                                             uint32_t mode) override;
  absl::StatusOr<std::unique_ptr<WritableFile>> CreateNew(const std::string& path,
                                                          uint32_t mode) override;
  absl::StatusOr<std::unique_ptr<ReadableFile>> OpenForRead(const std::string& path,
                                                            ReadFrom from) override {
    return files_.OpenForRead(path, from);
  }
  absl::Status Rename(const std::string& from, const std::string& to) override {
    return files_.Rename(from, to);
  }
  absl::Status Remove(const std::string& path) override { return files_.Remove(path); }
  absl::Status SyncDirectory(const std::string& path) override {
    return files_.SyncDirectory(path);
  }
  absl::Status CreateDirectories(const std::string& path, uint32_t mode) override {
    return files_.CreateDirectories(path, mode);
  }
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) override {
    return files_.List(path);
  }
  absl::StatusOr<FileInfo> Stat(const std::string& path) override { return files_.Stat(path); }
  absl::StatusOr<std::unique_ptr<FileLock>> Lock(const std::string& path) override {
    return files_.Lock(path);
  }

  void Note(Write write);

 private:
  absl::StatusOr<std::unique_ptr<WritableFile>> Watched(
      const std::string& path, absl::StatusOr<std::unique_ptr<WritableFile>> file);

  FileSystem& files_;
  const std::string below_;
  Mutex mutex_;
  std::vector<Write> noted_ SLUICE_GUARDED_BY(mutex_);
};

}  // namespace sluice::bench
