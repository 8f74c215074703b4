// Check: what a call would be answered, without the source and without data.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/exchange/exchange_testing.h"

namespace sluice::exchange {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class CheckTest : public ::testing::Test {
 protected:
  CheckTest() { exchange_.ps.SetRows(Persons(3)); }
  static v1::CheckRequest Request() {
    v1::CheckRequest request;
    request.set_dataset("public-security/persons");
    request.set_purpose("relief");
    return request;
  }
  absl::StatusOr<v1::CheckResponse> Check(const v1::CheckRequest& request) {
    Call call = exchange_.CallBy("civil-affairs/relief");
    call.call_id = "checking";
    call.method = "Exchange.Check";
    const Pending<v1::CheckResponse> pending;
    exchange_.broker->Check(std::move(call), request, pending.Done());
    return pending.Wait();
  }

  Exchange exchange_;
};

TEST_F(CheckTest, SaysWhatWouldBeDoneAndIsRecorded) {
  exchange_.grants["persons1"].mutable_quota()->set_rows_per_day(10);
  exchange_.Publish();
  v1::CheckRequest request = Request();
  request.add_fields("name");
  request.set_case_reference("R-0118");
  const auto answer = Check(request);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->call_id(), "checking");
  EXPECT_EQ(answer->applied().grant(), "persons1");
  EXPECT_EQ(answer->applied().fields(0).name(), "name");
  EXPECT_THAT(answer->applied().left_out(), ElementsAre("id_number", "district"));
  EXPECT_EQ(answer->applied().quota_left().rows_today(), 10);
  const auto records = exchange_.Records(v1::RECORD_KIND_CHECKED);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].index, answer->receipt().index());
  EXPECT_EQ(records[0].envelope.grant(), "persons1");
  EXPECT_EQ(records[0].envelope.count(), 0);
  EXPECT_EQ(records[0].detail.case_reference(), "R-0118");
  // Neither the source nor the quota was touched.
  EXPECT_EQ(exchange_.ps.scans(), 0);
  EXPECT_EQ(exchange_.Left("persons1").rows_today(), 10);
}

TEST_F(CheckTest, RefusesAsTheCallWouldBeRefused) {
  v1::CheckRequest request = Request();
  request.set_filter("nme = 'x'");
  v1::QueryRequest query = PersonsRequest();
  query.set_filter(request.filter());
  const absl::Status checked = Check(request).status();
  const absl::Status queried = exchange_.Query(query).status();
  EXPECT_EQ(ReasonOf(checked), v1::REASON_FIELD_UNKNOWN);
  EXPECT_EQ(ReasonOf(checked), ReasonOf(queried));
  EXPECT_EQ(checked.message(), queried.message());
  const auto denied = exchange_.Records(v1::RECORD_KIND_DENIED);
  ASSERT_EQ(denied.size(), 2u);
  EXPECT_EQ(denied[0].detail.method(), "Exchange.Check");

  request = Request();
  request.set_mode(v1::MODE_READ);
  EXPECT_EQ(ReasonOf(Check(request).status()), v1::REASON_MODE_NOT_GRANTED);
}

TEST_F(CheckTest, AQuotaThatIsUsedUpIsTold) {
  exchange_.grants["persons1"].mutable_quota()->set_rows_total(3);
  exchange_.Publish();
  ASSERT_TRUE(Check(Request()).ok());
  ASSERT_EQ(exchange_.Query(PersonsRequest())->rows(), 3);
  EXPECT_EQ(ReasonOf(Check(Request()).status()), v1::REASON_QUOTA_EXCEEDED);
  exchange_.grants["persons1"].mutable_quota()->clear_rows_total();
  exchange_.grants["persons1"].mutable_quota()->set_calls_per_minute(1);
  exchange_.Publish();
  EXPECT_EQ(ReasonOf(Check(Request()).status()), v1::REASON_QUOTA_EXCEEDED);
  exchange_.clock.Advance(kMinute);
  EXPECT_TRUE(Check(Request()).ok());
}

TEST_F(CheckTest, WhatCannotBeRecordedIsNotAnswered) {
  exchange_.files->Inject({.at = exchange_.files->Operations().size()});
  const auto answer = Check(Request());
  EXPECT_EQ(ReasonOf(answer.status()), v1::REASON_AUDIT_UNAVAILABLE);
}

