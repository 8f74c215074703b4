#include "adapters/files/job.h"

#include "gateway/base/error.h"

namespace sluice::adapters::files {
namespace {

// How soon a waiting call sees that it was given up.
constexpr auto kLook = std::chrono::milliseconds(2);

}  // namespace

bool SpeaksOfTheFile(const absl::Status& status) {
  const v1::Reason reason = ReasonOf(status);
  return status.ok() || reason == v1::REASON_SOURCE_BAD_VALUE || reason == v1::REASON_SCHEMA_DRIFT;
}

absl::Status Job::TakeTurn(const Watch& watch) {
  MutexLock lock(mutex_);
  while (taken_ && !done_) {
    SLUICE_RETURN_IF_ERROR(watch.Check());
    changed_.WaitFor(mutex_, kLook);
  }
  if (!done_) taken_ = true;
  return absl::OkStatus();
}

void Job::GiveTurn() {
  MutexLock lock(mutex_);
  taken_ = false;
  changed_.NotifyAll();
}

bool Job::done() const {
  MutexLock lock(mutex_);
  return done_ && result_.ok();
}

absl::Status Job::Finish(const Watch& watch) {
  SLUICE_RETURN_IF_ERROR(TakeTurn(watch));
  {
    MutexLock lock(mutex_);
    if (done_) return result_;
  }
  absl::Status status = Work(watch);
  if (SpeaksOfTheFile(status)) {
    MutexLock lock(mutex_);
    done_ = true;
    result_ = status;
  } else if (!EndedByWatch(status)) {
    Restart();
  }
  GiveTurn();
  return status;
}

}  // namespace sluice::adapters::files
