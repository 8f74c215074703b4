#include "adapters/postgres/pool.h"

#include "adapters/postgres/errors.h"
#include "gateway/base/error.h"

namespace sluice::adapters::postgres {
namespace {

constexpr Micros kTableAge = 5 * kSecond;
constexpr size_t kMostTables = 1'000;

}  // namespace

Lease::Lease(std::shared_ptr<Pool> pool, std::unique_ptr<Connection> connection)
    : pool_(std::move(pool)), connection_(std::move(connection)) {}

Lease::~Lease() {
  if (pool_ != nullptr) pool_->Release(std::move(connection_), kept_);
}

void Lease::Abandon() { pool_->canceller().Cancel(connection_->raw()); }

bool Lease::Keep(bool must) {
  if (kept_) return true;
  MutexLock lock(pool_->mutex_);
  if (!must && !pool_->RoomToKeep()) return false;
  ++pool_->kept_;
  return kept_ = true;
}

absl::StatusOr<Lease> Pool::Acquire(const Watch& watch) {
  std::vector<std::unique_ptr<Connection>> stale;  // closed without the lock
  {
    MutexLock lock(mutex_);
    Micros waited = 0;
    for (;;) {
      while (!idle_.empty()) {
        std::unique_ptr<Connection> connection = std::move(idle_.back());
        idle_.pop_back();
        if (!connection->WentStale()) return Lease(shared_from_this(), std::move(connection));
        stale.push_back(std::move(connection));
        --open_;
      }
      if (open_ < settings_.most_connections) break;
      SLUICE_RETURN_IF_ERROR(watch.Check());
      constexpr Micros kLook = 10 * kMillisecond;
      if (waited >= settings_.statement_timeout_ms * kMillisecond)
        return Unavailable("all of the gateway's connections to the source are in use");
      if (!released_.WaitFor(mutex_, std::chrono::microseconds(kLook))) waited += kLook;
    }
    ++open_;
  }
  auto connection = Connection::Open(settings_, watch);
  if (!connection.ok()) {
    {
      MutexLock lock(mutex_);
      --open_;
    }
    released_.NotifyOne();
    return connection.status();
  }
  return Lease(shared_from_this(), *std::move(connection));
}

void Pool::Release(std::unique_ptr<Connection> connection, bool kept) {
  const bool serves = connection->CanServe();
  {
    MutexLock lock(mutex_);
    if (kept) --kept_;
    if (serves) {
      idle_.push_back(std::move(connection));
    } else {
      --open_;
    }
  }
  released_.NotifyOne();
}

bool Pool::MayKeep() const {
  MutexLock lock(mutex_);
  return RoomToKeep();
}

absl::StatusOr<std::shared_ptr<const TableInfo>> Pool::Table(Connection& connection,
                                                             const std::string& name,
                                                             const Watch& watch) {
  const Micros now = watch.clock() == nullptr ? 0 : watch.clock()->Monotonic();
  {
    MutexLock lock(mutex_);
    const auto known = tables_.find(name);
    if (known != tables_.end() && watch.clock() != nullptr &&
        now - known->second.read_at < kTableAge)
      return known->second.info;
  }
  SLUICE_ASSIGN_OR_RETURN(std::shared_ptr<const TableInfo> table,
                          ReadTable(connection, settings_, name, watch));
  MutexLock lock(mutex_);
  // Only tables that exist are kept, so that asking for others cannot fill the memory.
  if (table == nullptr) {
    tables_.erase(name);
    return table;
  }
  if (tables_.size() >= kMostTables) tables_.clear();
  KnownTable& known = tables_[name];
  // The same one while it is the same: what was planned from it stays good.
  if (known.info == nullptr || !(*known.info == *table)) known.info = std::move(table);
  known.read_at = now;
  return known.info;
}

void Pool::ForgetTable(const std::string& table) {
  MutexLock lock(mutex_);
  tables_.erase(table);
}

}  // namespace sluice::adapters::postgres
