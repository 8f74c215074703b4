// sluice correction, and what of it stands in the inbox.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/matter_show.h"
#include "cli/methods.h"
#include "cli/tool_testing.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

v1::Correction RaisedCorrection() {
  v1::Correction correction;
  correction.set_id("c-7q4m2k");
  correction.set_dataset("public-security/persons");
  correction.set_consumer_agency("civil-affairs");
  correction.add_fields("county");
  correction.set_doubt("counties that were merged still stand in it");
  correction.set_record_index(18342);
  correction.add_papers("decision of the province");
  correction.set_state(v1::CORRECTION_STATE_RAISED);
  v1::CorrectionStep& step = *correction.add_steps();
  step.set_action(v1::CORRECTION_ACTION_RAISE);
  step.set_office(v1::SHARING_OFFICE_REQUESTER);
  step.set_taken_by("agency/civil-affairs/system/relief");
  *step.mutable_taken() = At("2026-11-16T09:00:00+08:00");
  return correction;
}

v1::Clock CorrectionClock() {
  v1::Clock clock;
  clock.set_name("correction");
  clock.set_law("政务数据共享条例");
  clock.set_article("第二十六条");
  clock.set_office(v1::SHARING_OFFICE_OWNER_OFFICE);
  clock.set_state(v1::CLOCK_STATE_RUNNING);
  *clock.mutable_due() = At("2026-12-01T00:00:00+08:00");
  clock.set_working_days_left(5);
  return clock;
}

TEST(CorrectionCommandsTest, OneIsRaisedWithAllThatWasSaid) {
  Tool tool;
  v1::RaiseCorrectionResponse answer;
  *answer.mutable_correction() = RaisedCorrection();
  *answer.add_clocks() = CorrectionClock();
  tool.gateway.Answer(kRaiseCorrection, answer);
  const Ran ran =
      tool.Run({"correction", "raise", "public-security/persons", "--fields", "county,born",
                "--record", "18342", "--doubt", "it is old", "--paper", "one", "--paper", "two"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("CORRECTION c-7q4m2k"), HasSubstr("RAISED"),
                             HasSubstr("counties that were merged still stand in it"),
                             HasSubstr("audit record 18342, as civil-affairs says"),
                             HasSubstr("paper: decision of the province"),
                             HasSubstr("raise 2026-11-16 09:00:00 +08:00 by civil-affairs/relief, "
                                       "requester"),
                             HasSubstr("correction (政务数据共享条例 第二十六条)"),
                             HasSubstr("2026-11-30, 5 working days left")));
  const auto asked = tool.gateway.Asked(kRaiseCorrection);
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].correction().dataset(), "public-security/persons");
  EXPECT_THAT(asked[0].correction().fields(), ElementsAre("county", "born"));
  EXPECT_EQ(asked[0].correction().record_index(), 18342);
  EXPECT_EQ(asked[0].correction().doubt(), "it is old");
  EXPECT_THAT(asked[0].correction().papers(), ElementsAre("one", "two"));
  EXPECT_FALSE(asked[0].dry_run());
}

TEST(CorrectionCommandsTest, ADryRunSaysThatNothingWasSent) {
  Tool tool;
  v1::RaiseCorrectionResponse answer;
  *answer.mutable_correction() = RaisedCorrection();
  answer.mutable_correction()->clear_id();
  tool.gateway.Answer(kRaiseCorrection, answer);
  const Ran ran =
      tool.Run({"correction", "raise", "public-security/persons", "--doubt", "old", "--dry-run"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("NOT SENT"), HasSubstr("the same without --dry-run")));
  const auto asked = tool.gateway.Asked(kRaiseCorrection);
  EXPECT_TRUE(asked.at(0).dry_run());
  EXPECT_FALSE(asked.at(0).correction().has_record_index());
}

TEST(CorrectionCommandsTest, AnAnswerIsOneOfTwo) {
  struct Row {
    const char* option;
    v1::CorrectionAction action;
  };
  for (const Row& row : {Row{"--corrected", v1::CORRECTION_ACTION_CORRECT},
                         Row{"--confirmed", v1::CORRECTION_ACTION_CONFIRM}}) {
    Tool tool;
    v1::TakeCorrectionStepResponse answer;
    *answer.mutable_correction() = RaisedCorrection();
    tool.gateway.Answer(kTakeCorrectionStep, answer);
    const Ran ran = tool.Run({"correction", "answer", "c-7q4m2k", row.option, "words", "--paper",
                              "an order", "--etag", "e1"});
    ASSERT_EQ(ran.code, 0) << ran.err;
    const auto asked = tool.gateway.Asked(kTakeCorrectionStep);
    ASSERT_EQ(asked.size(), 1u);
    EXPECT_EQ(asked[0].action(), row.action);
    EXPECT_EQ(asked[0].reason(), "words");
    EXPECT_EQ(asked[0].etag(), "e1");
    EXPECT_THAT(asked[0].papers(), ElementsAre("an order"));
  }
  Tool tool;
  EXPECT_EQ(tool.Run({"correction", "answer", "c-7q4m2k"}).code, 2);
  EXPECT_EQ(
      tool.Run({"correction", "answer", "c-7q4m2k", "--corrected", "a", "--confirmed", "b"}).code,
      2);
  EXPECT_THAT(tool.gateway.Asked(kTakeCorrectionStep), IsEmpty());
}

