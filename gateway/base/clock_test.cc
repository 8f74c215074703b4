#include "gateway/base/clock.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(ParseTime, TakesTimesWithTheirOffsetAndDates) {
  Micros time = 0;
  ASSERT_TRUE(ParseTime("1970-01-02T08:00:00.5+08:00", &time));
  EXPECT_EQ(time, kDay + kSecond / 2);
  ASSERT_TRUE(ParseTime("1970-01-02", &time));
  EXPECT_EQ(time, kDay);
  for (const char* text : {"0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"}) {
    ASSERT_TRUE(ParseTime(text, &time)) << text;
    EXPECT_EQ(FormatUtc(time), text);
  }
}

TEST(ParseTime, RefusesWhatIsNoTimeOfTheCalendar) {
  for (const char* text : {"", "soon", "infinite-future", "infinite-past", "2027-02-30",
                           "2027-04-01T00:00:00", "9999-12-31T23:59:59-08:00",
                           "0001-01-01T00:00:00+08:00", "10000-01-01", "292278-01-01T00:00:00Z"}) {
    Micros time = 7;
    EXPECT_FALSE(ParseTime(text, &time)) << text;
    EXPECT_EQ(time, 7) << text;
  }
}

}  // namespace
}  // namespace sluice
