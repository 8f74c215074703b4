// A bounded pool of threads for blocking work. Nothing waits in it without bound: a full queue
// refuses, and the caller says so to its peer.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "gateway/base/mutex.h"

namespace sluice {

class Executor {
 public:
  virtual ~Executor() = default;
  // False where the queue is full or the executor is closed; the task is then not run. Any thread.
  [[nodiscard]] virtual bool TrySubmit(std::function<void()> task) = 0;
};

class ThreadPool : public Executor {
 public:
  ThreadPool(int threads, size_t queue);
  // Runs what is queued, then ends.
  ~ThreadPool() override;
  bool TrySubmit(std::function<void()> task) override;
  // Takes no more; returns when all that was queued has run.
  void Close();

 private:
  void Run();

  const size_t queue_limit_;
  Mutex mutex_;
  Condition changed_;
  std::deque<std::function<void()>> queue_ SLUICE_GUARDED_BY(mutex_);
  bool closed_ SLUICE_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace sluice
