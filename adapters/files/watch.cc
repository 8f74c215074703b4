#include "adapters/files/watch.h"

#include "gateway/base/error.h"

namespace sluice::adapters::files {

absl::Status Watch::Check() const {
  if ((cancelled_ != nullptr && cancelled_->load(std::memory_order_acquire)) ||
      (context_.stop != nullptr && context_.stop->stopped())) {
    return Error(v1::REASON_CANCELLED, "the call was given up");
  }
  if (context_.deadline != 0 && context_.clock != nullptr &&
      context_.clock->Monotonic() >= context_.deadline) {
    return Error(v1::REASON_DEADLINE_EXCEEDED, "the call's deadline passed");
  }
  return absl::OkStatus();
}

Micros Watch::Monotonic() const {
  if (context_.clock != nullptr) return context_.clock->Monotonic();
  static const auto* const clock = MakeSystemClock().release();
  return clock->Monotonic();
}

bool EndedByWatch(const absl::Status& status) {
  const v1::Reason reason = ReasonOf(status);
  return reason == v1::REASON_CANCELLED || reason == v1::REASON_DEADLINE_EXCEEDED;
}

}  // namespace sluice::adapters::files
