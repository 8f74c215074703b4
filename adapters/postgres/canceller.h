// Tells servers to end a statement, without anyone waiting for it: libpq's PQcancel opens a
// connection of its own and waits for the server to close it, which one that hangs never does.
// Any thread.
#pragma once

#include <memory>

#include "libpq-fe.h"

namespace sluice::adapters::postgres {

class Canceller {
 public:
  Canceller();
  // What was asked for is still sent; nothing is waited for.
  ~Canceller() = default;
  // Returns at once. The connection may be closed right after. Where the server takes no cancel
  // requests and many wait already, none is added: its statement timeout is the end then.
  void Cancel(PGconn* connection);

 private:
  struct State;
  const std::shared_ptr<State> state_;
};

}  // namespace sluice::adapters::postgres
