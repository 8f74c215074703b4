// Calls that end before their answer: permission withdrawn, deadline, caller gone, gateway ending.
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "gateway/exchange/exchange_testing.h"

namespace sluice::exchange {
namespace {

struct Withdrawal {
  const char* name;
  std::function<void(Exchange&)> act;  // within one Check
  v1::Reason reason;
};

const std::vector<Withdrawal>& Withdrawals() {
  static const auto* const all = new std::vector<Withdrawal>{
      {"grant revoked",
       [](Exchange& exchange) {
         exchange.grants["persons1"].set_state(v1::GRANT_STATE_REVOKED);
         exchange.Publish();
       },
       v1::REASON_GRANT_REVOKED},
      {"grant gone",
       [](Exchange& exchange) {
         exchange.grants.erase("persons1");
         exchange.Publish();
       },
       v1::REASON_GRANT_REVOKED},
      {"grant suspended",
       [](Exchange& exchange) {
         exchange.grants["persons1"].set_state(v1::GRANT_STATE_SUSPENDED);
         exchange.Publish();
       },
       v1::REASON_GRANT_SUSPENDED},
      {"dataset suspended",
       [](Exchange& exchange) {
         exchange.datasets["public-security/persons"].set_state(v1::DATASET_STATE_SUSPENDED);
         exchange.Publish();
       },
       v1::REASON_DATASET_SUSPENDED},
      {"dataset retired",
       [](Exchange& exchange) {
         exchange.datasets["public-security/persons"].set_state(v1::DATASET_STATE_RETIRED);
         exchange.Publish();
       },
       v1::REASON_DATASET_RETIRED},
      {"dataset for others alone",
       [](Exchange& exchange) {
         exchange.datasets["public-security/persons"].add_audience("health");
         exchange.Publish();
       },
       v1::REASON_DATASET_UNKNOWN},
      {"ended by the operator",
       [](Exchange& exchange) {
         for (const v1::RunningExchange& one : exchange.running->List())
           exchange.running->End(one.call_id(),
                                 Error(v1::REASON_ENDED_BY_OPERATOR, "the source is repaired."));
       },
       v1::REASON_ENDED_BY_OPERATOR},
      {"grant cut short",
       [](Exchange& exchange) {
         exchange.grants["persons1"].mutable_expires()->set_seconds(exchange.clock.Now() / kSecond);
         exchange.Publish();
       },
       v1::REASON_GRANT_EXPIRED},
      {"grant run out by the clock alone",
       [](Exchange& exchange) {
         exchange.clock.Jump(30 * kDay);
         exchange.running->Check(*exchange.snapshots.Get(), exchange.clock.Now());
       },
       v1::REASON_GRANT_EXPIRED},
      {"system suspended",
       [](Exchange& exchange) {
         exchange.directory.systems["civil-affairs/relief"].set_state(
             v1::REGISTRATION_STATE_SUSPENDED);
         exchange.Publish();
       },
       v1::REASON_SUSPENDED},
      {"agency suspended",
       [](Exchange& exchange) {
         exchange.directory.agencies["civil-affairs"].set_state(v1::REGISTRATION_STATE_SUSPENDED);
         exchange.Publish();
       },
       v1::REASON_SUSPENDED},
      {"system no longer registered",
       [](Exchange& exchange) {
         exchange.directory.systems.erase("civil-affairs/relief");
         exchange.Publish();
       },
       v1::REASON_NOT_REGISTERED},
  };
  return *all;
}

// With a quota, so that what leaks shows.
void SetQuota(Exchange& exchange, int64_t rows) {
  exchange.grants["persons1"].mutable_quota()->set_rows_total(rows);
  exchange.Publish();
}

class EndedCallsTest : public ::testing::Test {
 protected:
  EndedCallsTest() { Begin({}); }
  void Begin(const ExchangeOptions& options) {
    exchange_ = std::make_unique<Exchange>(options);
    exchange_->ps.SetRows(Persons(3));
    SetQuota(*exchange_, 100);
  }
  int64_t RowsLeft() const {
    return exchange_->quotas.Left(quota_of_, exchange_->clock.Now()).rows_total();
  }
  void ExpectNothingLeaks(int64_t rows_used) {
    exchange_->AwaitIdle();
    EXPECT_EQ(exchange_->running->count(), 0);
    EXPECT_EQ(RowsLeft(), 100 - rows_used);
  }

