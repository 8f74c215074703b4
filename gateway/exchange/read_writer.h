// Where the messages of a stream go: to one consumer, one after the other.
#pragma once

#include <functional>
#include <optional>

#include "absl/status/status.h"
#include "gateway/base/pieces.h"
#include "gateway/records/types.h"
#include "sluice/v1/exchange.pb.h"

namespace sluice::exchange {

// A stream's messages are let go here. Any thread; never two at once, but for Abort.
class ReadWriter {
 public:
  virtual ~ReadWriter() = default;
  // Once the stream is permitted, before all else: what its rows look like. A stream that goes on
  // behind batches does not send its schema again.
  virtual void Begin(const records::SchemaPtr& /*schema*/) {}
  // Hands a message over, with its payload apart (message.payload() is empty): of Arrow, one IPC
  // message whose first piece is its metadata with mark and length. `taken` is called once, from
  // any thread: true when the consumer's flow control let it pass (not: received it), false where
  // the consumer is gone. The next Write, or Finish, only after that. Does not block.
  virtual void Write(v1::ReadResponse message, Pieces payload, std::function<void(bool)> taken) = 0;
  // The end: OK with the last message, or an error without one. Once.
  virtual void Finish(absl::Status status, std::optional<v1::ReadResponse> last) = 0;
  // Gives up a Write that the consumer does not take: its `taken` comes soon, with false.
  virtual void Abort() = 0;
};

}  // namespace sluice::exchange
