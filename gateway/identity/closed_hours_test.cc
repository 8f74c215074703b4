// The owner's batch windows are kept, whatever the calendar does.
#include "gateway/identity/closed_hours.h"

#include "gtest/gtest.h"

namespace sluice::identity {
namespace {

absl::TimeZone Zone(const std::string& name) {
  const auto zone = FindZone(name);
  EXPECT_TRUE(zone.ok()) << zone.status();
  return zone.ok() ? *zone : absl::UTCTimeZone();
}

Micros At(std::string_view time) {
  absl::Time at;
  std::string why;
  EXPECT_TRUE(
      absl::ParseTime(absl::RFC3339_full, absl::string_view(time.data(), time.size()), &at, &why))
      << why;
  return absl::ToUnixMicros(at);
}

ClosedHours Hours(const std::vector<std::string>& spans, const std::string& zone) {
  const auto hours = ClosedHours::Parse(spans, Zone(zone));
  EXPECT_TRUE(hours.ok()) << hours.status();
  return hours.ok() ? *hours : ClosedHours();
}

// 2026-11-27 is a Friday.
TEST(ClosedHoursTest, ASpanOverMidnightBelongsToTheDayThatItBeginsOn) {
  const ClosedHours hours = Hours({"Mon-Fri 22:00-02:00"}, "+08:00");
  EXPECT_EQ(hours.ClosedUntil(At("2026-11-27T21:59:59+08:00")), std::nullopt);
  EXPECT_EQ(hours.ClosedUntil(At("2026-11-27T22:00:00+08:00")), At("2026-11-28T02:00:00+08:00"));
  EXPECT_EQ(hours.ClosedUntil(At("2026-11-28T01:59:59+08:00")), At("2026-11-28T02:00:00+08:00"));
  EXPECT_EQ(hours.ClosedUntil(At("2026-11-28T02:00:00+08:00")), std::nullopt);
  EXPECT_EQ(hours.ClosedUntil(At("2026-11-28T23:00:00+08:00")), std::nullopt);  // Saturday
  EXPECT_EQ(hours.ClosedUntil(At("2026-11-30T01:00:00+08:00")), std::nullopt);  // Sunday's night
}

TEST(ClosedHoursTest, DaysAloneAreWholeAndHoursAloneAreDaily) {
  const ClosedHours days = Hours({"Sat,Sun"}, "UTC");
  EXPECT_EQ(days.ClosedUntil(At("2026-11-28T00:00:00Z")), At("2026-11-30T00:00:00Z"));
  EXPECT_EQ(days.ClosedUntil(At("2026-11-27T23:59:59Z")), std::nullopt);
  const ClosedHours nightly = Hours({"01:30-03:00"}, "UTC");
  EXPECT_EQ(nightly.ClosedUntil(At("2026-11-28T01:30:00Z")), At("2026-11-28T03:00:00Z"));
  EXPECT_EQ(Hours({"Fri-Mon 00:00-24:00"}, "UTC").ClosedUntil(At("2026-11-27T12:00:00Z")),
            At("2026-12-01T00:00:00Z"));
}

TEST(ClosedHoursTest, SpansThatTouchAreOne) {
  const ClosedHours hours = Hours({"20:00-22:00", "22:00-23:00", "22:30-01:00"}, "UTC");
  EXPECT_EQ(hours.ClosedUntil(At("2026-11-27T20:30:00Z")), At("2026-11-28T01:00:00Z"));
}

TEST(ClosedHoursTest, AlwaysClosedIsSeen) {
  const auto until = Hours({"00:00-24:00"}, "UTC").ClosedUntil(At("2026-11-27T20:30:00Z"));
  ASSERT_TRUE(until.has_value());
  EXPECT_GE(*until, At("2026-11-27T20:30:00Z") + 8 * kDay);
}

TEST(ClosedHoursTest, SummerTimeIsThePlacesOwn) {
  absl::TimeZone berlin;
  if (!absl::LoadTimeZone("Europe/Berlin", &berlin)) GTEST_SKIP() << "tzdata is not installed";
  const auto hours = ClosedHours::Parse({"02:30-04:00"}, berlin);
  ASSERT_TRUE(hours.ok());
  // The hour that comes twice is closed twice.
  EXPECT_EQ(hours->ClosedUntil(At("2026-10-25T00:45:00Z")), At("2026-10-25T03:00:00Z"));
  EXPECT_EQ(hours->ClosedUntil(At("2026-10-25T01:45:00Z")), At("2026-10-25T03:00:00Z"));
  // The hour that does not come.
  EXPECT_EQ(hours->ClosedUntil(At("2026-03-29T01:15:00Z")), At("2026-03-29T02:00:00Z"));
}

TEST(ClosedHoursTest, MistakesAreTold) {
  for (const char* wrong :
       {"", "Mon-", "Monday", "mon-fri", "Mon-Fri-Sun", "22:00", "22:00-22:00", "25:00-01:00",
        "1:00-2:00", "22.00-02.00", "Mon 22:00-02:00 x", "Mon,,Tue", "-1:00-02:00", "24:30-01:00"})
    EXPECT_FALSE(ClosedHours::Parse({wrong}, absl::UTCTimeZone()).ok()) << wrong;
  EXPECT_FALSE(FindZone("Mars/Olympus").ok());
  EXPECT_FALSE(FindZone("+8:00").ok());
  EXPECT_EQ(absl::FormatTime("%z", absl::UnixEpoch(), Zone("-03:30")), "-0330");
}

}  // namespace
}  // namespace sluice::identity
