// A bounded pool of threads for blocking work. Nothing waits in it without bound: a full queue
// refuses, and the caller says so to its peer. Long tasks wait in a queue of their own and give way
// to short ones, so that what somebody waits for is not behind what takes long anyway.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <utility>
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
  // So many short tasks in a row go before a long one that waits.
  static constexpr int kMostInARow = 16;

  // `queue` short tasks wait at most, and as many long ones.
  ThreadPool(int threads, size_t queue);
  // Runs what is queued, then ends.
  ~ThreadPool() override;
  bool TrySubmit(std::function<void()> task) override { return Add(std::move(task), false); }
  [[nodiscard]] bool TrySubmitLong(std::function<void()> task) {
    return Add(std::move(task), true);
  }
  // Takes no more; returns when all that was queued has run.
  void Close();

 private:
  using Queue = std::deque<std::function<void()>>;
  bool Add(std::function<void()> task, bool is_long);
  void Run();
  std::function<void()> TakeNext() SLUICE_REQUIRES(mutex_);
  // Whether a thread is to be woken now; the caller then does.
  bool WakesNext() SLUICE_REQUIRES(mutex_);

  const size_t queue_limit_;
  Mutex mutex_;
  Condition changed_;
  Queue short_ SLUICE_GUARDED_BY(mutex_);
  Queue long_ SLUICE_GUARDED_BY(mutex_);
  int in_a_row_ SLUICE_GUARDED_BY(mutex_) = 0;  // short ones that a long one waited for
  // A thread that was woken and has not come yet is not followed by another: it takes what there
  // is, and wakes the next where more is left.
  int asleep_ SLUICE_GUARDED_BY(mutex_) = 0;
  bool waking_ SLUICE_GUARDED_BY(mutex_) = false;
  bool closed_ SLUICE_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace sluice
