#include "gateway/base/clock.h"

#include <sys/timex.h>
#include <time.h>

#include <atomic>

#include "absl/time/time.h"

namespace sluice {
namespace {

// Of years 1 to 9999.
constexpr int64_t kFirstSecond = -62'135'596'800;
constexpr int64_t kLastSecond = 253'402'300'799;

Micros Read(clockid_t id) {
  timespec now;
  clock_gettime(id, &now);
  return static_cast<Micros>(now.tv_sec) * kSecond + now.tv_nsec / 1000;
}

class SystemClock : public Clock {
 public:
  Micros Now() const override { return Read(CLOCK_REALTIME); }
  Micros Monotonic() const override { return Read(CLOCK_MONOTONIC); }
  ClockState State() const override {
    const Micros now = Monotonic();
    Micros next = next_look_.load(std::memory_order_relaxed);
    if (now >= next && next_look_.compare_exchange_strong(next, now + kSecond)) {
      timex state = {};
      const int result = adjtimex(&state);
      state_.store(result < 0                    ? ClockState::kUnknown
                   : (state.status & STA_UNSYNC) ? ClockState::kUnsynchronised
                                                 : ClockState::kSynchronised);
    }
    return state_.load(std::memory_order_relaxed);
  }

 private:
  mutable std::atomic<Micros> next_look_{0};
  mutable std::atomic<ClockState> state_{ClockState::kUnknown};
};

}  // namespace

std::unique_ptr<Clock> MakeSystemClock() { return std::make_unique<SystemClock>(); }

std::string FormatUtc(Micros time) {
  return absl::FormatTime("%E4Y-%m-%dT%H:%M:%E*SZ", absl::FromUnixMicros(time),
                          absl::UTCTimeZone());
}

bool ParseTime(std::string_view text, Micros* time) {
  absl::Time parsed;
  std::string error;
  for (const char* format : {absl::RFC3339_full, "%Y-%m-%d"}) {
    if (absl::ParseTime(format, absl::string_view(text.data(), text.size()), absl::UTCTimeZone(),
                        &parsed, &error)) {
      // Abseil takes "infinite-future" for a time, and an offset may lead out of the calendar.
      if (parsed < absl::FromUnixSeconds(kFirstSecond) ||
          parsed >= absl::FromUnixSeconds(kLastSecond + 1)) {
        return false;
      }
      *time = absl::ToUnixMicros(parsed);
      return true;
    }
  }
  return false;
}

}  // namespace sluice
