#include "gateway/exchange/log_report.h"

#include <gtest/gtest.h>

#include "gateway/exchange/exchange_testing.h"
#include "gateway/exchange/kept_report_testing.h"

namespace sluice::exchange {
namespace {

class LogReportTest : public ::testing::Test {
 protected:
  LogReportTest() {
    exchange_.ps.SetRows(Persons(2));
    auto index = audit::SearchIndex::Open(
        folder_.path(), {*exchange_.keys, std::string(32, 'k'), [](const absl::Status&) {}});
    EXPECT_TRUE(index.ok()) << index.status();
    index_ = *std::move(index);
    reports_.emplace(LogReadingParts{*exchange_.log, *index_, *exchange_.keys, *exchange_.sealer,
                                     exchange_.pseudonyms, *exchange_.tokens, exchange_.snapshots,
                                     exchange_.clock});
  }
  v1::ReportRequest Request(int64_t before = 86'400, int64_t behind = 86'400) const {
    v1::ReportRequest request;
    const int64_t now = exchange_.clock.Now() / kSecond;
    request.mutable_since()->set_seconds(now - before);
    request.mutable_until()->set_seconds(now + behind);
    request.set_utc_offset_minutes(480);
    return request;
  }
  Call Auditor() { return exchange_.CallByPerson("audit-office", {v1::ROLE_AUDITOR}); }
  std::shared_ptr<KeptReport> Ask(const v1::ReportRequest& request) {
    auto kept = std::make_shared<KeptReport>();
    reports_->Begin(LogReports::Ask(Auditor(), request, kept));
    return kept;
  }

  Exchange exchange_;
  audit::TestFolder folder_;
  std::unique_ptr<audit::SearchIndex> index_;
  std::optional<LogReports> reports_;
};

TEST_F(LogReportTest, CountsWhatWasDoneAndIsRecordedOnce) {
  EXPECT_TRUE(exchange_.Query(PersonsRequest()).ok());
  EXPECT_TRUE(exchange_.Query(PersonsRequest()).ok());
  v1::QueryRequest denied = PersonsRequest();
  denied.set_purpose("tax");
  EXPECT_FALSE(exchange_.Query(denied).ok());
  const uint64_t before = exchange_.log->size();
  const auto kept = Ask(Request());
  EXPECT_TRUE(kept->Wait().ok());
  const auto messages = kept->messages();
  ASSERT_FALSE(messages.empty());
  const v1::ReportResponse& last = messages.back();
  EXPECT_EQ(last.totals().answers(), 2);
  EXPECT_EQ(last.totals().denied(), 1);
  EXPECT_EQ(last.totals().next_index(), static_cast<int64_t>(before));
  EXPECT_EQ(exchange_.log->size(), before + 1);
  EXPECT_EQ(last.read_index(), static_cast<int64_t>(before));
  const auto entry = exchange_.log->ReadOne(before);
  v1::AuditEnvelope envelope;
  ASSERT_TRUE(entry.ok() && envelope.ParseFromString(entry->record.envelope));
  EXPECT_EQ(envelope.kind(), v1::RECORD_KIND_READ);
  EXPECT_EQ(envelope.read_to(), static_cast<int64_t>(before));
  EXPECT_EQ(envelope.count(), 3);
}

TEST_F(LogReportTest, WhatIsNoTimeIsRefused) {
  for (const v1::ReportRequest& request :
       {v1::ReportRequest(), Request(0, 0), Request(401 * 86'400, 0), [this] {
          v1::ReportRequest far = Request();
          far.set_utc_offset_minutes(841);
          return far;
        }()})
    EXPECT_EQ(ReasonOf(Ask(request)->Wait()), v1::REASON_REQUEST_INVALID)
        << request.ShortDebugString();
}

TEST_F(LogReportTest, OneThatIsGivenUpShowsNothingAndIsNoReading) {
  EXPECT_TRUE(exchange_.Query(PersonsRequest()).ok());
  const uint64_t before = exchange_.log->size();
  auto kept = std::make_shared<KeptReport>();
  const auto asked = LogReports::Ask(Auditor(), Request(), kept);
  LogReports::GiveUp(*asked);
  reports_->Begin(asked);
  EXPECT_EQ(ReasonOf(kept->Wait()), v1::REASON_CANCELLED);
  EXPECT_TRUE(kept->messages().empty());
  EXPECT_EQ(exchange_.log->size(), before);
}

TEST_F(LogReportTest, OneBehindADrainIsToldSo) {
  reports_->Close();
  EXPECT_EQ(ReasonOf(Ask(Request())->Wait()), v1::REASON_SHUTTING_DOWN);
}

}  // namespace
}  // namespace sluice::exchange
