#include "gateway/exchange/breaker.h"

#include <gtest/gtest.h>

#include "gateway/base/error.h"
#include "gateway/base/fake_clock.h"

namespace sluice::exchange {
namespace {

class BreakerTest : public testing::Test {
 protected:
  void FailTimes(int times) {
    for (int i = 0; i < times; ++i) {
      ASSERT_TRUE(breaker_.Admit("ps").ok());
      breaker_.Failed();
    }
  }
  FakeClock clock_;
  CircuitBreaker breaker_{3, 30 * kSecond, clock_};
};

TEST_F(BreakerTest, OpensAfterFailuresInARowOnly) {
  FailTimes(2);
  ASSERT_TRUE(breaker_.Admit("ps").ok());
  breaker_.Succeeded();
  FailTimes(2);
  EXPECT_EQ(breaker_.State(), "closed");
  FailTimes(1);
  const absl::Status refused = breaker_.Admit("ps");
  EXPECT_EQ(ReasonOf(refused), v1::REASON_SOURCE_UNAVAILABLE);
  EXPECT_EQ(RetryInfoOf(refused)->retry_delay().seconds(), 30);
}

TEST_F(BreakerTest, LetsOneTrialThroughAndItsOutcomeDecides) {
  FailTimes(3);
  clock_.Advance(30 * kSecond);
  ASSERT_TRUE(breaker_.Admit("ps").ok());
  EXPECT_FALSE(breaker_.Admit("ps").ok());
  EXPECT_EQ(breaker_.State(), "half_open");
  breaker_.Failed();
  EXPECT_FALSE(breaker_.Admit("ps").ok());
  clock_.Advance(30 * kSecond);
  ASSERT_TRUE(breaker_.Admit("ps").ok());
  breaker_.Succeeded();
  EXPECT_TRUE(breaker_.Admit("ps").ok());
  EXPECT_EQ(breaker_.State(), "closed");
}

TEST_F(BreakerTest, ATrialThatWasGivenUpLetsTheNextOneThrough) {
  FailTimes(3);
  clock_.Advance(30 * kSecond);
  ASSERT_TRUE(breaker_.Admit("ps").ok());
  breaker_.Abandoned();
  EXPECT_TRUE(breaker_.Admit("ps").ok());
}

TEST_F(BreakerTest, AWallClockThatJumpsChangesNothing) {
  FailTimes(3);
  clock_.Jump(kDay);
  EXPECT_FALSE(breaker_.Admit("ps").ok());
}

}  // namespace
}  // namespace sluice::exchange
