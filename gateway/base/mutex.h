// The standard mutex and condition variable with clang's capability annotations. Abseil's are not
// used: Debian's build is not annotated for ThreadSanitizer and aborts on lock-order inversion.
//
//   Mutex mutex_;
//   int count_ SLUICE_GUARDED_BY(mutex_) = 0;
//   { MutexLock lock(mutex_); ++count_; changed_.NotifyAll(); }
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define SLUICE_ANNOTATE(x) __attribute__((x))
#else
#define SLUICE_ANNOTATE(x)
#endif

#define SLUICE_CAPABILITY(x) SLUICE_ANNOTATE(capability(x))
#define SLUICE_SCOPED_CAPABILITY SLUICE_ANNOTATE(scoped_lockable)
#define SLUICE_GUARDED_BY(x) SLUICE_ANNOTATE(guarded_by(x))
#define SLUICE_REQUIRES(...) SLUICE_ANNOTATE(requires_capability(__VA_ARGS__))
#define SLUICE_EXCLUDES(...) SLUICE_ANNOTATE(locks_excluded(__VA_ARGS__))
#define SLUICE_ACQUIRE(...) SLUICE_ANNOTATE(acquire_capability(__VA_ARGS__))
#define SLUICE_RELEASE(...) SLUICE_ANNOTATE(release_capability(__VA_ARGS__))
#define SLUICE_NO_THREAD_SAFETY_ANALYSIS SLUICE_ANNOTATE(no_thread_safety_analysis)

namespace sluice {

class SLUICE_CAPABILITY("mutex") Mutex {
 public:
  void Lock() SLUICE_ACQUIRE() { mutex_.lock(); }
  void Unlock() SLUICE_RELEASE() { mutex_.unlock(); }

 private:
  friend class Condition;
  std::mutex mutex_;
};

class SLUICE_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) SLUICE_ACQUIRE(mutex) : mutex_(mutex) { mutex_.Lock(); }
  ~MutexLock() SLUICE_RELEASE() { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Waits may end early without a notice: always wait in a loop over the guarded condition.
class Condition {
 public:
  void Wait(Mutex& mutex) SLUICE_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  // False when the time ran out.
  bool WaitFor(Mutex& mutex, std::chrono::microseconds timeout) SLUICE_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    // Against the system clock: libstdc++'s steady wait is not known to Debian 12's TSan runtime.
    const auto result = condition_.wait_until(lock, std::chrono::system_clock::now() + timeout);
    lock.release();
    return result == std::cv_status::no_timeout;
  }
  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace sluice
