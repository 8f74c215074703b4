// What ends work early: a person, or the call's deadline. Asked every 64 KiB or so of work.
#pragma once

#include <atomic>

#include "absl/status/status.h"
#include "adapters/adapter.h"

namespace sluice::adapters::files {

class Watch {
 public:
  // Both outlive it; `cancelled` may be null.
  explicit Watch(const CallContext& context, const std::atomic<bool>* cancelled = nullptr)
      : context_(context), cancelled_(cancelled) {}

  // CANCELLED or DEADLINE_EXCEEDED once it is so; OK otherwise.
  absl::Status Check() const;
  bool proposes() const { return context_.proposes; }
  // On the monotonic clock of the call; on the system's where the call has none.
  Micros Monotonic() const;

 private:
  const CallContext& context_;
  const std::atomic<bool>* const cancelled_;
};

// Whether the status is a Watch's: then the work is not wrong, only unfinished.
bool EndedByWatch(const absl::Status& status);

}  // namespace sluice::adapters::files
