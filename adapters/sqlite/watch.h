// What ends a running statement early: a person, the call's deadline, or a budget of work that
// keeps each read transaction short. SQLite asks every thousand steps of its machine, and while it
// waits for a lock.
#pragma once

#include <atomic>
#include <cstdint>

#include "absl/status/status.h"
#include "adapters/adapter.h"

namespace sluice::adapters::sqlite {

inline constexpr int kStepsPerLook = 1'000;
inline constexpr int64_t kNoBudget = INT64_MAX;

class Watch {
 public:
  // Both outlive it; `cancelled` may be null.
  explicit Watch(const CallContext& context, const std::atomic<bool>* cancelled = nullptr)
      : context_(context), cancelled_(cancelled) {}

  // Steps of SQLite's virtual machine that the next statement may take. Counted, not timed: the
  // same request on the same data ends at the same row.
  void SetBudget(int64_t steps) { steps_left_ = steps, out_of_budget_ = false; }

  // True where the statement must end now.
  bool Look();
  bool out_of_budget() const { return out_of_budget_; }

  // CANCELLED or DEADLINE_EXCEEDED once it is so; OK otherwise.
  absl::Status Check() const;

 private:
  const CallContext& context_;
  const std::atomic<bool>* const cancelled_;
  int64_t steps_left_ = kNoBudget;
  bool out_of_budget_ = false;
};

}  // namespace sluice::adapters::sqlite
