// What ends a wait for the source early: a person, or the call's deadline.
#pragma once

#include <atomic>

#include "absl/status/status.h"
#include "adapters/adapter.h"

namespace sluice::adapters::odbc {

class Watch {
 public:
  // Both outlive it; `cancelled` may be null.
  explicit Watch(const CallContext& context, const std::atomic<bool>* cancelled = nullptr)
      : context_(context), cancelled_(cancelled) {}

  // CANCELLED or DEADLINE_EXCEEDED once it is so; OK otherwise.
  absl::Status Check() const;
  const Clock* clock() const { return context_.clock; }

 private:
  const CallContext& context_;
  const std::atomic<bool>* const cancelled_;
};

}  // namespace sluice::adapters::odbc
