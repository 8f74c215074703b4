// Connections to one source: as many as are in use at once (the source's own pool of threads bounds
// that), a few of them kept open. Any thread may call any function.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/sqlite/connection.h"
#include "gateway/base/mutex.h"

namespace sluice::adapters::sqlite {

// Which file stands at the path, and how it looks from outside.
struct FileState {
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t size = 0;
  int64_t modified_us = 0;
  int64_t modified_ns = 0;  // the rest below a microsecond is kept: it tells versions apart
  bool SameFile(const FileState& other) const {
    return device == other.device && inode == other.inode;
  }
};

class Pool;

// A connection for one thread; goes back when destroyed.
class Lease {
 public:
  Lease(Pool& pool, std::unique_ptr<Connection> connection, FileState file)
      : pool_(&pool), connection_(std::move(connection)), file_(file) {}
  ~Lease();
  Lease(Lease&& other) = default;

  Connection& operator*() const { return *connection_; }
  Connection* operator->() const { return connection_.get(); }
  const FileState& file() const { return file_; }
  // The connection is closed instead of kept.
  void Spoil() { spoiled_ = true; }

 private:
  Pool* pool_;
  std::unique_ptr<Connection> connection_;
  FileState file_;
  bool spoiled_ = false;
};

class Pool {
 public:
  explicit Pool(SqliteSettings settings) : settings_(std::move(settings)) {}

  // With `watch` set on the connection; it must outlive the lease. Never one to a file that no
  // longer stands at the path. SOURCE_UNAVAILABLE where there is no file, or it cannot be opened.
  absl::StatusOr<Lease> Acquire(Watch& watch);
  size_t idle() const;
  // Ends the read transactions that idle connections hold.
  void Rest();
  const std::string& path() const { return settings_.file; }

 private:
  friend class Lease;
  void Release(std::unique_ptr<Connection> connection, const FileState& file, bool spoiled);

  const SqliteSettings settings_;
  mutable Mutex mutex_;
  std::vector<std::unique_ptr<Connection>> idle_ SLUICE_GUARDED_BY(mutex_);
  FileState file_ SLUICE_GUARDED_BY(mutex_);  // that all of idle_ have open
  std::atomic<bool> holding_{false};          // whether one of idle_ may hold a transaction
};

// When the file, or in write-ahead mode its log, was last written; nullopt where there is none.
std::optional<Micros> ModifiedAt(const std::string& path);

}  // namespace sluice::adapters::sqlite
