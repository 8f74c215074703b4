// Quotas as whole calls meet them; QuotaLedger by itself is in quota_test.cc.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "gateway/exchange/exchange_testing.h"

namespace sluice::exchange {
namespace {

class QueryQuotaTest : public ::testing::Test {
 protected:
  QueryQuotaTest() : exchange_(std::make_unique<Exchange>()) { exchange_->ps.SetRows(Persons(10)); }
  v1::Quota& quota() { return *exchange_->grants["persons1"].mutable_quota(); }
  void SetRowsPerDay(int64_t rows) {
    quota().set_rows_per_day(rows);
    exchange_->Publish();
  }
  // Rows let go; -1 where the quota refuses.
  int64_t Ask(int page_size) {
    const auto answer = exchange_->Query(PersonsRequest(page_size));
    exchange_->AwaitIdle();
    if (answer.ok()) return answer->rows();
    EXPECT_EQ(ReasonOf(answer.status()), v1::REASON_QUOTA_EXCEEDED) << answer.status();
    return -1;
  }
  // To another process on the same files, with the rows there.
  void Restart() {
    exchange_ = exchange_->Restart();
    exchange_->ps.SetRows(Persons(10));
  }

  std::unique_ptr<Exchange> exchange_;
};

TEST_F(QueryQuotaTest, TwoCallsAtOnceThatTogetherExceedGetNoMoreThanIsLeft) {
  SetRowsPerDay(5);
  exchange_->ps.Hang();
  const PendingQuery first = exchange_->Start(PersonsRequest(3));
  const PendingQuery second = exchange_->Start(PersonsRequest(3));
  const auto third = exchange_->Query(PersonsRequest(1));
  EXPECT_EQ(ReasonOf(third.status()), v1::REASON_QUOTA_EXCEEDED);
  exchange_->ps.LetGo();
  EXPECT_EQ(first.Wait()->rows() + second.Wait()->rows(), 5);
  EXPECT_EQ(Ask(1), -1);
  const auto denied = exchange_->Records(v1::RECORD_KIND_DENIED);
  ASSERT_EQ(denied.size(), 2u);
  EXPECT_EQ(denied[0].envelope.reason(), v1::REASON_QUOTA_EXCEEDED);
}

TEST_F(QueryQuotaTest, ManyThreadsNeverGetMoreThanTheQuota) {
  SetRowsPerDay(100);
  const Call call = exchange_->CallBy("civil-affairs/relief");
  std::atomic<int64_t> rows{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 25; ++i) {
        const PendingQuery pending;
        exchange_->broker->Query(call, PersonsRequest(3), pending.Done());
        if (const auto answer = pending.Wait(); answer.ok()) rows += answer->rows();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  exchange_->AwaitIdle();
  EXPECT_EQ(rows, 100);
  EXPECT_EQ(exchange_->Left("persons1").rows_today(), 0);
}

TEST_F(QueryQuotaTest, WhatAPageDidNotHoldIsGivenBackAndTheReplySaysWhatIsLeft) {
  SetRowsPerDay(100);
  const auto answer = exchange_->Query(PersonRequest(ResidentNumber(4)));
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->rows(), 1);
  EXPECT_EQ(answer->applied().quota_left().rows_today(), 99);
  EXPECT_EQ(exchange_->Left("persons1").rows_today(), 99);
}

TEST_F(QueryQuotaTest, WithoutAnOrderMoreThanIsLeftIsRefusedWhole) {
  exchange_->grants["persons1"].mutable_fields(0)->mutable_mask()->set_kind(
      v1::MASK_KIND_PSEUDONYM);
  SetRowsPerDay(6);
  EXPECT_EQ(Ask(10), -1);
  EXPECT_EQ(exchange_->Left("persons1").rows_today(), 6);
}

TEST_F(QueryQuotaTest, CallsAMinuteCountThoseThatFailToo) {
  quota().set_calls_per_minute(3);
  exchange_->Publish();
  exchange_->ps.FailScan(Error(v1::REASON_SCHEMA_DRIFT, "the table does not fit."));
  EXPECT_EQ(ReasonOf(exchange_->Query(PersonsRequest()).status()), v1::REASON_SCHEMA_DRIFT);
  exchange_->ps.FailScan(absl::OkStatus());
  EXPECT_EQ(Ask(1), 1);
  EXPECT_EQ(Ask(1), 1);
  const auto refused = exchange_->Query(PersonsRequest(1));
  EXPECT_EQ(ReasonOf(refused.status()), v1::REASON_QUOTA_EXCEEDED);
  const auto wait = RetryInfoOf(refused.status());
  ASSERT_TRUE(wait.has_value());
  exchange_->clock.Advance(wait->retry_delay().seconds() * kSecond + kSecond);
  EXPECT_EQ(Ask(1), 1);
}

TEST_F(QueryQuotaTest, AClockThatJumpsAnHourOpensNothing) {
  SetRowsPerDay(5);
  EXPECT_EQ(Ask(5), 5);
  for (const Micros jump : {-kHour, kHour, kHour, -kHour}) {
    exchange_->clock.Jump(jump);
    EXPECT_EQ(Ask(1), -1) << jump / kHour;
  }
}

TEST_F(QueryQuotaTest, AClockThatGoesBackOpensNoMinute) {
  quota().set_calls_per_minute(1);
  exchange_->Publish();
  EXPECT_EQ(Ask(1), 1);
  for (int i = 0; i < 3; ++i) {
    exchange_->clock.Jump(-kHour);
    EXPECT_EQ(Ask(1), -1);
  }
}

TEST_F(QueryQuotaTest, TheDayBeginsWhereTheGrantSaysInCallsToo) {
  quota().set_day_offset_minutes(480);
  SetRowsPerDay(5);
  EXPECT_EQ(Ask(5), 5);
  // 16:00 UTC is midnight in China; the clock stands at 14:13:20 UTC.
  exchange_->clock.Advance(kHour + 46 * kMinute + 39 * kSecond);
  EXPECT_EQ(Ask(1), -1);
  exchange_->clock.Advance(kSecond);
  EXPECT_EQ(Ask(1), 1);
}

TEST_F(QueryQuotaTest, ARestartFindsWhatWasUsedInTheFileAndInTheLogBehindIt) {
  quota().set_rows_total(50);
  SetRowsPerDay(30);
  EXPECT_EQ(Ask(3), 3);
  EXPECT_EQ(Ask(4), 4);
  ASSERT_TRUE(exchange_->usage->Save(*exchange_->log, *exchange_->snapshots.Get()).ok());
  EXPECT_EQ(Ask(5), 5);
  const std::string before = exchange_->Left("persons1").DebugString();
  Restart();
  EXPECT_EQ(exchange_->Left("persons1").DebugString(), before);
  EXPECT_EQ(exchange_->Left("persons1").rows_today(), 18);
  EXPECT_EQ(exchange_->Left("persons1").rows_total(), 38);
  // And again, from the file of the second.
  ASSERT_TRUE(exchange_->usage->Save(*exchange_->log, *exchange_->snapshots.Get()).ok());
  Restart();
  EXPECT_EQ(exchange_->Left("persons1").DebugString(), before);
}

TEST_F(QueryQuotaTest, ARestartWithoutTheFileCountsTheWholeLog) {
  for (const std::string text : {"", "{\"format\":\"sluice-usage/v2\"", "{\"format\":\"other\"}",
                                 "{\"format\":\"sluice-usage/v2\",\"counted_to\":9999,\"hours\":[],"
                                 "\"grants\":{\"persons1\":[1,1,1,1,1]}}"}) {
    exchange_ = std::make_unique<Exchange>();
    exchange_->ps.SetRows(Persons(10));
    SetRowsPerDay(30);
    EXPECT_EQ(Ask(3), 3);
    EXPECT_EQ(Ask(4), 4);
    if (!text.empty()) {
      ASSERT_TRUE(exchange_->files->WriteAtomically("/gw/usage.json", text).ok());
    }
    Restart();
    EXPECT_EQ(exchange_->Left("persons1").rows_today(), 23) << text;
  }
}

TEST_F(QueryQuotaTest, ARestartKeepsDaysApartAsTheGrantDoes) {
  quota().set_day_offset_minutes(480);
  quota().set_rows_total(50);
  SetRowsPerDay(30);
  EXPECT_EQ(Ask(3), 3);
  exchange_->clock.Advance(2 * kHour);
  EXPECT_EQ(Ask(4), 4);
  Restart();
  EXPECT_EQ(exchange_->Left("persons1").rows_today(), 26);
  EXPECT_EQ(exchange_->Left("persons1").rows_total(), 43);
}

TEST_F(QueryQuotaTest, AUsedUpQuotaStaysUsedUpOverARestart) {
  SetRowsPerDay(5);
  EXPECT_EQ(Ask(5), 5);
  Restart();
  EXPECT_EQ(Ask(1), -1);
}

}  // namespace
}  // namespace sluice::exchange
