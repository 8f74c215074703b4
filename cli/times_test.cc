// Times as people write them.
#include "cli/times.h"

#include <gtest/gtest.h>

#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

// 2026-11-23 14:02:07 +08:00.
constexpr Micros kNow = 1'795'413'727 * kSecond;
const absl::TimeZone kChina = absl::FixedTimeZone(8 * 60 * 60);

TEST(TimesTest, ASpanLeadsBackOrForth) {
  EXPECT_EQ(*ParseWhen("2h", kNow, kChina), kNow - 2 * kHour);
  EXPECT_EQ(*ParseUntil("2h", kNow, kChina), kNow + 2 * kHour);
  EXPECT_EQ(*ParseUntil("90d", kNow, kChina), kNow + 90 * kDay);
}

TEST(TimesTest, ADayIsItsMidnightInTheZone) {
  for (const auto& time :
       {ParseWhen("2026-11-24", kNow, kChina), ParseUntil("2026-11-24", kNow, kChina),
        ParseUntil("2026-11-24 00:00", kNow, kChina),
        ParseUntil("2026-11-23T16:00:00Z", kNow, kChina)}) {
    ASSERT_TRUE(time.ok()) << time.status();
    EXPECT_EQ(FormatTime(*time, kChina), "2026-11-24 00:00:00 +08:00");
    EXPECT_EQ(FormatDay(*time, kChina), "2026-11-24");
  }
}

TEST(TimesTest, WhatIsNoTimeIsRefused) {
  for (const char* text : {"", "soon", "d", "-3d", "3", "2026-02-30", "9999999d", "today!"})
    EXPECT_FALSE(ParseUntil(text, kNow, kChina).ok()) << text;
  EXPECT_TRUE(ParseWhen("today", kNow, kChina).ok());
  EXPECT_FALSE(ParseUntil("today", kNow, kChina).ok());  // nothing ends before it begins
}

}  // namespace
}  // namespace sluice::cli
