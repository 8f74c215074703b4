#include "gateway/rpc/service_base.h"

#include <algorithm>

namespace sluice::rpc {

namespace {

Micros Deadline(const grpc::CallbackServerContext& context, const Clock& clock, Micros if_none,
                Micros most) {
  const auto now = std::chrono::system_clock::now();
  const auto deadline = context.deadline();
  Micros left = if_none;
  if (deadline != std::chrono::system_clock::time_point::max())
    left = std::chrono::duration_cast<std::chrono::microseconds>(deadline - now).count();
  return clock.Monotonic() + std::clamp<Micros>(left, 1, most);
}

}  // namespace

Micros DeadlineOf(const grpc::CallbackServerContext& context, const ServiceParts& parts) {
  return Deadline(context, parts.clock, parts.default_deadline, parts.max_deadline);
}

Micros StreamDeadlineOf(const grpc::CallbackServerContext& context, const ServiceParts& parts) {
  return Deadline(context, parts.clock, parts.max_read, parts.max_read);
}

bool IsRecorded(const absl::Status& status) {
  const auto info = ErrorInfoOf(status);
  return info && info->metadata().contains("index");
}

bool IsRefusal(const absl::Status& status) {
  return absl::IsPermissionDenied(status) || absl::IsUnauthenticated(status);
}

identity::Caller ToCaller(const exchange::Call& call) {
  identity::Caller caller;
  caller.principal = call.principal;
  caller.call_id = call.call_id;
  caller.peer = call.peer;
  caller.method = call.method;
  return caller;
}

}  // namespace sluice::rpc
