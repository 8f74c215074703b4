// Reads the log again from its first byte, slowly and past the page cache, and derives its tree
// anew: a disk that forgets, or a hand that changes what lies there, is noticed before somebody
// needs the record. What is written meanwhile is not touched.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "gateway/audit/log.h"
#include "gateway/base/mutex.h"

namespace sluice::audit {

struct ScrubOptions {
  std::string directory;              // the log's
  uint64_t bytes_a_second = 4 << 20;  // 0: as fast as it goes
  Micros rest = kDay;                 // between the end of one pass and the next
};

struct ScrubState {
  uint64_t passes = 0;   // that ended, whatever they found
  uint64_t records = 0;  // read by the pass that runs, or that ended last
  Micros ended = 0;      // when the last pass ended, UTC; 0 before the first
  absl::Status found;    // by the last pass that ended: OK, or what does not hold, and where
};

// Any thread.
class Scrub {
 public:
  // All outlive it.
  Scrub(ScrubOptions options, Log& log, VerifierKey log_key, FileSystem& files, const Clock& clock);
  ~Scrub();

  // Passes from now on, on a thread of its own, until Stop.
  void Start();
  void Stop();
  // One pass, on this thread: everything up to the head that is newest when it begins. DATA_LOSS
  // with the place where what is read is not what was signed; another error where it cannot be
  // read. CANCELLED where it was stopped.
  absl::Status Pass();
  ScrubState State() const;

 private:
  absl::Status ReadUpTo(const Checkpoint& head);
  // Keeps to the rate. False when stopped.
  bool Rest(Micros until);
  void Run();

  const ScrubOptions options_;
  Log& log_;
  const VerifierKey log_key_;
  FileSystem& files_;
  const Clock& clock_;
  mutable Mutex mutex_;
  Condition changed_;
  bool stop_ SLUICE_GUARDED_BY(mutex_) = false;
  ScrubState state_ SLUICE_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace sluice::audit
