// The file system as an interface, so that crash consistency is a unit test: fake_file_system.h
// keeps what was synced, and at a "crash" forgets, tears or reorders what was not.
//
// Errors are absl statuses with the path in the message: NOT_FOUND, ALREADY_EXISTS,
// RESOURCE_EXHAUSTED (no space), and UNKNOWN for other errors of the system, errno named.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sluice {

// An open file for writing. One thread at a time.
class WritableFile {
 public:
  virtual ~WritableFile() = default;
  // Writes all bytes at `offset`, or fails; on failure any part may have been written.
  virtual absl::Status WriteAt(uint64_t offset, std::string_view bytes) = 0;
  // Data and the size needed to read it back are on stable storage (fdatasync). After a failure
  // nothing is known about anything written since the last success: never retry.
  virtual absl::Status Sync() = 0;
  // Errors of close are not lost: call it before the destructor does.
  virtual absl::Status Close() = 0;
};

// An open file for reading. Any thread.
class ReadableFile {
 public:
  virtual ~ReadableFile() = default;
  // Up to `count` bytes from `offset`; fewer only at the end of the file.
  virtual absl::StatusOr<std::string> ReadAt(uint64_t offset, size_t count) = 0;
  virtual absl::StatusOr<uint64_t> Size() = 0;
};

struct FileInfo {
  uint64_t size = 0;
  bool is_directory = false;
  uint32_t mode = 0;        // permission bits
  int64_t modified_us = 0;  // microseconds since 1970 UTC
};

// Holds an exclusive lock until destroyed.
class FileLock {
 public:
  virtual ~FileLock() = default;
};

enum class ReadFrom {
  kCacheAllowed,
  kStorage,  // past the page cache (O_DIRECT), for recovery; where the file system refuses that,
             // the cached pages are dropped first
};

// Any thread may call any function.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  // Opens for writing, creating with `mode` where absent. Existing content stays.
  virtual absl::StatusOr<std::unique_ptr<WritableFile>> OpenForWrite(const std::string& path,
                                                                     uint32_t mode = 0600) = 0;
  // ALREADY_EXISTS where there is one.
  virtual absl::StatusOr<std::unique_ptr<WritableFile>> CreateNew(const std::string& path,
                                                                  uint32_t mode = 0600) = 0;
  virtual absl::StatusOr<std::unique_ptr<ReadableFile>> OpenForRead(
      const std::string& path, ReadFrom from = ReadFrom::kCacheAllowed) = 0;
  virtual absl::Status Rename(const std::string& from, const std::string& to) = 0;
  virtual absl::Status Remove(const std::string& path) = 0;
  // Entries of the directory are on stable storage.
  virtual absl::Status SyncDirectory(const std::string& path) = 0;
  virtual absl::Status CreateDirectories(const std::string& path, uint32_t mode = 0700) = 0;
  // Names, sorted, without "." and "..".
  virtual absl::StatusOr<std::vector<std::string>> List(const std::string& path) = 0;
  virtual absl::StatusOr<FileInfo> Stat(const std::string& path) = 0;
  // FAILED_PRECONDITION where another process or object holds it.
  virtual absl::StatusOr<std::unique_ptr<FileLock>> Lock(const std::string& path) = 0;

  // Helpers over the above.
  // RESOURCE_EXHAUSTED over `limit` bytes.
  absl::StatusOr<std::string> ReadAll(const std::string& path, uint64_t limit = 64 << 20);
  // Under a temporary name, synced, renamed, directory synced: whole or not at all.
  absl::Status WriteAtomically(const std::string& path, std::string_view bytes,
                               uint32_t mode = 0600);
};

std::unique_ptr<FileSystem> MakePosixFileSystem();

// "dir/name"; one slash between.
std::string JoinPath(std::string_view directory, std::string_view name);
// What stands before the last slash ("." where there is none).
std::string DirectoryOf(std::string_view path);

}  // namespace sluice
