// A source in memory whose rows are made as they are asked for, with faults on order.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "adapters/adapter.h"
#include "gateway/base/mutex.h"

namespace sluice::exchange {

// Row i: number i, name "Name i", person the i-th resident number of some.
class CountingSource {
 public:
  std::atomic<int64_t> rows{0};
  std::atomic<int64_t> batch_rows{1000};
  std::atomic<int> version{7};
  // The Next of this number (from 0) in each scan fails.
  std::atomic<int> fails_at{-1};
  // Nexts of this number and later wait until LetGo, or until the scan is cancelled.
  std::atomic<int> hangs_at{-1};
  std::atomic<int> nexts{0};
  std::atomic<int> cancels{0};
  std::atomic<int> open_readers{0};

  void LetGo();
  std::unique_ptr<adapters::Adapter> Open();

 private:
  friend class CountingReader;
  Mutex mutex_;
  Condition changed_;
};

// The i-th valid resident number of some.
std::string PersonOf(int64_t i);

}  // namespace sluice::exchange
