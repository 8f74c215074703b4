// Grants as files: the documented example, and every kind of mistake.
#include "gateway/sharing/grant_yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/catalogue/mask_spec.h"
#include "gateway/identity/documented_testing.h"

namespace sluice::sharing {
namespace {

using identity::DocumentedYaml;
using identity::Replaced;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(GrantYaml, TheDocumentedOneIsRead) {
  const auto parsed = ParseGrantYaml(DocumentedYaml("grant"), "grant.yaml");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  const v1::Grant& grant = parsed->grant;
  EXPECT_EQ(grant.id(), "");
  EXPECT_EQ(grant.dataset(), "public-security/persons");
  EXPECT_EQ(grant.consumer_agency(), "civil-affairs");
  EXPECT_THAT(grant.systems(), ElementsAre("relief"));
  EXPECT_THAT(grant.purposes(), ElementsAre("relief"));
  EXPECT_EQ(grant.basis().article(), "第五十八条");
  ASSERT_EQ(grant.fields_size(), 3);
  EXPECT_EQ(catalogue::FormatMask(grant.fields(0).mask()), "partial(3..4)");
  EXPECT_EQ(grant.fields(0).filter(), v1::MASKED_FILTER_EXACT);
  EXPECT_EQ(grant.fields(1).filter(), v1::MASKED_FILTER_MASKED_VALUE);
  EXPECT_EQ(grant.fields(2).filter(), v1::MASKED_FILTER_UNSPECIFIED);
  EXPECT_EQ(grant.row_filter(), "registered >= 2020-01-01T00:00:00");
  EXPECT_EQ(grant.max_page_rows(), 100);
  EXPECT_EQ(grant.quota().rows_per_day(), 10000);
  EXPECT_EQ(grant.quota().day_offset_minutes(), 480);
  EXPECT_EQ(grant.not_before().seconds(), 1793462400);
  EXPECT_EQ(grant.expires().seconds(), 1806508800);
  EXPECT_TRUE(grant.case_reference_required());
  EXPECT_TRUE(grant.end_user_required());
  EXPECT_EQ(grant.state(), v1::GRANT_STATE_UNSPECIFIED);
}

TEST(GrantYaml, EveryMistakeIsNamedWithItsPlace) {
  const struct {
    const char* from;
    const char* to;
    const char* told;
  } rows[] = {
      {"grant: new\n", "", "g.yaml:2: grant: "},
      {"grant: new", "grant: \"\"", "g.yaml:2: grant: "},
      {"public-security/persons", "persons", "g.yaml:3: dataset: "},
      {"to: civil-affairs", "to: Civil", "g.yaml:4: to: "},
      {"to: civil-affairs", "to: civil-affairs/relief", "g.yaml:4: to: "},
      {"systems: [relief]", "systems: [civil-affairs/relief]", "g.yaml:5: systems[0]: "},
      {"systems: [relief]", "systems: relief", "g.yaml:5: systems: "},
      {"systems: [relief]", "systems: []", "g.yaml:5: systems: "},
      {"systems: [relief]", "systems: [\"\"]", "g.yaml:5: systems[0]: "},
      {"systems: [relief]", "systems:", "g.yaml:5: systems: "},
      {"purposes: [relief]\n", "", "purposes: "},
      {"purposes: [relief]", "purposes: relief", "g.yaml:6: purposes: "},
      {"article: \"第五十八条\", ", "", "g.yaml:7: basis.article: "},
      {"mask: \"partial(3..4)\"", "mask: \"partial(3-4)\"", "g.yaml:9: fields[0].mask: "},
      {"mask: \"partial(3..4)\"", "mask: null", "g.yaml:9: fields[0].mask: "},
      {"mask: \"partial(3..4)\"", "mask: ", "g.yaml:9: fields[0].mask: "},
      {"mask: \"partial(3..4)\"", "mask: ~", "g.yaml:9: fields[0].mask: "},
      {"mask: \"partial(3..4)\"", "mask: \"\"", "g.yaml:9: fields[0].mask: "},
      {"mask: \"partial(3..4)\"", "mask: \" \"", "g.yaml:9: fields[0].mask: "},
      {"mask: \"partial(3..4)\"", "mask: [null]", "g.yaml:9: fields[0].mask: "},
      {"mask: \"partial(3..4)\"", "maks: \"partial(3..4)\"", "g.yaml:9: fields[0].maks: "},
      {"filter: exact", "filter: any", "g.yaml:9: fields[0].filter: "},
      {"filter: exact", "filter: \"\"", "g.yaml:9: fields[0].filter: "},
      {"name: birth_date", "name: id_number", "g.yaml:10: fields[1]: field id_number"},
      {"name: birth_date, ", "", "g.yaml:10: fields[1].name: "},
      {"name: birth_date", "name: \"\"", "g.yaml:10: fields[1].name: "},
      {"rows: 'registered >= 2020-01-01T00:00:00'", "rows: ''", "g.yaml:12: rows: "},
      {"rows: 'registered >= 2020-01-01T00:00:00'", "rows:", "g.yaml:12: rows: "},
      {"rows: 'registered >= 2020-01-01T00:00:00'", "row: 'x = 1'", "g.yaml:12: row: "},
      {"modes: [query]", "modes: [write]", "g.yaml:13: modes[0]: "},
      {"modes: [query]", "modes: []", "g.yaml:13: modes: "},
      {"max_page_rows: 100", "max_page_rows: 1000001", "g.yaml:14: max_page_rows: "},
      {"max_page_rows: 100", "max_page_rows: -1", "g.yaml:14: max_page_rows: "},
      {"max_page_rows: 100", "max_page_rows: many", "g.yaml:14: max_page_rows: "},
      {"rows_per_day: 10000", "rows_per_day: -1", "g.yaml:15: quota.rows_per_day: "},
      {"rows_per_day: 10000", "rows_a_day: 10000", "g.yaml:15: quota.rows_a_day: "},
      {"day: \"+08:00\"", "day: \"+8\"", "g.yaml:15: quota.day: "},
      {"day: \"+08:00\"", "day: \"+14:30\"", "g.yaml:15: quota.day: "},
      {"day: \"+08:00\"", "day: \"-12:01\"", "g.yaml:15: quota.day: "},
      {"day: \"+08:00\"", "day: \"+08:60\"", "g.yaml:15: quota.day: "},
      {"day: \"+08:00\"", "day: \"\"", "g.yaml:15: quota.day: "},
      {"not_before: 2026-11-01T00:00:00+08:00", "not_before: soon", "g.yaml:16: not_before: "},
      {"not_before: 2026-11-01T00:00:00+08:00", "not_before: \"\"", "g.yaml:16: not_before: "},
      {"expires: 2027-04-01T00:00:00+08:00", "expires: never", "g.yaml:17: expires: "},
      {"expires: 2027-04-01T00:00:00+08:00", "expires: \"\"", "g.yaml:17: expires: "},
      {"expires: 2027-04-01T00:00:00+08:00", "expires: 2027-02-30T00:00:00Z",
       "g.yaml:17: expires: "},
      {"expires: 2027-04-01T00:00:00+08:00", "expires: 9999-12-31T23:59:59-08:00",
       "g.yaml:17: expires: "},
      {"expires: 2027-04-01T00:00:00+08:00", "expires: infinite-future", "g.yaml:17: expires: "},
      {"expires: 2027-04-01T00:00:00+08:00\n", "", "expires: "},
      {"require: [case_reference, end_user]", "require: [case]", "g.yaml:18: require[0]: "},
      {"require: [case_reference, end_user]", "require: [\"\"]", "g.yaml:18: require[0]: "},
      {"require: [case_reference, end_user]", "require: case_reference", "g.yaml:18: require: "},
      {"require: [case_reference, end_user]", "state: in_force", "g.yaml:18: state: "},
  };
  for (const auto& row : rows) {
    const auto parsed =
        ParseGrantYaml(Replaced(DocumentedYaml("grant"), row.from, row.to), "g.yaml");
    EXPECT_EQ(ReasonOf(parsed.status()), v1::REASON_DEFINITION_INVALID)
        << row.from << " -> " << row.to;
    EXPECT_THAT(std::string(parsed.status().message()), HasSubstr(row.told))
        << row.from << " -> " << row.to;
  }
}

TEST(GrantYaml, MasksThatYamlCouldMistakeAreReadInQuotes) {
  for (const char* mask :
       {"null", "none", "pseudonym", "partial(0..0)", "prefix(6)", "bucket(0.25)", "date(month)"}) {
    const auto parsed =
        ParseGrantYaml(Replaced(DocumentedYaml("grant"), "partial(3..4)", mask), "g.yaml");
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(catalogue::FormatMask(parsed->grant.fields(0).mask()), mask);
  }
}

TEST(GrantYaml, AnIdThatLooksLikeANumberIsText) {
  for (const char* id : {"234567", "2e5678", "222e22"}) {
    const auto parsed = ParseGrantYaml(Replaced(DocumentedYaml("grant"), "new", id), "g.yaml");
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(parsed->grant.id(), id);
  }
}

TEST(GrantYaml, WhatTheGatewayRefusesIsPlacedInTheFile) {
  const auto parsed = ParseGrantYaml(DocumentedYaml("grant"), "g.yaml");
  ASSERT_TRUE(parsed.ok());
  absl::Status answer = Error(v1::REASON_DEFINITION_INVALID, "no");
  AddFieldViolation(answer, "grant.consumer_agency", "a");
  AddFieldViolation(answer, "grant.fields[1].mask", "b");
  AddFieldViolation(answer, "grant.quota.day_offset_minutes", "c");
  AddFieldViolation(answer, "grant.expires", "d");
  EXPECT_THAT(
      identity::PlaceViolations(answer, parsed->document, "g.yaml", "grant", GrantYamlNames()),
      ElementsAre("g.yaml:4: to: a", "g.yaml:10: fields[1].mask: b", "g.yaml:15: quota.day: c",
                  "g.yaml:17: expires: d"));
}

}  // namespace
}  // namespace sluice::sharing
