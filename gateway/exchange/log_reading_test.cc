#include "gateway/exchange/log_reading.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "gateway/exchange/exchange_testing.h"

namespace sluice::exchange {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// The log of these tests: what each index is.
constexpr int64_t kReliefOnPersons = 0, kClinicOnPersons = 1, kReliefOnVehicles = 2,
                  kReliefDenied = 3;

class LogReadingTest : public ::testing::Test {
 protected:
  LogReadingTest() {
    exchange_.ps.SetRows(Persons(2));
    exchange_.tr.SetRows(Vehicles(2));
    EXPECT_TRUE(exchange_.Query(PersonsRequest()).ok());
    EXPECT_TRUE(exchange_.Query(PersonsRequest(), "health/clinic").ok());
    EXPECT_TRUE(exchange_.Query(VehiclesRequest()).ok());
    v1::QueryRequest denied = PersonsRequest();
    denied.set_purpose("curiosity");
    EXPECT_FALSE(exchange_.Query(denied).ok());
    exchange_.clock.Advance(kHour);  // a head is signed at most once an hour
    EXPECT_TRUE(exchange_.log->Head(true).ok());
    auto index = audit::SearchIndex::Open(
        folder_.path(), {*exchange_.keys, std::string(32, 'k'), [](const absl::Status&) {}});
    EXPECT_TRUE(index.ok()) << index.status();
    index_ = *std::move(index);
    const LogReadingParts parts{
        *exchange_.log,       *index_,           *exchange_.keys,     *exchange_.sealer,
        exchange_.pseudonyms, *exchange_.tokens, exchange_.snapshots, exchange_.clock};
    tail_ = std::make_unique<LogTail>(parts, LogTailLimits());
    reading_ = std::make_unique<LogReading>(parts, *tail_, "log.vkey");
  }

  absl::StatusOr<v1::ListRecordsResponse> List(const Call& call,
                                               const v1::ListRecordsRequest& request = {}) {
    const Pending<v1::ListRecordsResponse> pending;
    reading_->ListRecords(call, request, pending.Done());
    return pending.Wait();
  }
  // Indices below those of readings, newest first.
  std::vector<int64_t> Seen(const Call& call, const v1::ListRecordsRequest& request = {}) {
    const auto answer = List(call, request);
    EXPECT_TRUE(answer.ok()) << answer.status();
    std::vector<int64_t> seen;
    if (!answer.ok()) return seen;
    for (const v1::Record& record : answer->records())
      if (record.index() <= kReliefDenied) seen.push_back(record.index());
    return seen;
  }
  absl::StatusOr<v1::GetRecordResponse> Get(const Call& call, int64_t index) {
    v1::GetRecordRequest request;
    request.set_index(index);
    const Pending<v1::GetRecordResponse> pending;
    reading_->GetRecord(call, request, pending.Done());
    return pending.Wait();
  }
  absl::StatusOr<v1::ProveRecordResponse> Prove(const Call& call, int64_t index) {
    v1::ProveRecordRequest request;
    request.set_index(index);
    const Pending<v1::ProveRecordResponse> pending;
    reading_->ProveRecord(call, request, pending.Done());
    return pending.Wait();
  }
  Call Auditor() const { return exchange_.CallByPerson("audit-office", {v1::ROLE_AUDITOR}); }
  Call Owner() const { return exchange_.CallByPerson("public-security", {v1::ROLE_OWNER}); }
  Call Clerk() const { return exchange_.CallByPerson("civil-affairs", {}); }