  std::unique_ptr<Exchange> exchange_;
  v1::Grant quota_of_ = [] {
    v1::Grant grant;
    grant.set_id("persons1");
    grant.mutable_quota()->set_rows_total(100);
    return grant;
  }();
};

TEST_F(EndedCallsTest, WhatIsWithdrawnWhileTheSourceHangsIsNotReleased) {
  for (const Withdrawal& withdrawal : Withdrawals()) {
    SCOPED_TRACE(withdrawal.name);
    Begin({});
    exchange_->ps.Hang();
    const PendingQuery pending = exchange_->Start(PersonsRequest(10));
    exchange_->ps.AwaitHanging(1);
    withdrawal.act(*exchange_);
    const auto answer = pending.Wait();
    EXPECT_EQ(ReasonOf(answer.status()), withdrawal.reason) << answer.status();
    EXPECT_EQ(exchange_->ps.cancels(), 1);
    const auto records = exchange_->Records();
    ASSERT_EQ(records.size(), 1u);
    EXPECT_EQ(records[0].envelope.kind(), v1::RECORD_KIND_FAILED);
    EXPECT_EQ(records[0].envelope.reason(), withdrawal.reason);
    EXPECT_EQ(records[0].envelope.grant(), "persons1");
    EXPECT_EQ(records[0].envelope.count(), 0);
    ExpectNothingLeaks(0);
    EXPECT_EQ(pending.times(), 1);
  }
}

TEST_F(EndedCallsTest, WhatIsWithdrawnWhileItsRecordIsWrittenIsNotReleased) {
  for (const Withdrawal& withdrawal : Withdrawals()) {
    SCOPED_TRACE(withdrawal.name);
    Begin({});
    exchange_->log->Hold();
    const PendingQuery pending = exchange_->Start(PersonsRequest(10));
    exchange_->log->AwaitHeld(1);
    withdrawal.act(*exchange_);
    EXPECT_EQ(pending.times(), 0);
    exchange_->log->PassAll();
    const auto answer = pending.Wait();
    EXPECT_EQ(ReasonOf(answer.status()), withdrawal.reason) << answer.status();
    const auto records = exchange_->Records();
    ASSERT_EQ(records.size(), 2u);
    EXPECT_EQ(records[0].envelope.kind(), v1::RECORD_KIND_RELEASED);
    EXPECT_EQ(records[1].envelope.kind(), v1::RECORD_KIND_FAILED);
    EXPECT_EQ(records[1].envelope.reason(), withdrawal.reason);
    EXPECT_EQ(records[1].envelope.repeats(), records[0].index);
    ExpectNothingLeaks(0);
    EXPECT_EQ(pending.times(), 1);
  }
}

TEST_F(EndedCallsTest, WithdrawalReachesACallThatWaitsBehindADeafSource) {
  ExchangeOptions options;
  options.source.set_connections(1);
  Begin(options);
  exchange_->ps.Hang(/*deaf=*/true);
  const PendingQuery at_work = exchange_->Start(PersonsRequest(10));
  exchange_->ps.AwaitHanging(1);
  const PendingQuery waiting = exchange_->Start(PersonsRequest(10));
  exchange_->grants["persons1"].set_state(v1::GRANT_STATE_REVOKED);
  exchange_->Publish();
  EXPECT_EQ(ReasonOf(at_work.Wait().status()), v1::REASON_GRANT_REVOKED);
  EXPECT_EQ(ReasonOf(waiting.Wait().status()), v1::REASON_GRANT_REVOKED);
  exchange_->ps.LetGo();
  ExpectNothingLeaks(0);
  EXPECT_EQ(at_work.times() + waiting.times(), 2);
  EXPECT_EQ(exchange_->ps.scans(), 1);
}

TEST_F(EndedCallsTest, OtherCallsGoOnWhenOneGrantIsRevoked) {
  exchange_->ps.Hang();
  const PendingQuery mine = exchange_->Start(PersonsRequest(10));
  const PendingQuery others = exchange_->Start(PersonsRequest(10), 0, "health/clinic");
  exchange_->ps.AwaitHanging(2);
  exchange_->grants["persons1"].set_state(v1::GRANT_STATE_REVOKED);
  exchange_->Publish();
  EXPECT_EQ(ReasonOf(mine.Wait().status()), v1::REASON_GRANT_REVOKED);
  EXPECT_EQ(others.times(), 0);
  exchange_->ps.LetGo();
  EXPECT_TRUE(others.Wait().ok());
}

// How a call ends by its own side, and what is told.
struct OwnEnd {
  const char* name;
  std::function<void(Exchange&, const PendingQuery&)> act;
  v1::Reason reason;
};

const std::vector<OwnEnd>& OwnEnds() {
  static const auto* const all = new std::vector<OwnEnd>{
      {"deadline",
       [](Exchange& exchange, const PendingQuery&) {
         exchange.clock.Advance(2 * kSecond);
         exchange.running->CheckDeadlines();
       },
       v1::REASON_DEADLINE_EXCEEDED},
      {"caller gives up", [](Exchange&, const PendingQuery& pending) { pending.cancel(); },
       v1::REASON_CANCELLED},
  };
  return *all;
}

TEST_F(EndedCallsTest, AnEndWhileWaitingInTheQueueIsToldAtOnce) {
  for (const OwnEnd& end : OwnEnds()) {
    SCOPED_TRACE(end.name);
    ExchangeOptions options;
    options.source.set_connections(1);
    Begin(options);
    exchange_->ps.Hang();
    const PendingQuery at_work = exchange_->Start(PersonsRequest(10));
    exchange_->ps.AwaitHanging(1);
    const PendingQuery waiting = exchange_->Start(PersonsRequest(10), kSecond);
    end.act(*exchange_, waiting);
    EXPECT_EQ(ReasonOf(waiting.Wait().status()), end.reason);
    EXPECT_EQ(at_work.times(), 0);
    exchange_->ps.LetGo();
    EXPECT_TRUE(at_work.Wait().ok());
    ExpectNothingLeaks(3);
    EXPECT_EQ(waiting.times(), 1);
    EXPECT_EQ(exchange_->ps.scans(), 1);
    EXPECT_EQ(exchange_->Records(v1::RECORD_KIND_FAILED).size(), 1u);
  }
}

TEST_F(EndedCallsTest, AnEndWhileScanningReachesTheSource) {
  for (const OwnEnd& end : OwnEnds()) {
    SCOPED_TRACE(end.name);
    Begin({});
    exchange_->ps.Hang();
    const PendingQuery pending = exchange_->Start(PersonsRequest(10), kSecond);
    exchange_->ps.AwaitHanging(1);
    end.act(*exchange_, pending);
    EXPECT_EQ(ReasonOf(pending.Wait().status()), end.reason);
    EXPECT_EQ(exchange_->ps.cancels(), 1);
    ExpectNothingLeaks(0);
    EXPECT_EQ(pending.times(), 1);
    const auto records = exchange_->Records();
    ASSERT_EQ(records.size(), 1u);
    EXPECT_EQ(records[0].envelope.kind(), v1::RECORD_KIND_FAILED);
    EXPECT_EQ(records[0].envelope.reason(), end.reason);
  }
}

TEST_F(EndedCallsTest, AnEndWhileTheRecordIsWrittenTakesNothingBack) {
  for (const OwnEnd& end : OwnEnds()) {
    SCOPED_TRACE(end.name);
    Begin({});
    exchange_->log->Hold();
    const PendingQuery pending = exchange_->Start(PersonsRequest(10), kSecond);
    exchange_->log->AwaitHeld(1);
    end.act(*exchange_, pending);
    EXPECT_EQ(pending.times(), 0);
    exchange_->log->PassAll();
    EXPECT_TRUE(pending.Wait().ok());
    ExpectNothingLeaks(3);
    EXPECT_EQ(pending.times(), 1);
    EXPECT_EQ(exchange_->Records().size(), 1u);
  }
}

TEST_F(EndedCallsTest, GivingUpAfterTheAnswerChangesNothing) {
  const PendingQuery pending = exchange_->Start(PersonsRequest(10));
  ASSERT_TRUE(pending.Wait().ok());
  pending.cancel();
  pending.cancel();
  ExpectNothingLeaks(3);
  EXPECT_EQ(pending.times(), 1);
  EXPECT_EQ(exchange_->Records().size(), 1u);
}

TEST_F(EndedCallsTest, EndAllEndsWhatRunsAndTakesBackWhatIsBeingWritten) {
  exchange_->log->Hold();
  const PendingQuery written = exchange_->Start(PersonsRequest(10));
  exchange_->log->AwaitHeld(1);
  exchange_->ps.Hang();
  const PendingQuery scanning = exchange_->Start(PersonsRequest(10));
  exchange_->ps.AwaitHanging(1);
  exchange_->running->EndAll(Error(v1::REASON_SHUTTING_DOWN, "the gateway is draining."));
  exchange_->log->PassAll();
  EXPECT_EQ(ReasonOf(scanning.Wait().status()), v1::REASON_SHUTTING_DOWN);
  EXPECT_EQ(ReasonOf(written.Wait().status()), v1::REASON_SHUTTING_DOWN);
  ExpectNothingLeaks(0);
}

TEST_F(EndedCallsTest, DrainRefusesNewCallsAndLetsRunningOnesEnd) {
  exchange_->ps.Hang();
  const PendingQuery running = exchange_->Start(PersonsRequest(10));
  exchange_->ps.AwaitHanging(1);
  exchange_->running->Drain();
  const auto refused = exchange_->Query(PersonsRequest(10));
  EXPECT_EQ(ReasonOf(refused.status()), v1::REASON_SHUTTING_DOWN);
  EXPECT_TRUE(RetryInfoOf(refused.status()).has_value());
  exchange_->ps.LetGo();
  EXPECT_TRUE(running.Wait().ok());
  ExpectNothingLeaks(3);
}

// Ends from all sides at once: each call is answered exactly once, and the books agree.
TEST_F(EndedCallsTest, WhoeverEndsACallFirstEveryCallIsAnsweredOnceAndTheBooksAgree) {
  exchange_->grants["persons1"].mutable_quota()->set_rows_total(100'000);
  quota_of_.mutable_quota()->set_rows_total(100'000);
  exchange_->Publish();
  constexpr int kThreads = 4, kCalls = 60;
  std::vector<std::vector<PendingQuery>> calls(kThreads);
  std::atomic<bool> over{false};
  std::thread ender([&] {
    while (!over) {
      exchange_->clock.Advance(kMillisecond);
      exchange_->running->CheckDeadlines();
      exchange_->running->Check(*exchange_->snapshots.Get(), exchange_->clock.Now());
    }
  });
  const Call call = exchange_->CallBy("civil-affairs/relief");
  std::vector<std::thread> callers;
  for (int t = 0; t < kThreads; ++t) {
    callers.emplace_back([&, t] {
      std::mt19937 random(t);
      for (int i = 0; i < kCalls; ++i) {
        PendingQuery& pending = calls[t].emplace_back();
        Call own = call;
        if (random() % 2 == 0) own.deadline = exchange_->clock.Monotonic() + random() % 5000;
        pending.cancel = exchange_->broker->Query(own, PersonsRequest(10), pending.Done());
        if (random() % 2 == 0) pending.cancel();
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  int64_t rows = 0;
  for (const auto& of_thread : calls) {
    for (const PendingQuery& pending : of_thread) {
      const auto answer = pending.Wait();
      if (answer.ok()) rows += answer->rows();
    }
  }
  over = true;
  ender.join();
  exchange_->AwaitIdle();
  for (const auto& of_thread : calls)
    for (const PendingQuery& pending : of_thread) EXPECT_EQ(pending.times(), 1);
  EXPECT_EQ(RowsLeft(), 100'000 - rows);
  int64_t recorded = 0;
  for (const ReadRecord& record : exchange_->Records(v1::RECORD_KIND_RELEASED))
    recorded += record.envelope.count();
  EXPECT_EQ(recorded, rows);
  EXPECT_EQ(exchange_->Records().size(), static_cast<size_t>(kThreads * kCalls));
}

}  // namespace
}  // namespace sluice::exchange
