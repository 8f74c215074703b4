// A clock that tests move by hand. Any thread may call any function.
#pragma once

#include <atomic>

#include "gateway/base/clock.h"

namespace sluice {

class FakeClock : public Clock {
 public:
  explicit FakeClock(Micros now = 1'790'000'000 * kSecond) : now_(now) {}
  Micros Now() const override { return now_; }
  Micros Monotonic() const override { return monotonic_; }
  ClockState State() const override { return state_; }

  // Both clocks go on.
  void Advance(Micros by) { now_ += by, monotonic_ += by; }
  // The wall clock jumps, back or forth; the monotonic one does not.
  void Jump(Micros by) { now_ += by; }
  void SetState(ClockState state) { state_ = state; }

 private:
  std::atomic<Micros> now_;
  std::atomic<Micros> monotonic_{kHour};
  std::atomic<ClockState> state_{ClockState::kSynchronised};
};

}  // namespace sluice
