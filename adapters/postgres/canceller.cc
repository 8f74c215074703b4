#include "adapters/postgres/canceller.h"

#include <array>
#include <deque>
#include <thread>

#include "gateway/base/mutex.h"

namespace sluice::adapters::postgres {
namespace {

constexpr size_t kMostWaiting = 64;

struct FreeCancel {
  void operator()(PGcancel* cancel) const { PQfreeCancel(cancel); }
};
using CancelPtr = std::unique_ptr<PGcancel, FreeCancel>;

}  // namespace

struct Canceller::State {
  Mutex mutex;
  std::deque<CancelPtr> waiting SLUICE_GUARDED_BY(mutex);
  bool running SLUICE_GUARDED_BY(mutex) = false;

  // The next one to send; null, and nobody runs any more, where there is none.
  CancelPtr Take() {
    MutexLock lock(mutex);
    if (waiting.empty()) {
      running = false;
      return nullptr;
    }
    CancelPtr next = std::move(waiting.front());
    waiting.pop_front();
    return next;
  }
};

Canceller::Canceller() : state_(std::make_shared<State>()) {}

void Canceller::Cancel(PGconn* connection) {
  CancelPtr cancel(PQgetCancel(connection));
  if (cancel == nullptr) return;
  {
    MutexLock lock(state_->mutex);
    if (state_->waiting.size() >= kMostWaiting) return;
    state_->waiting.push_back(std::move(cancel));
    if (std::exchange(state_->running, true)) return;
  }
  // It lives as long as there is something to send; it may outlive us by as long as a server hangs.
  std::thread([state = state_] {
    std::array<char, 256> error;
    while (const CancelPtr next = state->Take())
      PQcancel(next.get(), error.data(), static_cast<int>(error.size()));
  }).detach();
}

}  // namespace sluice::adapters::postgres