  Exchange exchange_;
  audit::TestFolder folder_;
  std::unique_ptr<audit::SearchIndex> index_;
  std::unique_ptr<LogTail> tail_;
  std::unique_ptr<LogReading> reading_;
};

TEST_F(LogReadingTest, EachSeesWhatItsRolesShow) {
  EXPECT_THAT(Seen(Clerk()), ElementsAre(kReliefDenied, kReliefOnVehicles, kReliefOnPersons));
  EXPECT_THAT(Seen(exchange_.CallBy("civil-affairs/relief")),
              ElementsAre(kReliefDenied, kReliefOnVehicles, kReliefOnPersons));
  EXPECT_THAT(Seen(exchange_.CallBy("health/clinic")), ElementsAre(kClinicOnPersons));
  EXPECT_THAT(Seen(Owner()), ElementsAre(kReliefDenied, kClinicOnPersons, kReliefOnPersons));
  EXPECT_THAT(Seen(exchange_.CallByPerson("transport", {v1::ROLE_OWNER})),
              ElementsAre(kReliefOnVehicles));
  // Without the role an owner agency's person sees its own agency's acts, of which there are none.
  EXPECT_THAT(Seen(exchange_.CallByPerson("public-security", {})), IsEmpty());
  EXPECT_THAT(Seen(Auditor()), ElementsAre(3, 2, 1, 0));
}

TEST_F(LogReadingTest, AnOperatorSeesNoneUnlessAnotherRoleShowsMore) {
  const Call alone = exchange_.CallByPerson("civil-affairs", {v1::ROLE_OPERATOR});
  EXPECT_EQ(ReasonOf(List(alone).status()), v1::REASON_ROLE_REQUIRED);
  EXPECT_EQ(ReasonOf(Get(alone, kReliefOnPersons).status()), v1::REASON_ROLE_REQUIRED);
  EXPECT_EQ(ReasonOf(Prove(alone, kReliefOnPersons).status()), v1::REASON_ROLE_REQUIRED);
  EXPECT_THAT(Seen(exchange_.CallByPerson("any", {v1::ROLE_OPERATOR, v1::ROLE_AUDITOR})),
              ElementsAre(3, 2, 1, 0));
}

TEST_F(LogReadingTest, WhatOneMayNotSeeIsAsIfItWereNot) {
  for (const int64_t index : {kClinicOnPersons, int64_t{9999}, int64_t{-1}}) {
    EXPECT_EQ(ReasonOf(Get(Clerk(), index).status()), v1::REASON_RECORD_NOT_FOUND) << index;
    EXPECT_EQ(ReasonOf(Prove(Clerk(), index).status()), v1::REASON_RECORD_NOT_FOUND) << index;
  }
  // A search's conditions narrow what is seen; they never widen it.
  v1::ListRecordsRequest request;
  request.mutable_filter()->set_agency("health");
  EXPECT_THAT(Seen(Clerk(), request), IsEmpty());
}

TEST_F(LogReadingTest, GivesTheRecordWithItsDetailAndItsProof) {
  const auto got = Get(Clerk(), kReliefOnPersons);
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got->record().envelope().kind(), v1::RECORD_KIND_RELEASED);
  EXPECT_EQ(got->record().detail().released_size(), 2);
  const auto proved = Prove(Clerk(), kReliefOnPersons);
  ASSERT_TRUE(proved.ok()) << proved.status();
  // As stored: serialised again it may be other bytes.
  EXPECT_EQ(proved->envelope(), exchange_.log->ReadOne(kReliefOnPersons)->record.envelope);
  EXPECT_THAT(proved->proof(), HasSubstr("index 0"));
}

TEST_F(LogReadingTest, ADetailWhoseKeyWasDroppedIsErasedAndTheRestStays) {
  const auto names = exchange_.files->List("/gw/keys");
  ASSERT_TRUE(names.ok());
  for (const std::string& name : *names)
    ASSERT_TRUE(exchange_.files->Remove("/gw/keys/" + name).ok());
  const auto got = Get(Clerk(), kReliefOnPersons);
  ASSERT_TRUE(got.ok()) << got.status();
  EXPECT_EQ(got->record().envelope().grant(), "persons1");
  EXPECT_FALSE(got->record().has_detail());
}

TEST_F(LogReadingTest, AReadingIsItselfARecordBeforeItsAnswerGoes) {
  exchange_.log->Hold();
  const Pending<v1::ListRecordsResponse> list;
  const Pending<v1::GetRecordResponse> get;
  const Pending<v1::ProveRecordResponse> prove;
  v1::ListRecordsRequest search;
  search.mutable_filter()->set_dataset("public-security/persons");
  reading_->ListRecords(Owner(), search, list.Done());
  reading_->GetRecord(Owner(), {}, get.Done());
  reading_->ProveRecord(Owner(), {}, prove.Done());
  exchange_.log->AwaitHeld(3);
  EXPECT_EQ(list.times() + get.times() + prove.times(), 0);
  exchange_.log->PassAll();
  ASSERT_TRUE(list.Wait().ok());
  ASSERT_TRUE(get.Wait().ok());
  ASSERT_TRUE(prove.Wait().ok());
  const auto records = exchange_.Records(v1::RECORD_KIND_READ);
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].index, list.Wait()->read_index());
  EXPECT_EQ(records[1].index, get.Wait()->read_index());
  EXPECT_EQ(records[2].index, prove.Wait()->read_index());
  EXPECT_EQ(records[0].envelope.actor().principal(), "agency/public-security/person/li-na");
  EXPECT_EQ(records[0].envelope.read_to(), 4);
  EXPECT_THAT(records[0].detail.search_json(), HasSubstr("public-security/persons"));
  // An auditor sees who read.
  v1::ListRecordsRequest reads;
  reads.mutable_filter()->set_kind(v1::RECORD_KIND_READ);
  EXPECT_EQ(List(Auditor(), reads)->records_size(), 3);
}

