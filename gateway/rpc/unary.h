// The one reactor base for unary calls: finishes once, gives up once, deletes itself when gRPC is
// done with it. Reactions never block. It knows no message's type, so that a hundred methods are
// one class to the compiler.
#pragma once

#include <google/protobuf/message.h>
#include <grpcpp/support/server_callback.h>

#include <functional>
#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "gateway/base/mutex.h"

namespace sluice::rpc {

// What the reactor and the work of the call share; the work may outlive the call.
class UnaryCall final : public grpc::ServerUnaryReactor {
 public:
  // Tells the work's outcome; once, from any thread. `answer` is of the response's type, is moved
  // from, and is null exactly where the status is not OK.
  using Finisher = std::function<void(const absl::Status&, google::protobuf::Message* answer)>;
  // Gives the work up.
  using Canceller = std::function<void()>;
  using Mover = void (*)(google::protobuf::Message& from, google::protobuf::Message& to);

  // `start` gets the finisher, and answers what gives the work up (may be null). It runs in here,
  // on gRPC's thread; the finisher may be called within it. `move` moves what is of the response's
  // type.
  UnaryCall(google::protobuf::Message* response, Mover move,
            absl::FunctionRef<Canceller(Finisher)> start);

  void OnCancel() override;
  void OnDone() override { delete this; }
  // Both reactions are short and call nothing of gRPC back but Finish: run where they come up, as
  // the default reactor's are, they cost no hop to a thread that gRPC keeps for others.
  bool InternalInlineable() override { return true; }

 private:
  struct State;

  const std::shared_ptr<State> state_;
};

// The finisher as work that knows the response's type calls it.
template <class Response>
std::function<void(absl::StatusOr<Response>)> Typed(UnaryCall::Finisher finish) {
  return [finish = std::move(finish)](absl::StatusOr<Response> outcome) {
    finish(outcome.status(), outcome.ok() ? &*outcome : nullptr);
  };
}

template <class Response>
void MoveMessage(google::protobuf::Message& from, google::protobuf::Message& to) {
  static_cast<Response&>(to) = std::move(static_cast<Response&>(from));
}

}  // namespace sluice::rpc
