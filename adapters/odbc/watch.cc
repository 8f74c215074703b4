#include "adapters/odbc/watch.h"

#include "gateway/base/error.h"

namespace sluice::adapters::odbc {

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

}  // namespace sluice::adapters::odbc
