// The same call again under its request_id.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "gateway/exchange/exchange_testing.h"

namespace sluice::exchange {
namespace {

v1::QueryRequest WithId(v1::QueryRequest request, const std::string& id = "case-7") {
  request.set_request_id(id);
  return request;
}

class QueryRepeatsTest : public ::testing::Test {
 protected:
  QueryRepeatsTest() : exchange_(std::make_unique<Exchange>()) {
    exchange_->ps.SetRows(Persons(3));
    SetQuota(100);
  }
  void SetQuota(int64_t rows) {
    exchange_->grants["persons1"].mutable_quota()->set_rows_total(rows);
    exchange_->Publish();
  }
  int64_t Left() {
    exchange_->AwaitIdle();
    return exchange_->Left("persons1").rows_total();
  }
  // The index that the last record repeats.
  int64_t Repeats() const { return exchange_->Records().back().envelope.repeats(); }
  void Restart() {
    exchange_ = exchange_->Restart();
    exchange_->ps.SetRows(Persons(3));
  }

  std::unique_ptr<Exchange> exchange_;
};

TEST_F(QueryRepeatsTest, TheSameRequestIsLinkedAndCountedOnceAtMostTenTimes) {
  for (int i = 0; i < 10; ++i) {
    const auto answer = exchange_->Query(WithId(PersonsRequest()));
    ASSERT_TRUE(answer.ok()) << i << answer.status();
    EXPECT_EQ(answer->rows(), 3);
    EXPECT_EQ(answer->request_id(), "case-7");
    EXPECT_EQ(Repeats(), i == 0 ? -1 : 0);
  }
  EXPECT_EQ(Left(), 97);
  const auto eleventh = exchange_->Query(WithId(PersonsRequest()));
  EXPECT_EQ(ReasonOf(eleventh.status()), v1::REASON_REQUEST_ID_EXHAUSTED);
  EXPECT_EQ(exchange_->Records().back().envelope.kind(), v1::RECORD_KIND_DENIED);
}

TEST_F(QueryRepeatsTest, ATraceOfItsOwnMakesNoOtherRequest) {
  ASSERT_TRUE(exchange_->Query(WithId(PersonsRequest())).ok());
  v1::QueryRequest traced = WithId(PersonsRequest());
  traced.set_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
  ASSERT_TRUE(exchange_->Query(traced).ok());
  EXPECT_EQ(Repeats(), 0);
}

TEST_F(QueryRepeatsTest, AnotherRequestUnderTheIdIsRefused) {
  ASSERT_TRUE(exchange_->Query(WithId(PersonsRequest())).ok());
  v1::QueryRequest other_case = WithId(PersonsRequest());
  other_case.set_case_reference("another");
  for (const v1::QueryRequest& other :
       {WithId(PersonRequest(ResidentNumber(0))), WithId(PersonsRequest(1)), other_case}) {
    EXPECT_EQ(ReasonOf(exchange_->Query(other).status()), v1::REASON_REQUEST_ID_CONFLICT);
  }
  EXPECT_EQ(Left(), 97);
}

TEST_F(QueryRepeatsTest, AnIdIsTheSystemsOwn) {
  ASSERT_TRUE(exchange_->Query(WithId(PersonsRequest())).ok());
  ASSERT_TRUE(exchange_->Query(WithId(PersonsRequest(1)), "civil-affairs/pensions").ok());
  EXPECT_EQ(Repeats(), -1);
  EXPECT_EQ(Left(), 96);
}

TEST_F(QueryRepeatsTest, ADayLaterItIsANewAccess) {
  ASSERT_TRUE(exchange_->Query(WithId(PersonsRequest())).ok());
  exchange_->clock.Advance(kDay - 1);
  ASSERT_TRUE(exchange_->Query(WithId(PersonsRequest())).ok());
  EXPECT_EQ(Left(), 97);
  exchange_->clock.Advance(1);
  ASSERT_TRUE(exchange_->Query(WithId(PersonsRequest())).ok());
  EXPECT_EQ(Repeats(), -1);
  EXPECT_EQ(Left(), 94);
}

TEST_F(QueryRepeatsTest, ARestartKnowsThemStill) {
  ASSERT_TRUE(exchange_->Query(WithId(PersonsRequest())).ok());
  ASSERT_TRUE(exchange_->usage->Save(*exchange_->log, *exchange_->snapshots.Get()).ok());
  ASSERT_TRUE(exchange_->Query(WithId(PersonsRequest())).ok());
  Restart();
  for (int i = 2; i < 10; ++i) {
    ASSERT_TRUE(exchange_->Query(WithId(PersonsRequest())).ok()) << i;
    EXPECT_EQ(Repeats(), 0);
  }
  EXPECT_EQ(Left(), 97);
  EXPECT_EQ(ReasonOf(exchange_->Query(WithId(PersonsRequest())).status()),
            v1::REASON_REQUEST_ID_EXHAUSTED);
  EXPECT_EQ(ReasonOf(exchange_->Query(WithId(PersonsRequest(1))).status()),
            v1::REASON_REQUEST_ID_CONFLICT);
}

// Neither a repeat near the day's end nor a restart behind it makes the id live on.
TEST_F(QueryRepeatsTest, RepeatsDoNotProlongTheDay) {
  ASSERT_TRUE(exchange_->Query(WithId(PersonsRequest(5))).ok());
  exchange_->clock.Advance(kDay - kHour);
  ASSERT_TRUE(exchange_->Query(WithId(PersonsRequest(5))).ok());
  exchange_->ps.Hang();
  const PendingQuery late = exchange_->Start(WithId(PersonsRequest(5)));
  exchange_->ps.AwaitHanging(1);
  exchange_->clock.Advance(2 * kHour);
  ASSERT_TRUE(exchange_->request_ids.Take("another id", "request", exchange_->clock.Now()).ok());
  exchange_->ps.LetGo();
  ASSERT_TRUE(late.Wait().ok());
  EXPECT_EQ(Left(), 97);
  Restart();
  ASSERT_TRUE(exchange_->Query(WithId(PersonsRequest(5))).ok());
  EXPECT_EQ(Repeats(), -1);
  EXPECT_EQ(Left(), 94);
}

TEST_F(QueryRepeatsTest, WhatFailedMayBeSentAgainAsIfForTheFirstTime) {
  exchange_->ps.FailScan(Error(v1::REASON_SOURCE_UNAVAILABLE, "the connection was refused."));
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(exchange_->Query(WithId(PersonsRequest())).ok());
  exchange_->ps.FailScan(absl::OkStatus());
  ASSERT_TRUE(exchange_->Query(WithId(PersonsRequest())).ok());
  EXPECT_EQ(Repeats(), -1);
  // Nor do repeats that fail use up the ten.
  exchange_->ps.FailNext(0, Error(v1::REASON_SCHEMA_DRIFT, "the table does not fit."));
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(ReasonOf(exchange_->Query(WithId(PersonsRequest())).status()),
              v1::REASON_SCHEMA_DRIFT);
  }
  exchange_->ps.FailNext(0, absl::OkStatus());
  EXPECT_TRUE(exchange_->Query(WithId(PersonsRequest())).ok());
  EXPECT_EQ(Left(), 97);
}

TEST_F(QueryRepeatsTest, SentManyTimesAtOnceItIsAnsweredTenTimesAtMost) {
  const auto ask_at_once = [this](int calls) {
    exchange_->ps.Hang();
    std::vector<PendingQuery> pending;
    for (int i = 0; i < calls; ++i) pending.push_back(exchange_->Start(WithId(PersonsRequest(5))));
    exchange_->ps.LetGo();
    int answered = 0;
    for (const PendingQuery& one : pending) {
      const auto answer = one.Wait();
      answered += answer.ok();
      if (!answer.ok()) {
        EXPECT_EQ(ReasonOf(answer.status()), v1::REASON_REQUEST_ID_EXHAUSTED);
      }
    }
    return answered;
  };
  EXPECT_EQ(ask_at_once(25), 10);
  EXPECT_EQ(Left(), 70);
  EXPECT_EQ(ask_at_once(5), 0);
}

TEST_F(QueryRepeatsTest, AnotherRequestIsRefusedWhileTheFirstStillRuns) {
  exchange_->ps.Hang();
  const PendingQuery first = exchange_->Start(WithId(PersonsRequest(5)));
  exchange_->ps.AwaitHanging(1);
  EXPECT_EQ(ReasonOf(exchange_->Query(WithId(PersonsRequest(1))).status()),
            v1::REASON_REQUEST_ID_CONFLICT);
  exchange_->ps.LetGo();
  EXPECT_TRUE(first.Wait().ok());
}

// A repeat is no way around the quota.
TEST_F(QueryRepeatsTest, ARepeatBringsNoRowsThatWereNotCounted) {
  SetQuota(2);
  const auto first = exchange_->Query(WithId(PersonsRequest()));
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(first->rows(), 2);
  const auto again = exchange_->Query(WithId(PersonsRequest()));
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->rows(), 2);
  EXPECT_EQ(Left(), 0);
}

TEST_F(QueryRepeatsTest, RowsThatCameInTheMeantimeAreCounted) {
  exchange_->ps.SetRows({});
  ASSERT_TRUE(exchange_->Query(WithId(PersonsRequest())).ok());
  EXPECT_EQ(Left(), 100);
  exchange_->ps.SetRows(Persons(3));
  ASSERT_EQ(exchange_->Query(WithId(PersonsRequest()))->rows(), 3);
  EXPECT_EQ(Repeats(), 0);
  EXPECT_EQ(Left(), 97);
  Restart();
  EXPECT_EQ(Left(), 97);
  // Where none are left, the access that brought nothing brings nothing still.
  exchange_->ps.SetRows({});
  ASSERT_TRUE(exchange_->Query(WithId(PersonsRequest(), "case-8")).ok());
  exchange_->ps.SetRows(Persons(3));
  SetQuota(3);
  EXPECT_EQ(ReasonOf(exchange_->Query(WithId(PersonsRequest(), "case-8")).status()),
            v1::REASON_QUOTA_EXCEEDED);
}

}  // namespace
}  // namespace sluice::exchange
