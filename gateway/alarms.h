// What the gateway finds wrong with itself: a fixed list of names that do not change, each with
// what it does to callers and what to do, as docs/operator.md tells it. Raised and over once each,
// on the operational log, in `sluice ops alarms`, metrics and readiness. Any thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/clock.h"
#include "gateway/base/mutex.h"
#include "gateway/base/operational_log.h"
#include "sluice/v1/operations.pb.h"

namespace sluice {

struct AlarmKind {
  const char* name;
  const char* effect;  // on callers
  const char* next;
};

inline constexpr char kAlarmLogWriteFailed[] = "log_write_failed";
inline constexpr char kAlarmDiskLow[] = "disk_low";
inline constexpr char kAlarmHeadOld[] = "head_old";
inline constexpr char kAlarmCosignaturesOld[] = "cosignatures_old";
inline constexpr char kAlarmScrubMismatch[] = "scrub_mismatch";
inline constexpr char kAlarmIndexBehind[] = "index_behind";
inline constexpr char kAlarmCertificateEnds[] = "certificate_ends";
inline constexpr char kAlarmRevocationListDue[] = "revocation_list_due";
inline constexpr char kAlarmClockStepped[] = "clock_stepped";

// All of them.
const std::vector<AlarmKind>& AlarmKinds();
std::vector<std::string> AlarmNames();

class Alarms {
 public:
  // Both outlive it.
  Alarms(const Clock& clock, OperationalLog& operations) : clock_(clock), operations_(operations) {}

  // `name` is one of AlarmKinds. While it stays raised the first detail stands.
  void Set(std::string_view name, bool raised, const std::string& detail = "",
           bool stops_releases = false);
  bool IsRaised(std::string_view name) const;
  // Longest first.
  std::vector<v1::Alarm> Raised() const;

 private:
  const Clock& clock_;
  OperationalLog& operations_;
  mutable Mutex mutex_;
  std::map<std::string, v1::Alarm, std::less<>> raised_ SLUICE_GUARDED_BY(mutex_);
};

}  // namespace sluice
