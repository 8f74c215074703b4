#include "gateway/exchange/release_timer.h"

#include <utility>

namespace sluice::exchange {

ReleaseTimer::ReleaseTimer() : thread_([this] { Run(); }) {}

ReleaseTimer::~ReleaseTimer() {
  {
    MutexLock lock(mutex_);
    closed_ = true;
  }
  changed_.NotifyAll();
  thread_.join();
}

void ReleaseTimer::At(Time time, std::function<void()> go) {
  {
    MutexLock lock(mutex_);
    waiting_.emplace(time, std::move(go));
  }
  changed_.NotifyAll();
}

void ReleaseTimer::Run() {
  for (;;) {
    std::function<void()> go;
    {
      MutexLock lock(mutex_);
      for (;;) {
        if (waiting_.empty() && closed_) return;
        const Time now = std::chrono::steady_clock::now();
        if (!waiting_.empty() && (closed_ || waiting_.begin()->first <= now)) break;
        if (waiting_.empty()) {
          changed_.Wait(mutex_);
        } else {
          changed_.WaitFor(
              mutex_, std::chrono::ceil<std::chrono::microseconds>(waiting_.begin()->first - now));
        }
      }
      go = std::move(waiting_.begin()->second);
      waiting_.erase(waiting_.begin());
    }
    go();
  }
}

}  // namespace sluice::exchange