TEST_F(LogReadingTest, WhatCannotBeRecordedIsNotRead) {
  exchange_.files->Inject({.at = exchange_.files->Operations().size()});
  EXPECT_EQ(ReasonOf(exchange_.Query(VehiclesRequest()).status()), v1::REASON_AUDIT_UNAVAILABLE);
  EXPECT_EQ(ReasonOf(Get(Clerk(), kReliefOnPersons).status()), v1::REASON_AUDIT_UNAVAILABLE);
  EXPECT_EQ(ReasonOf(List(Clerk()).status()), v1::REASON_AUDIT_UNAVAILABLE);
  EXPECT_EQ(ReasonOf(Prove(Clerk(), kReliefOnPersons).status()), v1::REASON_AUDIT_UNAVAILABLE);
}

TEST_F(LogReadingTest, PagesFollowEachOtherWithoutGapOrRepetition) {
  v1::ListRecordsRequest request;
  request.set_page_size(1);
  std::vector<int64_t> seen;
  for (;;) {
    const auto page = List(Clerk(), request);
    ASSERT_TRUE(page.ok()) << page.status();
    for (const v1::Record& record : page->records()) seen.push_back(record.index());
    if (page->next_page_token().empty()) break;
    request.set_page_token(page->next_page_token());
    ASSERT_LT(seen.size(), 20u);
  }
  EXPECT_THAT(seen, ElementsAre(kReliefDenied, kReliefOnVehicles, kReliefOnPersons));
}

TEST_F(LogReadingTest, APageTokenServesItsOwnCallersSearchAlone) {
  v1::ListRecordsRequest request;
  request.set_page_size(1);
  request.set_page_token(List(Clerk(), request)->next_page_token());
  ASSERT_NE(request.page_token(), "");
  EXPECT_TRUE(List(Clerk(), request).ok());
  for (const Call& other : {Auditor(), Owner(), exchange_.CallBy("civil-affairs/relief"),
                            exchange_.CallByPerson("health", {})}) {
    EXPECT_EQ(ReasonOf(List(other, request).status()), v1::REASON_PAGE_TOKEN_INVALID);
  }
  v1::ListRecordsRequest another = request;
  another.mutable_filter()->set_dataset("transport/vehicles");
  EXPECT_EQ(ReasonOf(List(Clerk(), another).status()), v1::REASON_PAGE_TOKEN_INVALID);
  another = request;
  another.set_page_token("before-1");
  EXPECT_EQ(ReasonOf(List(Clerk(), another).status()), v1::REASON_PAGE_TOKEN_INVALID);
  // A query's token is none of a search's.
  v1::QueryRequest query = PersonsRequest(1);
  another.set_page_token(exchange_.Query(query)->next_page_token());
  EXPECT_EQ(ReasonOf(List(Clerk(), another).status()), v1::REASON_PAGE_TOKEN_INVALID);
  exchange_.clock.Advance(kDay);
  EXPECT_EQ(ReasonOf(List(Clerk(), request).status()), v1::REASON_PAGE_TOKEN_EXPIRED);
}

TEST_F(LogReadingTest, APageHasAtMostAThousandRecords) {
  for (const int size : {-1, 1001}) {
    v1::ListRecordsRequest request;
    request.set_page_size(size);
    EXPECT_EQ(ReasonOf(List(Auditor(), request).status()), v1::REASON_PAGE_SIZE_TOO_LARGE);
  }
}

}  // namespace
}  // namespace sluice::exchange
