// Times as people write them.
#include "cli/times.h"

#include <gtest/gtest.h>

#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

// 2026-11-23 14:02:07 +08:00.
constexpr Micros kMoment = 1'795'413'727 * kSecond;
const absl::TimeZone kChina = absl::FixedTimeZone(8 * 60 * 60);

TEST(TimesTest, ASpanLeadsBackOrForth) {
  EXPECT_EQ(*ParseWhen("2h", kMoment, kChina), kMoment - 2 * kHour);
  EXPECT_EQ(*ParseUntil("2h", kMoment, kChina), kMoment + 2 * kHour);
  EXPECT_EQ(*ParseUntil("90d", kMoment, kChina), kMoment + 90 * kDay);
}

TEST(TimesTest, ADayIsItsMidnightInTheZone) {
  for (const auto& time :
       {ParseWhen("2026-11-24", kMoment, kChina), ParseUntil("2026-11-24", kMoment, kChina),
        ParseUntil("2026-11-24 00:00", kMoment, kChina),
        ParseUntil("2026-11-23T16:00:00Z", kMoment, kChina)}) {
    ASSERT_TRUE(time.ok()) << time.status();
    EXPECT_EQ(FormatTime(*time, kChina), "2026-11-24 00:00:00 +08:00");
    EXPECT_EQ(FormatDay(*time, kChina), "2026-11-24");
  }
}

TEST(TimesTest, WhatIsNoTimeIsRefused) {
  for (const char* text : {"", "soon", "d", "-3d", "3", "2026-02-30", "9999999d", "today!"})
    EXPECT_FALSE(ParseUntil(text, kMoment, kChina).ok()) << text;
  EXPECT_TRUE(ParseWhen("today", kMoment, kChina).ok());
  EXPECT_FALSE(ParseUntil("today", kMoment, kChina).ok());  // nothing ends before it begins
}

}  // namespace
}  // namespace sluice::cli
