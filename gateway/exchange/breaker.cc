#include "gateway/exchange/breaker.h"

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"

namespace sluice::exchange {

absl::Status CircuitBreaker::Admit(std::string_view source) {
  MutexLock lock(mutex_);
  if (!open_) return absl::OkStatus();
  const Micros now = clock_.Monotonic();
  if (now >= try_at_ && !trial_running_) {
    trial_running_ = true;
    return absl::OkStatus();
  }
  const Micros wait = now < try_at_ ? try_at_ - now : kSecond;
  absl::Status status =
      Error(v1::REASON_SOURCE_UNAVAILABLE,
            absl::StrCat("source ", absl::string_view(source.data(), source.size()),
                         " does not answer; breaker open, next trial in ",
                         (wait + kSecond - 1) / kSecond, " s. Nothing was released."),
            {{"source", source}});
  AddRetryDelay(status, wait);
  return status;
}

void CircuitBreaker::Succeeded() {
  MutexLock lock(mutex_);
  in_a_row_ = 0;
  open_ = false;
  trial_running_ = false;
}

void CircuitBreaker::Failed() {
  MutexLock lock(mutex_);
  ++in_a_row_;
  trial_running_ = false;
  // A late failure of a call from before it opened does not put the trial off.
  if (open_ && clock_.Monotonic() < try_at_) return;
  if (open_ || in_a_row_ >= failures_) {
    open_ = true;
    try_at_ = clock_.Monotonic() + open_for_;
  }
}

void CircuitBreaker::Abandoned() {
  MutexLock lock(mutex_);
  trial_running_ = false;
}

std::string CircuitBreaker::State() const {
  MutexLock lock(mutex_);
  if (!open_) return "closed";
  return trial_running_ ? "half_open" : "open";
}

}  // namespace sluice::exchange
