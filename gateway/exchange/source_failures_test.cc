// Sources that fail, and answers that do not fit: what is told, recorded and counted.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

#include "gateway/exchange/exchange_testing.h"
#include "gateway/records/row_batch.h"

namespace sluice::exchange {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class SourceFailuresTest : public ::testing::Test {
 protected:
  SourceFailuresTest() { Begin({}); }
  void Begin(const ExchangeOptions& options) {
    exchange_ = std::make_unique<Exchange>(options);
    exchange_->ps.SetRows(Persons(8));
    exchange_->ps.SetBatchRows(2);
    exchange_->grants["persons1"].mutable_quota()->set_rows_per_day(100);
    exchange_->Publish();
  }

  // The reason is told and recorded as FAILED, nothing is let go or counted.
  void ExpectFails(v1::Reason reason) {
    const auto answer = exchange_->Query(PersonsRequest());
    EXPECT_EQ(ReasonOf(answer.status()), reason) << answer.status();
    const auto records = exchange_->Records();
    ASSERT_FALSE(records.empty());
    const ReadRecord& record = records.back();
    EXPECT_EQ(record.envelope.kind(), v1::RECORD_KIND_FAILED);
    EXPECT_EQ(record.envelope.reason(), reason);
    EXPECT_EQ(record.envelope.count(), 0);
    EXPECT_EQ(record.envelope.digest(), "");
    EXPECT_EQ(record.envelope.subjects_released(), v1::SUBJECT_SCOPE_NONE);
    EXPECT_EQ(record.detail.released_size(), 0);
    EXPECT_EQ(record.detail.message(), answer.status().message());
    exchange_->AwaitIdle();
    EXPECT_EQ(exchange_->Left("persons1").rows_today(), 100);
  }

  void HideTheKey() {
    exchange_->grants["persons1"].mutable_fields(0)->mutable_mask()->set_kind(
        v1::MASK_KIND_PSEUDONYM);
    exchange_->Publish();
  }

  std::unique_ptr<Exchange> exchange_;
};

TEST_F(SourceFailuresTest, ASourceThatDiesMidwayReleasesNothing) {
  exchange_->ps.FailNext(2, Error(v1::REASON_SOURCE_UNAVAILABLE, "the connection was lost."));
  ExpectFails(v1::REASON_SOURCE_UNAVAILABLE);
  exchange_->ps.FailNext(0, absl::OkStatus());
  EXPECT_TRUE(exchange_->Query(PersonsRequest()).ok());
}

TEST_F(SourceFailuresTest, ABadValueStopsTheCall) {
  exchange_->ps.FailNext(1, Error(v1::REASON_SOURCE_BAD_VALUE, "row 3, column name."));
  ExpectFails(v1::REASON_SOURCE_BAD_VALUE);
  EXPECT_EQ(exchange_->ps.last_request().on_bad_value, adapters::OnBadValue::kStop);
}

TEST_F(SourceFailuresTest, BadValuesThatTheOwnerLetsPassAreCounted) {
  exchange_->datasets["public-security/persons"].set_on_bad_value(v1::ON_BAD_VALUE_NULL_AND_COUNT);
  exchange_->Publish();
  exchange_->ps.SetBadValues({{0, "name"}, {1, "name"}, {1, "district"}});
  const auto answer = exchange_->Query(PersonsRequest());
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->applied().bad_values(), 3);
  EXPECT_EQ(exchange_->Records().back().envelope.bad_values(), 3);
  EXPECT_EQ(exchange_->ps.last_request().on_bad_value, adapters::OnBadValue::kNullAndCount);
}

// How many there are, the grant may hide; that there are some, nobody is left to guess.
TEST_F(SourceFailuresTest, RecordsThatTheOwnerLetsBeRejectedAreCountedForTheAuditorAlone) {
  ASSERT_TRUE(exchange_->Query(PersonsRequest()).ok());
  EXPECT_EQ(exchange_->ps.last_request().on_bad_record, adapters::OnBadRecord::kStop);
  exchange_->datasets["public-security/persons"].set_on_bad_record(
      v1::ON_BAD_RECORD_REJECT_AND_COUNT);
  exchange_->Publish();
  exchange_->ps.SetRejected(7);
  const auto answer = exchange_->Query(PersonsRequest());
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_TRUE(answer->applied().records_rejected());
  EXPECT_EQ(exchange_->Records().back().detail.rejected_records(), 7);
  EXPECT_EQ(exchange_->ps.last_request().on_bad_record, adapters::OnBadRecord::kRejectAndCount);
}

