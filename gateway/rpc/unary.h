// The one reactor base for unary calls: finishes once, gives up once, deletes itself when gRPC is
// done with it. Reactions never block.
#pragma once

#include <grpcpp/support/server_callback.h>

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "gateway/base/mutex.h"
#include "gateway/rpc/status.h"

namespace sluice::rpc {

// What the reactor and the work of the call share; the work may outlive the call.
template <class Response>
class UnaryCall : public grpc::ServerUnaryReactor {
 public:
  // Tells the work's outcome; once, from any thread.
  using Finisher = std::function<void(absl::StatusOr<Response>)>;

  // `start` gets the finisher, and answers what gives the work up (may be null). It runs in here,
  // on gRPC's thread; the finisher may be called within it.
  UnaryCall(Response* response, const std::function<std::function<void()>(Finisher)>& start)
      : state_(std::make_shared<State>()) {
    state_->reactor = this;
    state_->response = response;
    std::function<void()> cancel =
        start([state = state_](absl::StatusOr<Response> outcome) { Conclude(*state, outcome); });
    bool cancelled = false;
    {
      MutexLock lock(state_->mutex);
      if (state_->reactor == nullptr) return;  // finished already; keep nothing of it alive
      cancelled = state_->cancelled;
      state_->cancel = cancel;
    }
    if (cancelled && cancel) cancel();
  }

  void OnCancel() override {
    std::function<void()> cancel;
    {
      MutexLock lock(state_->mutex);
      state_->cancelled = true;
      cancel = state_->cancel;
    }
    if (cancel) cancel();
  }

  void OnDone() override { delete this; }

 private:
  struct State {
    Mutex mutex;
    UnaryCall* reactor SLUICE_GUARDED_BY(mutex) = nullptr;  // null once finished
    Response* response = nullptr;                           // valid until finished
    bool cancelled SLUICE_GUARDED_BY(mutex) = false;
    std::function<void()> cancel SLUICE_GUARDED_BY(mutex);
  };

  static void Conclude(State& state, absl::StatusOr<Response>& outcome) {
    UnaryCall* reactor = nullptr;
    {
      MutexLock lock(state.mutex);
      reactor = std::exchange(state.reactor, nullptr);
      state.cancel = nullptr;
    }
    if (reactor == nullptr) return;
    if (outcome.ok()) *state.response = *std::move(outcome);
    reactor->Finish(ToGrpc(outcome.status()));
  }

  const std::shared_ptr<State> state_;
};

}  // namespace sluice::rpc
