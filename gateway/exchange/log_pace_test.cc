#include "gateway/exchange/log_pace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/exchange/exchange_testing.h"

namespace sluice::exchange {
namespace {

TEST(LogPaceTest, RestsWhileOthersAppendAndNotOtherwise) {
  Exchange exchange;
  exchange.ps.SetRows(Persons(1));
  std::vector<Micros> rests;
  LogPace pace(*exchange.log, exchange.clock, [&](Micros rest) { rests.push_back(rest); });
  exchange.clock.Advance(5 * kMillisecond);
  pace.Breathe();
  EXPECT_THAT(rests, testing::IsEmpty());

  ASSERT_TRUE(exchange.Query(PersonsRequest()).ok());
  exchange.clock.Advance(5 * kMillisecond);
  pace.Breathe();
  ASSERT_EQ(rests.size(), 1u);
  EXPECT_GE(rests[0], 35 * kMillisecond);
  EXPECT_LE(rests[0], 200 * kMillisecond);

  // Nothing more was appended; then the clock goes far.
  exchange.clock.Advance(5 * kMillisecond);
  pace.Breathe();
  EXPECT_EQ(rests.size(), 1u);
  ASSERT_TRUE(exchange.Query(PersonsRequest()).ok());
  exchange.clock.Advance(kHour);
  pace.Breathe();
  EXPECT_THAT(rests, testing::ElementsAre(testing::_, 200 * kMillisecond));
}

}  // namespace
}  // namespace sluice::exchange
