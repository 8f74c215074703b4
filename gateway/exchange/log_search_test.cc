// An auditor's questions, from the call to the record of the asking.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gateway/audit/search_tags.h"
#include "gateway/exchange/exchange_testing.h"
#include "gateway/exchange/log_reading.h"

namespace sluice::exchange {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

class LogSearchTest : public ::testing::Test {
 protected:
  LogSearchTest() {
    exchange_.ps.SetRows(Persons(4));
    exchange_.tr.SetRows(Vehicles(2));
    auto index = audit::SearchIndex::Open(
        folder_.path(), {*exchange_.keys, std::string(32, 'k'), [this](const absl::Status& why) {
                           exchange_.operations.Write(Severity::kWarning, "index_trouble",
                                                      why.ToString());
                         }});
    EXPECT_TRUE(index.ok()) << index.status();
    index_ = *std::move(index);
    const LogReadingParts parts{
        *exchange_.log,       *index_,           *exchange_.keys,     *exchange_.sealer,
        exchange_.pseudonyms, *exchange_.tokens, exchange_.snapshots, exchange_.clock};
    tail_ = std::make_unique<LogTail>(parts, LogTailLimits());
    reading_ = std::make_unique<LogReading>(parts, *tail_, "log.vkey");
  }

  // Asks for one person, under a case.
  int64_t AskFor(int person, const std::string& case_reference, const std::string& user = "") {
    v1::QueryRequest request = PersonRequest(ResidentNumber(person));
    request.set_case_reference(case_reference);
    request.set_end_user(user);
    const auto answer = exchange_.Query(request);
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.ok() ? answer->receipt().index() : -1;
  }

  absl::StatusOr<v1::ListRecordsResponse> List(const v1::RecordFilter& filter, const Call& call) {
    v1::ListRecordsRequest request;
    *request.mutable_filter() = filter;
    const Pending<v1::ListRecordsResponse> pending;
    reading_->ListRecords(call, request, pending.Done());
    return pending.Wait();
  }
  std::vector<int64_t> Find(const v1::RecordFilter& filter) {
    const auto answer = List(filter, Auditor());
    EXPECT_TRUE(answer.ok()) << answer.status();
    std::vector<int64_t> found;
    if (!answer.ok()) return found;
    for (const v1::Record& record : answer->records()) found.push_back(record.index());
    return found;
  }
  static v1::RecordFilter About(int person) {
    v1::RecordFilter filter;
    filter.mutable_subject()->set_id_type("CN-RID");
    filter.mutable_subject()->set_id(ResidentNumber(person));
    return filter;
  }
  Call Auditor() const { return exchange_.CallByPerson("audit-office", {v1::ROLE_AUDITOR}); }
  v1::AuditDetail DetailAt(int64_t index) const {
    for (const ReadRecord& record : exchange_.Records())
      if (record.index == index) return record.detail;
    ADD_FAILURE() << "no record " << index;
    return {};
  }

