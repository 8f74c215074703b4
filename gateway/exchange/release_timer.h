// Lets answers go at a set time, so that when one comes tells nothing of how it was found. One
// thread, which does nothing that takes long: what it calls writes a message.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <thread>

#include "gateway/base/mutex.h"

namespace sluice::exchange {

class ReleaseTimer {
 public:
  using Time = std::chrono::steady_clock::time_point;

  ReleaseTimer();
  // Calls what still waits, at once.
  ~ReleaseTimer();
  ReleaseTimer(const ReleaseTimer&) = delete;
  ReleaseTimer& operator=(const ReleaseTimer&) = delete;

  // Calls `go` at that time, or soon after. Any thread.
  void At(Time time, std::function<void()> go);

 private:
  void Run();

  Mutex mutex_;
  Condition changed_;
  std::multimap<Time, std::function<void()>> waiting_ SLUICE_GUARDED_BY(mutex_);
  bool closed_ SLUICE_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace sluice::exchange
