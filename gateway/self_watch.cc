#include "gateway/self_watch.h"

#include <cstdlib>

#include "absl/strings/str_cat.h"

namespace sluice {
namespace {

constexpr Micros kClockStepAtLeast = 2 * kSecond;
constexpr Micros kStepStaysFor = kHour;
constexpr Micros kHeadMayLag = 30 * kSecond;
constexpr uint64_t kIndexMayLag = 20'000;
constexpr Micros kIndexMayLagFor = kMinute;
constexpr Micros kCertificateWarns = 14 * kDay;
constexpr Micros kListWarns = 2 * kDay;

}  // namespace

SelfWatch::SelfWatch(SelfWatchOptions options, const Clock& clock, Alarms& alarms,
                     exchange::ReleaseGate& gate)
    : options_(options),
      clock_(clock),
      alarms_(alarms),
      gate_(gate),
      offset_(clock.Now() - clock.Monotonic()) {}

bool SelfWatch::HoldsFor(bool condition, Micros span, std::optional<Micros>& since) const {
  if (!condition) since.reset();
  if (condition && !since) since = clock_.Monotonic();
  return since && clock_.Monotonic() - *since >= span;
}

Micros SelfWatch::Look(const Observed& observed) {
  alarms_.Set(kAlarmLogWriteFailed, observed.poisoned, "a write or sync of the audit log failed",
              true);
  LookAtDisk(observed);
  LookAtCosignatures(observed);
  if (observed.mismatch) {
    alarms_.Set(kAlarmScrubMismatch, true, *observed.mismatch, true);
    gate_.Close(kAlarmScrubMismatch, "the gateway's log does not read back as it was written");
  } else {
    alarms_.Set(kAlarmScrubMismatch, false);
    gate_.Open(kAlarmScrubMismatch);
  }
  alarms_.Set(kAlarmHeadOld,
              HoldsFor(observed.log_records > observed.head_records,
                       options_.head_interval + kHeadMayLag, head_behind_),
              absl::StrCat(observed.log_records - observed.head_records,
                           " records are under no signed head"));
  alarms_.Set(kAlarmIndexBehind,
              HoldsFor(observed.log_records > observed.index_records + kIndexMayLag,
                       kIndexMayLagFor, index_behind_),
              absl::StrCat("the search index lacks ", observed.log_records - observed.index_records,
                           " records"));
  const Micros now = clock_.Now();
  alarms_.Set(
      kAlarmCertificateEnds, observed.certificate_expires - now < kCertificateWarns,
      absl::StrCat("the gateway's certificate ends at ", FormatUtc(observed.certificate_expires)));
  alarms_.Set(
      kAlarmRevocationListDue, observed.list_due && *observed.list_due - now < kListWarns,
      absl::StrCat("a revocation list runs out at ", FormatUtc(observed.list_due.value_or(0))));
  return ClockStep();
}

Micros SelfWatch::ClockStep() {
  const Micros offset = clock_.Now() - clock_.Monotonic();
  const Micros step = offset - offset_;
  // Small differences are how a clock is steered; they must not add up unseen either.
  const bool stepped = std::abs(step) >= kClockStepAtLeast;
  if (stepped || std::abs(step) < kSecond / 10) offset_ = offset;
  if (stepped) {
    stepped_ = clock_.Monotonic();
    alarms_.Set(kAlarmClockStepped, true,
                absl::StrCat("the clock stepped by ", step / kMillisecond, " ms"));
  } else if (stepped_ && clock_.Monotonic() - *stepped_ >= kStepStaysFor) {
    stepped_.reset();
    alarms_.Set(kAlarmClockStepped, false);
  }
  return stepped ? step : 0;
}

void SelfWatch::LookAtDisk(const Observed& observed) {
  if (options_.disk_low == 0 || !observed.disk_free) return;
  const bool was_low = alarms_.IsRaised(kAlarmDiskLow);
  // A quarter more than what was too little.
  const int64_t enough = was_low ? options_.disk_low + options_.disk_low / 4 : options_.disk_low;
  const bool is_low = *observed.disk_free < enough;
  alarms_.Set(kAlarmDiskLow, is_low,
              absl::StrCat(*observed.disk_free, " bytes are free on the log's disk, of ",
                           options_.disk_low, " at least"),
              true);
  if (is_low)
    gate_.Close(kAlarmDiskLow, "the disk of the gateway's log is nearly full");
  else
    gate_.Open(kAlarmDiskLow);
}

void SelfWatch::LookAtCosignatures(const Observed& observed) {
  if (!observed.cosign_age) return;
  const bool stops = options_.cosign_stop > 0 && *observed.cosign_age > options_.cosign_stop;
  const bool late = stops || *observed.cosign_age > options_.cosign_late;
  alarms_.Set(kAlarmCosignaturesOld, late,
              absl::StrCat("enough witnesses cosigned a head ", *observed.cosign_age / kSecond,
                           " s ago at last"),
              stops);
  if (stops)
    gate_.Close(kAlarmCosignaturesOld, "the gateway's log is not witnessed at present");
  else
    gate_.Open(kAlarmCosignaturesOld);
}

}  // namespace sluice
