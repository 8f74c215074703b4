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

// Tells `done` the outcome, its status as the peer may read it; refusals are recorded first.
void Answer(const ServiceParts& parts, const exchange::Call& call, const absl::Status& status,
            google::protobuf::Message* answer, const UnaryCall::Finisher& done);

// The refusal of a call whose caller could not be told, for whoever `done` tells.
void AnswerUnknown(const ServiceParts& parts, const grpc::CallbackServerContext& context,
                   std::string_view method, const absl::Status& status,
                   const UnaryCall::Finisher& done);

// Serves a method whose work may block, on the control pool.
grpc::ServerUnaryReactor* ServeOnPool(
    const ServiceParts& parts, const grpc::CallbackServerContext& context,
    google::protobuf::Message* response, UnaryCall::Mover move, std::string_view method,
    std::function<void(const exchange::Call&, const UnaryCall::Finisher&)> work);

// The same where the work knows the types:
//   work(const exchange::Call&, Request, std::function<void(absl::StatusOr<Response>)>)
template <class Request, class Response, class Work>
grpc::ServerUnaryReactor* ServeBlocking(const ServiceParts& parts,
                                        const grpc::CallbackServerContext& context,
                                        const Request& request, Response* response,
                                        std::string_view method, Work work) {
  return ServeOnPool(parts, context, response, MoveMessage<Response>, method,
                     [body = request, work = std::move(work)](
                         const exchange::Call& call, const UnaryCall::Finisher& done) mutable {
                       work(call, std::move(body), Typed<Response>(done));
                     });
}

}  // namespace sluice::rpc
