#include "gateway/exchange/running.h"

#include <gtest/gtest.h>

#include "gateway/exchange/exchange_testing.h"

namespace sluice::exchange {
namespace {

TEST(RunningTest, OneSystemsLimitLeavesOthersTheirCalls) {
  ExchangeOptions options;
  options.running.per_system = 2;
  Exchange exchange(options);
  exchange.ps.SetRows(Persons(1));
  exchange.ps.Hang();
  std::vector<PendingQuery> running;
  for (int i = 0; i < 2; ++i) running.push_back(exchange.Start(PersonsRequest()));
  const auto refused = exchange.Query(PersonsRequest());
  EXPECT_EQ(ReasonOf(refused.status()), v1::REASON_TOO_MANY_CALLS);
  EXPECT_TRUE(RetryInfoOf(refused.status()).has_value());
  running.push_back(exchange.Start(PersonsRequest(), 0, "civil-affairs/pensions"));
  running.push_back(exchange.Start(PersonsRequest(), 0, "health/clinic"));
  exchange.ps.LetGo();
  for (const PendingQuery& pending : running) EXPECT_TRUE(pending.Wait().ok());
  // What ended makes room.
  exchange.AwaitIdle();
  EXPECT_TRUE(exchange.Query(PersonsRequest()).ok());
  const auto failed = exchange.Records(v1::RECORD_KIND_FAILED);
  ASSERT_EQ(failed.size(), 1u);
  EXPECT_EQ(failed[0].envelope.reason(), v1::REASON_TOO_MANY_CALLS);
}

// Decided on before the revocation, entered after it told those that ran.
TEST(RunningTest, WhatWasWithdrawnSinceTheDecisionIsNotBegun) {
  Exchange exchange;
  const policy::SnapshotPtr decided = exchange.snapshots.Get();
  const Call call = exchange.CallBy("civil-affairs/relief");
  int ended = 0;
  std::shared_ptr<RunningExchange> late;
  const auto entered = [&](const char* grant) {
    late = std::make_shared<RunningExchange>(call.principal, call.certificate,
                                             decided->grants.at(grant), call.deadline);
    late->end = [&](const absl::Status&) { ++ended; };
    return exchange.running->Add(late, decided, exchange.snapshots);
  };
  EXPECT_TRUE(entered("persons1").ok());
  const auto first = late;
  exchange.grants["persons1"].set_state(v1::GRANT_STATE_REVOKED);
  exchange.Publish();
  EXPECT_EQ(ReasonOf(entered("persons1")), v1::REASON_GRANT_REVOKED);
  EXPECT_EQ(exchange.running->count(), 1);
  EXPECT_EQ(ended, 1);
  EXPECT_TRUE(entered("vehicle1").ok());
  exchange.running->Remove(first);
  exchange.running->Remove(late);
}

TEST(RunningTest, ASystemsOwnLimitIsTheLowerOne) {
  Exchange exchange;
  exchange.ps.SetRows(Persons(1));
  exchange.directory.systems["civil-affairs/relief"].set_max_running_calls(1);
  exchange.Publish();
  exchange.ps.Hang();
  const PendingQuery running = exchange.Start(PersonsRequest());
  EXPECT_EQ(ReasonOf(exchange.Query(PersonsRequest()).status()), v1::REASON_TOO_MANY_CALLS);
  exchange.ps.LetGo();
  EXPECT_TRUE(running.Wait().ok());
}

TEST(RunningTest, TheGatewaysOwnLimitIsSaidAsItsOwn) {
  ExchangeOptions options;
  options.running.all = 1;
  Exchange exchange(options);
  exchange.ps.SetRows(Persons(1));
  exchange.ps.Hang();
  const PendingQuery running = exchange.Start(PersonsRequest());
  const auto refused = exchange.Query(PersonsRequest(), "health/clinic");
  EXPECT_EQ(ReasonOf(refused.status()), v1::REASON_OVERLOADED);
  EXPECT_TRUE(RetryInfoOf(refused.status()).has_value());
  exchange.ps.LetGo();
  EXPECT_TRUE(running.Wait().ok());
}

TEST(RunningTest, RefusedCallsTakeNoRowsOfTheQuota) {
  ExchangeOptions options;
  options.running.per_system = 1;
  Exchange exchange(options);
  exchange.ps.SetRows(Persons(1));
  exchange.grants["persons1"].mutable_quota()->set_rows_total(50);
  exchange.Publish();
  exchange.ps.Hang();
  const PendingQuery running = exchange.Start(PersonsRequest(10));
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(ReasonOf(exchange.Query(PersonsRequest(10)).status()), v1::REASON_TOO_MANY_CALLS);
  }
  EXPECT_EQ(exchange.Left("persons1").rows_total(), 40);
  exchange.ps.LetGo();
  EXPECT_TRUE(running.Wait().ok());
  exchange.AwaitIdle();
  EXPECT_EQ(exchange.Left("persons1").rows_total(), 49);
}

}  // namespace
}  // namespace sluice::exchange
