// Looking at a source: who may, what is recorded, and what is told of one that fails.
#include "gateway/exchange/source_looks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "gateway/base/error.h"
#include "gateway/exchange/exchange_testing.h"

namespace sluice::exchange {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SourceLooksTest : public ::testing::Test {
 protected:
  SourceLooksTest() {
    exchange_.directory.sources["ps"].set_owner_agency("public-security");
    exchange_.Publish();
    exchange_.ps.SetRows(Persons(3));
    adapters::TableDescription persons;
    persons.table = "persons";
    persons.columns = {{"id_number", {records::TypeId::kUtf8}, false, "TEXT"},
                       {"name", {records::TypeId::kUtf8}, true, "TEXT"}};
    persons.unique_keys = {{"id_number"}};
    exchange_.ps.SetTables({persons});
    SourceLookParts parts{
        *exchange_.sources, exchange_.clock,
        [this](const v1::Source&) -> absl::StatusOr<std::unique_ptr<adapters::Adapter>> {
          return exchange_.ps.Open();
        },
        [](const v1::Source&) { return absl::OkStatus(); },
        [this](const Call&, const audit::ChangeOutcome& act) {
          acts_.push_back(act.action + " " + act.resource_name);
          return record_;
        }};
    looks_ = std::make_unique<SourceLooks>(parts);
  }

  Call Operator() { return exchange_.CallByPerson("data-bureau", {v1::ROLE_OPERATOR}); }
  Call Owner(const std::string& agency) { return exchange_.CallByPerson(agency, {v1::ROLE_OWNER}); }
  template <class Response, class Request>
  absl::StatusOr<Response> Wait(void (SourceLooks::*look)(const Call&, Request,
                                                          SourceLooks::Done<Response>),
                                const Call& call, const Request& request) {
    auto told = std::make_shared<std::promise<absl::StatusOr<Response>>>();
    (looks_.get()->*look)(call, request, [told](absl::StatusOr<Response> response) {
      told->set_value(std::move(response));
    });
    auto answer = told->get_future().get();
    exchange_.AwaitIdle();
    return answer;
  }
  absl::StatusOr<v1::ProbeSourceResponse> Probe(const Call& call, const std::string& id = "ps") {
    v1::ProbeSourceRequest request;
    request.mutable_source()->set_id(id);
    return Wait(&SourceLooks::ProbeSource, call, request);
  }
  absl::StatusOr<v1::CheckSourceResponse> Check(const Call& call, const std::string& table) {
    v1::CheckSourceRequest request;
    request.mutable_source()->set_id("ps");
    request.set_table(table);
    return Wait(&SourceLooks::CheckSource, call, request);
  }

  Exchange exchange_;
  std::vector<std::string> acts_;
  absl::Status record_;
  std::unique_ptr<SourceLooks> looks_;
};

TEST_F(SourceLooksTest, OperatorsLookAtAllAndOwnersAtTheirOwn) {
  EXPECT_TRUE(Probe(Operator()).ok());
  EXPECT_TRUE(Probe(Owner("public-security")).ok());
  EXPECT_EQ(ReasonOf(Probe(Owner("transport")).status()), v1::REASON_SOURCE_NOT_OWNED);
  EXPECT_EQ(ReasonOf(Probe(exchange_.CallBy("civil-affairs/relief")).status()),
            v1::REASON_ROLE_REQUIRED);
  EXPECT_EQ(ReasonOf(Probe(Operator(), "nobody").status()), v1::REASON_NOT_FOUND);
  EXPECT_EQ(ReasonOf(Probe(Operator(), "").status()), v1::REASON_REQUEST_INVALID);
}

TEST_F(SourceLooksTest, ADefinitionIsTriedByTheOperatorAlone) {
  v1::ProbeSourceRequest request;
  v1::Source& source = *request.mutable_source()->mutable_definition();
  source.set_id("new");
  source.set_kind("fake");
  EXPECT_EQ(ReasonOf(Wait(&SourceLooks::ProbeSource, Operator(), request).status()),
            v1::REASON_DEFINITION_INVALID)
      << "it has no owner";
  source.set_owner_agency("public-security");
  EXPECT_EQ(ReasonOf(Wait(&SourceLooks::ProbeSource, Owner("public-security"), request).status()),
            v1::REASON_ROLE_REQUIRED);
  exchange_.ps.FailOpen(Error(v1::REASON_SOURCE_UNAVAILABLE, "no route."));
  const auto answer = Wait(&SourceLooks::ProbeSource, Operator(), request);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_FALSE(answer->reachable());
  EXPECT_EQ(answer->reason(), "SOURCE_UNAVAILABLE");
  EXPECT_EQ(exchange_.sources->Find("new"), nullptr);
}

TEST_F(SourceLooksTest, WhatIsForTheOperatorIsToldToThem) {
  absl::Status why = Error(v1::REASON_SOURCE_UNAVAILABLE, "the source refuses.");
  AddOperatorNote(why, "password expired");
  exchange_.ps.FailProbe(why);
  const auto answer = Probe(Operator());
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_FALSE(answer->reachable());
  EXPECT_EQ(answer->failure(), "the source refuses.");
  EXPECT_EQ(answer->note(), "password expired");
}

TEST_F(SourceLooksTest, WhatIsKnownOfASourceThatAnswersIsToldToo) {
  exchange_.ps.SetNotes({"table 'persons': the drop 'b.csv' is held back"});
  const auto answer = Probe(Operator());
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_TRUE(answer->reachable());
  EXPECT_THAT(answer->notes(), ElementsAre("table 'persons': the drop 'b.csv' is held back"));
}

TEST_F(SourceLooksTest, ACheckIsRecordedBeforeAnythingIsRead) {
  const auto report = Check(Operator(), "persons");
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->rows(), 3);
  EXPECT_EQ(report->findings_size(), 12);
  EXPECT_THAT(acts_, ElementsAre("check ps"));
  const int scans = exchange_.ps.scans();
  record_ = Error(v1::REASON_AUDIT_UNAVAILABLE, "the disk is full.");
  EXPECT_EQ(ReasonOf(Check(Operator(), "persons").status()), v1::REASON_AUDIT_UNAVAILABLE);
  EXPECT_EQ(exchange_.ps.scans(), scans);
  EXPECT_EQ(ReasonOf(Check(Operator(), "").status()), v1::REASON_REQUEST_INVALID);
}

TEST_F(SourceLooksTest, ATableThatIsNotThereIsNotFoundAndTheSourceIsNotToBlame) {
  exchange_.ps.SetTables({});
  v1::DescribeSourceRequest request;
  request.mutable_source()->set_id("ps");
  const auto none = Wait(&SourceLooks::DescribeSource, Operator(), request);
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_TRUE(none->tables.empty());
  EXPECT_EQ(ReasonOf(Check(Operator(), "nobody").status()), v1::REASON_NOT_FOUND);
  EXPECT_THAT(std::string(Check(Operator(), "nobody").status().message()),
              HasSubstr("has no table \"nobody\""));
  EXPECT_EQ(exchange_.sources->Find("ps")->Status().last_failure(), "");
}

}  // namespace
}  // namespace sluice::exchange