  Exchange exchange_;
  audit::TestFolder folder_;
  std::unique_ptr<audit::SearchIndex> index_;
  std::unique_ptr<LogTail> tail_;
  std::unique_ptr<LogReading> reading_;
};

TEST_F(LogSearchTest, WhoSawTheDataOfAPerson) {
  const int64_t first = AskFor(1, "R-0118");
  AskFor(2, "R-0119");
  const int64_t not_held = AskFor(9, "R-0120");  // asked about, nothing found
  const auto all = exchange_.Query(PersonsRequest());
  ASSERT_TRUE(all.ok());
  const int64_t everybody = all->receipt().index();
  ASSERT_TRUE(exchange_.Query(VehiclesRequest()).ok());

  const auto found = List(About(1), Auditor());
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_EQ(found->records_size(), 2);
  EXPECT_EQ(found->records(0).index(), everybody);
  EXPECT_EQ(found->records(1).index(), first);
  EXPECT_EQ(found->records(1).subject_match(), v1::SUBJECT_MATCH_RELEASED);
  // However it is written.
  v1::RecordFilter spaced = About(1);
  spaced.mutable_subject()->set_id(" " + ResidentNumber(1) + " ");
  EXPECT_THAT(Find(spaced), testing::Contains(first));

  // The two searches above asked about the same person: they are found as well, but not this one.
  const auto asked = List(About(9), Auditor());
  ASSERT_TRUE(asked.ok());
  ASSERT_EQ(asked->records_size(), 1);
  EXPECT_EQ(asked->records(0).index(), not_held);
  EXPECT_EQ(asked->records(0).subject_match(), v1::SUBJECT_MATCH_ASKED);
}

TEST_F(LogSearchTest, ReadingsOfAPersonsAccessesConcernThatPersonToo) {
  AskFor(1, "R-0118");
  const auto search = List(About(1), Auditor());
  ASSERT_TRUE(search.ok());
  EXPECT_THAT(Find(About(1)), ElementsAre(search->read_index(), 0));
}

TEST_F(LogSearchTest, WhatListsNobodyPossiblyConcernsEverybody) {
  v1::QueryRequest denied = PersonsRequest();
  denied.set_purpose("curiosity");
  ASSERT_FALSE(exchange_.Query(denied).ok());
  const auto found = List(About(3), Auditor());
  ASSERT_TRUE(found.ok());
  ASSERT_EQ(found->records_size(), 1);
  EXPECT_EQ(found->records(0).subject_match(), v1::SUBJECT_MATCH_POSSIBLY);
  v1::RecordFilter certain = About(2);
  certain.set_certain(true);
  EXPECT_THAT(Find(certain), IsEmpty());
}

TEST_F(LogSearchTest, AlsoOfYearsBefore) {
  const int64_t before = AskFor(1, "old");
  exchange_.clock.Advance(20 * kDay);
  for (int i = 0; i < 18; ++i) exchange_.clock.Advance(20 * kDay);
  exchange_.grants["persons1"].mutable_expires()->set_seconds((exchange_.clock.Now() + 30 * kDay) /
                                                              kSecond);
  exchange_.Publish();
  const int64_t now = AskFor(1, "new");
  EXPECT_THAT(Find(About(1)), ElementsAre(now, before));
}

TEST_F(LogSearchTest, ByWhatOnlyDetailsHold) {
  const int64_t first = AskFor(1, "R-0118", "wang.fang");
  const int64_t second = AskFor(2, "R-0118", "li.na");
  AskFor(3, "R-0200", "li.na");
  v1::RecordFilter filter;
  filter.set_case_reference("R-0118");
  EXPECT_THAT(Find(filter), ElementsAre(second, first));
  filter.set_end_user("li.na");
  EXPECT_THAT(Find(filter), ElementsAre(second));
  filter.set_purpose("no such purpose");
  EXPECT_THAT(Find(filter), IsEmpty());
  // A dropped key takes the answer away; the records stay.
  const auto names = exchange_.files->List("/gw/keys");
  ASSERT_TRUE(names.ok());
  for (const std::string& name : *names)
    ASSERT_TRUE(exchange_.files->Remove("/gw/keys/" + name).ok());
  filter.Clear();
  filter.set_case_reference("R-0118");
  const auto erased = List(filter, Auditor());
  ASSERT_TRUE(erased.ok());
  EXPECT_EQ(erased->records_size(), 0);
  EXPECT_GE(erased->erased(), 3);
}

TEST_F(LogSearchTest, WhoWasRefusedIsFoundByWhatWasClaimed) {
  v1::QueryRequest request = PersonRequest(ResidentNumber(1));
  request.set_purpose("curiosity");
  request.set_case_reference("R-0118");
  request.set_end_user("li.na");
  ASSERT_FALSE(exchange_.Query(request).ok());
  request.set_end_user(std::string(2 << 20, 'x'));  // is refused and recorded all the same
  ASSERT_FALSE(exchange_.Query(request).ok());
  v1::RecordFilter filter;
  filter.set_outcome(v1::RECORD_OUTCOME_DENIED);
  filter.set_case_reference("R-0118");
  EXPECT_THAT(Find(filter), ElementsAre(1, 0));
  filter.set_end_user("li.na");
  EXPECT_THAT(Find(filter), ElementsAre(0));
  // Counted together only those claims stay that all share.
  exchange_.clock.Advance(kSecond);
  for (int i = 0; i < 15; ++i) {
    request.set_end_user(absl::StrCat("user ", i));
    ASSERT_FALSE(exchange_.Query(request).ok());
  }
  exchange_.denials->Flush(true);
  ASSERT_TRUE(exchange_.file_log->Close().ok());
  const auto counted = exchange_.Records(v1::RECORD_KIND_DENIALS);
  ASSERT_EQ(counted.size(), 1u);
  EXPECT_EQ(counted[0].detail.case_reference(), "R-0118");
  EXPECT_EQ(counted[0].detail.end_user(), "");
}

TEST_F(LogSearchTest, WhatWasAskedIsRecordedWithoutTheIdentifier) {
  AskFor(1, "R-0118");
  v1::RecordFilter filter = About(1);
  filter.set_case_reference("R-0118");
  filter.set_agency("civil-affairs");
  filter.set_dataset(ResidentNumber(1));  // where it does not belong
  const auto found = List(filter, Auditor());
  ASSERT_TRUE(found.ok());
  const v1::AuditDetail detail = DetailAt(found->read_index());
  EXPECT_THAT(detail.search_json(), HasSubstr("\"caseReference\":\"R-0118\""));
  EXPECT_THAT(detail.search_json(), HasSubstr("\"agency\":\"civil-affairs\""));
  EXPECT_THAT(detail.search_json(), HasSubstr("\"subject\":{\"idType\":\"CN-RID\"}"));
  EXPECT_THAT(detail.search_json(), HasSubstr("\"dataset\":\"digest "));
  ASSERT_GE(detail.asked_size(), 2);
  EXPECT_THAT(detail.asked(0).pseudonym(), testing::SizeIs(16));
}

TEST_F(LogSearchTest, MistakesAreNamedWithoutTheirValue) {
  v1::RecordFilter filter = About(1);
  filter.mutable_subject()->set_id_type(ResidentNumber(1));
  auto refused = List(filter, Auditor());
  EXPECT_EQ(ReasonOf(refused.status()), v1::REASON_REQUEST_INVALID);
  EXPECT_THAT(refused.status().ToString(), Not(HasSubstr(ResidentNumber(1))));
  EXPECT_THAT(refused.status().message(), HasSubstr("CN-RID"));
  filter = About(1);
  filter.mutable_subject()->clear_id();
  EXPECT_EQ(ReasonOf(List(filter, Auditor()).status()), v1::REASON_REQUEST_INVALID);
  filter.Clear();
  filter.set_certain(true);
  EXPECT_EQ(ReasonOf(List(filter, Auditor()).status()), v1::REASON_REQUEST_INVALID);
  filter.Clear();
  filter.set_case_reference(std::string(1001, 'x'));
  EXPECT_EQ(ReasonOf(List(filter, Auditor()).status()), v1::REASON_REQUEST_INVALID);
}

TEST_F(LogSearchTest, TheIdentifierStandsInNoFileAndNoLine) {
  constexpr int kSought = 4;
  AskFor(1, "R-0118");
  std::string told;
  const auto ask = [&](v1::RecordFilter filter, const Call& call) {
    v1::ListRecordsRequest request;
    *request.mutable_filter() = std::move(filter);
    request.set_page_size(1);
    for (int pages = 0; pages < 3; ++pages) {
      const Pending<v1::ListRecordsResponse> pending;
      reading_->ListRecords(call, request, pending.Done());
      const auto answer = pending.Wait();
      told += answer.status().ToString();
      if (!answer.ok()) break;
      std::string token;
      absl::WebSafeBase64Unescape(answer->next_page_token(), &token);
      absl::StrAppend(&told, token, answer->SerializeAsString());
      request.set_page_token(answer->next_page_token());
    }
  };
  const std::string id = ResidentNumber(kSought);
  for (const Call& call : {Auditor(), exchange_.CallBy("civil-affairs/relief"),
                           exchange_.CallByPerson("public-security", {v1::ROLE_OWNER}),
                           exchange_.CallByPerson("ops", {v1::ROLE_OPERATOR})}) {
    ask(About(1), call);
    ask(About(kSought), call);
    v1::RecordFilter filter = About(kSought);
    filter.mutable_subject()->set_id_type("TEXT");
    ask(filter, call);
    filter.mutable_subject()->set_id_type(id);
    ask(filter, call);
    for (const char* field : {"agency", "principal", "owner_agency", "dataset", "grant", "purpose",
                              "law", "article", "case_reference", "end_user", "on_behalf_of"}) {
      v1::RecordFilter wrong;
      wrong.GetReflection()->SetString(&wrong, wrong.GetDescriptor()->FindFieldByName(field), id);
      ask(wrong, call);
    }
  }
  index_.reset();
  ASSERT_TRUE(exchange_.file_log->Close().ok());
  const auto expect_clean = [&](const std::string& where, std::string_view text) {
    for (const int person : {1, kSought})
      EXPECT_EQ(text.find(ResidentNumber(person)), std::string_view::npos) << where;
  };
  for (const auto& [path, bytes] : exchange_.files->Files()) expect_clean(path, bytes);
  size_t index_files = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder_.path())) {
    std::ifstream in(file.path(), std::ios::binary);
    expect_clean(file.path(), std::string((std::istreambuf_iterator<char>(in)), {}));
    ++index_files;
  }
  EXPECT_GE(index_files, 2u);
  size_t readings = 0;
  for (const ReadRecord& record : exchange_.Records()) {
    expect_clean("envelope", record.envelope.SerializeAsString());
    expect_clean("opened detail", record.detail.SerializeAsString());
    readings += record.envelope.kind() == v1::RECORD_KIND_READ ? 1 : 0;
  }
  EXPECT_GT(readings, 30u);
  expect_clean("what was told", told);
  expect_clean("operational log", exchange_.operations.text());
}

