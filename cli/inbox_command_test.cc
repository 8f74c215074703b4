// sluice inbox, the steps of a request, and clocks in words.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "cli/clock_words.h"
#include "cli/methods.h"
#include "cli/tool_testing.h"
#include "gateway/base/error.h"
#include "gateway/sharing/request_life.h"

namespace sluice::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

v1::Clock ClockDue(const std::string& due, v1::ClockState state, int left, int late) {
  v1::Clock clock;
  clock.set_name("reply_conditional");
  clock.set_law("政务数据共享条例");
  clock.set_article("第二十一条");
  clock.set_office(v1::SHARING_OFFICE_OWNER_OFFICE);
  clock.set_state(state);
  if (!due.empty()) *clock.mutable_due() = At(due);
  clock.set_working_days_left(left);
  clock.set_working_days_late(late);
  return clock;
}

v1::GetInboxResponse FullInbox() {
  v1::GetInboxResponse answer;
  v1::InboxItem& late = *answer.add_items();
  late.mutable_request()->set_id("r-7q4m2k");
  late.mutable_request()->set_dataset("public-security/persons");
  late.mutable_request()->set_consumer_agency("civil-affairs");
  late.mutable_request()->set_state(v1::ACCESS_REQUEST_STATE_SUBMITTED);
  late.set_office(v1::SHARING_OFFICE_OWNER_OFFICE);
  *late.mutable_since() = At("2026-11-02T09:14:00+08:00");
  late.add_actions(v1::ACCESS_ACTION_ASK_EXTENSION);
  late.add_actions(v1::ACCESS_ACTION_GRANT);
  *late.mutable_clock() = ClockDue("2026-11-17T00:00:00+08:00", v1::CLOCK_STATE_BREACHED, 0, 5);
  v1::InboxItem& draft = *answer.add_items();
  draft.mutable_request()->set_id("r-222222");
  draft.mutable_request()->set_state(v1::ACCESS_REQUEST_STATE_DRAFTED);
  draft.set_office(v1::SHARING_OFFICE_REQUESTER_OFFICE);
  *draft.mutable_since() = At("2026-11-20T09:14:00+08:00");
  return answer;
}

