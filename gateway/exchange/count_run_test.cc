// Count: numbers of rows, small ones held back.
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "gateway/exchange/exchange_testing.h"
#include "gateway/records/row_batch.h"

namespace sluice::exchange {
namespace {

class CountRunTest : public ::testing::Test {
 protected:
  CountRunTest() {
    grant().clear_modes();
    grant().add_modes(v1::MODE_COUNT);
    exchange_.Publish();
    // 30 in the east, 20 in the west, 4 in the south.
    auto rows = Persons(54);
    for (int i = 30; i < 54; ++i) rows[i]["district"] = i < 50 ? "west" : "south";
    for (int i = 0; i < 54; ++i) rows[i]["name"] = i % 2 == 0 ? "Even" : "Odd";
    exchange_.ps.SetRows(rows);
  }
  v1::Grant& grant() { return exchange_.grants["persons1"]; }

  static v1::CountRequest Request(std::initializer_list<const char*> by,
                                  const std::string& filter = "") {
    v1::CountRequest request;
    request.set_dataset("public-security/persons");
    request.set_purpose("relief");
    for (const char* field : by) request.add_group_by(field);
    request.set_filter(filter);
    return request;
  }
  absl::StatusOr<v1::CountResponse> Count(const v1::CountRequest& request) {
    const Pending<v1::CountResponse> pending;
    exchange_.broker->Count(exchange_.CallBy("civil-affairs/relief"), request, pending.Done());
    auto answer = pending.Wait();
    exchange_.AwaitIdle();
    return answer;
  }
  // "east 30, west ?; 2 suppressed".
  std::string Ask(const v1::CountRequest& request) {
    const auto response = Count(request);
    if (!response.ok()) return ReasonName(ReasonOf(response.status()));
    const auto batch = records::DecodeRowBatch(response->payload());
    EXPECT_TRUE(batch.ok()) << batch.status();
    EXPECT_EQ(batch->rows(), response->groups());
    std::string text;
    for (int64_t row = 0; row < batch->rows(); ++row) {
      if (row > 0) text += ", ";
      for (size_t i = 0; i + 1 < batch->columns().size(); ++i)
        absl::StrAppend(&text, std::string(batch->column(i).Bytes(row)), " ");
      const records::Column& count = batch->columns().back();
      absl::StrAppend(&text, count.IsNull(row) ? "?" : absl::StrCat(count.Int64(row)));
    }
    return absl::StrCat(text, "; ", response->suppressed(), " suppressed");
  }

  Exchange exchange_;
};

TEST_F(CountRunTest, AllRowsTogetherOrByGroups) {
  EXPECT_EQ(Ask(Request({})), "54; 0 suppressed");
  EXPECT_EQ(Ask(Request({"district"})), "east 30, west ?; 2 suppressed")
      << "the south is small, and all less the east and the west were the south";
  EXPECT_EQ(Ask(Request({"name"})), "Even 27, Odd 27; 0 suppressed");
}

TEST_F(CountRunTest, GroupsAreOfWhatTheConsumerWouldSee) {
  v1::Mask& mask = *grant().mutable_fields(2)->mutable_mask();
  mask.set_kind(v1::MASK_KIND_PREFIX);
  mask.set_length(1);
  grant().set_least_group(2);
  exchange_.Publish();
  EXPECT_EQ(Ask(Request({"district"})), "e 30, s 4, w 20; 0 suppressed");
}

TEST_F(CountRunTest, FiltersAndRowFiltersHold) {
  EXPECT_EQ(Ask(Request({}, "district = \"east\"")), "30; 0 suppressed");
  EXPECT_EQ(Ask(Request({}, "district = \"south\"")), "?; 1 suppressed");
  EXPECT_EQ(Ask(Request({}, "district = \"nowhere\"")), "?; 1 suppressed") << "none is few too";
  grant().set_row_filter("district = \"west\"");
  exchange_.Publish();
  EXPECT_EQ(Ask(Request({})), "20; 0 suppressed");
}

TEST_F(CountRunTest, ADifferenceThatTellsOfAFewIsRefusedAndRecorded) {
  EXPECT_EQ(Ask(Request({})), "54; 0 suppressed");
  EXPECT_EQ(Ask(Request({}, "district != \"south\"")), "QUESTION_TOO_NEAR");
  const auto denied = exchange_.Records(v1::RECORD_KIND_DENIED);
  ASSERT_EQ(denied.size(), 1u);
  EXPECT_EQ(denied[0].envelope.reason(), v1::REASON_QUESTION_TOO_NEAR);
}

TEST_F(CountRunTest, IsRecordedAndIsACallAndNoRows) {
  grant().mutable_quota()->set_rows_per_day(1);
  grant().mutable_quota()->set_calls_per_minute(2);
  exchange_.Publish();
  EXPECT_EQ(Ask(Request({"name"})), "Even 27, Odd 27; 0 suppressed");
  EXPECT_EQ(exchange_.Left("persons1").rows_today(), 1);
  EXPECT_EQ(exchange_.Left("persons1").calls_this_minute(), 1);
  const auto records = exchange_.Records(v1::RECORD_KIND_COUNTED);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].envelope.count(), 2);
  EXPECT_EQ(records[0].envelope.subjects_asked(), v1::SUBJECT_SCOPE_POPULATION);
  EXPECT_EQ(records[0].envelope.subjects_released(), v1::SUBJECT_SCOPE_NONE);
}

TEST_F(CountRunTest, AfterARestartItIsStillNoRows) {
  grant().mutable_quota()->set_rows_per_day(1);
  exchange_.Publish();
  v1::CountRequest request = Request({"name"});
  request.set_request_id("again");
  std::vector<FakeSource::Row> rows = Persons(54);
  exchange_.ps.SetRows(rows);
  EXPECT_EQ(Ask(request), "; 54 suppressed");
  // The same question, whose answer has more groups by then.
  for (int i = 0; i < 54; ++i) rows[i]["name"] = i % 2 == 0 ? "Even" : "Odd";
  exchange_.ps.SetRows(rows);
  EXPECT_EQ(Ask(request), "Even 27, Odd 27; 0 suppressed");
  const auto again = exchange_.Restart();
  EXPECT_EQ(again->Left("persons1").rows_today(), 1);
}

TEST_F(CountRunTest, WhatTheGrantDoesNotCoverIsRefused) {
  EXPECT_EQ(Ask(Request({"born"})), "FIELD_UNKNOWN");
  grant().mutable_fields()->DeleteSubrange(1, 1);
  exchange_.Publish();
  EXPECT_EQ(Ask(Request({"name"})), "FIELD_NOT_GRANTED");
  EXPECT_EQ(ReasonOf(exchange_.Query(PersonsRequest()).status()), v1::REASON_MODE_NOT_GRANTED);
}

}  // namespace
}  // namespace sluice::exchange