TEST_F(LogSearchTest, ADamagedIndexMisleadsNobody) {
  const int64_t first = AskFor(1, "R-0118");
  v1::RecordFilter filter;
  filter.set_case_reference("R-0118");
  EXPECT_THAT(Find(filter), ElementsAre(first));
  // The same index beside another log: what it names is no answer there.
  Exchange other;
  other.ps.SetRows(Persons(4));
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(other.Query(PersonsRequest()).ok());
  const LogReadingParts parts{*other.log,       *index_,       *other.keys,     *other.sealer,
                              other.pseudonyms, *other.tokens, other.snapshots, other.clock};
  LogTail tail(parts, LogTailLimits());
  LogReading reading(parts, tail, "log.vkey");
  v1::ListRecordsRequest request;
  *request.mutable_filter() = filter;
  const Pending<v1::ListRecordsResponse> pending;
  reading.ListRecords(Auditor(), request, pending.Done());
  const auto answer = pending.Wait();
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->records_size(), 0);
  EXPECT_EQ(answer->searched_to(), 4);
  EXPECT_THAT(exchange_.operations.text(), HasSubstr("index_trouble"));
}

TEST_F(LogSearchTest, RebuildingIsForOperatorsAndAuditorsAndRecorded) {
  AskFor(1, "R-0118");
  const auto rebuild = [&](const Call& call) {
    const Pending<v1::RebuildIndexResponse> pending;
    reading_->RebuildIndex(call, {}, pending.Done());
    return pending.Wait();
  };
  for (const Call& call : {exchange_.CallBy("civil-affairs/relief"),
                           exchange_.CallByPerson("public-security", {v1::ROLE_OWNER}),
                           exchange_.CallByPerson("any", {v1::ROLE_AUTHORITY})})
    EXPECT_EQ(ReasonOf(rebuild(call).status()), v1::REASON_ROLE_REQUIRED);
  ASSERT_TRUE(index_->CatchUp(*exchange_.log).ok());
  const auto rebuilt = rebuild(exchange_.CallByPerson("ops", {v1::ROLE_OPERATOR}));
  ASSERT_TRUE(rebuilt.ok()) << rebuilt.status();
  EXPECT_EQ(index_->size(), 0u);
  EXPECT_TRUE(rebuild(Auditor()).ok());
  const auto changes = exchange_.Records(v1::RECORD_KIND_CHANGED);
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[0].index, rebuilt->change_index());
  EXPECT_EQ(changes[0].envelope.resource_kind(), "index");
  EXPECT_THAT(Find(About(1)), ElementsAre(0));
}

