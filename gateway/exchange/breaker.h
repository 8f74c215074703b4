// A circuit breaker: after a number of failures in a row, calls are refused at once; after a while
// one call is let through as a trial, and its outcome decides. Any thread.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "gateway/base/clock.h"
#include "gateway/base/mutex.h"

namespace sluice::exchange {

class CircuitBreaker {
 public:
  CircuitBreaker(int failures, Micros open_for, const Clock& clock)
      : failures_(failures), open_for_(open_for), clock_(clock) {}

  // OK, or SOURCE_UNAVAILABLE with the time to the next trial. After OK, exactly one of the three
  // below must follow.
  absl::Status Admit(std::string_view source);
  void Succeeded();
  void Failed();
  // The call ended for a reason that says nothing of the source.
  void Abandoned();

  std::string State() const;  // "closed", "open", "half_open"

 private:
  const int failures_;
  const Micros open_for_;
  const Clock& clock_;
  mutable Mutex mutex_;
  int in_a_row_ SLUICE_GUARDED_BY(mutex_) = 0;
  bool open_ SLUICE_GUARDED_BY(mutex_) = false;
  bool trial_running_ SLUICE_GUARDED_BY(mutex_) = false;
  Micros try_at_ SLUICE_GUARDED_BY(mutex_) = 0;
};

}  // namespace sluice::exchange
