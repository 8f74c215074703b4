// Judges what the gateway sees of itself, once a second: raises alarms, and closes the gate for
// releases while what a release stands on is not in order. Opens it again by itself, with a margin,
// so that it does not swing. Knows no threads, files or network: they are looked at elsewhere. One
// thread.
#pragma once

#include <optional>
#include <string>

#include "gateway/alarms.h"
#include "gateway/exchange/release_gate.h"

namespace sluice {

// What was looked at.
struct Observed {
  bool poisoned = false;
  uint64_t log_records = 0, head_records = 0, index_records = 0;
  std::optional<int64_t> disk_free;     // of the log's disk, in bytes
  std::optional<Micros> cosign_age;     // of the newest head that enough witnesses cosigned
  std::optional<std::string> mismatch;  // what the scrub found
  Micros certificate_expires = 0;
  std::optional<Micros> list_due;
};

struct SelfWatchOptions {
  int64_t disk_low = 0;  // in bytes; 0: not watched
  Micros head_interval = kSecond;
  Micros cosign_late = kMinute;
  Micros cosign_stop = 0;  // 0: cosignatures stop nothing
};

class SelfWatch {
 public:
  // All outlive it.
  SelfWatch(SelfWatchOptions options, const Clock& clock, Alarms& alarms,
            exchange::ReleaseGate& gate);

  // By how much the wall clock went ahead of the monotonic one since the last look, or back; 0
  // where that is less than two seconds.
  Micros Look(const Observed& observed);

 private:
  Micros ClockStep();
  void LookAtDisk(const Observed& observed);
  void LookAtCosignatures(const Observed& observed);
  // Whether the condition has held for so long.
  bool HoldsFor(bool condition, Micros span, std::optional<Micros>& since) const;

  const SelfWatchOptions options_;
  const Clock& clock_;
  Alarms& alarms_;
  exchange::ReleaseGate& gate_;
  Micros offset_;  // of the wall clock to the monotonic one
  std::optional<Micros> stepped_, head_behind_, index_behind_;  // since when, monotonic
};

}  // namespace sluice