TEST_F(LogSearchTest, TokensFindTheRecordsOfAnAnswerInAnyCopy) {
  AskFor(1, "R-0118", "wang");
  AskFor(2, "R-0118", "li");
  AskFor(1, "R-0119", "wang");
  v1::ListRecordsRequest request;
  *request.mutable_filter() = About(1);
  request.mutable_filter()->set_certain(true);
  request.mutable_filter()->set_case_reference("R-0118");
  const auto ask = [&](const Call& call) {
    const Pending<v1::ListRecordsResponse> pending;
    reading_->ListRecords(call, request, pending.Done());
    return pending.Wait();
  };
  EXPECT_EQ(ask(Auditor())->search_tokens_size(), 0) << "not asked for";
  request.set_with_search_tokens(true);
  const auto answer = ask(Auditor());
  ASSERT_TRUE(answer.ok()) << answer.status();
  ASSERT_EQ(answer->records_size(), 1);

  // By envelopes and tokens alone.
  const auto tagged = [&](const v1::AuditEnvelope& envelope, v1::SearchCondition condition) {
    return std::any_of(answer->search_tokens().begin(), answer->search_tokens().end(),
                       [&](const v1::SearchToken& token) {
                         return token.condition() == condition &&
                                token.detail_key() == envelope.detail_key() &&
                                audit::HasSearchTag(envelope, token.token());
                       });
  };
  std::vector<int64_t> released;
  for (const ReadRecord& record : exchange_.Records())
    if (record.envelope.kind() == v1::RECORD_KIND_RELEASED &&
        tagged(record.envelope, v1::SEARCH_CONDITION_CASE_REFERENCE) &&
        tagged(record.envelope, v1::SEARCH_CONDITION_SUBJECT))
      released.push_back(record.index);
  EXPECT_THAT(released, ElementsAre(answer->records(0).index()));

  // The asking is recorded with what it asked for.
  EXPECT_THAT(DetailAt(answer->read_index()).search_json(), HasSubstr("withSearchTokens"));
  const auto refused = ask(exchange_.CallByPerson("public-security", {v1::ROLE_OWNER}));
  EXPECT_EQ(ReasonOf(refused.status()), v1::REASON_ROLE_REQUIRED);
}

TEST_F(LogSearchTest, AKeyThatWasDroppedHasNoTokens) {
  AskFor(1, "R-0118");
  v1::ListRecordsRequest request;
  request.mutable_filter()->set_case_reference("R-0118");
  request.set_with_search_tokens(true);
  const auto tokens = [&] {
    const Pending<v1::ListRecordsResponse> pending;
    reading_->ListRecords(Auditor(), request, pending.Done());
    const auto answer = pending.Wait();
    EXPECT_TRUE(answer.ok()) << answer.status();
    return answer.ok() ? answer->search_tokens_size() : -1;
  };
  EXPECT_EQ(tokens(), 1);
  const auto names = exchange_.files->List("/gw/keys");
  ASSERT_TRUE(names.ok());
  for (const std::string& name : *names)
    ASSERT_TRUE(exchange_.files->Remove("/gw/keys/" + name).ok());
  EXPECT_EQ(tokens(), 0);
}

}  // namespace
}  // namespace sluice::exchange
