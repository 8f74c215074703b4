#include "gateway/policy/grant.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/policy/policy_testing.h"

namespace sluice::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Mistakes(const v1::Grant& grant,
                                  const v1::Dataset& dataset = PersonsDefinition()) {
  const auto compiled = Compile(grant, MustCompile(dataset));
  std::vector<std::string> paths;
  if (compiled.ok()) return paths;
  EXPECT_EQ(ReasonOf(compiled.status()), v1::REASON_DEFINITION_INVALID);
  const auto mistakes = BadRequestOf(compiled.status());
  for (const auto& violation : mistakes->field_violations()) {
    EXPECT_NE(violation.description(), "");
    paths.push_back(violation.field());
  }
  return paths;
}

TEST(Grant, CompilesToIndicesAndAMaskedSchema) {
  v1::Grant definition = GrantDefinition();
  LeaveOut(definition, "name");
  MaskField(definition, "id", "partial(3..4)");
  MaskField(definition, "points", "pseudonym");
  definition.mutable_expires()->set_nanos(999);  // beneath a microsecond
  const auto compiled = Compile(definition, MustCompile(PersonsDefinition()));
  ASSERT_TRUE(compiled.ok()) << TextOf(compiled.status());
  const Grant& grant = **compiled;
  EXPECT_THAT(grant.left_out, ElementsAre("name", "secret"));
  EXPECT_EQ(grant.by_field[1], -1);
  EXPECT_EQ(grant.by_field[9], -1);
  EXPECT_EQ(grant.granted[grant.by_field[5]], 5);
  EXPECT_EQ(grant.schema->field(grant.by_field[5]).type.id, records::TypeId::kUtf8);
  EXPECT_FALSE(grant.key_visible);  // points is the key
  EXPECT_EQ(grant.begins, std::numeric_limits<Micros>::min());
  EXPECT_EQ(grant.ends, kTestNow + 30 * kDay);
}

