// What tests of records share: randomness that repeats, and a folder that goes away.
#pragma once

#include <string>

#include "gateway/base/crypto.h"
#include "gateway/base/mutex.h"

namespace sluice::audit {

// SHA-256 of a counter (eight bytes, little-endian), then of the next: the same in every run.
class CountingRandom : public RandomSource {
 public:
  explicit CountingRandom(uint64_t seed = 0) : next_(seed) {}
  std::string Bytes(size_t count) override;

 private:
  Mutex mutex_;
  uint64_t next_ SLUICE_GUARDED_BY(mutex_);
};

class TestFolder {
 public:
  TestFolder();
  ~TestFolder();
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace sluice::audit
