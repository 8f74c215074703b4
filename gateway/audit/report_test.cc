#include "gateway/audit/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"

namespace sluice::audit {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Micros kOffset = 8 * kHour;
constexpr Micros kMonday = 1793548800 * kSecond;  // 2026-11-02, 00:00 at +08:00
constexpr char kRelief[] = "agency/civil-affairs/system/relief";

class ReportTest : public ::testing::Test {
 protected:
  void Report(Micros since, Micros until, Scope scope = {true, "", false}) {
    builder_.emplace(ReportSpan{since, until, kOffset}, std::move(scope), cells_, looks_);
  }
  v1::AuditEnvelope Of(v1::RecordKind kind, Micros time, int64_t count = 0) const {
    v1::AuditEnvelope envelope;
    envelope.set_kind(kind);
    envelope.mutable_time()->set_seconds(time / kSecond);
    envelope.mutable_actor()->set_principal(kRelief);
    envelope.mutable_actor()->set_agency("civil-affairs");
    envelope.set_dataset("public-security/persons");
    envelope.set_owner_agency("public-security");
    envelope.set_purpose("relief");
    envelope.set_count(count);
    envelope.set_payload_bytes(10 * count);
    envelope.set_repeats(-1);
    return envelope;
  }
  int64_t Add(const v1::AuditEnvelope& envelope, const v1::AuditDetail* detail = nullptr) {
    const absl::Status status = builder_->Add(next_, envelope, detail);
    EXPECT_TRUE(status.ok()) << status;
    return next_++;
  }
  // Ten answers of so many rows each, in the morning of that day.
  void AddDay(int day, int64_t rows) {
    for (int i = 0; i < 10; ++i)
      Add(Of(v1::RECORD_KIND_RELEASED, kMonday + day * kDay + 9 * kHour + i * kMinute, rows));
  }
  std::vector<v1::ReportFinding> Findings(v1::ReportFindingKind kind) {
    std::vector<v1::ReportFinding> found;
    for (const v1::ReportFinding& finding : builder_->Build().findings)
      if (finding.kind() == kind) found.push_back(finding);
    return found;
  }

