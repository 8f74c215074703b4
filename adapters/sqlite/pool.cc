#include "adapters/sqlite/pool.h"

#include <sys/stat.h>

#include "adapters/sqlite/errors.h"
#include "gateway/base/error.h"

namespace sluice::adapters::sqlite {
namespace {

constexpr size_t kMostIdle = 16;

// Straight from the system, as SQLite's own file access is: what matters here is which file SQLite
// would open.
absl::StatusOr<FileState> LookAt(const std::string& path) {
  struct stat info = {};
  if (::stat(path.c_str(), &info) != 0) return Unavailable("the source's file is not there");
  if (!S_ISREG(info.st_mode)) return Unavailable("the source's path is not a file");
  // To SQLite an empty file is a database without tables; to a lender it is a loss.
  if (info.st_size == 0) return Unavailable("the source's file is empty");
  FileState state;
  state.device = info.st_dev;
  state.inode = info.st_ino;
  state.size = info.st_size;
  state.modified_us = info.st_mtim.tv_sec * kSecond + info.st_mtim.tv_nsec / 1000;
  state.modified_ns = info.st_mtim.tv_nsec % 1000;
  return state;
}

}  // namespace

Lease::~Lease() {
  if (connection_ == nullptr) return;
  connection_->SetWatch(nullptr);
  pool_->Release(std::move(connection_), file_, spoiled_);
}

absl::StatusOr<Lease> Pool::Acquire(Watch& watch) {
  SLUICE_ASSIGN_OR_RETURN(const FileState file, LookAt(settings_.file));
  std::unique_ptr<Connection> connection;
  std::vector<std::unique_ptr<Connection>> stale;  // closed without the lock
  {
    MutexLock lock(mutex_);
    if (!file_.SameFile(file)) {
      stale.swap(idle_);
      file_ = file;
    }
    if (!idle_.empty()) {
      connection = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (connection == nullptr) {
    SLUICE_ASSIGN_OR_RETURN(connection, Connection::Open(settings_, watch));
  }
  connection->SetWatch(&watch);
  connection->LetGoOfOld();
  return Lease(*this, std::move(connection), file);
}

void Pool::Release(std::unique_ptr<Connection> connection, const FileState& file, bool spoiled) {
  MutexLock lock(mutex_);
  if (spoiled || !file_.SameFile(file) || idle_.size() >= kMostIdle) return;
  if (connection->held() != nullptr) holding_ = true;
  idle_.push_back(std::move(connection));
}

void Pool::Rest() {
  if (!holding_.exchange(false)) return;
  // Under the lock, which a connection's next user wants as well: it is over in microseconds.
  MutexLock lock(mutex_);
  for (const auto& connection : idle_) connection->LetGo();
}

size_t Pool::idle() const {
  MutexLock lock(mutex_);
  return idle_.size();
}

std::optional<Micros> ModifiedAt(const std::string& path) {
  struct stat info = {};
  if (::stat(path.c_str(), &info) != 0) return std::nullopt;
  return info.st_mtim.tv_sec * kSecond + info.st_mtim.tv_nsec / 1000;
}

}  // namespace sluice::adapters::sqlite
