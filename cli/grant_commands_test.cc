// A grant's page and its states.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/methods.h"
#include "cli/tool_testing.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

void AddStep(v1::GetGrantResponse& answer, const char* time, v1::GrantState state,
             const char* reason, std::vector<std::string> differences) {
  v1::GrantRevision& step = *answer.add_history();
  step.set_revision(answer.history_size());
  *step.mutable_changed() = At(time);
  step.set_changed_by("agency/public-security/person/li");
  step.set_state(state);
  step.set_state_reason(reason);
  for (const std::string& difference : differences) step.add_differences(difference);
}

v1::GetGrantResponse Answer() {
  v1::GetGrantResponse answer;
  v1::Grant& grant = *answer.mutable_grant();
  grant.set_id("7q4m2k");
  grant.set_revision(3);
  grant.set_dataset("public-security/persons");
  grant.set_consumer_agency("civil-affairs");
  grant.add_purposes("relief");
  grant.add_fields()->set_name("编号");
  grant.mutable_fields(0)->set_filter(v1::MASKED_FILTER_EXACT);
  grant.add_fields()->set_name("name");
  grant.add_modes(v1::MODE_QUERY);
  grant.set_max_page_rows(100);
  *grant.mutable_expires() = At("2027-04-01T00:00:00+08:00");
  grant.set_state(v1::GRANT_STATE_IN_FORCE);
  grant.set_request("r-7q4m2k");
  answer.mutable_request()->set_id("r-7q4m2k");
  answer.mutable_request()->set_submitted_by("agency/civil-affairs/person/wang");
  *answer.mutable_request()->mutable_submitted() = At("2026-11-02T09:00:00+08:00");
  AddStep(answer, "2026-11-09T09:00:00+08:00", v1::GRANT_STATE_IN_FORCE, "", {});
  AddStep(answer, "2026-11-10T09:00:00+08:00", v1::GRANT_STATE_SUSPENDED, "audit of the source",
          {"state: in_force -> suspended"});
  AddStep(answer, "2026-11-11T09:00:00+08:00", v1::GRANT_STATE_IN_FORCE, "audit done", {});
  AddStep(answer, "2026-11-20T09:00:00+08:00", v1::GRANT_STATE_IN_FORCE, "",
          {"fields.phone: as it is -> none", "b", "c", "d"});
  return answer;
}

TEST(GrantPageTest, ItsLifeIsTold) {
  Tool tool;
  tool.gateway.Answer(kGetGrant, Answer());
  const Ran ran = tool.Run({"grant", "show", "7q4m2k"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, StartsWith("GRANT 7q4m2k, revision 3 "));
  EXPECT_THAT(ran.out, HasSubstr("IN FORCE until 2027-04-01 00:00:00 +08:00 (128 days)\n"));
  // Broken between steps, not within one.
  EXPECT_THAT(ran.out, HasSubstr("\nHistory   requested 2026-11-02 by civil-affairs/wang "
                                 "(r-7q4m2k)\n          approved 2026-11-09 by "));
}

TEST(GrantPageTest, EachChangeIsNamedForWhatItWas) {
  Tool tool;
  tool.gateway.Answer(kGetGrant, Answer());
  const std::string page = tool.Run({"grant", "show", "7q4m2k"}).out;
  for (const char* step :
       {"requested 2026-11-02 by civil-affairs/wang (r-7q4m2k)",
        "approved 2026-11-09 by public-security/li",
        "suspended 2026-11-10 by public-security/li (audit of the source)",
        "resumed 2026-11-11 by public-security/li (audit done)",
        "amended 2026-11-20 by public-security/li (fields.phone: as it is -> none; b; c; and 1 "
        "more)"})
    EXPECT_THAT(page, HasSubstr(step));
  EXPECT_THAT(page, HasSubstr("\nUse       sluice audit list --grant 7q4m2k\n"));
}

TEST(GrantPageTest, WideNamesKeepTheColumns) {
  Tool tool;
  tool.gateway.Answer(kGetGrant, Answer());
  EXPECT_THAT(tool.Run({"grant", "show", "7q4m2k"}).out,
              HasSubstr("Fields    编号  as it is  may be asked for by exact value\n"
                        "          name  as it is\n"));
}

TEST(GrantPageTest, WhatCallsItAllowsIsSaid) {
  Tool tool;
  v1::GetGrantResponse answer = Answer();
  tool.gateway.Answer(kGetGrant, answer);
  EXPECT_THAT(tool.Run({"grant", "show", "7q4m2k"}).out,
              HasSubstr("\nCalls     Query, up to 100 rows a page; no Read\n"));
  answer.mutable_grant()->add_modes(v1::MODE_READ);
  tool.gateway.Answer(kGetGrant, answer);
  EXPECT_THAT(tool.Run({"grant", "show", "7q4m2k"}).out, HasSubstr("rows a page; Read\n"));
}

TEST(GrantPageTest, ASuspendedOneSaysWhy) {
  Tool tool;
  v1::GetGrantResponse answer = Answer();
  answer.mutable_grant()->set_state(v1::GRANT_STATE_SUSPENDED);
  answer.mutable_grant()->set_state_reason("audit of the source");
  tool.gateway.Answer(kGetGrant, answer);
  EXPECT_THAT(tool.Run({"grant", "show", "7q4m2k"}).out,
              HasSubstr(" SUSPENDED: audit of the source\n"));
}

TEST(GrantStateTest, SuspendedAlreadyItKeepsTheReasonThatItHas) {
  Tool tool;
  v1::SetGrantStateResponse response;
  response.mutable_grant()->set_id("7q4m2k");
  response.mutable_grant()->set_state(v1::GRANT_STATE_SUSPENDED);
  response.mutable_grant()->set_state_reason("audit of the source");
  tool.gateway.Answer(kSetGrantState, response);
  EXPECT_THAT(tool.Run({"grant", "suspend", "7q4m2k", "--reason", "a leak"}).out,
              HasSubstr("reason  audit of the source (suspended already: nothing was changed)\n"));
}

TEST(GrantStateTest, SuspendingAndResumingNeedAReason) {
  Tool tool;
  tool.gateway.On(kSetGrantState, [](const v1::SetGrantStateRequest& request) {
    v1::SetGrantStateResponse answer;
    *answer.mutable_grant() = Answer().grant();
    answer.mutable_grant()->set_state(request.state());
    return answer;
  });
  EXPECT_EQ(tool.Run({"grant", "suspend", "7q4m2k"}).code, 2);
  EXPECT_THAT(tool.Run({"grant", "suspend", "7q4m2k", "--reason", "a leak"}).out,
              HasSubstr("state   suspended: running calls are cut off\n"));
  EXPECT_THAT(tool.Run({"grant", "resume", "7q4m2k", "--reason", "mended"}).out,
              HasSubstr("state   in force\n"));
  const auto asked = tool.gateway.Asked(kSetGrantState);
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[0].state(), v1::GRANT_STATE_SUSPENDED);
  EXPECT_EQ(asked[0].reason(), "a leak");
  EXPECT_EQ(asked[1].state(), v1::GRANT_STATE_IN_FORCE);
}

}  // namespace
}  // namespace sluice::cli
