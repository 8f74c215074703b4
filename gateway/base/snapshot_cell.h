// Holds the current version of an immutable value that is swapped whole. Readers take no lock
// unless the value was swapped since the thread last looked.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "gateway/base/mutex.h"

namespace sluice {

template <class T>
class SnapshotCell {
 public:
  explicit SnapshotCell(std::shared_ptr<const T> value = nullptr) { Set(std::move(value)); }

  void Set(std::shared_ptr<const T> value) {
    // Unique over all cells, so that a thread's memory of a cell that is gone fits no other.
    static std::atomic<uint64_t> versions{1};
    MutexLock lock(mutex_);
    value_ = std::move(value);
    version_.store(versions.fetch_add(1), std::memory_order_release);
  }

  std::shared_ptr<const T> Get() const {
    struct Seen {
      uint64_t version = 0;
      std::shared_ptr<const T> value;
    };
    thread_local Seen seen;
    const uint64_t version = version_.load(std::memory_order_acquire);
    if (seen.version != version) {
      MutexLock lock(mutex_);
      seen.value = value_;
      seen.version = version_.load(std::memory_order_relaxed);
    }
    return seen.value;
  }

 private:
  mutable Mutex mutex_;
  std::shared_ptr<const T> value_ SLUICE_GUARDED_BY(mutex_);
  std::atomic<uint64_t> version_{0};
};

}  // namespace sluice
