// How long things took, counted into fixed buckets. Any thread; adding takes no lock.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "gateway/base/clock.h"

namespace sluice {

class Histogram {
 public:
  // Upper ends of the buckets, each inclusive; what took longer is in one more.
  static constexpr std::array<Micros, 18> kEnds = {100,
                                                   250,
                                                   500,
                                                   1 * kMillisecond,
                                                   2'500,
                                                   5 * kMillisecond,
                                                   10 * kMillisecond,
                                                   25 * kMillisecond,
                                                   50 * kMillisecond,
                                                   100 * kMillisecond,
                                                   250 * kMillisecond,
                                                   500 * kMillisecond,
                                                   1 * kSecond,
                                                   2'500 * kMillisecond,
                                                   5 * kSecond,
                                                   10 * kSecond,
                                                   30 * kSecond,
                                                   60 * kSecond};

  void Add(Micros took) {
    size_t bucket = 0;
    while (bucket < kEnds.size() && took > kEnds[bucket]) ++bucket;
    counts_[bucket].fetch_add(1, std::memory_order_relaxed);
    total_.fetch_add(took > 0 ? took : 0, std::memory_order_relaxed);
  }

  // What was counted so far: of each bucket by itself, and all of it. Additions that run meanwhile
  // may be in one and not yet in the other.
  struct Counted {
    std::array<uint64_t, kEnds.size() + 1> counts{};
    Micros total = 0;
  };
  Counted Get() const {
    Counted counted;
    for (size_t i = 0; i < counts_.size(); ++i)
      counted.counts[i] = counts_[i].load(std::memory_order_relaxed);
    counted.total = total_.load(std::memory_order_relaxed);
    return counted;
  }

 private:
  std::array<std::atomic<uint64_t>, kEnds.size() + 1> counts_{};
  std::atomic<Micros> total_{0};
};

}  // namespace sluice
