// When an owner's system is left alone: "Mon-Fri 22:00-02:00". Days are those on which a span
// begins; one that ends before it begins goes on into the next day; without days it is every day's,
// without hours the whole day. Hours are a place's own, summer time and all. Immutable.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "gateway/base/clock.h"

namespace sluice::identity {

class ClosedHours {
 public:
  ClosedHours() = default;
  // INVALID_ARGUMENT saying what is wrong with a span.
  static absl::StatusOr<ClosedHours> Parse(const std::vector<std::string>& spans,
                                           const absl::TimeZone& zone);
  // Whether a span covers that moment.
  bool Covers(Micros now) const { return EndAt(now).has_value(); }
  // When it opens, where it is closed now. Beyond eight days it never does.
  std::optional<Micros> ClosedUntil(Micros now) const;
  const absl::TimeZone& zone() const { return zone_; }

 private:
  struct Span {
    unsigned days = 0;  // bit 0 is Monday
    int from = 0;       // minutes of the day that it begins on
    int to = 0;         // of the same day, over 1440 where it ends on the next
  };
  static absl::StatusOr<Span> ParseSpan(std::string_view text);
  std::optional<Micros> EndAt(Micros now) const;

  std::vector<Span> spans_;
  absl::TimeZone zone_ = absl::UTCTimeZone();
};

// An IANA name, or an offset like "+08:00"; empty is this machine's own. INVALID_ARGUMENT where
// this machine knows none of that name.
absl::StatusOr<absl::TimeZone> FindZone(const std::string& name);

}  // namespace sluice::identity
