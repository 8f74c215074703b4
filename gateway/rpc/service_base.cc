#include "gateway/rpc/service_base.h"

#include <algorithm>

namespace sluice::rpc {

Micros DeadlineOf(const grpc::CallbackServerContext& context, const ServiceParts& parts) {
  const auto now = std::chrono::system_clock::now();
  const auto deadline = context.deadline();
  Micros left = parts.default_deadline;
  if (deadline != std::chrono::system_clock::time_point::max())
    left = std::chrono::duration_cast<std::chrono::microseconds>(deadline - now).count();
  return parts.clock.Monotonic() + std::clamp<Micros>(left, 1, parts.max_deadline);
}

bool IsRefusal(const absl::Status& status) {
  return absl::IsPermissionDenied(status) || absl::IsUnauthenticated(status);
}

}  // namespace sluice::rpc
