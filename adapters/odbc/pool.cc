#include "adapters/odbc/pool.h"

#include <thread>

#include "adapters/odbc/errors.h"
#include "gateway/base/error.h"

namespace sluice::adapters::odbc {
namespace {

constexpr Micros kTableAge = 5 * kSecond;
constexpr size_t kMostTables = 1'000;
constexpr size_t kMostCancelsWaiting = 64;
constexpr int kMostLingering = 16;
constexpr Micros kClosing = 2 * kSecond;

}  // namespace

// Tells the source to end statements, without anyone waiting for it. It outlives the pool by as
// long as a source hangs.
struct Pool::Cancels {
  Mutex mutex;
  std::deque<std::function<void()>> waiting SLUICE_GUARDED_BY(mutex);
  bool running SLUICE_GUARDED_BY(mutex) = false;

  // The next one to send; null, and nobody runs any more, where there is none.
  std::function<void()> Take() {
    MutexLock lock(mutex);
    if (waiting.empty()) {
      running = false;
      return nullptr;
    }
    std::function<void()> next = std::move(waiting.front());
    waiting.pop_front();
    return next;
  }
};

Lease::Lease(std::shared_ptr<Pool> pool, std::unique_ptr<Session> session)
    : pool_(std::move(pool)), session_(std::move(session)) {}

Lease::~Lease() {
  if (pool_ != nullptr) pool_->Release(std::move(session_));
}

void Lease::Abandon() { pool_->Cancel(session_->Abandon()); }

Pool::Pool(OdbcSettings settings)
    : settings_(std::move(settings)), cancels_(std::make_shared<Cancels>()) {}

Pool::~Pool() {
  std::vector<Worker::Ended> workers;
  {
    MutexLock lock(mutex_);
    idle_.clear();
    workers.swap(workers_);
  }
  Micros left = kClosing;
  for (const Worker::Ended& worker : workers)
    if (!worker.Wait(left)) left = 0;
}

int Pool::Lingering() {
  std::erase_if(workers_, [](const Worker::Ended& worker) { return worker.Wait(0); });
  return static_cast<int>(workers_.size()) - open_;
}

void Pool::Cancel(std::function<void()> cancel) {
  {
    MutexLock lock(cancels_->mutex);
    if (cancels_->waiting.size() >= kMostCancelsWaiting) return;
    cancels_->waiting.push_back(std::move(cancel));
    if (std::exchange(cancels_->running, true)) return;
  }
  std::thread([cancels = cancels_] {
    while (const std::function<void()> next = cancels->Take()) next();
  }).detach();
}

absl::StatusOr<std::unique_ptr<Session>> Pool::OpenSession(const Watch& watch) {
  return Session::Open(settings_, watch, [this](Worker::Ended ended) {
    MutexLock lock(mutex_);
    workers_.push_back(std::move(ended));
  });
}

absl::StatusOr<Lease> Pool::Acquire(const Watch& watch) {
  {
    MutexLock lock(mutex_);
    Micros waited = 0;
    for (;;) {
      if (!idle_.empty()) {
        std::unique_ptr<Session> session = std::move(idle_.back());
        idle_.pop_back();
        return Lease(shared_from_this(), std::move(session));
      }
      if (open_ < settings_.most_connections) break;
      SLUICE_RETURN_IF_ERROR(watch.Check());
      constexpr Micros kLook = 10 * kMillisecond;
      if (waited >= settings_.statement_timeout_ms * kMillisecond)
        return Unavailable("all of the gateway's sessions with the source are in use");
      if (!released_.WaitFor(mutex_, std::chrono::microseconds(kLook))) waited += kLook;
    }
    if (Lingering() >= kMostLingering)
      return Unavailable("the source, or its driver, does not answer, and many calls hang in it");
    ++open_;
  }
  auto session = OpenSession(watch);
  if (!session.ok()) {
    {
      MutexLock lock(mutex_);
      --open_;
    }
    released_.NotifyOne();
    return session.status();
  }
  return Lease(shared_from_this(), *std::move(session));
}

void Pool::Release(std::unique_ptr<Session> session) {
  const bool serves = session->CanServe();
  {
    MutexLock lock(mutex_);
    if (serves) {
      session->SetServed();
      idle_.push_back(std::move(session));
    } else {
      --open_;
    }
  }
  released_.NotifyOne();
}

absl::StatusOr<std::shared_ptr<const TableInfo>> Pool::Table(Session& session,
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
                          ReadTable(session, settings_, name, watch));
  MutexLock lock(mutex_);
  if (table == nullptr) {
    tables_.erase(name);
    return table;
  }
  if (tables_.size() >= kMostTables && !tables_.contains(name)) tables_.clear();
  tables_[name] = {table, now};
  return table;
}

void Pool::ForgetTable(const std::string& table) {
  MutexLock lock(mutex_);
  tables_.erase(table);
}

}  // namespace sluice::adapters::odbc
