// The table itself, exhaustively, and against the page that shows it.
#include "gateway/sharing/request_life.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "gateway/base/cases_testing.h"
#include "gateway/base/error.h"
#include "gateway/sharing/clock_profile.h"
#include "gateway/sharing/requests_testing.h"

namespace sluice::sharing {
namespace {

using identity::Caller;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr v1::SharingOffice kOffices[] = {
    v1::SHARING_OFFICE_REQUESTER, v1::SHARING_OFFICE_REQUESTER_OFFICE,
    v1::SHARING_OFFICE_OWNER_OFFICE, v1::SHARING_OFFICE_OWNER, v1::SHARING_OFFICE_AUTHORITY};

std::vector<v1::AccessRequestState> AllStates() {
  std::vector<v1::AccessRequestState> states;
  for (int i = 0; i < v1::AccessRequestState_ARRAYSIZE; ++i)
    states.push_back(static_cast<v1::AccessRequestState>(i));
  return states;
}

std::vector<v1::AccessAction> AllActions() {
  std::vector<v1::AccessAction> actions;
  for (int i = 1; i < v1::AccessAction_ARRAYSIZE; ++i)
    actions.push_back(static_cast<v1::AccessAction>(i));
  return actions;
}

v1::AccessRequest InState(v1::AccessRequestState state, v1::AccessRequestState behind = {}) {
  v1::AccessRequest request;
  request.set_id("r-222222");
  request.set_state(state);
  request.set_behind(behind);
  return request;
}

TEST(RequestLifeTest, EveryStateOfficeAndStepMovesAsTheTableSaysOrIsRefusedWithAReason) {
  int moved = 0;
  for (const auto state : AllStates())
    for (const auto action : AllActions())
      for (const auto office : kOffices) {
        const std::string what =
            absl::StrCat(AccessStateWord(state), " ", ActionWord(action), " ", OfficeWord(office));
        const bool disputed = state == v1::ACCESS_REQUEST_STATE_DISPUTED;
        const v1::AccessRequest request =
            InState(state, disputed ? v1::ACCESS_REQUEST_STATE_PROVIDED
                                    : v1::ACCESS_REQUEST_STATE_UNSPECIFIED);
        const auto move = DecideStep(request, action, {"agency/a/person/p", {office}});
        const LifeRow* row = FindLifeRow(state, action);
        // What a dispute about a grant in force does not leave room for.
        const bool behind_forbids =
            disputed && (action == v1::ACCESS_ACTION_REOPEN || action == v1::ACCESS_ACTION_RESUME);
        if (row == nullptr || behind_forbids) {
          EXPECT_EQ(ReasonOf(move.status()), v1::REASON_STEP_NOT_ALLOWED) << what;
          EXPECT_THAT(std::string(move.status().message()), HasSubstr(AccessStateWord(state)));
        } else if (std::find(row->offices.begin(), row->offices.end(), office) ==
                   row->offices.end()) {
          EXPECT_EQ(ReasonOf(move.status()), v1::REASON_OFFICE_REQUIRED) << what;
          EXPECT_THAT(std::string(move.status().message()), HasSubstr(OfficeWord(row->offices[0])));
        } else {
          ASSERT_TRUE(move.ok()) << what << ": " << move.status();
          EXPECT_EQ(move->office, office) << what;
          const auto before =
              disputed ? v1::ACCESS_REQUEST_STATE_PROVIDED : v1::ACCESS_REQUEST_STATE_GRANTED;
          const bool back = row->to == v1::ACCESS_REQUEST_STATE_UNSPECIFIED;
          EXPECT_EQ(move->to, back ? before : row->to) << what;
          ++moved;
        }
      }
  size_t expected = 0;
  for (const LifeRow& row : LifeTable()) expected += row.offices.size();
  // REOPEN, and RESUME of two offices, were refused for what was behind.
  EXPECT_EQ(static_cast<size_t>(moved), expected - 3);
}

TEST(RequestLifeTest, NoRowStandsTwiceAndEveryStateAndStepIsReached) {
  std::set<std::pair<int, int>> rows;
  std::set<int> reached, taken;
  for (const LifeRow& row : LifeTable()) {
    EXPECT_TRUE(rows.emplace(row.from, row.action).second) << ActionWord(row.action);
    EXPECT_FALSE(row.offices.empty());
    reached.insert(row.to);
    taken.insert(row.action);
  }
  EXPECT_THAT(reached, SizeIs(v1::AccessRequestState_ARRAYSIZE));
  EXPECT_THAT(taken, SizeIs(v1::AccessAction_ARRAYSIZE - 1));
  // Whoever is waited for can do something.
  for (const auto state : AllStates())
    for (const auto office : WaitsFor(state))
      EXPECT_THAT(OpenActions(InState(state, v1::ACCESS_REQUEST_STATE_REFUSED), {"p", {office}}),
                  testing::Not(IsEmpty()))
          << AccessStateWord(state) << " " << OfficeWord(office);
}

TEST(RequestLifeTest, WhatWasDisputedComesBackToWhatItIsByThen) {
  const Hands owner{"owner", {v1::SHARING_OFFICE_OWNER}};
  const Hands asker{"asker", {v1::SHARING_OFFICE_REQUESTER_OFFICE}};
  const Hands authority{"authority", {v1::SHARING_OFFICE_AUTHORITY}};
  v1::AccessRequest request = InState(v1::ACCESS_REQUEST_STATE_PROVIDED);
  const auto take = [&request](const Hands& hands, v1::AccessAction action) {
    const auto move = DecideStep(request, action, hands);
    ASSERT_TRUE(move.ok()) << ActionWord(action) << move.status();
    v1::AccessStep step;
    step.set_action(action);
    step.set_taken_by(hands.principal);
    AddStep(request, *move, step);
  };
  request.add_steps()->set_action(v1::ACCESS_ACTION_PROVIDE);
  take(asker, v1::ACCESS_ACTION_DISPUTE);
  EXPECT_EQ(request.behind(), v1::ACCESS_REQUEST_STATE_PROVIDED);
  EXPECT_EQ(ReasonOf(DecideStep(request, v1::ACCESS_ACTION_REOPEN, authority).status()),
            v1::REASON_STEP_NOT_ALLOWED);
  take(owner, v1::ACCESS_ACTION_SUSPEND);
  EXPECT_EQ(request.state(), v1::ACCESS_REQUEST_STATE_DISPUTED);
  EXPECT_EQ(request.behind(), v1::ACCESS_REQUEST_STATE_SUSPENDED);
  take(owner, v1::ACCESS_ACTION_RESUME);
  EXPECT_EQ(request.behind(), v1::ACCESS_REQUEST_STATE_PROVIDED);
  take(owner, v1::ACCESS_ACTION_SUSPEND);
  take(asker, v1::ACCESS_ACTION_DROP_DISPUTE);
  EXPECT_EQ(request.state(), v1::ACCESS_REQUEST_STATE_SUSPENDED);
  EXPECT_EQ(request.behind(), v1::ACCESS_REQUEST_STATE_UNSPECIFIED);
  take(asker, v1::ACCESS_ACTION_DISPUTE);
  take(owner, v1::ACCESS_ACTION_END);
  EXPECT_EQ(request.behind(), v1::ACCESS_REQUEST_STATE_ENDED);
  EXPECT_FALSE(DecideStep(request, v1::ACCESS_ACTION_SUSPEND, owner).ok());
  take(authority, v1::ACCESS_ACTION_REOPEN);
  EXPECT_EQ(request.state(), v1::ACCESS_REQUEST_STATE_SUBMITTED);
}

TEST(RequestLifeTest, ItEndsWhatGoesOnForEver) {
  v1::AccessRequest request = InState(v1::ACCESS_REQUEST_STATE_SUSPENDED);
  for (int i = 0; i < 64; ++i) request.add_steps()->set_action(v1::ACCESS_ACTION_SUSPEND);
  const Hands owner{"owner", {v1::SHARING_OFFICE_OWNER}};
  EXPECT_THAT(OpenActions(request, owner), ElementsAre(v1::ACCESS_ACTION_END));
  request.set_state(v1::ACCESS_REQUEST_STATE_PROVIDED);
  EXPECT_THAT(OpenActions(request, owner),
              ElementsAre(v1::ACCESS_ACTION_SUSPEND, v1::ACCESS_ACTION_END));
}

TEST(RequestLifeTest, ThePageShowsThisTable) {
  EXPECT_THAT(ReadSourceFile("docs/procedure.md"), HasSubstr("\n" + LifeTableMarkdown()));
}

// Every person and system of the world takes every step in every state, through the service: what
// is stored moved as the table says, or did not change at all.
TEST(RequestLifeTest, NobodyTakesAnothersStepThroughTheService) {
  const v1::AccessAction to_each[][8] = {
      {v1::ACCESS_ACTION_SUBMIT},
      {v1::ACCESS_ACTION_SUBMIT, v1::ACCESS_ACTION_RETURN},
      {v1::ACCESS_ACTION_SUBMIT, v1::ACCESS_ACTION_ASK_EXTENSION},
      {v1::ACCESS_ACTION_SUBMIT, v1::ACCESS_ACTION_ASK_EXTENSION,
       v1::ACCESS_ACTION_CONSENT_EXTENSION},
      {v1::ACCESS_ACTION_SUBMIT, v1::ACCESS_ACTION_AGREE},
      {v1::ACCESS_ACTION_SUBMIT, v1::ACCESS_ACTION_REFUSE},
      {v1::ACCESS_ACTION_SUBMIT, v1::ACCESS_ACTION_GRANT},
      {v1::ACCESS_ACTION_SUBMIT, v1::ACCESS_ACTION_GRANT, v1::ACCESS_ACTION_PROVIDE},
      {v1::ACCESS_ACTION_SUBMIT, v1::ACCESS_ACTION_GRANT, v1::ACCESS_ACTION_SUSPEND},
      {v1::ACCESS_ACTION_SUBMIT, v1::ACCESS_ACTION_GRANT, v1::ACCESS_ACTION_END},
      {v1::ACCESS_ACTION_SUBMIT, v1::ACCESS_ACTION_REFUSE, v1::ACCESS_ACTION_DISPUTE},
      {v1::ACCESS_ACTION_WITHDRAW},
      {},
  };
  RequestsWorld world;
  const std::map<v1::SharingOffice, const Caller*> takers = {
      {v1::SHARING_OFFICE_REQUESTER, &world.consumer_system},
      {v1::SHARING_OFFICE_REQUESTER_OFFICE, &world.consumer_office},
      {v1::SHARING_OFFICE_OWNER_OFFICE, &world.owner_office},
      {v1::SHARING_OFFICE_AUTHORITY, &world.authority}};
  const std::map<const Caller*, std::set<v1::SharingOffice>> everybody = {
      {&world.consumer_system, {v1::SHARING_OFFICE_REQUESTER}},
      {&world.consumer_clerk, {v1::SHARING_OFFICE_REQUESTER}},
      {&world.consumer_office, {v1::SHARING_OFFICE_REQUESTER, v1::SHARING_OFFICE_REQUESTER_OFFICE}},
      {&world.owner, {v1::SHARING_OFFICE_OWNER_OFFICE, v1::SHARING_OFFICE_OWNER}},
      {&world.owner_office, {v1::SHARING_OFFICE_OWNER_OFFICE}},
      {&world.clerk, {}},
      {&world.authority, {v1::SHARING_OFFICE_AUTHORITY}},
      {&world.auditor, {}},
      {&world.operator_person, {}},
      {&world.other_owner, {}},
      {&world.other_system, {}},
      {&world.owner_system, {}}};
  std::set<int> states;
  for (const auto& path : to_each) {
    const auto make = [&] {
      const auto drafted = world.Draft(world.consumer_system, world.Asked());
      EXPECT_TRUE(drafted.ok()) << drafted.status();
      const std::string id = drafted.ok() ? drafted->request().id() : "";
      for (const auto action : path) {
        if (action == v1::ACCESS_ACTION_UNSPECIFIED) break;
        const v1::AccessRequest now = world.Now(id);
        const absl::Status taken =
            world.Try(*takers.at(FindLifeRow(now.state(), action)->offices[0]), now, action);
        EXPECT_TRUE(taken.ok()) << ActionWord(action) << taken;
      }
      return world.Now(id);
    };
    v1::AccessRequest before = make();
    states.insert(before.state());
    for (const auto& [caller, offices] : everybody)
      for (const auto action : AllActions()) {
        const absl::Status status = world.Try(*caller, before, action);
        const v1::AccessRequest after = world.Now(before.id());
        const std::string what = absl::StrCat(caller->principal.path, " ", ActionWord(action),
                                              " of ", AccessStateWord(before.state()));
        const LifeRow* row = FindLifeRow(before.state(), action);
        bool may = false;
        if (row != nullptr)
          for (const auto office : row->offices) may = may || offices.contains(office);
        // A refusal is disputed here: nothing of a grant is there to be moved.
        if (before.state() == v1::ACCESS_REQUEST_STATE_DISPUTED)
          may = may && row->to != v1::ACCESS_REQUEST_STATE_DISPUTED;
        ASSERT_EQ(status.ok(), may) << what << ": " << status;
        if (!may) {
          EXPECT_NE(ReasonOf(status), v1::REASON_UNSPECIFIED) << what << status;
          ASSERT_EQ(after.etag(), before.etag()) << what;
          continue;
        }
        if (row->to != v1::ACCESS_REQUEST_STATE_UNSPECIFIED) {
          EXPECT_EQ(after.state(), row->to) << what;
        }
        // Twenty undecided are the most.
        if (IsUndecided(after.state())) {
          ASSERT_TRUE(world.Try(world.consumer_clerk, after, v1::ACCESS_ACTION_WITHDRAW).ok());
        }
        before = make();
      }
    if (IsUndecided(before.state())) {
      ASSERT_TRUE(world.Try(world.consumer_clerk, before, v1::ACCESS_ACTION_WITHDRAW).ok());
    }
  }
  EXPECT_THAT(states, SizeIs(v1::AccessRequestState_ARRAYSIZE - 1));
}

}  // namespace
}  // namespace sluice::sharing
