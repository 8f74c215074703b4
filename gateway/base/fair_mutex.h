// A mutex that goes to who has waited longest. The standard one may go again and again to a thread
// that gives it back for a moment only, while others starve; this one costs a switch of threads
// each time that somebody waits.
//
//   FairMutex mutex_;
//   { FairLock lock(mutex_); … }
#pragma once

#include <cstdint>

#include "gateway/base/mutex.h"

namespace sluice {

class SLUICE_CAPABILITY("mutex") FairMutex {
 public:
  void Lock() SLUICE_ACQUIRE() SLUICE_NO_THREAD_SAFETY_ANALYSIS {
    MutexLock lock(mutex_);
    const uint64_t mine = next_++;
    while (mine != served_) turned_.Wait(mutex_);
  }
  void Unlock() SLUICE_RELEASE() SLUICE_NO_THREAD_SAFETY_ANALYSIS {
    MutexLock lock(mutex_);
    ++served_;
    turned_.NotifyAll();
  }
  // Whether somebody waits for who holds it.
  bool Awaited() {
    MutexLock lock(mutex_);
    return next_ - served_ > 1;
  }

 private:
  Mutex mutex_;
  Condition turned_;
  uint64_t next_ SLUICE_GUARDED_BY(mutex_) = 0, served_ SLUICE_GUARDED_BY(mutex_) = 0;
};

class SLUICE_SCOPED_CAPABILITY FairLock {
 public:
  explicit FairLock(FairMutex& mutex) SLUICE_ACQUIRE(mutex) : mutex_(mutex) { mutex_.Lock(); }
  ~FairLock() SLUICE_RELEASE() { mutex_.Unlock(); }
  FairLock(const FairLock&) = delete;
  FairLock& operator=(const FairLock&) = delete;

 private:
  FairMutex& mutex_;
};

}  // namespace sluice
