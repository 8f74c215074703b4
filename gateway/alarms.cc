#include "gateway/alarms.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gateway/base/check.h"
#include "gateway/base/view.h"

namespace sluice {
namespace {

Micros SinceOf(const v1::Alarm& alarm) {
  return alarm.since().seconds() * kSecond + alarm.since().nanos() / 1000;
}

const AlarmKind& KindOf(std::string_view name) {
  const auto& kinds = AlarmKinds();
  const auto found = std::find_if(kinds.begin(), kinds.end(),
                                  [&](const AlarmKind& kind) { return name == kind.name; });
  SLUICE_CHECK(found != kinds.end());
  return *found;
}

}  // namespace

const std::vector<AlarmKind>& AlarmKinds() {
  static const auto* const kinds = new std::vector<AlarmKind>{
      {kAlarmLogWriteFailed, "nothing is released, and the process ends with code 74",
       "df -h AUDIT-DIRECTORY; dmesg | tail; then start the gateway again"},
      {kAlarmDiskLow, "nothing is released until there is room", "df -h AUDIT-DIRECTORY"},
      {kAlarmHeadOld, "none; the newest records are under no signed head yet", "sluice ops status"},
      {kAlarmCosignaturesOld,
       "none, or nothing is released where audit.witnesses.releases_stop_after says so",
       "sluice ops status"},
      {kAlarmScrubMismatch, "nothing is released until a pass finds the log sound",
       "sluice audit verify AUDIT-DIRECTORY --key log.vkey, on a copy"},
      {kAlarmIndexBehind, "searches of the log say how far they reach", "sluice ops status"},
      {kAlarmCertificateEnds, "when it has ended, nobody can connect",
       "sluice certs renew, then write the new pair over the old one"},
      {kAlarmRevocationListDue, "past it, everybody under that authority is refused",
       "sluice certs revoke --renew-list, then sluice certs publish LIST"},
      {kAlarmClockStepped, "none; the step is a record of the log", "chronyc tracking"},
  };
  return *kinds;
}

std::vector<std::string> AlarmNames() {
  std::vector<std::string> names;
  for (const AlarmKind& kind : AlarmKinds()) names.emplace_back(kind.name);
  return names;
}

void Alarms::Set(std::string_view name, bool raised, const std::string& detail,
                 bool stops_releases) {
  const AlarmKind& kind = KindOf(name);
  {
    MutexLock lock(mutex_);
    const auto found = raised_.find(name);
    if (found != raised_.end() && raised) {
      found->second.set_stops_releases(stops_releases);
      return;
    }
    if (found == raised_.end() && !raised) return;
    if (raised) {
      v1::Alarm& alarm = raised_[std::string(name)];
      alarm.set_alarm(kind.name);
      alarm.set_effect(kind.effect);
      alarm.set_next(kind.next);
      alarm.set_detail(detail);
      alarm.set_stops_releases(stops_releases);
      const Micros now = clock_.Now();
      alarm.mutable_since()->set_seconds(now / kSecond);
      alarm.mutable_since()->set_nanos(static_cast<int32_t>(now % kSecond * 1000));
    } else {
      raised_.erase(found);
    }
  }
  operations_.Write(raised ? Severity::kError : Severity::kInfo,
                    raised ? "alarm_raised" : "alarm_over", detail,
                    {{"alarm", kind.name}, {"effect", kind.effect}, {"next", kind.next}});
}

bool Alarms::IsRaised(std::string_view name) const {
  MutexLock lock(mutex_);
  return raised_.contains(name);
}

std::vector<v1::Alarm> Alarms::Raised() const {
  std::vector<v1::Alarm> alarms;
  {
    MutexLock lock(mutex_);
    for (const auto& [name, alarm] : raised_) alarms.push_back(alarm);
  }
  std::stable_sort(alarms.begin(), alarms.end(), [](const v1::Alarm& one, const v1::Alarm& other) {
    return SinceOf(one) < SinceOf(other);
  });
  return alarms;
}

}  // namespace sluice
