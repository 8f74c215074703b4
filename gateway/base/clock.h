// Time as an interface, so that deadlines, expiry and clocks that jump are tested without waiting.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace sluice {

// Microseconds since 1970-01-01 00:00 UTC.
using Micros = int64_t;
inline constexpr Micros kMillisecond = 1000;
inline constexpr Micros kSecond = 1000 * kMillisecond;
inline constexpr Micros kMinute = 60 * kSecond;
inline constexpr Micros kHour = 60 * kMinute;
inline constexpr Micros kDay = 24 * kHour;

// What the kernel says of the system clock (adjtimex).
enum class ClockState { kUnknown, kSynchronised, kUnsynchronised };

// Any thread may call any function.
class Clock {
 public:
  virtual ~Clock() = default;
  // Wall clock, UTC. May jump.
  virtual Micros Now() const = 0;
  // Never goes back; only differences mean something.
  virtual Micros Monotonic() const = 0;
  virtual ClockState State() const = 0;
};

// The system's clock. Its State is read from the kernel at most once a second.
std::unique_ptr<Clock> MakeSystemClock();

// "2026-11-24T03:15:00.123456Z"; no fraction where it is zero. Years 0001 to 9999.
std::string FormatUtc(Micros time);

// RFC 3339 with offset or Z, or a date alone (midnight UTC). False where it is neither.
bool ParseTime(std::string_view text, Micros* time);

}  // namespace sluice