TEST(CorrectionCommandsTest, ItIsTakenBackAndShown) {
  Tool tool;
  v1::TakeCorrectionStepResponse taken;
  *taken.mutable_correction() = RaisedCorrection();
  taken.mutable_correction()->set_state(v1::CORRECTION_STATE_WITHDRAWN);
  tool.gateway.Answer(kTakeCorrectionStep, taken);
  const Ran ran = tool.Run({"correction", "withdraw", "c-7q4m2k"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("WITHDRAWN"));
  EXPECT_EQ(tool.gateway.Asked(kTakeCorrectionStep).at(0).action(), v1::CORRECTION_ACTION_WITHDRAW);

  v1::GetCorrectionResponse shown;
  *shown.mutable_correction() = RaisedCorrection();
  shown.add_actions(v1::CORRECTION_ACTION_CORRECT);
  shown.add_actions(v1::CORRECTION_ACTION_CONFIRM);
  tool.gateway.Answer(kGetCorrection, shown);
  EXPECT_THAT(tool.Run({"correction", "show", "c-7q4m2k"}).out,
              HasSubstr("sluice audit show 18342      then: sluice correction answer c-7q4m2k"));
}

TEST(CorrectionCommandsTest, AListIsReadToItsEnd) {
  Tool tool;
  tool.gateway.On(kListCorrections, [](const v1::ListCorrectionsRequest& request) {
    v1::ListCorrectionsResponse answer;
    *answer.add_corrections() = RaisedCorrection();
    if (!request.page_token().empty())
      answer.mutable_corrections(0)->set_id("c-222222");
    else
      answer.set_next_page_token("c-7q4m2k");
    return answer;
  });
  const Ran ran =
      tool.Run({"correction", "list", "--state", "raised", "--agency", "civil-affairs"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("c-7q4m2k"), HasSubstr("c-222222")));
  const auto asked = tool.gateway.Asked(kListCorrections);
  EXPECT_EQ(asked[0].state(), v1::CORRECTION_STATE_RAISED);
  EXPECT_EQ(asked[1].page_token(), "c-7q4m2k");
}

TEST(CorrectionCommandsTest, TheInboxHasWhateverWaits) {
  Tool tool;
  v1::GetInboxResponse answer;
  v1::InboxItem& correction = *answer.add_items();
  *correction.mutable_correction() = RaisedCorrection();
  correction.set_office(v1::SHARING_OFFICE_OWNER_OFFICE);
  correction.add_correction_actions(v1::CORRECTION_ACTION_CORRECT);
  correction.add_correction_actions(v1::CORRECTION_ACTION_CONFIRM);
  *correction.mutable_clock() = CorrectionClock();
  v1::InboxItem& entry = *answer.add_items();
  entry.mutable_entry()->set_dataset("tax/vat");
  entry.mutable_entry()->add_actions(v1::ENTRY_ACTION_PUBLISH);
  entry.mutable_entry()->add_actions(v1::ENTRY_ACTION_RETURN);
  entry.set_office(v1::SHARING_OFFICE_AUTHORITY);
  v1::InboxItem& returned = *answer.add_items();
  returned.mutable_entry()->set_dataset("tax/old");
  returned.mutable_entry()->set_returned(true);
  returned.mutable_entry()->add_actions(v1::ENTRY_ACTION_APPLY);
  returned.set_office(v1::SHARING_OFFICE_OWNER);
  tool.gateway.Answer(kGetInbox, answer);
  const Ran ran = tool.Run({"inbox"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out,
              AllOf(HasSubstr(" c-7q4m2k "), HasSubstr("│ raised "),
                    HasSubstr("2026-11-30, 5 working days left"), HasSubstr("│ answer"),
                    HasSubstr("│ awaited "), HasSubstr("publish, return"), HasSubstr("│ returned "),
                    HasSubstr("│ apply"), Not(HasSubstr("answer, answer"))));
}

}  // namespace
}  // namespace sluice::cli