  std::optional<ReportBuilder> builder_;
  size_t cells_ = ReportBuilder::kMostCells, looks_ = ReportBuilder::kMostLooks;
  int64_t next_ = 100;
};

TEST_F(ReportTest, SumsByAgencyDatasetPurposeAndTheZonesDay) {
  Report(kMonday, kMonday + 2 * kDay);
  Add(Of(v1::RECORD_KIND_RELEASED, kMonday - kSecond, 7));  // the Sunday before
  Add(Of(v1::RECORD_KIND_RELEASED, kMonday, 1));
  Add(Of(v1::RECORD_KIND_RELEASED, kMonday + kDay - kSecond, 2));
  Add(Of(v1::RECORD_KIND_DENIED, kMonday + kDay, 0));
  v1::AuditEnvelope denials = Of(v1::RECORD_KIND_DENIALS, kMonday + kDay, 40);
  denials.set_reason(v1::REASON_QUOTA_EXCEEDED);
  Add(denials);
  v1::AuditEnvelope other = Of(v1::RECORD_KIND_RELEASED, kMonday + kDay, 5);
  other.set_purpose("planning");
  Add(other);
  Add(Of(v1::RECORD_KIND_RELEASED, kMonday + 2 * kDay, 9));  // the Wednesday
  const ReportParts parts = builder_->Build();
  ASSERT_THAT(parts.uses, SizeIs(3));
  EXPECT_EQ(parts.uses[0].day(), "2026-11-02");
  EXPECT_EQ(parts.uses[0].answers(), 2);
  EXPECT_EQ(parts.uses[0].rows(), 3);
  EXPECT_EQ(parts.uses[0].payload_bytes(), 30);
  EXPECT_EQ(parts.uses[1].day(), "2026-11-03");
  EXPECT_EQ(parts.uses[1].purpose(), "planning");
  EXPECT_EQ(parts.uses[2].denied(), 41);
  EXPECT_EQ(parts.totals.records(), 5);
  EXPECT_EQ(parts.totals.first_index(), 101);
  EXPECT_EQ(parts.totals.rows(), 8);
  EXPECT_EQ(parts.totals.denied(), 41);
  ASSERT_THAT(parts.denials, SizeIs(2));
  EXPECT_EQ(parts.denials[0].reason(), v1::REASON_QUOTA_EXCEEDED);
  EXPECT_EQ(parts.denials[0].count(), 40);
  EXPECT_EQ(parts.denials[0].last_index(), 104);
}

TEST_F(ReportTest, AnAnswerThatWasKeptBackIsNoUse) {
  Report(kMonday, kMonday + kDay);
  const int64_t kept_back = Add(Of(v1::RECORD_KIND_RELEASED, kMonday + kHour, 4));
  Add(Of(v1::RECORD_KIND_RELEASED, kMonday + kHour, 3));
  v1::AuditEnvelope failed = Of(v1::RECORD_KIND_FAILED, kMonday + kHour);
  failed.set_repeats(kept_back);
  Add(failed);
  Add(failed);
  const ReportParts parts = builder_->Build();
  EXPECT_EQ(parts.totals.answers(), 1);
  EXPECT_EQ(parts.totals.rows(), 3);
  EXPECT_EQ(parts.totals.failed(), 2);
}

TEST_F(ReportTest, AStreamCountsOnceAndIsUnfinishedUntilItsEnd) {
  Report(kMonday, kMonday + kDay);
  const int64_t ended = Add(Of(v1::RECORD_KIND_OPENED, kMonday + kHour));
  const int64_t open = Add(Of(v1::RECORD_KIND_OPENED, kMonday + kHour));
  const int64_t late = Add(Of(v1::RECORD_KIND_OPENED, kMonday + kHour));
  for (const auto& [opened, rows] : {std::pair(ended, 500), std::pair(open, 600)}) {
    v1::AuditEnvelope progress = Of(v1::RECORD_KIND_PROGRESS, kMonday + 2 * kHour, rows);
    progress.set_opened(opened);
    Add(progress);
  }
  v1::AuditEnvelope closed = Of(v1::RECORD_KIND_CLOSED, kMonday + 2 * kHour, 500);
  closed.set_opened(ended);
  Add(closed);
  EXPECT_TRUE(builder_->AwaitsEnds());
  closed = Of(v1::RECORD_KIND_CLOSED, kMonday + 25 * kHour, 900);
  closed.set_opened(late);
  Add(closed);
  const ReportParts parts = builder_->Build();
  EXPECT_EQ(parts.totals.streams(), 1);
  EXPECT_EQ(parts.totals.rows(), 500);
  ASSERT_THAT(parts.unfinished, SizeIs(1));
  EXPECT_EQ(parts.unfinished[0].opened(), open);
  EXPECT_EQ(parts.unfinished[0].rows(), 600);
}

TEST_F(ReportTest, VolumeIsHeldAgainstTheBusiestOfTheDaysBefore) {
  Report(kMonday + 7 * kDay, kMonday + 9 * kDay);
  for (int day = 0; day < 5; ++day) AddDay(day, 10 + day);
  AddDay(7, 42);  // three times the busiest: not over it
  AddDay(8, 127);
  const auto found = Findings(v1::REPORT_FINDING_KIND_VOLUME);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].day(), "2026-11-10");
  EXPECT_EQ(found[0].value(), 1270);
  EXPECT_EQ(found[0].against(), 420);
  EXPECT_EQ(found[0].principal(), kRelief);
  EXPECT_THAT(found[0].examples(), ElementsAre(160, 161, 162, 163, 164));
}

TEST_F(ReportTest, ASystemWithoutHistoryIsNotJudgedAndThatIsSaid) {
  Report(kMonday + 7 * kDay, kMonday + 8 * kDay);
  for (int day = 0; day < 4; ++day) AddDay(day, 1);
  AddDay(7, 10'000);
  EXPECT_THAT(Findings(v1::REPORT_FINDING_KIND_VOLUME), IsEmpty());
  EXPECT_EQ(builder_->Build().totals.not_judged(), 1);
}

TEST_F(ReportTest, CallsAtNightOfASystemThatMakesNone) {
  Report(kMonday + 7 * kDay, kMonday + 8 * kDay);
  for (int day = 0; day < 5; ++day) AddDay(day, 1);
  for (int i = 0; i < 5; ++i)
    Add(Of(v1::RECORD_KIND_RELEASED, kMonday + 7 * kDay + 3 * kHour + i * kMinute, 1));
  auto found = Findings(v1::REPORT_FINDING_KIND_ODD_HOURS);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].value(), 5);
  EXPECT_EQ(found[0].against(), 0);

  // One that is used at weekends has no odd hours.
  Report(kMonday + 7 * kDay, kMonday + 8 * kDay);
  for (int day = 0; day < 7; ++day) AddDay(day, 1);
  for (int i = 0; i < 5; ++i)
    Add(Of(v1::RECORD_KIND_RELEASED, kMonday + 7 * kDay + 3 * kHour + i * kMinute, 1));
  EXPECT_THAT(Findings(v1::REPORT_FINDING_KIND_ODD_HOURS), IsEmpty());
}

