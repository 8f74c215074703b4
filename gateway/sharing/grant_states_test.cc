// How grants are suspended, resumed and revoked, and how they tell of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/sharing/grants.h"
#include "gateway/sharing/grants_testing.h"

namespace sluice::sharing {
namespace {

using identity::Caller;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Effect = audit::Changes::Effect;

class GrantStatesTest : public ::testing::Test {
 protected:
  GrantsWorld world_;
};

TEST_F(GrantStatesTest, RevokingActsAtCommitAndForGood) {
  v1::Grant made = world_.MustApply(world_.Wanted());
  world_.clock.Advance(kMinute);
  const auto revoked = world_.Revoke(world_.owner, made.id(), made.etag());
  ASSERT_TRUE(revoked.ok()) << revoked.status();
  EXPECT_EQ(revoked->grant().state(), v1::GRANT_STATE_REVOKED);
  EXPECT_EQ(revoked->grant().state_reason(), "misuse");
  EXPECT_EQ(revoked->grant().revision(), 2);
  const auto change = world_.changes->last();
  EXPECT_EQ(change.effect, Effect::kAtCommit);
  EXPECT_EQ(change.outcome.action, "revoke");
  EXPECT_EQ(change.outcome.reason, "misuse");
  // Again: nothing, whatever etag.
  ASSERT_TRUE(world_.Revoke(world_.owner, made.id(), "stale").ok());
  EXPECT_THAT(world_.changes->made(), SizeIs(2));
  // No revision brings it back.
  v1::Grant back = revoked->grant();
  back.set_state(v1::GRANT_STATE_IN_FORCE);
  EXPECT_EQ(ReasonOf(world_.Apply(world_.owner, back).status()), v1::REASON_GRANT_REVOKED);
  back.clear_etag();
  back.set_max_page_rows(3);
  EXPECT_EQ(ReasonOf(world_.Apply(world_.owner, back).status()), v1::REASON_GRANT_REVOKED);
  EXPECT_EQ(world_.Get(world_.owner, made.id(), 1)->grant().state(), v1::GRANT_STATE_IN_FORCE);
}

TEST_F(GrantStatesTest, ARevocationSaysWhy) {
  const v1::Grant made = world_.MustApply(world_.Wanted());
  const auto refusal = [&](const std::string& reason) {
    const absl::Status status = world_.Revoke(world_.owner, made.id(), "", reason).status();
    return absl::StrCat(ReasonName(ReasonOf(status)));
  };
  EXPECT_EQ(refusal(""), "REQUEST_INVALID");
  EXPECT_EQ(refusal("  \t\n"), "REQUEST_INVALID");
  EXPECT_EQ(refusal(std::string(1001, 'x')), "REQUEST_INVALID");
  EXPECT_EQ(ReasonOf(world_.Revoke(world_.owner, "zzz999").status()), v1::REASON_NOT_FOUND);
  EXPECT_EQ(ReasonOf(world_.Revoke(world_.owner, "").status()), v1::REASON_NOT_FOUND);
  EXPECT_THAT(world_.changes->made(), SizeIs(1));
}

TEST_F(GrantStatesTest, SuspendingActsAtOnceAndResumingIsRecordedFirst) {
  const v1::Grant made = world_.MustApply(world_.Wanted());
  const auto suspended = world_.SetState(world_.owner, made.id(), v1::GRANT_STATE_SUSPENDED);
  ASSERT_TRUE(suspended.ok()) << suspended.status();
  EXPECT_EQ(suspended->grant().revision(), 2);
  EXPECT_EQ(suspended->grant().state_reason(), "an inquiry");
  EXPECT_EQ(world_.changes->last().effect, Effect::kAtCommit);
  EXPECT_EQ(world_.changes->last().outcome.action, "suspend");
  EXPECT_EQ(world_.changes->last().outcome.reason, "an inquiry");
  // Again: nothing to record.
  ASSERT_TRUE(world_.SetState(world_.owner, made.id(), v1::GRANT_STATE_SUSPENDED).ok());
  EXPECT_THAT(world_.changes->made(), SizeIs(2));

  const auto resumed = world_.SetState(world_.owner, made.id(), v1::GRANT_STATE_IN_FORCE);
  ASSERT_TRUE(resumed.ok()) << resumed.status();
  EXPECT_EQ(resumed->grant().state_reason(), "an inquiry");
  EXPECT_EQ(world_.changes->last().effect, Effect::kAfterRecord);
  EXPECT_EQ(world_.changes->last().outcome.action, "resume");
  // The same again is no change.
  EXPECT_EQ(world_.MustApply(resumed->grant()).revision(), resumed->grant().revision());
}

TEST_F(GrantStatesTest, AnAmendedGrantStaysSuspended) {
  v1::Grant made = world_.MustApply(world_.Wanted());
  ASSERT_TRUE(world_.SetState(world_.owner, made.id(), v1::GRANT_STATE_SUSPENDED).ok());
  made.clear_etag();
  made.set_max_page_rows(7);
  const v1::Grant amended = world_.MustApply(made);
  EXPECT_EQ(amended.state(), v1::GRANT_STATE_SUSPENDED);
  EXPECT_EQ(amended.state_reason(), "an inquiry");
  EXPECT_EQ(amended.max_page_rows(), 7);
}

TEST_F(GrantStatesTest, WhoMaySuspendIsWhoMayGive) {
  const v1::Grant made = world_.MustApply(world_.Wanted());
  const auto refusal = [&](const Caller& caller, v1::GrantState to, const std::string& etag = "",
                           const std::string& reason = "r") {
    return ReasonOf(world_.SetState(caller, made.id(), to, etag, reason).status());
  };
  const auto suspended = v1::GRANT_STATE_SUSPENDED;
  EXPECT_EQ(refusal(world_.clerk, suspended), v1::REASON_ROLE_REQUIRED);
  EXPECT_EQ(refusal(world_.other_owner, suspended), v1::REASON_NOT_FOUND);
  EXPECT_EQ(refusal(world_.consumer_clerk, suspended), v1::REASON_NOT_OWNER);
  EXPECT_EQ(refusal(world_.owner, suspended, "0123456789abcdef"), v1::REASON_ETAG_MISMATCH);
  EXPECT_EQ(refusal(world_.owner, suspended, "", " "), v1::REASON_REQUEST_INVALID);
  EXPECT_EQ(refusal(world_.owner, v1::GRANT_STATE_REVOKED), v1::REASON_REQUEST_INVALID);
  EXPECT_EQ(refusal(world_.owner, v1::GRANT_STATE_UNSPECIFIED), v1::REASON_REQUEST_INVALID);
  ASSERT_TRUE(world_.Revoke(world_.owner, made.id()).ok());
  EXPECT_EQ(refusal(world_.owner, suspended), v1::REASON_GRANT_REVOKED);
  EXPECT_EQ(refusal(world_.owner, v1::GRANT_STATE_IN_FORCE), v1::REASON_GRANT_REVOKED);
}

TEST_F(GrantStatesTest, AGrantThatNoLongerStandsIsNotResumed) {
  const v1::Grant made = world_.MustApply(world_.Wanted());
  ASSERT_TRUE(world_.SetState(world_.owner, made.id(), v1::GRANT_STATE_SUSPENDED).ok());
  world_.clock.Advance(31 * kDay);
  const auto resumed = world_.SetState(world_.owner, made.id(), v1::GRANT_STATE_IN_FORCE);
  EXPECT_EQ(ReasonOf(resumed.status()), v1::REASON_DEFINITION_INVALID);
}

TEST_F(GrantStatesTest, TellsItsHistory) {
  v1::Grant made = world_.MustApply(world_.Wanted());
  made.add_purposes("census");
  made = world_.MustApply(made);
  ASSERT_TRUE(world_.SetState(world_.owner, made.id(), v1::GRANT_STATE_SUSPENDED).ok());
  const auto told = world_.Get(world_.owner, made.id());
  ASSERT_TRUE(told.ok());
  ASSERT_EQ(told->history_size(), 3);
  EXPECT_THAT(told->history(0).differences(), IsEmpty());
  EXPECT_EQ(told->history(0).changed_by(), "agency/police/person/owner");
  EXPECT_THAT(told->history(1).differences(),
              ElementsAre("purposes: [relief] -> [relief, census]"));
  EXPECT_EQ(told->history(2).state(), v1::GRANT_STATE_SUSPENDED);
  EXPECT_EQ(told->history(2).state_reason(), "an inquiry");
  // Of an older revision: up to it.
  EXPECT_EQ(world_.Get(world_.owner, made.id(), 2)->history_size(), 2);
  for (int i = 0; i < 120; ++i) {
    made.clear_etag();
    made.set_max_page_rows(10 + i);
    world_.MustApply(made);
  }
  const auto last = world_.Get(world_.owner, made.id());
  ASSERT_EQ(last->history_size(), 100);
  EXPECT_EQ(last->history(0).revision(), 24);
  EXPECT_THAT(last->history(0).differences(), SizeIs(1));
}

}  // namespace
}  // namespace sluice::sharing
