// How long an adapter process is waited for: until a person or the call's deadline ends it, or the
// process took longer than a source's setting allows.
#pragma once

#include <atomic>
#include <chrono>
#include <optional>

#include "absl/status/status.h"
#include "adapters/adapter.h"

namespace sluice::adapters::remote {

class Patience {
 public:
  // Begins now. All but `cancelled` outlive it; `cancelled` may be null.
  Patience(const CallContext& context, const std::atomic<bool>* cancelled, Micros timeout,
           const Clock& clock)
      : context_(context),
        cancelled_(cancelled),
        clock_(clock),
        timeout_(timeout),
        ends_(clock.Monotonic() + timeout) {}

  // CANCELLED, DEADLINE_EXCEEDED or, for the process' own time, SOURCE_UNAVAILABLE once it is so.
  absl::Status Check() const;
  bool TimedOut() const { return clock_.Monotonic() >= ends_; }

 private:
  const CallContext& context_;
  const std::atomic<bool>* const cancelled_;
  const Clock& clock_;
  const Micros timeout_;
  const Micros ends_;
};

// The call's own deadline as a time of the system's clock, for gRPC to tell the process.
std::optional<std::chrono::system_clock::time_point> DeadlineOf(const CallContext& context);

}  // namespace sluice::adapters::remote
