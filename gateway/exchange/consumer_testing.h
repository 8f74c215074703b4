// The consumer's end of a stream, which takes messages when the test says so.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gateway/base/mutex.h"
#include "gateway/exchange/broker.h"

namespace sluice::exchange {

class Consumer : public ReadWriter {
 public:
  // Takes each message at once; or else only by Take.
  explicit Consumer(bool eager) : eager_(eager) {}

  // Kept with its payload in it.
  void Write(v1::ReadResponse message, Pieces payload, std::function<void(bool)> taken) override;
  void Finish(absl::Status status, std::optional<v1::ReadResponse> last) override;
  void Abort() override;

  // Called before each message is kept.
  std::function<void(const v1::ReadResponse&)> on_write;

  // Takes the message that is being written, when there is one; waits for it.
  void Take();
  // From now on takes each at once.
  void TakeAll();
  // Vanishes: what is being written, or is written next, fails.
  void Vanish();
  // Returns when this many messages were written.
  bool AwaitMessages(size_t count);
  // Waits for the end.
  absl::Status AwaitEnd();

  std::vector<v1::ReadResponse> messages() const;
  std::string payload() const;  // of all
  int64_t rows() const;
  int finishes() const;
  bool aborted() const;

 private:
  bool Await(const std::function<bool()>& condition) const SLUICE_REQUIRES(mutex_);
  void TakeOne(bool ok);

  mutable Mutex mutex_;
  mutable Condition changed_;
  bool eager_ SLUICE_GUARDED_BY(mutex_);
  bool vanished_ SLUICE_GUARDED_BY(mutex_) = false;
  bool aborted_ SLUICE_GUARDED_BY(mutex_) = false;
  std::function<void(bool)> taken_ SLUICE_GUARDED_BY(mutex_);
  std::vector<v1::ReadResponse> messages_ SLUICE_GUARDED_BY(mutex_);
  int finishes_ SLUICE_GUARDED_BY(mutex_) = 0;
  absl::Status status_ SLUICE_GUARDED_BY(mutex_);
};

}  // namespace sluice::exchange
