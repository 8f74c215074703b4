#include "adapters/remote/patience.h"

#include "absl/strings/str_cat.h"
#include "adapters/remote/errors.h"
#include "gateway/base/error.h"

namespace sluice::adapters::remote {

absl::Status Patience::Check() const {
  if ((cancelled_ != nullptr && cancelled_->load(std::memory_order_acquire)) ||
      (context_.stop != nullptr && context_.stop->stopped()))
    return Error(v1::REASON_CANCELLED, "the read was cancelled");
  if (context_.deadline > 0 && context_.clock != nullptr &&
      context_.clock->Monotonic() >= context_.deadline)
    return Error(v1::REASON_DEADLINE_EXCEEDED, "the deadline passed while the source was read");
  if (TimedOut())
    return Unavailable(absl::StrCat("the source's adapter did not answer within ",
                                    timeout_ / kMillisecond, " ms (setting timeout_ms)"));
  return absl::OkStatus();
}

std::optional<std::chrono::system_clock::time_point> DeadlineOf(const CallContext& context) {
  if (context.deadline <= 0 || context.clock == nullptr) return std::nullopt;
  return std::chrono::system_clock::now() +
         std::chrono::microseconds(context.deadline - context.clock->Monotonic());
}

}  // namespace sluice::adapters::remote
