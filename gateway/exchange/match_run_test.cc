// Match: what it answers, that it tells no more than that, and that guessing comes to an end.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

#include "absl/strings/str_cat.h"
#include "gateway/exchange/exchange_testing.h"

namespace sluice::exchange {
namespace {

using ::testing::HasSubstr;
using Outcomes = std::vector<int>;

constexpr int kYes = v1::MATCH_OUTCOME_MATCH, kNo = v1::MATCH_OUTCOME_NO_MATCH,
              kNobody = v1::MATCH_OUTCOME_NOT_FOUND;

class MatchRunTest : public ::testing::Test {
 protected:
  explicit MatchRunTest(const ExchangeOptions& options = {})
      : exchange_(std::make_unique<Exchange>(options)) {
    v1::Grant& grant = this->grant();
    grant.clear_modes();
    grant.add_modes(v1::MODE_MATCH);
    grant.mutable_fields(0)->set_match(v1::MATCH_RULE_ID_NUMBER);
    grant.mutable_fields(0)->set_finds(true);
    grant.mutable_fields(1)->set_match(v1::MATCH_RULE_NAME);
    grant.mutable_fields(2)->set_match(v1::MATCH_RULE_EXACT);
    grant.mutable_quota()->set_misses_per_day(100);
    exchange_->Publish();
    exchange_->ps.SetRows(Persons(10));
  }
  v1::Grant& grant() { return exchange_->grants["persons1"]; }

  static v1::MatchItem Item(int person, const std::string& name, const std::string& district = "") {
    v1::MatchItem item;
    (*item.mutable_values())["id_number"].set_string_value(ResidentNumber(person));
    (*item.mutable_values())["name"].set_string_value(name);
    if (!district.empty()) (*item.mutable_values())["district"].set_string_value(district);
    return item;
  }
  static v1::MatchRequest Request(std::initializer_list<v1::MatchItem> items) {
    v1::MatchRequest request;
    request.set_dataset("public-security/persons");
    request.set_purpose("relief");
    for (const v1::MatchItem& item : items) *request.add_items() = item;
    return request;
  }
  absl::StatusOr<v1::MatchResponse> Match(const v1::MatchRequest& request) {
    Call call = exchange_->CallBy("civil-affairs/relief");
    call.call_id = absl::StrCat("match-", 100 + ++calls_);
    call.method = "Exchange.Match";
    const Pending<v1::MatchResponse> pending;
    exchange_->broker->Match(call, request, pending.Done());
    auto answer = pending.Wait();
    exchange_->AwaitIdle();
    return answer;
  }
  static v1::MatchAnswers AnswersIn(const v1::MatchResponse& response) {
    v1::MatchAnswers answers;
    EXPECT_TRUE(answers.ParseFromString(response.payload()));
    return answers;
  }
  Outcomes Ask(const v1::MatchRequest& request) {
    const auto response = Match(request);
    EXPECT_TRUE(response.ok()) << response.status();
    Outcomes outcomes;
    if (!response.ok()) return outcomes;
    const v1::MatchAnswers answers = AnswersIn(*response);
    for (const v1::MatchAnswer& answer : answers.answers()) outcomes.push_back(answer.outcome());
    return outcomes;
  }
  v1::Reason Refused(const v1::MatchRequest& request) { return ReasonOf(Match(request).status()); }

