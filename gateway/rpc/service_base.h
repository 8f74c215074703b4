// What all services share: who calls, how long it may take, refusals recorded, statuses made
// public.
#pragma once

#include <functional>
#include <string_view>

#include "absl/status/statusor.h"
#include "gateway/base/error.h"
#include "gateway/base/executor.h"
#include "gateway/identity/caller.h"
#include "gateway/rpc/authenticator.h"
#include "gateway/rpc/unary.h"

namespace sluice::rpc {

struct ServiceParts {
  Authenticator& authenticator;
  Executor& control;  // runs what may block: all but exchanges
  OperationalLog& operations;
  const Clock& clock;
  Micros default_deadline = 30 * kSecond;
  Micros max_deadline = 120 * kSecond;
  Micros max_read = 6 * kHour;  // of a stream; also where the peer names no deadline
};

// The call's deadline on the monotonic clock: the peer's, the default where it has none, never over
// the maximum.
Micros DeadlineOf(const grpc::CallbackServerContext& context, const ServiceParts& parts);
// The same for a stream.
Micros StreamDeadlineOf(const grpc::CallbackServerContext& context, const ServiceParts& parts);

// The call as the control rooms see it.
identity::Caller ToCaller(const exchange::Call& call);

// Refused for who the caller is or what it may do, rather than for a mistake in what it sent.
bool IsRefusal(const absl::Status& status);

// Whoever made the status has recorded it, and says where.
bool IsRecorded(const absl::Status& status);

// Tells `done` a status that the peer may read; refusals are recorded first.
template <class Response>
void Answer(const ServiceParts& parts, const exchange::Call& call, absl::StatusOr<Response> outcome,
            const std::function<void(absl::StatusOr<Response>)>& done) {
  if (outcome.ok()) return done(std::move(outcome));
  absl::Status status = exchange::PublicStatus(outcome.status(), call.call_id, parts.operations);
  if (IsRecorded(status)) return done(std::move(status));
  if (!IsRefusal(status)) {
    AddKey(status, "call", call.call_id);
    return done(std::move(status));
  }
  parts.authenticator.RecordRefusal(call, std::move(status),
                                    [done](absl::Status recorded) { done(std::move(recorded)); });
}

// Serves a method whose work may block, on the control pool:
//   work(const exchange::Call&, Request, std::function<void(absl::StatusOr<Response>)>)
template <class Request, class Response, class Work>
grpc::ServerUnaryReactor* ServeBlocking(const ServiceParts& parts,
                                        const grpc::CallbackServerContext& context,
                                        const Request& request, Response* response,
                                        std::string_view method, Work work) {
  using Done = std::function<void(absl::StatusOr<Response>)>;
  return new UnaryCall<Response>(response, [&](Done done) -> std::function<void()> {
    auto call = parts.authenticator.Identify(context, method, DeadlineOf(context, parts));
    if (!call.ok()) {
      exchange::Call unknown;
      unknown.method = std::string(method);
      unknown.peer = context.peer();
      Answer<Response>(parts, unknown, call.status(), done);
      return nullptr;
    }
    const bool taken = parts.control.TrySubmit([&parts, call = *call, request, work,
                                                done]() mutable {
      work(call, std::move(request), Done([&parts, call, done](absl::StatusOr<Response> result) {
             Answer<Response>(parts, call, std::move(result), done);
           }));
    });
    if (!taken) done(Error(v1::REASON_OVERLOADED, "too many calls of this kind are waiting."));
    return nullptr;
  });
}

}  // namespace sluice::rpc