TEST_F(ReportTest, WhoAsksForManyThatAreNotThereIsGuessing) {
  Report(kMonday, kMonday + kDay);
  for (int i = 0; i < 90; ++i) {
    v1::AuditEnvelope question =
        Of(v1::RECORD_KIND_RELEASED, kMonday + 9 * kHour + i * kSecond, i < 49 ? 0 : 1);
    question.set_subjects_asked(v1::SUBJECT_SCOPE_LISTED);
    Add(question);
  }
  EXPECT_THAT(Findings(v1::REPORT_FINDING_KIND_ENUMERATION), IsEmpty());
  v1::AuditEnvelope question = Of(v1::RECORD_KIND_RELEASED, kMonday + 10 * kHour);
  question.set_subjects_asked(v1::SUBJECT_SCOPE_LISTED);
  Add(question);
  const auto found = Findings(v1::REPORT_FINDING_KIND_ENUMERATION);
  ASSERT_THAT(found, SizeIs(1));
  EXPECT_EQ(found[0].value(), 50);
  EXPECT_EQ(found[0].against(), 91);
}

TEST_F(ReportTest, LooksAtOnePersonAgainAndAgain) {
  looks_ = 4;  // more persons than may be held
  Report(kMonday, kMonday + 4 * kDay);
  const auto look = [&](int day, const std::string& person, const std::string& user) {
    v1::AuditEnvelope envelope = Of(v1::RECORD_KIND_RELEASED, kMonday + day * kDay + kHour, 1);
    envelope.set_subjects_released(v1::SUBJECT_SCOPE_LISTED);
    EXPECT_TRUE(builder_->WantsDetail(envelope));
    v1::AuditDetail detail;
    detail.add_released()->set_pseudonym(person);
    detail.set_end_user(user);
    Add(envelope, &detail);
  };
  for (int i = 0; i < 12; ++i) {
    look(i / 4, "somebody", "li.na");
    look(i / 4, "somebody", "another user");  // looks of two are no looks of one
    look(i / 4, absl::StrCat("person ", i), "li.na");
  }
  auto found = Findings(v1::REPORT_FINDING_KIND_REPEATED_SUBJECT);
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].value(), 12);
  EXPECT_EQ(found[0].against(), 3);
  EXPECT_EQ(found[0].day(), "2026-11-02");
  EXPECT_THAT(found[0].examples(), SizeIs(5));
  // Nothing of a person is in it.
  for (const v1::ReportFinding& finding : found)
    EXPECT_EQ(finding.DebugString().find("somebody"), std::string::npos);
}

TEST_F(ReportTest, WhatWasErasedIsCounted) {
  Report(kMonday, kMonday + kDay);
  v1::AuditEnvelope envelope = Of(v1::RECORD_KIND_RELEASED, kMonday + kHour, 1);
  envelope.set_subjects_released(v1::SUBJECT_SCOPE_LISTED);
  Add(envelope);
  EXPECT_EQ(builder_->Build().totals.erased(), 1);
}

TEST_F(ReportTest, OnlyWhatTheAskerMaySee) {
  Report(kMonday, kMonday + kDay, {false, "transport", true});
  Add(Of(v1::RECORD_KIND_RELEASED, kMonday + kHour, 1));
  v1::AuditEnvelope own = Of(v1::RECORD_KIND_RELEASED, kMonday + kHour, 1);
  own.set_owner_agency("transport");
  Add(own);
  EXPECT_EQ(builder_->Build().totals.records(), 1);
}

TEST_F(ReportTest, TooManyUsesAreAnErrorThatSaysWhatToDo) {
  cells_ = 3;
  Report(kMonday, kMonday + kDay);
  absl::Status status;
  for (int i = 0; i < 10 && status.ok(); ++i) {
    v1::AuditEnvelope envelope = Of(v1::RECORD_KIND_RELEASED, kMonday + kHour, 1);
    envelope.set_dataset(absl::StrCat("public-security/d", i));
    status = builder_->Add(i, envelope, nullptr);
  }
  EXPECT_EQ(ReasonOf(status), v1::REASON_RESULT_TOO_LARGE) << status;
}

}  // namespace
}  // namespace sluice::audit
