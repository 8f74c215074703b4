// Sessions with one source: no more than its settings allow, kept open from one call to the next.
// Any thread may call any function.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/postgres/canceller.h"
#include "adapters/postgres/connection.h"
#include "adapters/postgres/schema.h"
#include "gateway/base/mutex.h"

namespace sluice::adapters::postgres {

class Pool;

// A connection for one thread; goes back when destroyed, or is closed where it cannot serve again.
class Lease {
 public:
  Lease(std::shared_ptr<Pool> pool, std::unique_ptr<Connection> connection);
  ~Lease();
  Lease(Lease&& other) = default;
  Lease& operator=(Lease&& other) = delete;

  Connection& operator*() const { return *connection_; }
  Connection* operator->() const { return connection_.get(); }
  // What runs on it is to end: the server is told, and the connection will be closed.
  void Abandon();
  // It stays with its reader while nobody reads: counted, so that not all do. False, where enough
  // do so already, unless it must.
  bool Keep(bool must);

 private:
  std::shared_ptr<Pool> pool_;
  std::unique_ptr<Connection> connection_;
  bool kept_ = false;
};

class Pool : public std::enable_shared_from_this<Pool> {
 public:
  explicit Pool(PostgresSettings settings) : settings_(std::move(settings)) {}

  // Waits while all connections are in use. SOURCE_UNAVAILABLE where none is to be had.
  absl::StatusOr<Lease> Acquire(const Watch& watch);
  // What the catalogue says of a table, at most a few seconds old. Null where there is none.
  absl::StatusOr<std::shared_ptr<const TableInfo>> Table(Connection& connection,
                                                         const std::string& table,
                                                         const Watch& watch);
  // What was known of it does not hold any more.
  void ForgetTable(const std::string& table);
  // Whether a reader may keep its connection while nobody reads: half of them are for others.
  bool MayKeep() const SLUICE_EXCLUDES(mutex_);
  Canceller& canceller() { return canceller_; }
  const PostgresSettings& settings() const { return settings_; }

 private:
  friend class Lease;
  struct KnownTable {
    std::shared_ptr<const TableInfo> info;
    Micros read_at = 0;  // monotonic
  };
  void Release(std::unique_ptr<Connection> connection, bool kept);
  bool RoomToKeep() const SLUICE_REQUIRES(mutex_) {
    return 2 * (kept_ + 1) <= std::max(settings_.most_connections, 2);
  }

  const PostgresSettings settings_;
  Canceller canceller_;
  mutable Mutex mutex_;
  Condition released_;
  std::vector<std::unique_ptr<Connection>> idle_ SLUICE_GUARDED_BY(mutex_);
  int open_ SLUICE_GUARDED_BY(mutex_) = 0;  // in use or idle
  int kept_ SLUICE_GUARDED_BY(mutex_) = 0;
  std::map<std::string, KnownTable> tables_ SLUICE_GUARDED_BY(mutex_);
};

}  // namespace sluice::adapters::postgres