  std::unique_ptr<Exchange> exchange_;
  int calls_ = 0;
};

TEST_F(MatchRunTest, AnswersEachItemAndIsRecordedBefore) {
  v1::MatchRequest request =
      Request({Item(1, "person 1"), Item(2, "Somebody Else"), Item(50, "Nobody")});
  request.set_case_reference("RL-1");
  EXPECT_EQ(Ask(request), (Outcomes{kYes, kNo, kNobody}));
  const auto records = exchange_->Records(v1::RECORD_KIND_MATCHED);
  ASSERT_EQ(records.size(), 1u);
  const v1::AuditEnvelope& envelope = records[0].envelope;
  EXPECT_EQ(envelope.count(), 3);
  EXPECT_EQ(envelope.match_misses(), 2u);
  EXPECT_EQ(envelope.grant(), "persons1");
  EXPECT_EQ(envelope.subjects_asked(), v1::SUBJECT_SCOPE_LISTED);
  const v1::AuditDetail& detail = records[0].detail;
  EXPECT_EQ(detail.asked_size(), 3);
  EXPECT_EQ(detail.released_size(), 2) << "of those who were found something was told";
  EXPECT_EQ(detail.case_reference(), "RL-1");
  ASSERT_EQ(detail.parameters_size(), 2);
  EXPECT_EQ(detail.parameters(0).name(), "id_number");
  EXPECT_EQ(detail.parameters(0).digests_size(), 3);
}

TEST_F(MatchRunTest, NoByteOfTheRecordAndNoIdentifierLeavesOrIsKept) {
  const auto response = Match(Request({Item(1, "Wrong", "west")}));
  ASSERT_TRUE(response.ok());
  std::string all = response->SerializeAsString();
  for (const ReadRecord& record : exchange_->Records())
    all += record.envelope.SerializeAsString() + record.detail.SerializeAsString();
  for (const std::string text : {"Person 1", "east", "Wrong", "west"})
    EXPECT_EQ(all.find(text), std::string::npos) << text;
  EXPECT_EQ(all.find(ResidentNumber(1)), std::string::npos);
}

TEST_F(MatchRunTest, FieldsAreToldApartOnlyWhereTheGrantSays) {
  const v1::MatchRequest request = Request({Item(1, "Person 1", "west"), Item(60, "No", "east")});
  const v1::MatchAnswers together = AnswersIn(*Match(request));
  EXPECT_EQ(together.answers(0).fields_size(), 0);
  grant().set_match_tells_fields(true);
  exchange_->Publish();
  const v1::MatchAnswers answers = AnswersIn(*Match(request));
  EXPECT_THAT(answers.answers(0).fields(), testing::ElementsAre(kNo, kYes)) << "district, name";
  EXPECT_THAT(answers.answers(1).fields(), testing::ElementsAre(kNobody, kNobody));
}

TEST_F(MatchRunTest, AnswersAreAsLongWhateverTheyAre) {
  grant().set_match_tells_fields(true);
  exchange_->Publish();
  std::vector<size_t> sizes;
  for (const v1::MatchItem& item :
       {Item(1, "Person 1", "east"), Item(2, "Wrong", "west"), Item(70, "Nobody", "east")}) {
    auto response = Match(Request({item}));
    ASSERT_TRUE(response.ok()) << response.status();
    response->mutable_receipt()->clear_path();  // how many records were synced with it
    v1::AuditEnvelope envelope;
    ASSERT_TRUE(envelope.ParseFromString(response->receipt().envelope()));
    envelope.clear_time();
    response->mutable_receipt()->set_envelope(envelope.SerializeAsString());
    response->mutable_receipt()->clear_index();
    response->mutable_receipt()->clear_first_index();
    sizes.push_back(response->SerializeAsString().size());
  }
  EXPECT_EQ(sizes[0], sizes[1]);
  EXPECT_EQ(sizes[0], sizes[2]);
}

TEST_F(MatchRunTest, TagsAreAsManyWhoeverWasFound) {
  grant().mutable_fields(0)->set_finds(false);
  grant().mutable_fields(1)->set_finds(true);
  grant().mutable_fields(1)->set_match(v1::MATCH_RULE_EXACT);
  exchange_->Publish();
  for (const std::string name : {"Person 1", "Nobody"}) {
    v1::MatchItem item;
    (*item.mutable_values())["name"].set_string_value(name);
    (*item.mutable_values())["district"].set_string_value("east");
    const auto response = Match(Request({item}));
    ASSERT_TRUE(response.ok()) << response.status();
    v1::AuditEnvelope envelope;
    ASSERT_TRUE(envelope.ParseFromString(response->receipt().envelope()));
    EXPECT_EQ(envelope.search_tags().size(), 24u) << name;
    const auto records = exchange_->Records();
    EXPECT_EQ(records.back().detail.released_size(), name == "Nobody" ? 0 : 1);
  }
}

TEST_F(MatchRunTest, TheOneOfSeveralRecordsThatAgreesMostDecides) {
  exchange_->ps.SetRows({{{"id_number", ResidentNumber(1)}, {"name", "A"}, {"district", "east"}},
                         {{"id_number", ResidentNumber(1)}, {"name", "B"}, {"district", "west"}},
                         {{"id_number", ResidentNumber(1)}, {"district", "south"}}});
  EXPECT_EQ(Ask(Request({Item(1, "b", "west"), Item(1, "a", "west"), Item(1, "a", "east")})),
            (Outcomes{kYes, kNo, kYes}));
}

TEST_F(MatchRunTest, RowsOutsideTheGrantAreNotFound) {
  auto rows = Persons(3);
  rows[1]["district"] = "west";
  exchange_->ps.SetRows(rows);
  grant().set_row_filter("district = \"east\"");
  exchange_->Publish();
  EXPECT_EQ(Ask(Request({Item(0, "Person 0"), Item(1, "Person 1")})), (Outcomes{kYes, kNobody}));
}

TEST_F(MatchRunTest, FindsNumbersAsOldRegistersWroteThem) {
  auto rows = Persons(2);
  rows[0]["id_number"] = rows[0]["id_number"].substr(0, 6) + rows[0]["id_number"].substr(8, 9);
  exchange_->ps.SetRows(rows);
  EXPECT_EQ(Ask(Request({Item(0, "Person 0")})), (Outcomes{kYes}));
}

TEST_F(MatchRunTest, ThousandItemsInOneCallAndNotOneMore) {
  grant().mutable_quota()->set_misses_per_day(5'000);
  exchange_->Publish();
  exchange_->ps.SetRows(Persons(1'000));
  v1::MatchRequest request = Request({});
  for (int i = 0; i < 1'000; ++i)
    *request.add_items() = Item(i, absl::StrCat("Person ", i / 2 * 2));
  const Outcomes outcomes = Ask(request);
  EXPECT_EQ(std::count(outcomes.begin(), outcomes.end(), kYes), 500);
  *request.add_items() = Item(1, "x");
  EXPECT_EQ(Refused(request), v1::REASON_REQUEST_INVALID);
}

TEST_F(MatchRunTest, MistakesAreRefusedWithTheirPlaceAndWithoutTheirValue) {
  struct Mistake {
    v1::Reason reason;
    const char* place;
    std::function<void(v1::MatchRequest&)> spoil;
  };
  const Mistake rows[] = {
      {v1::REASON_REQUEST_INVALID, "items", [](auto& r) { r.clear_items(); }},
      {v1::REASON_PARAMETER_INVALID, "items[1].values[id_number]",
       [](auto& r) {
         (*r.mutable_items(1)->mutable_values())["id_number"].set_string_value(
             "110101199001010009");
       }},
      {v1::REASON_PARAMETER_INVALID, "items[0].values[name]",
       [](auto& r) { (*r.mutable_items(0)->mutable_values())["name"].set_int64_value(7); }},
      {v1::REASON_REQUEST_INVALID, "items[1].values",
       [](auto& r) { r.mutable_items(1)->mutable_values()->erase("name"); }},
      {v1::REASON_REQUEST_INVALID, "items[0].values",
       [](auto& r) { r.mutable_items(0)->mutable_values()->erase("id_number"); }},
      {v1::REASON_FIELD_UNKNOWN, "fields[0]",
       [](auto& r) { (*r.mutable_items(0)->mutable_values())["born"].set_string_value("x"); }},
  };
  for (const Mistake& mistake : rows) {
    v1::MatchRequest request = Request({Item(1, "Person 1"), Item(2, "Person 2")});
    mistake.spoil(request);
    const absl::Status status = Match(request).status();
    EXPECT_EQ(ReasonOf(status), mistake.reason) << status;
    const auto violations = BadRequestOf(status);
    ASSERT_TRUE(violations.has_value()) << status;
    EXPECT_EQ(violations->field_violations(0).field(), mistake.place);
    EXPECT_EQ(status.ToString().find("110101"), std::string::npos) << status;
  }
  const auto denied = exchange_->Records(v1::RECORD_KIND_DENIED);
  ASSERT_FALSE(denied.empty());
  EXPECT_EQ(denied.back().detail.asked_size(), 2) << "whom a refused call asked about is recorded";
}

TEST_F(MatchRunTest, AGrantOfPagesAllowsNoMatchAndOneOfMatchNoPages) {
  EXPECT_EQ(ReasonOf(exchange_->Query(PersonsRequest()).status()), v1::REASON_MODE_NOT_GRANTED);
  grant().clear_modes();
  grant().add_modes(v1::MODE_QUERY);
  for (v1::GrantedField& field : *grant().mutable_fields())
    field.clear_match(), field.clear_finds();
  grant().clear_quota();
  exchange_->Publish();
  EXPECT_EQ(Refused(Request({Item(1, "x")})), v1::REASON_MODE_NOT_GRANTED);
}

TEST_F(MatchRunTest, GuessingRunsIntoTheDaysMissesAlsoAfterARestart) {
  grant().mutable_quota()->set_misses_per_day(3);
  exchange_->Publish();
  EXPECT_EQ(Ask(Request({Item(1, "Person 1"), Item(2, "no")})), (Outcomes{kYes, kNo}));
  EXPECT_EQ(Refused(Request({Item(3, "a"), Item(4, "b"), Item(5, "c")})), v1::REASON_QUOTA_EXCEEDED)
      << "all three might be misses";
  EXPECT_EQ(Ask(Request({Item(3, "no"), Item(80, "nobody")})), (Outcomes{kNo, kNobody}));
  EXPECT_EQ(Refused(Request({Item(1, "Person 1")})), v1::REASON_QUOTA_EXCEEDED);
  exchange_ = exchange_->Restart();
  exchange_->ps.SetRows(Persons(10));
  EXPECT_EQ(Refused(Request({Item(1, "Person 1")})), v1::REASON_QUOTA_EXCEEDED);
  exchange_->clock.Advance(kDay);
  EXPECT_EQ(Ask(Request({Item(1, "Person 1")})), (Outcomes{kYes}));
}

TEST_F(MatchRunTest, OneRecordIsTriedAFewTimesADay) {
  grant().mutable_quota()->set_tries_per_record(3);
  exchange_->Publish();
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(Ask(Request({Item(1, "Person 1")})), (Outcomes{kYes})) << "not in vain";
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(Ask(Request({Item(1, absl::StrCat("guess ", i))})), (Outcomes{kNo}));
  const absl::Status refused = Match(Request({Item(2, "Person 2"), Item(1, "Person 1")})).status();
  EXPECT_EQ(ReasonOf(refused), v1::REASON_QUOTA_EXCEEDED);
  const auto violations = BadRequestOf(refused);
  ASSERT_TRUE(violations.has_value());
  EXPECT_EQ(violations->field_violations(0).field(), "items[1]");
  EXPECT_EQ(Ask(Request({Item(2, "guess")})), (Outcomes{kNo})) << "another record";
}

TEST_F(MatchRunTest, WhatFailsUsesUpNothing) {
  grant().mutable_quota()->set_misses_per_day(1);
  grant().mutable_quota()->set_tries_per_record(1);
  exchange_->Publish();
  for (int i = 0; i < 3; ++i) {
    exchange_->ps.FailScan(Error(v1::REASON_SOURCE_UNAVAILABLE, "the source is gone."));
    EXPECT_EQ(Refused(Request({Item(1, "guess")})), v1::REASON_SOURCE_UNAVAILABLE);
  }
  exchange_->ps.FailScan(absl::OkStatus());
  EXPECT_EQ(Ask(Request({Item(1, "guess")})), (Outcomes{kNo}));
}

TEST_F(MatchRunTest, ARepetitionUnderTheSameIdCountsOnce) {
  grant().mutable_quota()->set_misses_per_day(1);
  exchange_->Publish();
  v1::MatchRequest request = Request({Item(1, "guess")});
  request.set_request_id("again");
  EXPECT_EQ(Ask(request), (Outcomes{kNo}));
  EXPECT_EQ(Ask(request), (Outcomes{kNo}));
  *request.mutable_items(0) = Item(1, "another");
  EXPECT_EQ(Refused(request), v1::REASON_REQUEST_ID_CONFLICT);
}

TEST_F(MatchRunTest, NothingLeavesBeforeItsRecordIsDurable) {
  exchange_->log->Hold();
  const Pending<v1::MatchResponse> pending;
  exchange_->broker->Match(exchange_->CallBy("civil-affairs/relief"),
                           Request({Item(1, "Person 1")}), pending.Done());
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(pending.times(), 0);
  exchange_->log->PassAll();
  EXPECT_TRUE(pending.Wait().ok());
}

TEST_F(MatchRunTest, AnswersLeaveAtWholeStepsOfTime) {
  for (const v1::MatchItem& item : {Item(1, "Person 1"), Item(2, "x"), Item(90, "y")}) {
    const auto began = std::chrono::steady_clock::now();
    ASSERT_TRUE(Match(Request({item})).ok());
    const auto took = std::chrono::steady_clock::now() - began;
    EXPECT_GE(took, std::chrono::microseconds(BrokerLimits().match_step)) << "not as soon as known";
  }
}

TEST_F(MatchRunTest, AGrantWithdrawnMeanwhileAnswersNothing) {
  exchange_->log->Hold();
  const Pending<v1::MatchResponse> pending;
  exchange_->broker->Match(exchange_->CallBy("civil-affairs/relief"),
                           Request({Item(1, "Person 1")}), pending.Done());
  exchange_->log->AwaitHeld(1);
  grant().set_state(v1::GRANT_STATE_REVOKED);
  exchange_->Publish();
  exchange_->log->PassAll();
  EXPECT_EQ(ReasonOf(pending.Wait().status()), v1::REASON_GRANT_REVOKED);
}

}  // namespace
}  // namespace sluice::exchange
