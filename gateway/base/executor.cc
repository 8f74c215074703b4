#include "gateway/base/executor.h"

namespace sluice {

ThreadPool::ThreadPool(int threads, size_t queue) : queue_limit_(queue) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
}

ThreadPool::~ThreadPool() { Close(); }

bool ThreadPool::Add(std::function<void()> task, bool is_long) {
  bool wakes = false;
  {
    MutexLock lock(mutex_);
    Queue& queue = is_long ? long_ : short_;
    if (closed_ || queue.size() >= queue_limit_) return false;
    queue.push_back(std::move(task));
    wakes = WakesNext();
  }
  if (wakes) changed_.NotifyOne();
  return true;
}

bool ThreadPool::WakesNext() {
  if (waking_ || asleep_ == 0 || (short_.empty() && long_.empty())) return false;
  waking_ = true;
  return true;
}

void ThreadPool::Close() {
  {
    MutexLock lock(mutex_);
    closed_ = true;
  }
  changed_.NotifyAll();
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
}

void ThreadPool::Run() {
  for (;;) {
    std::function<void()> task;
    bool wakes = false;
    {
      MutexLock lock(mutex_);
      if (short_.empty() && long_.empty() && !closed_) {
        // Under load the next task is about to come from a thread that waits for this core: giving
        // it its turn costs less than being put to sleep and woken.
        mutex_.Unlock();
        std::this_thread::yield();
        mutex_.Lock();
      }
      while (short_.empty() && long_.empty() && !closed_) {
        ++asleep_;
        changed_.Wait(mutex_);
        --asleep_;
        waking_ = false;
      }
      if (short_.empty() && long_.empty()) return;
      task = TakeNext();
      wakes = WakesNext();
    }
    if (wakes) changed_.NotifyOne();
    task();
  }
}

std::function<void()> ThreadPool::TakeNext() {
  const bool take_long = short_.empty() || (!long_.empty() && in_a_row_ >= kMostInARow);
  Queue& queue = take_long ? long_ : short_;
  in_a_row_ = take_long || long_.empty() ? 0 : in_a_row_ + 1;
  std::function<void()> task = std::move(queue.front());
  queue.pop_front();
  return task;
}

}  // namespace sluice