// Their number would tell of rows and fields that the grant hides.
TEST_F(SourceFailuresTest, BadValuesThatDoNotLeaveAreNotCounted) {
  exchange_->datasets["public-security/persons"].set_on_bad_value(v1::ON_BAD_VALUE_NULL_AND_COUNT);
  exchange_->Publish();
  exchange_->ps.SetBadValues({{0, "name"}, {1, "name"}, {1, "district"}});
  v1::QueryRequest request = PersonsRequest();
  request.add_fields("id_number");
  request.add_fields("district");
  const auto some_fields = exchange_->Query(request);
  ASSERT_TRUE(some_fields.ok()) << some_fields.status();
  EXPECT_EQ(some_fields->applied().bad_values(), 1);
  request = PersonsRequest();
  request.set_page_size(1);
  const auto one_row = exchange_->Query(request);
  ASSERT_TRUE(one_row.ok()) << one_row.status();
  EXPECT_EQ(one_row->rows(), 1);
  EXPECT_EQ(one_row->applied().bad_values(), 1);
  EXPECT_EQ(exchange_->Records().back().envelope.bad_values(), 1);
}

TEST_F(SourceFailuresTest, ASchemaThatDriftedIsNotTheSourcesFailureToAnswer) {
  exchange_->ps.FailScan(Error(v1::REASON_SCHEMA_DRIFT, "the column name is gone."));
  for (int i = 0; i < 6; ++i) ExpectFails(v1::REASON_SCHEMA_DRIFT);
  EXPECT_EQ(exchange_->sources->Find("ps")->Status().breaker(), "closed");
}

TEST_F(SourceFailuresTest, ASourceThatCannotBeOpenedIsUnavailableUntilItCan) {
  exchange_->ps.FailOpen(Error(v1::REASON_SOURCE_UNAVAILABLE, "the system cannot be reached."));
  ExpectFails(v1::REASON_SOURCE_UNAVAILABLE);
  exchange_->ps.FailOpen(absl::OkStatus());
  EXPECT_TRUE(exchange_->Query(PersonsRequest()).ok());
}

TEST_F(SourceFailuresTest, WhatHasNoReasonIsToldAsInternalAndGoesToTheOperationalLog) {
  exchange_->ps.FailNext(0, absl::UnknownError("socket 17 of host db3 broke"));
  const auto answer = exchange_->Query(PersonsRequest());
  EXPECT_EQ(ReasonOf(answer.status()), v1::REASON_INTERNAL);
  EXPECT_THAT(answer.status().ToString(), Not(HasSubstr("db3")));
  EXPECT_THAT(exchange_->operations.text(), HasSubstr("socket 17 of host db3 broke"));
  EXPECT_THAT(exchange_->operations.text(), HasSubstr("\"call\":\"call-1\""));
  ExpectFails(v1::REASON_INTERNAL);
}

TEST_F(SourceFailuresTest, WhatASourceSaysIsForTheOperatorAlone) {
  absl::Status failed = Error(v1::REASON_SOURCE_UNAVAILABLE, "the source cannot be reached");
  AddOperatorNote(failed, "adapter: host db3 is down");
  exchange_->ps.FailNext(0, failed);
  const auto answer = exchange_->Query(PersonsRequest());
  EXPECT_EQ(ReasonOf(answer.status()), v1::REASON_SOURCE_UNAVAILABLE);
  EXPECT_THAT(answer.status().ToString(), Not(HasSubstr("db3")));
  EXPECT_THAT(exchange_->operations.text(), HasSubstr("host db3 is down"));
}

