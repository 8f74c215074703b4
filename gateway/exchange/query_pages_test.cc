// Page after page, and tokens in the wrong hands; the sealing itself is in tokens_test.cc.
#include <gtest/gtest.h>

#include "gateway/exchange/exchange_testing.h"

namespace sluice::exchange {
namespace {

class QueryPagesTest : public ::testing::Test {
 protected:
  QueryPagesTest() {
    exchange_.ps.SetRows(Persons(5));
    exchange_.ps.SetVersion("v1", /*snapshot=*/true);
  }
  // The second page's request.
  v1::QueryRequest Next() {
    v1::QueryRequest request = PersonsRequest(2);
    const auto first = exchange_.Query(request);
    EXPECT_TRUE(first.ok()) << first.status();
    EXPECT_NE(first->next_page_token(), "");
    request.set_page_token(first->next_page_token());
    return request;
  }
  v1::Reason Ask(const v1::QueryRequest& request,
                 const std::string& system = "civil-affairs/relief") {
    const auto answer = exchange_.Query(request, system);
    const ReadRecord last = exchange_.Records().back();
    EXPECT_EQ(last.envelope.reason(), ReasonOf(answer.status()));
    EXPECT_EQ(last.envelope.kind(), answer.ok() ? v1::RECORD_KIND_RELEASED
                                    : ReasonOf(answer.status()) == v1::REASON_SOURCE_CHANGED
                                        ? v1::RECORD_KIND_FAILED
                                        : v1::RECORD_KIND_DENIED);
    return ReasonOf(answer.status());
  }

  Exchange exchange_;
};

TEST_F(QueryPagesTest, EveryPageIsARecordLinkedToTheFirst) {
  v1::QueryRequest request = PersonsRequest(2);
  std::vector<int64_t> rows;
  for (;;) {
    request.set_request_id("page-" + std::to_string(rows.size()));
    const auto page = exchange_.Query(request);
    ASSERT_TRUE(page.ok()) << page.status();
    rows.push_back(page->rows());
    if (page->next_page_token().empty()) break;
    request.set_page_token(page->next_page_token());
  }
  EXPECT_EQ(rows, (std::vector<int64_t>{2, 2, 1}));
  const auto records = exchange_.Records();
  ASSERT_EQ(records.size(), 3u);
  EXPECT_EQ(records[0].envelope.first_page(), -1);
  EXPECT_EQ(records[1].envelope.first_page(), 0);
  EXPECT_EQ(records[2].envelope.first_page(), 0);
}

TEST_F(QueryPagesTest, IsRefusedToAnotherSystemOfTheSameAgency) {
  EXPECT_EQ(Ask(Next(), "civil-affairs/pensions"), v1::REASON_PAGE_TOKEN_INVALID);
  EXPECT_EQ(Ask(Next(), "health/clinic"), v1::REASON_PAGE_TOKEN_INVALID);
}

TEST_F(QueryPagesTest, IsRefusedUnderAnotherGrant) {
  const v1::QueryRequest next = Next();
  v1::Grant other = exchange_.grants["persons1"];
  other.set_id("persons2");
  exchange_.grants.erase("persons1");
  exchange_.grants["persons2"] = other;
  exchange_.Publish();
  EXPECT_EQ(Ask(next), v1::REASON_PAGE_TOKEN_INVALID);
}

TEST_F(QueryPagesTest, IsRefusedUnderAnotherRevisionOfGrantOrDataset) {
  const v1::QueryRequest next = Next();
  exchange_.grants["persons1"].set_revision(2);
  exchange_.Publish();
  EXPECT_EQ(Ask(next), v1::REASON_PAGE_TOKEN_INVALID);
  exchange_.grants["persons1"].set_revision(1);
  exchange_.Publish();
  EXPECT_EQ(Ask(next), v1::REASON_UNSPECIFIED);
  exchange_.datasets["public-security/persons"].set_revision(2);
  exchange_.Publish();
  EXPECT_EQ(Ask(next), v1::REASON_PAGE_TOKEN_INVALID);
}

TEST_F(QueryPagesTest, IsRefusedForAnotherRequest) {
  const v1::QueryRequest next = Next();
  std::vector<v1::QueryRequest> others(5, next);
  others[0].set_page_size(3);
  others[1].add_fields("name");
  others[2].set_filter("district = \"east\"");
  others[3].set_case_reference("another case");
  others[4].set_dataset("transport/vehicles");
  for (const v1::QueryRequest& other : others)
    EXPECT_EQ(Ask(other), v1::REASON_PAGE_TOKEN_INVALID) << other.DebugString();
}

TEST_F(QueryPagesTest, IsRefusedAfterItsTime) {
  const v1::QueryRequest next = Next();
  exchange_.clock.Advance(kHour - 1);
  EXPECT_EQ(Ask(next), v1::REASON_UNSPECIFIED);
  exchange_.clock.Advance(1);
  EXPECT_EQ(Ask(next), v1::REASON_PAGE_TOKEN_EXPIRED);
}

TEST_F(QueryPagesTest, IsRefusedWithAnyBitFlipped) {
  const v1::QueryRequest next = Next();
  for (size_t i = 0; i < next.page_token().size(); i += 7) {
    v1::QueryRequest altered = next;
    char& c = (*altered.mutable_page_token())[i];
    c = c == 'A' ? 'B' : 'A';
    exchange_.clock.Advance(kSecond);  // so that each is recorded on its own
    EXPECT_EQ(Ask(altered), v1::REASON_PAGE_TOKEN_INVALID) << i;
  }
}

TEST_F(QueryPagesTest, TellsThatTheSourceChangedWhereItIsASnapshot) {
  const v1::QueryRequest next = Next();
  exchange_.ps.SetVersion("v2", /*snapshot=*/true);
  EXPECT_EQ(Ask(next), v1::REASON_SOURCE_CHANGED);
}

TEST_F(QueryPagesTest, GoesOnInALiveTableThatChanges) {
  exchange_.ps.SetVersion("v1", /*snapshot=*/false);
  const v1::QueryRequest next = Next();
  exchange_.ps.SetVersion("v2", /*snapshot=*/false);
  EXPECT_EQ(Ask(next), v1::REASON_UNSPECIFIED);
}

TEST_F(QueryPagesTest, OutlivesARestart) {
  const v1::QueryRequest next = Next();
  const auto after = exchange_.Restart();
  after->ps.SetRows(Persons(5));
  after->ps.SetVersion("v1", /*snapshot=*/true);
  const auto page = after->Query(next);
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(page->rows(), 2);
}

// A revoked grant's token is worth nothing, whoever holds it.
TEST_F(QueryPagesTest, DiesWithItsGrant) {
  const v1::QueryRequest next = Next();
  exchange_.grants["persons1"].set_state(v1::GRANT_STATE_REVOKED);
  exchange_.Publish();
  EXPECT_EQ(Ask(next), v1::REASON_GRANT_REVOKED);
}

}  // namespace
}  // namespace sluice::exchange
