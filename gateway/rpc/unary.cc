#include "gateway/rpc/unary.h"

#include <utility>

#include "gateway/rpc/status.h"

namespace sluice::rpc {

struct UnaryCall::State {
  explicit State(UnaryCall* call, google::protobuf::Message* into, Mover how)
      : reactor(call), response(into), move(how) {}

  void Conclude(const absl::Status& status, google::protobuf::Message* answer) {
    UnaryCall* finished = nullptr;
    {
      MutexLock lock(mutex);
      finished = std::exchange(reactor, nullptr);
      cancel = nullptr;
    }
    if (finished == nullptr) return;
    if (answer != nullptr) move(*answer, *response);
    finished->Finish(ToGrpc(status));
  }

  Mutex mutex;
  UnaryCall* reactor SLUICE_GUARDED_BY(mutex);  // null once finished
  google::protobuf::Message* const response;    // valid until finished
  const Mover move;
  bool cancelled SLUICE_GUARDED_BY(mutex) = false;
  Canceller cancel SLUICE_GUARDED_BY(mutex);
};

UnaryCall::UnaryCall(google::protobuf::Message* response, Mover move,
                     absl::FunctionRef<Canceller(Finisher)> start)
    : state_(std::make_shared<State>(this, response, move)) {
  // This may be gone before `start` returns: from there on only the state is spoken to.
  const std::shared_ptr<State> state = state_;
  Canceller cancel = start([state](const absl::Status& status, google::protobuf::Message* answer) {
    state->Conclude(status, answer);
  });
  bool cancelled = false;
  {
    MutexLock lock(state->mutex);
    if (state->reactor == nullptr) return;  // finished already; keep nothing of it alive
    cancelled = state->cancelled;
    state->cancel = cancel;
  }
  if (cancelled && cancel) cancel();
}

void UnaryCall::OnCancel() {
  Canceller cancel;
  {
    MutexLock lock(state_->mutex);
    state_->cancelled = true;
    cancel = state_->cancel;
  }
  if (cancel) cancel();
}

}  // namespace sluice::rpc
