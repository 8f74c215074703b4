// The tables of matters, exhaustively, and against the page that shows them.
#include "gateway/sharing/matter_life.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "gateway/base/cases_testing.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"

namespace sluice::sharing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr v1::SharingOffice kEachOffice[] = {
    v1::SHARING_OFFICE_REQUESTER, v1::SHARING_OFFICE_REQUESTER_OFFICE,
    v1::SHARING_OFFICE_OWNER_OFFICE, v1::SHARING_OFFICE_OWNER, v1::SHARING_OFFICE_AUTHORITY};

class MatterLifeTest : public ::testing::TestWithParam<const MatterLife*> {
 protected:
  const MatterLife& life_ = *GetParam();
};

TEST_P(MatterLifeTest, EveryStateOfficeAndStepMovesAsTheTableSaysOrIsRefusedWithAReason) {
  size_t moved = 0, expected = 0;
  for (const MatterRow& row : life_.table) expected += row.offices.size();
  for (int state = 0; state < life_.states->value_count(); ++state)
    for (int action = 1; action < life_.actions->value_count(); ++action)
      for (const v1::SharingOffice office : kEachOffice) {
        const std::string what = absl::StrCat(life_.StateWord(state), " ", life_.ActionWord(action),
                                              " ", OfficeWord(office));
        const auto move = DecideMove(life_, {"m-222222", state, {}}, action, {"p", {office}});
        const MatterRow* row = life_.Find(state, action);
        if (row == nullptr) {
          EXPECT_EQ(ReasonOf(move.status()), v1::REASON_STEP_NOT_ALLOWED) << what;
          EXPECT_THAT(std::string(move.status().message()), HasSubstr(life_.StateWord(state)));
        } else if (std::find(row->offices.begin(), row->offices.end(), office) ==
                   row->offices.end()) {
          EXPECT_EQ(ReasonOf(move.status()), v1::REASON_OFFICE_REQUIRED) << what;
          EXPECT_THAT(std::string(move.status().message()), HasSubstr(OfficeWord(row->offices[0])));
        } else {
          ASSERT_TRUE(move.ok()) << what << ": " << move.status();
          EXPECT_EQ(move->office, office) << what;
          EXPECT_EQ(move->to, row->to) << what;
          ++moved;
        }
      }
  EXPECT_EQ(moved, expected);
}

TEST_P(MatterLifeTest, NoRowStandsTwiceAndEveryStateAndStepIsReached) {
  std::set<std::pair<int, int>> rows;
  std::set<int> reached, taken;
  for (const MatterRow& row : life_.table) {
    EXPECT_TRUE(rows.emplace(row.from, row.action).second) << life_.ActionWord(row.action);
    EXPECT_FALSE(row.offices.empty());
    reached.insert(row.to);
    taken.insert(row.action);
    if (row.event != nullptr) {
      EXPECT_TRUE(ClockEventWords().contains(row.event)) << row.event;
    }
  }
  EXPECT_EQ(static_cast<int>(reached.size()), life_.states->value_count() - 1);
  EXPECT_EQ(static_cast<int>(taken.size()), life_.actions->value_count() - 1);
  // Somebody is waited for wherever it is not over, and whoever is can do something.
  for (int state = 1; state < life_.states->value_count(); ++state) {
    EXPECT_EQ(life_.WaitsFor(state).empty(), life_.IsOver(state)) << life_.StateWord(state);
    for (const v1::SharingOffice office : life_.WaitsFor(state))
      EXPECT_THAT(OpenMoves(life_, {"m-222222", state, {}}, {"p", {office}}), Not(IsEmpty()))
          << life_.StateWord(state) << " " << OfficeWord(office);
  }
}

// Whatever else one person may be: who took a step for one side takes none for another.
TEST_P(MatterLifeTest, TwoSidesStepsAreNotTakenByOnePerson) {
  for (const MatterRow& row : life_.table)
    for (const v1::SharingOffice before : kEachOffice)
      for (const v1::SharingOffice office : row.offices) {
        const MatterStand stand{"m-222222", row.from, {{1, before, "p", 0}}};
        const auto move = DecideMove(life_, stand, row.action, {"p", {office}});
        if (SideOf(before) == SideOf(office)) {
          EXPECT_TRUE(move.ok()) << move.status();
        } else {
          EXPECT_EQ(ReasonOf(move.status()), v1::REASON_SAME_HANDS);
        }
        EXPECT_TRUE(DecideMove(life_, stand, row.action, {"another", {office}}).ok());
      }
}

TEST_P(MatterLifeTest, WhatHasHadItsStepsCanBeEndedAndNothingElse) {
  for (const MatterRow& row : life_.table) {
    if (row.from == 0 || row.once) continue;
    MatterStand stand{"m-222222", row.from, {}};
    for (size_t i = 0; i < life_.most_steps; ++i)
      stand.steps.push_back({0, row.offices[0], "p", static_cast<Micros>(i)});
    const auto move = DecideMove(life_, stand, row.action, {"p", {row.offices[0]}});
    EXPECT_EQ(move.ok(), life_.IsOver(row.to)) << life_.ActionWord(row.action) << move.status();
  }
}

// Each step of an update may name a hundred entries, and a record holds all of them.
TEST(MatterStepsTest, AnUpdateHasFewerSteps) {
  EXPECT_EQ(CorrectionLife().most_steps, 64u);
  EXPECT_EQ(CatalogueUpdateLife().most_steps, 16u);
}

// Whoever is of the agency that it is about does not rule on it: only that is in the way.
TEST(MatterOfficesTest, TheAuthoritysOwnAgencyIsNoBusinessOfHis) {
  const MatterLife& life = CatalogueUpdateLife();
  const Hands own{"p", {}, true};
  for (const MatterRow& row : life.table) {
    const auto move = DecideMove(life, {"u-222222", row.from, {}}, row.action, own);
    const bool rules = std::find(row.offices.begin(), row.offices.end(),
                                 v1::SHARING_OFFICE_AUTHORITY) != row.offices.end();
    EXPECT_EQ(ReasonOf(move.status()), rules ? v1::REASON_SAME_HANDS : v1::REASON_OFFICE_REQUIRED)
        << life.ActionWord(row.action);
  }
}

TEST_P(MatterLifeTest, ThePageShowsThisTable) {
  EXPECT_THAT(ReadSourceFile("docs/procedure.md"), HasSubstr("\n" + life_.Markdown()));
}

INSTANTIATE_TEST_SUITE_P(Lives, MatterLifeTest,
                         ::testing::Values(&CorrectionLife(), &CatalogueUpdateLife()),
                         [](const auto& life) { return std::string(life.param->kind); });

}  // namespace
}  // namespace sluice::sharing