TEST_F(SourceFailuresTest, ARowThatFitsNoMessageFails) {
  ExchangeOptions options;
  options.broker.payload_bytes = 2000;
  Begin(options);
  auto rows = Persons(4);
  rows[0]["name"] = std::string(3000, 'x');
  exchange_->ps.SetRows(rows);
  ExpectFails(v1::REASON_ROW_TOO_LARGE);
  // Where it is not the first, the rows before it are a page of their own.
  std::swap(rows[0]["name"], rows[2]["name"]);
  exchange_->ps.SetRows(rows);
  const auto first = exchange_->Query(PersonsRequest());
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(first->rows(), 2);
  v1::QueryRequest next = PersonsRequest();
  next.set_page_token(first->next_page_token());
  EXPECT_EQ(ReasonOf(exchange_->Query(next).status()), v1::REASON_ROW_TOO_LARGE);
}

TEST_F(SourceFailuresTest, APageThatIsTooLargeBecomesSeveralWithEveryRowOnceAndCountedOnce) {
  ExchangeOptions options;
  options.broker.payload_bytes = 200;
  Begin(options);
  std::vector<std::string> ids;
  v1::QueryRequest request = PersonsRequest();
  int pages = 0;
  do {
    const auto answer = exchange_->Query(request);
    ASSERT_TRUE(answer.ok()) << answer.status();
    EXPECT_LE(answer->payload().size(), 200u);
    const auto rows = records::DecodeRowBatch(answer->payload());
    ASSERT_TRUE(rows.ok());
    EXPECT_EQ(rows->rows(), answer->rows());
    for (int64_t i = 0; i < rows->rows(); ++i) ids.emplace_back(rows->column(0).Bytes(i));
    request.set_page_token(answer->next_page_token());
    ASSERT_LT(++pages, 20);
  } while (!request.page_token().empty());
  std::vector<std::string> all;
  for (int i = 0; i < 8; ++i) all.push_back(ResidentNumber(i));
  EXPECT_EQ(ids, all);
  EXPECT_GT(pages, 1);
  int64_t recorded = 0;
  const auto records = exchange_->Records();
  for (const ReadRecord& record : records) {
    recorded += record.envelope.count();
    EXPECT_EQ(record.detail.released_size(), record.envelope.count());
    EXPECT_EQ(record.envelope.first_page(), record.index == 0 ? -1 : 0);
  }
  EXPECT_EQ(recorded, 8);
  exchange_->AwaitIdle();
  EXPECT_EQ(exchange_->Left("persons1").rows_today(), 92);
}

TEST_F(SourceFailuresTest, WithoutAnOrderThereAreNoFurtherPages) {
  HideTheKey();
  ASSERT_TRUE(exchange_->Query(PersonsRequest(8)).ok());
  const auto more = exchange_->Query(PersonsRequest(7));
  EXPECT_EQ(ReasonOf(more.status()), v1::REASON_ORDER_NOT_GRANTED);
  exchange_->AwaitIdle();
  EXPECT_EQ(exchange_->Left("persons1").rows_today(), 92);

  ExchangeOptions options;
  options.broker.payload_bytes = 200;
  Begin(options);
  HideTheKey();
  ExpectFails(v1::REASON_RESULT_TOO_LARGE);
}

TEST_F(SourceFailuresTest, AnAnswerWhoseRecordWouldBeTooLargeIsNotReleased) {
  exchange_->ps.SetVersion(std::string(70'000, 'v'), false);
  ExpectFails(v1::REASON_RESULT_TOO_LARGE);
}

// Memory is bounded by bytes, not by rows: what cannot be in the answer is not read.
TEST_F(SourceFailuresTest, APageOfLargeRowsIsNotReadToItsLastRow) {
  auto rows = Persons(200);
  for (auto& row : rows) row["name"] = std::string(100'000, 'x');
  exchange_->ps.SetRows(rows);
  exchange_->ps.SetBatchRows(5);
  std::atomic<int> batches = 0;
  exchange_->ps.OnNext([&] { ++batches; });
  exchange_->grants["persons1"].mutable_quota()->set_rows_per_day(1000);
  exchange_->Publish();
  const auto answer = exchange_->Query(PersonsRequest(200));
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_GT(answer->rows(), 0);
  EXPECT_NE(answer->next_page_token(), "");
  EXPECT_LT(batches, 25);

  HideTheKey();
  batches = 0;
  EXPECT_EQ(ReasonOf(exchange_->Query(PersonsRequest(200)).status()), v1::REASON_RESULT_TOO_LARGE);
  EXPECT_LT(batches, 25);
}

}  // namespace
}  // namespace sluice::exchange