// Describe: the same for a stream.
TEST_F(CheckTest, AStreamIsDescribedAsReadWouldDecide) {
  const auto describe = [this](const v1::ReadRequest& request) {
    const Pending<Description> pending;
    exchange_.broker->Describe(exchange_.CallBy("civil-affairs/relief"), request, pending.Done());
    return pending.Wait();
  };
  v1::ReadRequest request;
  request.set_dataset("public-security/persons");
  request.set_purpose("relief");
  request.set_request_id("access-1");
  request.add_fields("name");
  EXPECT_EQ(ReasonOf(describe(request).status()), v1::REASON_MODE_NOT_GRANTED);

  exchange_.grants["persons1"].add_modes(v1::MODE_READ);
  exchange_.Publish();
  const auto described = describe(request);
  ASSERT_TRUE(described.ok()) << described.status();
  ASSERT_EQ(described->schema->size(), 1u);
  EXPECT_EQ(described->schema->field(0).name, "name");
  const auto checked = exchange_.Records(v1::RECORD_KIND_CHECKED);
  ASSERT_EQ(checked.size(), 1u);
  EXPECT_EQ(checked[0].index, described->check.receipt().index());
  EXPECT_EQ(checked[0].detail.request_id(), "access-1");
  EXPECT_EQ(exchange_.ps.scans(), 0);

  request.set_resume_token("of nothing");
  EXPECT_EQ(ReasonOf(describe(request).status()), v1::REASON_RESUME_TOKEN_INVALID);
  EXPECT_EQ(exchange_.Records(v1::RECORD_KIND_DENIED).size(), 2u);
}

// Drift: the source no longer fits its dataset.
class DriftTest : public CheckTest {
 protected:
  static adapters::TableDescription Table() {
    adapters::TableDescription table;
    table.table = "ps";
    for (const char* column : {"id_number", "name", "district"})
      table.columns.push_back({column, {records::TypeId::kUtf8}, true, "TEXT"});
    return table;
  }
  void Look() {
    exchange_.drift->Look(exchange_.snapshots.Get());
    exchange_.AwaitIdle();
  }
};

TEST_F(DriftTest, NothingIsReleasedUntilItFitsAgain) {
  adapters::TableDescription table = Table();
  exchange_.ps.SetTables({table});
  exchange_.tr.SetTables({Table()});
  Look();
  ASSERT_TRUE(exchange_.Query(PersonsRequest()).ok());
  table.columns.pop_back();
  exchange_.ps.SetTables({table});
  Look();
  const int scans = exchange_.ps.scans();
  const absl::Status queried = exchange_.Query(PersonsRequest()).status();
  EXPECT_EQ(ReasonOf(queried), v1::REASON_SCHEMA_DRIFT);
  EXPECT_EQ(ReasonOf(Check(Request()).status()), v1::REASON_SCHEMA_DRIFT);
  EXPECT_EQ(exchange_.ps.scans(), scans);
  // What does not fit is for the owner, not for who asks.
  EXPECT_THAT(queried.ToString(), ::testing::Not(::testing::HasSubstr("district")));
  EXPECT_THAT(exchange_.drift->Of("public-security/persons"),
              ElementsAre("dataset.fields[2].column: table ps has no column district"));
  EXPECT_EQ(exchange_.Records(v1::RECORD_KIND_FAILED).size(), 2u);

  exchange_.ps.SetTables({Table()});
  Look();
  EXPECT_TRUE(exchange_.Query(PersonsRequest()).ok());
  EXPECT_THAT(exchange_.drift->Of("public-security/persons"), IsEmpty());
}

TEST_F(DriftTest, ATableThatIsGoneIsDriftAndASilentSourceIsNot) {
  exchange_.tr.SetTables({Table()});
  Look();  // ps describes no table at all
  EXPECT_THAT(exchange_.drift->Drifted(),
              ElementsAre("public-security/persons", "transport/vehicles"));
  exchange_.ps.FailOpen(Error(v1::REASON_SOURCE_UNAVAILABLE, "down"));
  Look();
  EXPECT_EQ(exchange_.drift->Drifted().size(), 2u);  // as it was
}

// What a source told of data that are read from none by now is not kept.
TEST_F(DriftTest, NothingIsKeptOfADatasetThatHasNoSourceAnyMore) {
  exchange_.ps.SetTables({Table()});
  Look();
  ASSERT_TRUE(exchange_.drift->FreshnessOf("public-security/persons").has_value());
  exchange_.ps.SetTables({});
  Look();
  ASSERT_FALSE(exchange_.drift->Of("public-security/persons").empty());
  v1::Dataset& persons = exchange_.datasets["public-security/persons"];
  persons.clear_source();
  persons.set_sharing(v1::SHARING_ATTRIBUTE_WITHHELD);
  persons.mutable_withheld_by()->set_law("a law");
  persons.mutable_withheld_by()->set_article("1");
  std::erase_if(exchange_.grants, [](const auto& grant) {
    return grant.second.dataset() == "public-security/persons";
  });
  exchange_.Publish();
  Look();
  EXPECT_FALSE(exchange_.drift->FreshnessOf("public-security/persons").has_value());
  EXPECT_THAT(exchange_.drift->Of("public-security/persons"), IsEmpty());
}

TEST_F(DriftTest, ARevisionThatDescribesItAnewIsNotHeldUpByWhatWasFoundBefore) {
  Look();
  EXPECT_EQ(ReasonOf(exchange_.Query(PersonsRequest()).status()), v1::REASON_SCHEMA_DRIFT);
  exchange_.datasets["public-security/persons"].set_revision(2);
  exchange_.Publish();
  EXPECT_TRUE(exchange_.Query(PersonsRequest()).ok());
}

}  // namespace
}  // namespace sluice::exchange
