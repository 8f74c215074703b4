// Datasets as their owner changes them and as others look for them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/methods.h"
#include "cli/tool_testing.h"
#include "gateway/base/error.h"

namespace sluice::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kDataset[] = R"(dataset: public-security/persons
sharing: conditional
purposes: [relief]
update_cycle: daily
source: ps-register
from: {table: resident}
fields:
  - {name: county, type: utf8, class: L2}
)";

v1::ApplyDatasetResponse Changed() {
  v1::ApplyDatasetResponse answer;
  answer.mutable_dataset()->set_name("public-security/persons");
  answer.mutable_dataset()->set_revision(2);
  answer.add_differences("fields.name: utf8 -> none");
  v1::TouchedGrant& ends = *answer.add_touched();
  ends.set_grant("7q4m2k");
  ends.set_consumer_agency("civil-affairs");
  ends.add_effects("fields[1].name: the dataset has no such field");
  ends.add_effects("row_filter: the dataset has no such field");
  ends.set_broken(true);
  ends.set_ends(true);
  v1::TouchedGrant& goes_on = *answer.add_touched();
  goes_on.set_grant("9x2b4c");
  goes_on.set_consumer_agency("statistics");
  return answer;
}

TEST(CatalogueTest, ADryRunShowsWhichGrantsItTouches) {
  Tool tool;
  tool.Write("/d.yaml", kDataset);
  tool.gateway.Answer(kApplyDataset, Changed());
  const Ran ran = tool.Run({"catalogue", "apply", "/d.yaml", "--dry-run"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("would change  fields.name: utf8 -> none\n"));
  EXPECT_THAT(ran.out,
              HasSubstr(" 7q4m2k │ civil-affairs │ ENDS    │ fields[1].name: the dataset has no "
                        "such field\n        │               │         │ row_filter: "));
  EXPECT_THAT(ran.out, HasSubstr(" 9x2b4c │ statistics    │ goes on │"));
  EXPECT_THAT(ran.out, HasSubstr("next  the same with --break-grants"));
  EXPECT_FALSE(tool.gateway.Asked(kApplyDataset)[0].break_grants());
}

TEST(CatalogueTest, AnEtagGoesWithWhatIsApplied) {
  Tool tool;
  tool.Write("/d.yaml", kDataset);
  tool.gateway.Answer(kApplyDataset, Changed());
  EXPECT_EQ(tool.Run({"catalogue", "apply", "/d.yaml", "--etag", "0123456789abcdef"}).code, 0);
  EXPECT_EQ(tool.gateway.Asked(kApplyDataset)[0].dataset().etag(), "0123456789abcdef");
  EXPECT_EQ(tool.Run({"catalogue", "apply", "/d.yaml"}).code, 0);
  EXPECT_EQ(tool.gateway.Asked(kApplyDataset)[1].dataset().etag(), "");
}

TEST(CatalogueTest, BreakingGrantsIsAskedForByName) {
  Tool tool;
  tool.Write("/d.yaml", kDataset);
  tool.gateway.Answer(kApplyDataset, Changed());
  const Ran ran = tool.Run({"catalogue", "apply", "/d.yaml", "--break-grants"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_TRUE(tool.gateway.Asked(kApplyDataset)[0].break_grants());
  EXPECT_FALSE(tool.gateway.Asked(kApplyDataset)[0].dry_run());
  EXPECT_THAT(ran.out, HasSubstr("ENDS"));
  EXPECT_THAT(ran.out, Not(HasSubstr("next")));
}

TEST(CatalogueTest, AListIsSearched) {
  Tool tool;
  v1::ListDatasetsResponse answer;
  v1::Dataset& dataset = *answer.add_datasets();
  dataset.set_name("public-security/persons");
  dataset.mutable_title()->set_zh("居民");
  dataset.set_state(v1::DATASET_STATE_RETIRED);
  tool.gateway.Answer(kListDatasets, answer);
  const Ran ran = tool.Run({"catalogue", "list", "--search", "居民 county", "--all"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_THAT(ran.out, HasSubstr("居民"));
  EXPECT_THAT(ran.out, HasSubstr("retired"));
  const auto asked = tool.gateway.Asked(kListDatasets);
  EXPECT_EQ(asked[0].search(), "居民 county");
  EXPECT_TRUE(asked[0].include_retired());
}

TEST(CatalogueTest, APageHasStateHistoryAndDrift) {
  Tool tool;
  v1::GetDatasetResponse answer;
  v1::Dataset& dataset = *answer.mutable_dataset();
  dataset.set_name("public-security/persons");
  dataset.set_revision(2);
  dataset.set_state(v1::DATASET_STATE_SUSPENDED);
  dataset.set_state_reason("the source is rebuilt");
  v1::DatasetField& field = *dataset.add_fields();
  field.set_name("birth_date");
  field.mutable_title()->set_zh("出生日期");
  field.set_field_class(v1::FIELD_CLASS_L3_PERSONAL);
  for (const auto state : {v1::DATASET_STATE_OFFERED, v1::DATASET_STATE_SUSPENDED}) {
    v1::DatasetRevision& step = *answer.add_history();
    step.set_revision(answer.history_size());
    *step.mutable_changed() = At("2026-11-09T09:00:00+08:00");
    step.set_changed_by("agency/public-security/person/li");
    step.set_state(state);
  }
  answer.mutable_history(1)->set_state_reason("the source is rebuilt");
  answer.add_drift("fields.birth_date: the table has no column BORN");
  tool.gateway.Answer(kGetDataset, answer);
  const Ran ran =
      tool.Run({"--lang", "zh", "catalogue", "show", "public-security/persons", "--revision", "2"});
  EXPECT_EQ(ran.code, 0) << ran.err;
  EXPECT_EQ(tool.gateway.Asked(kGetDataset)[0].revision(), 2);
  EXPECT_THAT(ran.out, HasSubstr("suspended: the source is rebuilt\n"));
  EXPECT_THAT(ran.out, HasSubstr("offered 2026-11-09 by public-security/li\n"));
  EXPECT_THAT(ran.out, HasSubstr("suspended 2026-11-09 by public-security/li (the source"));
  EXPECT_THAT(ran.out, HasSubstr("fields.birth_date: the table has no column BORN\n"));
  EXPECT_THAT(ran.out, HasSubstr("│ L3 "));
  EXPECT_THAT(ran.out, HasSubstr("出生日期\n"));
}

TEST(CatalogueTest, StatesAreSetWithAReason) {
  Tool tool;
  tool.gateway.On(kSetDatasetState, [](const v1::SetDatasetStateRequest& request) {
    v1::SetDatasetStateResponse answer;
    answer.mutable_dataset()->set_name(request.name());
    answer.mutable_dataset()->set_state(request.state());
    if (request.break_grants()) *answer.mutable_touched() = Changed().touched();
    return answer;
  });
  for (const char* command : {"suspend", "resume", "retire"}) {
    EXPECT_EQ(tool.Run({"catalogue", command, "a/b"}).code, 2);
    EXPECT_EQ(tool.Run({"catalogue", command, "a/b", "--reason", "r"}).code, 0);
  }
  const Ran ran = tool.Run({"catalogue", "retire", "a/b", "--reason", "moved", "--break-grants"});
  EXPECT_THAT(ran.out, HasSubstr("retired, for good\n"));
  EXPECT_THAT(ran.out, HasSubstr(" 7q4m2k │ civil-affairs │ ENDS "));
  const auto asked = tool.gateway.Asked(kSetDatasetState);
  ASSERT_EQ(asked.size(), 4u);
  EXPECT_EQ(asked[0].state(), v1::DATASET_STATE_SUSPENDED);
  EXPECT_EQ(asked[1].state(), v1::DATASET_STATE_OFFERED);
  EXPECT_EQ(asked[2].state(), v1::DATASET_STATE_RETIRED);
  EXPECT_FALSE(asked[2].break_grants());
  EXPECT_TRUE(asked[3].break_grants());
}

}  // namespace
}  // namespace sluice::cli
