// A file system that hands everything on: what others here change a part of.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/base/file_system.h"

namespace sluice::bench {

// Any thread may call any function. `files` outlives it.
class ForwardingFiles : public FileSystem {
 public:
  explicit ForwardingFiles(FileSystem& files) : files_(files) {}

  absl::StatusOr<std::unique_ptr<WritableFile>> OpenForWrite(const std::string& path,
                                                             uint32_t mode) override {
    return files_.OpenForWrite(path, mode);
  }
  absl::StatusOr<std::unique_ptr<WritableFile>> CreateNew(const std::string& path,
                                                          uint32_t mode) override {
    return files_.CreateNew(path, mode);
  }
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

 private:
  FileSystem& files_;
};

}  // namespace sluice::bench
