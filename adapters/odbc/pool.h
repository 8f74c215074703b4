// Sessions with one source: no more than its settings allow, kept open from one call to the next.
// A session whose driver does not come back is left to its own thread, and counted until it does:
// where many hang, no more are begun. Any thread may call any function.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/odbc/schema.h"
#include "adapters/odbc/session.h"
#include "gateway/base/mutex.h"

namespace sluice::adapters::odbc {

class Pool;

// A session for one thread; goes back when destroyed, or is closed where it cannot serve again.
class Lease {
 public:
  Lease(std::shared_ptr<Pool> pool, std::unique_ptr<Session> session);
  ~Lease();
  Lease(Lease&& other) = default;
  Lease& operator=(Lease&& other) = delete;

  Session& operator*() const { return *session_; }
  Session* operator->() const { return session_.get(); }
  // What runs on it is to end: the source is told, and the session will be closed.
  void Abandon();

 private:
  std::shared_ptr<Pool> pool_;
  std::unique_ptr<Session> session_;
};

class Pool : public std::enable_shared_from_this<Pool> {
 public:
  explicit Pool(OdbcSettings settings);
  // Waits a little for sessions to be closed.
  ~Pool();

  // Waits while all sessions are in use. SOURCE_UNAVAILABLE where none is to be had.
  absl::StatusOr<Lease> Acquire(const Watch& watch);
  // What the catalogue says of a table, at most a few seconds old. Null where there is none.
  absl::StatusOr<std::shared_ptr<const TableInfo>> Table(Session& session, const std::string& table,
                                                         const Watch& watch);
  // What was known of it does not hold any more.
  void ForgetTable(const std::string& table);
  const OdbcSettings& settings() const { return settings_; }

 private:
  friend class Lease;
  struct Cancels;
  struct KnownTable {
    std::shared_ptr<const TableInfo> info;
    Micros read_at = 0;  // monotonic
  };
  void Release(std::unique_ptr<Session> session);
  void Cancel(std::function<void()> cancel);
  absl::StatusOr<std::unique_ptr<Session>> OpenSession(const Watch& watch);
  // Sessions whose threads go on, beyond those that are in use or idle.
  int Lingering() SLUICE_REQUIRES(mutex_);

  const OdbcSettings settings_;
  const std::shared_ptr<Cancels> cancels_;
  Mutex mutex_;
  Condition released_;
  std::vector<std::unique_ptr<Session>> idle_ SLUICE_GUARDED_BY(mutex_);
  int open_ SLUICE_GUARDED_BY(mutex_) = 0;  // in use or idle
  std::vector<Worker::Ended> workers_ SLUICE_GUARDED_BY(mutex_);
  std::map<std::string, KnownTable> tables_ SLUICE_GUARDED_BY(mutex_);
};

}  // namespace sluice::adapters::odbc
