// Keeps whoever reads much of the log from slowing those who write to it. A priority alone does
// not: two threads of one core share its caches and its way to memory, whoever comes first.
#pragma once

#include <functional>

#include "gateway/audit/log.h"
#include "gateway/base/clock.h"

namespace sluice::exchange {

// One thread at a time.
class LogPace {
 public:
  // `sleep` as by the thread; another one in tests.
  LogPace(const audit::Log& log, const Clock& clock, std::function<void(Micros)> sleep = SleepFor);

  // Called every few milliseconds of work: where records were appended since the last time, waits
  // seven times as long as the work took, a fifth of a second at most. Otherwise goes on at once.
  void Breathe();

 private:
  static void SleepFor(Micros time);
  const audit::Log& log_;
  const Clock& clock_;
  const std::function<void(Micros)> sleep_;
  uint64_t size_;
  Micros began_;
};

}  // namespace sluice::exchange
