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
  caller.principal = *call.principal;
  caller.call_id = call.call_id;
  caller.peer = call.peer;
  caller.method = call.method;
  return caller;
}

void Answer(const ServiceParts& parts, const exchange::Call& call, const absl::Status& status,
            google::protobuf::Message* answer, const UnaryCall::Finisher& done) {
  if (status.ok()) return done(status, answer);
  absl::Status told = exchange::PublicStatus(status, call.call_id, parts.operations);
  if (IsRecorded(told)) return done(told, nullptr);
  if (!IsRefusal(told)) {
    AddKey(told, "call", call.call_id);
    return done(told, nullptr);
  }
  parts.authenticator.RecordRefusal(
      call, std::move(told), [done](const absl::Status& recorded) { done(recorded, nullptr); });
}

void AnswerUnknown(const ServiceParts& parts, const grpc::CallbackServerContext& context,
                   std::string_view method, const absl::Status& status,
                   const UnaryCall::Finisher& done) {
  exchange::Call unknown;
  unknown.method = std::string(method);
  unknown.peer = context.peer();
  Answer(parts, unknown, status, nullptr, done);
}

grpc::ServerUnaryReactor* ServeOnPool(
    const ServiceParts& parts, const grpc::CallbackServerContext& context,
    google::protobuf::Message* response, UnaryCall::Mover move, std::string_view method,
    std::function<void(const exchange::Call&, const UnaryCall::Finisher&)> work) {
  return new UnaryCall(response, move, [&](UnaryCall::Finisher done) -> UnaryCall::Canceller {
    auto call = parts.authenticator.Identify(context, method, DeadlineOf(context, parts));
    if (!call.ok()) {
      AnswerUnknown(parts, context, method, call.status(), done);
      return nullptr;
    }
    const bool taken =
        parts.control.TrySubmit([&parts, call = *call, work = std::move(work), done] {
          work(call,
               [&parts, call, done](const absl::Status& status, google::protobuf::Message* answer) {
                 Answer(parts, call, status, answer, done);
               });
        });
    if (!taken) {
      done(Error(v1::REASON_OVERLOADED, "too many calls of this kind are waiting."), nullptr);
    }
    return nullptr;
  });
}

}  // namespace sluice::rpc
