// Work on a file that takes long, is needed by many calls, and is done once: by the calls that need
// it, one at a time. A call that ends early leaves what it did to the next, so that a file too
// large for one call's deadline is done by several. No thread of its own.
#pragma once

#include "absl/status/status.h"
#include "adapters/files/watch.h"
#include "gateway/base/mutex.h"

namespace sluice::adapters::files {

// Whether the status would be the same if the work were done again: OK, SOURCE_BAD_VALUE,
// SCHEMA_DRIFT.
bool SpeaksOfTheFile(const absl::Status& status);

class Job {
 public:
  virtual ~Job() = default;
  // OK once it is done; what is wrong with the file (SOURCE_BAD_VALUE, SCHEMA_DRIFT), which stays
  // so; the watch's status; or another failure, after which the job begins anew. Any thread.
  absl::Status Finish(const Watch& watch);
  bool done() const;  // and well

 protected:
  // Goes on where the last call ended. One thread at a time.
  virtual absl::Status Work(const Watch& watch) = 0;
  // Forgets what was done.
  virtual void Restart() = 0;

 private:
  absl::Status TakeTurn(const Watch& watch);
  void GiveTurn();

  mutable Mutex mutex_;
  Condition changed_;
  bool taken_ SLUICE_GUARDED_BY(mutex_) = false;
  bool done_ SLUICE_GUARDED_BY(mutex_) = false;
  absl::Status result_ SLUICE_GUARDED_BY(mutex_);
};

}  // namespace sluice::adapters::files