TEST(InboxTest, ShowsWhatWaitsSinceWhenAndUntilWhen) {
  Tool tool;
  tool.gateway.Answer(kGetInbox, FullInbox());
  const Ran ran = tool.Run({"inbox"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr(" r-7q4m2k │ 2026-11-02 09:14:00 +08:00 │ owner's office"));
  EXPECT_THAT(ran.out, HasSubstr("│ BREACHED: was due 2026-11-16, 5 working days late │"));
  EXPECT_THAT(ran.out, HasSubstr("ask-extension, approve"));
  EXPECT_THAT(ran.out, HasSubstr("│ no law sets a day"));
  EXPECT_LT(ran.out.find("r-7q4m2k"), ran.out.find("r-222222"));
  EXPECT_EQ(ran.err, "");
}

TEST(InboxTest, AsJsonItHasALineForEach) {
  Tool tool;
  v1::GetInboxResponse answer = FullInbox();
  answer.set_more(true);
  tool.gateway.Answer(kGetInbox, answer);
  const Ran ran = tool.Run({"inbox", "--format", "json"});
  EXPECT_EQ(std::count(ran.out.begin(), ran.out.end(), '\n'), 2);
  EXPECT_THAT(ran.out, HasSubstr("\"state\":\"BREACHED\""));
  EXPECT_THAT(ran.out, HasSubstr("\"working_days_late\":5"));
  EXPECT_THAT(ran.err, HasSubstr("there are others behind these"));
}

TEST(ClockWordsTest, SayWhatIsLeftWhatIsLateAndWhatNobodyKnows) {
  const absl::TimeZone china = absl::FixedTimeZone(8 * 3600);
  const std::string due = "2026-11-17T00:00:00+08:00";
  EXPECT_EQ(ClockWords(ClockDue(due, v1::CLOCK_STATE_RUNNING, 4, 0), china),
            "2026-11-16, 4 working days left");
  EXPECT_EQ(ClockWords(ClockDue(due, v1::CLOCK_STATE_WARNING, 1, 0), china),
            "2026-11-16, 1 working day left");
  EXPECT_EQ(ClockWords(ClockDue(due, v1::CLOCK_STATE_WARNING, 0, 0), china),
            "2026-11-16, today is the last working day");
  EXPECT_EQ(ClockWords(ClockDue("", v1::CLOCK_STATE_STOPPED, 8, 0), china),
            "stands still, 8 working days left");
  v1::Clock ended = ClockDue(due, v1::CLOCK_STATE_MISSED, 0, 2);
  *ended.mutable_ended() = At("2026-11-18T10:00:00+08:00");
  EXPECT_EQ(ClockWords(ended, china), "missed: ended 2026-11-18, 2 working days late");
  ended.set_state(v1::CLOCK_STATE_MET);
  EXPECT_EQ(ClockWords(ended, china), "met 2026-11-18");
  v1::Clock unknown = ClockDue("", v1::CLOCK_STATE_RUNNING, 0, 0);
  unknown.set_trouble("Calendar cn (x) does not cover 2027; add that year to it.");
  EXPECT_EQ(ClockWords(unknown, china), "not known: " + unknown.trouble());
  unknown.set_state(v1::CLOCK_STATE_UNSPECIFIED);
  EXPECT_EQ(ClockWords(unknown, china), "not known: " + unknown.trouble());
}

// Each step of the table can be typed, with the words that it needs.
TEST(AccessStepTest, EveryStepHasACommand) {
  for (const sharing::LifeRow& row : sharing::LifeTable()) {
    if (row.action == v1::ACCESS_ACTION_DRAFT || row.action == v1::ACCESS_ACTION_GRANT) continue;
    Tool tool;
    v1::TakeAccessStepResponse answer;
    answer.mutable_request()->set_id("r-7q4m2k");
    answer.mutable_request()->set_state(row.from);
    *answer.add_clocks() = ClockDue("2026-11-27T00:00:00+08:00", v1::CLOCK_STATE_RUNNING, 3, 0);
    tool.gateway.Answer(kTakeAccessStep, answer);
    std::vector<std::string> said = {
        "access", StepVerb(row.action), "r-7q4m2k", "--reason", "why", "--law",
        "L",      "--article",          "A",        "--etag",   "e1"};
    if (row.action == v1::ACCESS_ACTION_RETURN)
      said.insert(said.end(), {"--paper", "one", "--paper", "two"});
    const Ran ran = tool.Run(said);
    ASSERT_EQ(ran.code, 0) << said[1] << ran.err;
    EXPECT_THAT(ran.out, HasSubstr("reply_conditional (政务数据共享条例 第二十一条)  owner's office"
                                   "  2026-11-26, 3 working days left"));
    const auto asked = tool.gateway.Asked(kTakeAccessStep);
    ASSERT_EQ(asked.size(), 1u);
    EXPECT_EQ(asked[0].action(), row.action);
    EXPECT_EQ(asked[0].id(), "r-7q4m2k");
    EXPECT_EQ(asked[0].reason(), "why");
    EXPECT_EQ(asked[0].basis().law(), "L");
    EXPECT_EQ(asked[0].etag(), "e1");
    if (row.action == v1::ACCESS_ACTION_RETURN) {
      EXPECT_THAT(asked[0].papers(), ElementsAre("one", "two"));
    }
  }
}

TEST(AccessStepTest, WhatAStepNeedsIsAskedForBeforeItIsSent) {
  Tool tool;
  EXPECT_EQ(tool.Run({"access", "return", "r-7q4m2k", "--reason", "why"}).code, 2);
  EXPECT_EQ(tool.Run({"access", "agree", "r-7q4m2k", "--reason", "why"}).code, 2);
  EXPECT_EQ(tool.Run({"access", "suspend", "r-7q4m2k"}).code, 2);
  EXPECT_EQ(tool.Run({"access", "provide"}).code, 2);
  EXPECT_TRUE(tool.gateway.Asked(kTakeAccessStep).empty());
}

TEST(AccessStepTest, ARefusedStepIsToldWithItsReason) {
  Tool tool;
  tool.gateway.Refuse(kTakeAccessStep,
                      Error(v1::REASON_SAME_HANDS, "You took a step of this request as owner.",
                            {{"access_request", "r-7q4m2k"}}));
  const Ran ran = tool.Run({"access", "uphold", "r-7q4m2k", "--reason", "why"});
  EXPECT_EQ(ran.code, 3);
  EXPECT_THAT(ran.err, HasSubstr("error: SAME_HANDS: "));
}

}  // namespace
}  // namespace sluice::cli
