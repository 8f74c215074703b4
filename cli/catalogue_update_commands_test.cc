// sluice catalogue update, and what of it stands in the inbox.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/matter_show.h"
#include "cli/methods.h"
#include "cli/tool_testing.h"

namespace sluice::cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

v1::CatalogueUpdate DeclaredUpdate() {
  v1::CatalogueUpdate update;
  update.set_id("u-7q4m2k");
  update.set_agency("public-security");
  update.set_change("registers of counties went to the ministry");
  update.mutable_basis()->set_law("Law on Registers");
  update.mutable_basis()->set_article("12");
  update.add_datasets("public-security/persons");
  update.set_state(v1::CATALOGUE_UPDATE_STATE_DECLARED);
  v1::CatalogueUpdateStep& step = *update.add_steps();
  step.set_action(v1::CATALOGUE_UPDATE_ACTION_DECLARE);
  step.set_office(v1::SHARING_OFFICE_AUTHORITY);
  step.set_taken_by("agency/gov/person/chen");
  *step.mutable_taken() = At("2026-11-16T09:00:00+08:00");
  return update;
}

TEST(CatalogueUpdateCommandsTest, OneIsDeclaredWithAllThatWasSaid) {
  Tool tool;
  v1::DeclareCatalogueUpdateResponse answer;
  *answer.mutable_update() = DeclaredUpdate();
  tool.gateway.Answer(kDeclareCatalogueUpdate, answer);
  const Ran ran = tool.Run({"catalogue", "update", "declare", "--agency", "public-security",
                            "--change", "it changed", "--law", "L", "--article", "A", "--law-text",
                            "words", "--datasets", "a/b,a/c"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out,
              AllOf(HasSubstr("CATALOGUE UPDATE u-7q4m2k"), HasSubstr("DECLARED"),
                    HasSubstr("Law on Registers 12"), HasSubstr("public-security/persons"),
                    HasSubstr("declare 2026-11-16 09:00:00 +08:00 by gov/chen, authority")));
  const auto asked = tool.gateway.Asked(kDeclareCatalogueUpdate);
  ASSERT_EQ(asked.size(), 1u);
  EXPECT_EQ(asked[0].update().agency(), "public-security");
  EXPECT_EQ(asked[0].update().change(), "it changed");
  EXPECT_EQ(asked[0].update().basis().text(), "words");
  EXPECT_THAT(asked[0].update().datasets(), ElementsAre("a/b", "a/c"));
}

// Each step of the table can be typed, with the words that it needs.
TEST(CatalogueUpdateCommandsTest, EveryStepHasACommand) {
  for (int action = 2; action < v1::CatalogueUpdateAction_ARRAYSIZE; ++action) {
    Tool tool;
    v1::TakeCatalogueUpdateStepResponse answer;
    *answer.mutable_update() = DeclaredUpdate();
    tool.gateway.Answer(kTakeCatalogueUpdateStep, answer);
    std::vector<std::string> said = {"catalogue", "update",  UpdateVerb(action), "u-7q4m2k",
                                     "--reason",  "because", "--etag",           "e1"};
    const bool completes = action == v1::CATALOGUE_UPDATE_ACTION_COMPLETE;
    if (completes) said.insert(said.end(), {"--revision", "a/b@3", "--revision", "a/c@1"});
    const Ran ran = tool.Run(said);
    ASSERT_EQ(ran.code, 0) << said[2] << ran.err;
    const auto asked = tool.gateway.Asked(kTakeCatalogueUpdateStep);
    ASSERT_EQ(asked.size(), 1u);
    EXPECT_EQ(asked[0].action(), action);
    EXPECT_EQ(asked[0].reason(), "because");
    EXPECT_EQ(asked[0].etag(), "e1");
    EXPECT_EQ(asked[0].revisions_size(), completes ? 2 : 0);
    if (completes) {
      EXPECT_EQ(asked[0].revisions(0).dataset(), "a/b");
      EXPECT_EQ(asked[0].revisions(0).revision(), 3);
    }
  }
  Tool tool;
  EXPECT_EQ(tool.Run({"catalogue", "update", "complete", "u-7q4m2k"}).code, 2);
  EXPECT_EQ(tool.Run({"catalogue", "update", "complete", "u-7q4m2k", "--revision", "a/b"}).code, 2);
  EXPECT_EQ(tool.Run({"catalogue", "update", "return", "u-7q4m2k"}).code, 2);
  EXPECT_THAT(tool.gateway.Asked(kTakeCatalogueUpdateStep), IsEmpty());
}

TEST(CatalogueUpdateCommandsTest, OneIsShownAndAllAreListed) {
  Tool tool;
  v1::GetCatalogueUpdateResponse shown;
  *shown.mutable_update() = DeclaredUpdate();
  shown.add_actions(v1::CATALOGUE_UPDATE_ACTION_ASK_EXTENSION);
  tool.gateway.Answer(kGetCatalogueUpdate, shown);
  EXPECT_THAT(tool.Run({"catalogue", "update", "show", "u-7q4m2k"}).out,
              HasSubstr("sluice catalogue update ask-extension u-7q4m2k"));
  v1::ListCatalogueUpdatesResponse list;
  *list.add_updates() = DeclaredUpdate();
  tool.gateway.Answer(kListCatalogueUpdates, list);
  const Ran ran = tool.Run({"catalogue", "update", "list", "--state", "declared"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, AllOf(HasSubstr(" u-7q4m2k "), HasSubstr("│ declared")));
  EXPECT_EQ(tool.gateway.Asked(kListCatalogueUpdates)[0].state(),
            v1::CATALOGUE_UPDATE_STATE_DECLARED);
  v1::GetInboxResponse inbox;
  v1::InboxItem& item = *inbox.add_items();
  *item.mutable_catalogue_update() = DeclaredUpdate();
  item.set_office(v1::SHARING_OFFICE_OWNER_OFFICE);
  item.add_catalogue_update_actions(v1::CATALOGUE_UPDATE_ACTION_ASK_EXTENSION);
  item.add_catalogue_update_actions(v1::CATALOGUE_UPDATE_ACTION_COMPLETE);
  tool.gateway.Answer(kGetInbox, inbox);
  EXPECT_THAT(tool.Run({"inbox"}).out,
              AllOf(HasSubstr(" u-7q4m2k "), HasSubstr("ask-extension, complete")));
}

}  // namespace
}  // namespace sluice::cli