TEST(Grant, EachMistakeIsNamedByItsPath) {
  const struct {
    std::string path;
    std::function<void(v1::Grant&)> spoil;
  } rows[] = {
      {"dataset", [](auto& g) { g.set_dataset("police/person"); }},
      {"consumer_agency", [](auto& g) { g.clear_consumer_agency(); }},
      {"consumer_agency", [](auto& g) { g.set_consumer_agency("welfare\npolice"); }},
      {"systems[0]", [](auto& g) { g.add_systems("welfare/relief"); }},
      {"systems[1]",
       [](auto& g) {
         g.add_systems("relief");
         g.add_systems("relief");
       }},
      {"purposes", [](auto& g) { g.clear_purposes(); }},
      {"purposes[1]", [](auto& g) { g.add_purposes("relief"); }},
      {"purposes[1]", [](auto& g) { g.add_purposes("tax"); }},  // not the dataset's
      {"purposes[1]", [](auto& g) { g.add_purposes(""); }},
      {"basis.law", [](auto& g) { g.mutable_basis()->clear_law(); }},
      {"basis.article", [](auto& g) { g.mutable_basis()->clear_article(); }},
      {"basis.text", [](auto& g) { g.mutable_basis()->set_text(std::string(4097, 'x')); }},
      {"fields", [](auto& g) { g.clear_fields(); }},
      {"fields[11].name", [](auto& g) { g.add_fields()->set_name("phone"); }},
      {"fields[11].name", [](auto& g) { g.add_fields()->set_name("id"); }},
      {"fields[11].name", [](auto& g) { g.add_fields(); }},
      {"fields[5].mask", [](auto& g) { MaskField(g, "points", "partial(1..1)"); }},
      {"fields[4].mask", [](auto& g) { MaskField(g, "county", "bucket(5)"); }},
      {"fields[8].mask", [](auto& g) { MaskField(g, "active", "pseudonym"); }},
      {"fields[5].mask",
       [](auto& g) {
         MaskField(g, "points", "bucket(10)");
         FieldOf(g, "points").mutable_mask()->set_width("-10");
       }},
      {"fields[5].mask",
       [](auto& g) {
         MaskField(g, "points", "bucket(10)");
         FieldOf(g, "points").mutable_mask()->set_width("0");
       }},
      {"fields[0].mask",
       [](auto& g) {
         MaskField(g, "id", "partial(3..4)");
         FieldOf(g, "id").mutable_mask()->set_first(-3);
       }},
      {"fields[0].mask",
       [](auto& g) {
         MaskField(g, "id", "partial(3..4)");
         FieldOf(g, "id").mutable_mask()->set_last(std::numeric_limits<int32_t>::max());
       }},
      {"fields[0].mask", [](auto& g) { FieldOf(g, "id").mutable_mask()->set_first(3); }},
      {"fields[0].mask",
       [](auto& g) { FieldOf(g, "id").mutable_mask()->set_kind(static_cast<v1::MaskKind>(77)); }},
      {"fields[2].mask",
       [](auto& g) { FieldOf(g, "born").mutable_mask()->set_kind(v1::MASK_KIND_DATE); }},
      {"fields[0].filter", [](auto& g) { FieldOf(g, "id").set_filter(v1::MASKED_FILTER_EXACT); }},
      {"fields[0].filter",
       [](auto& g) { FieldOf(g, "id").set_filter(v1::MASKED_FILTER_MASKED_VALUE); }},
      {"fields[0].filter",
       [](auto& g) { MaskField(g, "id", "null", v1::MASKED_FILTER_MASKED_VALUE); }},
      {"fields[0].filter",
       [](auto& g) { MaskField(g, "id", "pseudonym", static_cast<v1::MaskedFilter>(9)); }},
      {"row_filter:9", [](auto& g) { g.set_row_filter("points ="); }},
      {"row_filter:12", [](auto& g) { g.set_row_filter("points > 1 and points < 2"); }},
      {"row_filter:1", [](auto& g) { g.set_row_filter("phone = 1"); }},
      {"row_filter:8", [](auto& g) { g.set_row_filter("name = \"Li\""); }},
      {"row_filter:10", [](auto& g) { g.set_row_filter("points = $p"); }},
      {"row_filter", [](auto& g) { g.set_row_filter(std::string(5000, ' ') + "points = 1"); }},
      {"modes", [](auto& g) { g.clear_modes(); }},
      {"modes[1]", [](auto& g) { g.add_modes(v1::MODE_QUERY); }},
      {"modes[1]", [](auto& g) { g.add_modes(v1::MODE_UNSPECIFIED); }},
      {"modes[1]", [](auto& g) { g.add_modes(static_cast<v1::Mode>(9)); }},
      {"max_page_rows", [](auto& g) { g.set_max_page_rows(-1); }},
      {"quota.calls_per_minute", [](auto& g) { g.mutable_quota()->set_calls_per_minute(-1); }},
      {"quota.rows_per_day", [](auto& g) { g.mutable_quota()->set_rows_per_day(-1); }},
      {"quota.rows_total", [](auto& g) { g.mutable_quota()->set_rows_total(-1); }},
      {"quota.day_offset_minutes", [](auto& g) { g.mutable_quota()->set_day_offset_minutes(841); }},
      {"quota.day_offset_minutes",
       [](auto& g) {
         g.mutable_quota()->set_day_offset_minutes(std::numeric_limits<int32_t>::min());
       }},
      {"state", [](auto& g) { g.set_state(static_cast<v1::GrantState>(9)); }},
      {"expires", [](auto& g) { g.clear_expires(); }},
      {"expires",
       [](auto& g) { g.mutable_expires()->set_seconds(std::numeric_limits<int64_t>::max()); }},
      {"expires", [](auto& g) { g.mutable_expires()->set_nanos(1'000'000'000); }},
      {"expires", [](auto& g) { *g.mutable_not_before() = g.expires(); }},
      {"not_before",
       [](auto& g) { g.mutable_not_before()->set_seconds(std::numeric_limits<int64_t>::min()); }},
      {"not_before", [](auto& g) { g.mutable_not_before()->set_nanos(-1); }},
  };
  for (const auto& row : rows) {
    v1::Grant grant = GrantDefinition();
    row.spoil(grant);
    EXPECT_THAT(Mistakes(grant), ElementsAre(row.path)) << grant.ShortDebugString();
  }
}

// Of Match, found by id and compared by name.
v1::Grant MatchDefinition() {
  v1::Grant grant = GrantDefinition();
  grant.clear_modes();
  grant.add_modes(v1::MODE_MATCH);
  FieldOf(grant, "id").set_match(v1::MATCH_RULE_ID_NUMBER);
  FieldOf(grant, "id").set_finds(true);
  FieldOf(grant, "name").set_match(v1::MATCH_RULE_NAME);
  grant.mutable_quota()->set_misses_per_day(100);
  return grant;
}

TEST(Grant, WhatMatchAndCountNeedIsAskedFor) {
  EXPECT_THAT(Mistakes(MatchDefinition()), IsEmpty());
  const struct {
    std::string path;
    std::function<void(v1::Grant&)> spoil;
  } rows[] = {
      {"quota.misses_per_day", [](auto& g) { g.clear_quota(); }},
      {"quota.tries_per_record", [](auto& g) { g.mutable_quota()->set_tries_per_record(-1); }},
      {"fields", [](auto& g) { FieldOf(g, "id").clear_finds(); }},
      {"fields", [](auto& g) { FieldOf(g, "name").clear_match(); }},
      {"fields[4].finds", [](auto& g) { FieldOf(g, "county").set_finds(true); }},
      {"fields[1].match",
       [](auto& g) {
         FieldOf(g, "name").set_finds(true);  // a name finds nobody
         FieldOf(g, "county").set_match(v1::MATCH_RULE_NAME);
       }},
      {"fields[6].match", [](auto& g) { FieldOf(g, "score").set_match(v1::MATCH_RULE_EXACT); }},
      {"fields[5].match", [](auto& g) { FieldOf(g, "points").set_match(v1::MATCH_RULE_PHONE); }},
      {"least_group", [](auto& g) { g.set_least_group(5); }},
      {"scope", [](auto& g) { g.set_scope(std::string(2001, 'x')); }},
      {"duties.may_pass_on_to[0]", [](auto& g) { g.mutable_duties()->add_may_pass_on_to("A B"); }},
      {"duties.destroy_within_days",
       [](auto& g) {
         g.mutable_duties()->mutable_destroy_by()->set_seconds(kTestNow / kSecond);
         g.mutable_duties()->set_destroy_within_days(3);
       }},
      {"conditions.hours[0]",
       [](auto& g) {
         g.mutable_conditions()->add_hours("Monday 8-18");
         g.mutable_conditions()->set_time_zone("+08:00");
       }},
      {"conditions.time_zone", [](auto& g) { g.mutable_conditions()->add_hours("Mon-Fri"); }},
      {"conditions.networks[0]", [](auto& g) { g.mutable_conditions()->add_networks("10.2.3/8"); }},
  };
  for (const auto& row : rows) {
    v1::Grant grant = MatchDefinition();
    row.spoil(grant);
    EXPECT_THAT(Mistakes(grant), ElementsAre(row.path));
  }
  v1::Grant grant = MatchDefinition();
  grant.set_modes(0, v1::MODE_QUERY);
  EXPECT_THAT(Mistakes(grant), ElementsAre("modes", "modes")) << "rules and misses without match";
  grant = GrantDefinition();
  grant.add_modes(v1::MODE_COUNT);
  grant.set_least_group(1);
  EXPECT_THAT(Mistakes(grant), ElementsAre("least_group"));
}

TEST(Grant, AllMistakesAreToldAtOnce) {
  v1::Grant grant = GrantDefinition();
  grant.set_dataset("x");
  grant.clear_purposes();
  grant.mutable_basis()->clear_law();
  grant.mutable_fields(0)->set_name("phone");
  grant.set_row_filter("points");
  grant.clear_modes();
  grant.clear_expires();
  EXPECT_THAT(Mistakes(grant), ElementsAre("dataset", "purposes", "basis.law", "fields[0].name",
                                           "row_filter:7", "modes", "expires"));
}

TEST(Grant, AWithheldDatasetIsGrantedToNobody) {
  v1::Dataset dataset = PersonsDefinition();
  dataset.set_sharing(v1::SHARING_ATTRIBUTE_WITHHELD);
  dataset.mutable_withheld_by()->set_law("Secrets Act");
  dataset.mutable_withheld_by()->set_article("13");
  EXPECT_THAT(Mistakes(GrantDefinition(), dataset), ElementsAre("dataset"));
}

TEST(Grant, NothingBeneathTheLeastMaskIsGranted) {
  v1::Dataset dataset = PersonsDefinition();
  const auto floor = [&dataset](int field, std::string_view mask) {
    *dataset.mutable_fields(field)->mutable_least_mask() = MaskOf(mask);
  };
  floor(0, "partial(3..4)");
  floor(2, "date(year)");
  floor(3, "bucket(1000)");
  floor(9, "null");
  v1::Grant grant = GrantDefinition();
  EXPECT_THAT(Mistakes(grant, dataset),
              ElementsAre("fields[0].mask", "fields[2].mask", "fields[3].mask"));
  MaskField(grant, "id", "partial(4..3)");
  MaskField(grant, "born", "date(month)");
  MaskField(grant, "income", "bucket(1500)");
  grant.add_fields()->set_name("secret");
  EXPECT_THAT(Mistakes(grant, dataset),
              ElementsAre("fields[0].mask", "fields[2].mask", "fields[3].mask", "fields[11].mask"));
  MaskField(grant, "id", "pseudonym");
  MaskField(grant, "born", "date(year)");
  MaskField(grant, "income", "bucket(5000)");
  MaskField(grant, "secret", "pseudonym");
  EXPECT_THAT(Mistakes(grant, dataset), ElementsAre("fields[11].mask"));
  MaskField(grant, "secret", "null");
  EXPECT_THAT(Mistakes(grant, dataset), IsEmpty());
  // The mask "none" is none.
  *FieldOf(grant, "id").mutable_mask() = MaskOf("none");
  EXPECT_THAT(Mistakes(grant, dataset), ElementsAre("fields[0].mask"));
}

TEST(Grant, ARowFilterMayReadWhatIsNotGranted) {
  v1::Grant grant = GrantDefinition();
  LeaveOut(grant, "county");
  MaskField(grant, "points", "null");
  grant.set_row_filter("county = \"Dongcheng\" AND (points > 3 OR secret = null)");
  EXPECT_THAT(Mistakes(grant), IsEmpty());
}

}  // namespace
}  // namespace sluice::policy
