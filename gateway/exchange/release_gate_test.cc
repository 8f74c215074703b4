// The gate for releases, by itself and as a call meets it.
#include "gateway/exchange/release_gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/exchange/exchange_testing.h"

namespace sluice::exchange {
namespace {

TEST(ReleaseGateTest, IsClosedWhileAnyCauseIsThere) {
  ReleaseGate gate;
  EXPECT_TRUE(gate.Check().ok());
  EXPECT_TRUE(gate.Close("disk_low", "the disk is full"));
  EXPECT_FALSE(gate.Close("disk_low", "again"));
  EXPECT_TRUE(gate.Close("scrub_mismatch", "the log does not hold"));
  EXPECT_EQ(ReasonOf(gate.Check()), v1::REASON_RELEASES_STOPPED);
  EXPECT_EQ(gate.Causes(), (std::vector<std::string>{"the disk is full", "the log does not hold"}));
  EXPECT_TRUE(gate.Open("disk_low"));
  EXPECT_FALSE(gate.Open("disk_low"));
  EXPECT_EQ(ErrorInfoOf(gate.Check())->metadata().at("cause"), "scrub_mismatch");
  EXPECT_TRUE(gate.Open("scrub_mismatch"));
  EXPECT_TRUE(gate.Check().ok());
}

TEST(ReleaseGateTest, NothingIsReleasedWhileItIsClosedAndTheRefusalIsRecorded) {
  Exchange exchange;
  exchange.ps.SetRows(Persons(3));
  ASSERT_TRUE(exchange.Query(PersonsRequest()).ok());
  exchange.gate.Close("disk_low", "the disk is full");
  const auto refused = exchange.Query(PersonsRequest());
  EXPECT_EQ(ReasonOf(refused.status()), v1::REASON_RELEASES_STOPPED) << refused.status();
  exchange.AwaitIdle();
  const auto failed = exchange.Records(v1::RECORD_KIND_FAILED);
  ASSERT_EQ(failed.size(), 1u);
  EXPECT_EQ(failed[0].envelope.reason(), v1::REASON_RELEASES_STOPPED);
  EXPECT_EQ(exchange.Records(v1::RECORD_KIND_RELEASED).size(), 1u);
  exchange.gate.Open("disk_low");
  EXPECT_TRUE(exchange.Query(PersonsRequest()).ok());
}

// Who closes it ends what runs: together nothing slips between.
TEST(ReleaseGateTest, WhatRunsWhenItIsClosedIsNotReleased) {
  Exchange exchange;
  exchange.ps.SetRows(Persons(3));
  exchange.ps.Hang();
  const PendingQuery pending = exchange.Start(PersonsRequest());
  exchange.gate.Close("cosignatures_old", "nobody witnesses it");
  exchange.running->EndAll(exchange.gate.Check());
  exchange.ps.LetGo();
  EXPECT_EQ(ReasonOf(pending.Wait().status()), v1::REASON_RELEASES_STOPPED);
  exchange.AwaitIdle();
  EXPECT_TRUE(exchange.Records(v1::RECORD_KIND_RELEASED).empty());
}

}  // namespace
}  // namespace sluice::exchange
