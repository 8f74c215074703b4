#include "gateway/exchange/quota.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "gateway/base/error.h"

namespace sluice::exchange {
namespace {

constexpr Micros kNoon = 20'000 * kDay + 12 * kHour;

v1::Grant MakeGrant(int64_t calls_per_minute, int64_t rows_per_day, int64_t rows_total) {
  v1::Grant grant;
  grant.set_id("7q4m2k");
  grant.mutable_quota()->set_calls_per_minute(calls_per_minute);
  grant.mutable_quota()->set_rows_per_day(rows_per_day);
  grant.mutable_quota()->set_rows_total(rows_total);
  return grant;
}

TEST(QuotaTest, TwoCallsThatTogetherExceedDoNotBothPass) {
  QuotaLedger ledger;
  const v1::Grant grant = MakeGrant(0, 100, 0);
  int64_t reserved = 0;
  auto first = ledger.Reserve(grant, 60, false, kNoon, &reserved);
  ASSERT_TRUE(first.ok());
  const auto second = ledger.Reserve(grant, 60, false, kNoon, &reserved);
  EXPECT_EQ(ReasonOf(second.status()), v1::REASON_QUOTA_EXCEEDED);
  EXPECT_TRUE(QuotaFailureOf(second.status()).has_value());
  EXPECT_TRUE(RetryInfoOf(second.status()).has_value());
  // What was not let go is there again.
  first->Settle(10);
  EXPECT_EQ(ledger.Left(grant, kNoon).rows_today(), 90);
}

TEST(QuotaTest, ManyThreadsNeverTakeMoreThanThereIs) {
  QuotaLedger ledger;
  const v1::Grant grant = MakeGrant(0, 1000, 0);
  std::atomic<int64_t> taken{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        int64_t reserved = 0;
        auto reservation = ledger.Reserve(grant, 3, true, kNoon, &reserved);
        if (!reservation.ok()) continue;
        reservation->Settle(reserved);
        taken += reserved;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(taken, 1000);
  EXPECT_EQ(ledger.Left(grant, kNoon).rows_today(), 0);
}

TEST(QuotaTest, AForgottenReservationIsGivenBack) {
  QuotaLedger ledger;
  const v1::Grant grant = MakeGrant(0, 0, 50);
  {
    int64_t reserved = 0;
    ASSERT_TRUE(ledger.Reserve(grant, 50, false, kNoon, &reserved).ok());
  }
  EXPECT_EQ(ledger.Left(grant, kNoon).rows_total(), 50);
}

TEST(QuotaTest, APartialReservationTakesWhatIsLeft) {
  QuotaLedger ledger;
  const v1::Grant grant = MakeGrant(0, 100, 30);
  int64_t reserved = 0;
  ASSERT_TRUE(ledger.Reserve(grant, 1000, true, kNoon, &reserved).ok());
  EXPECT_EQ(reserved, 30);
}

TEST(QuotaTest, CallsAMinuteBeginAnewAndStayCountedWhenNothingWasReleased) {
  QuotaLedger ledger;
  const v1::Grant grant = MakeGrant(2, 0, 0);
  int64_t reserved = 0;
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(ledger.Reserve(grant, 1, true, kNoon, &reserved).ok());
  const auto third = ledger.Reserve(grant, 1, true, kNoon + 59 * kSecond, &reserved);
  ASSERT_EQ(ReasonOf(third.status()), v1::REASON_QUOTA_EXCEEDED);
  EXPECT_EQ(RetryInfoOf(third.status())->retry_delay().seconds(), 1);
  EXPECT_TRUE(ledger.Reserve(grant, 1, true, kNoon + kMinute, &reserved).ok());
}

TEST(QuotaTest, ADayBeginsInTheGrantsOwnOffset) {
  QuotaLedger ledger;
  v1::Grant grant = MakeGrant(0, 10, 0);
  grant.mutable_quota()->set_day_offset_minutes(480);
  const Micros midnight_in_china = 20'000 * kDay - 8 * kHour;
  int64_t reserved = 0;
  ledger.Reserve(grant, 10, false, midnight_in_china - 1, &reserved)->Settle(10);
  EXPECT_EQ(ledger.Left(grant, midnight_in_china - 1).rows_today(), 0);
  EXPECT_EQ(ledger.Left(grant, midnight_in_china - 1).day_ends().seconds(),
            midnight_in_china / kSecond);
  EXPECT_EQ(ledger.Left(grant, midnight_in_china).rows_today(), 10);
}

TEST(QuotaTest, AClockThatGoesBackOpensNoUsedUpDay) {
  QuotaLedger ledger;
  const v1::Grant grant = MakeGrant(1, 10, 0);
  int64_t reserved = 0;
  ledger.Reserve(grant, 10, false, kNoon, &reserved)->Settle(10);
  EXPECT_FALSE(ledger.Reserve(grant, 1, true, kNoon - kDay, &reserved).ok());
  EXPECT_FALSE(ledger.Reserve(grant, 1, true, kNoon - kHour, &reserved).ok());
}

TEST(QuotaTest, AReservationOfYesterdayGivesNothingBackToToday) {
  QuotaLedger ledger;
  const v1::Grant grant = MakeGrant(0, 100, 0);
  int64_t reserved = 0;
  auto yesterday = ledger.Reserve(grant, 100, false, kNoon, &reserved);
  ASSERT_TRUE(ledger.Reserve(grant, 100, false, kNoon + kDay, &reserved).ok());
  auto today = ledger.Reserve(grant, 100, false, kNoon + kDay, &reserved);
  yesterday->Settle(0);
  EXPECT_EQ(ledger.Left(grant, kNoon + kDay).rows_today(), 0);
}

TEST(QuotaTest, WhatTheLogShowsIsCountedAsItWas) {
  QuotaLedger ledger;
  const v1::Grant grant = MakeGrant(5, 100, 500);
  ledger.Count(grant, 40, kNoon - kDay);
  ledger.Count(grant, 7, kNoon);
  const v1::QuotaLeft left = ledger.Left(grant, kNoon);
  EXPECT_EQ(left.rows_today(), 93);
  EXPECT_EQ(left.rows_total(), 453);
  EXPECT_EQ(left.calls_this_minute(), 4);
}

}  // namespace
}  // namespace sluice::exchange
