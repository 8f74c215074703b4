// Access requests and terms as files: what is read, and every kind of mistake.
#include "gateway/sharing/request_yaml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/base/error.h"
#include "gateway/catalogue/mask_spec.h"
#include "gateway/identity/documented_testing.h"
#include "gateway/sharing/grant_yaml.h"

namespace sluice::sharing {
namespace {

using identity::Replaced;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kRequest[] = R"(# request
dataset: public-security/persons
systems: [relief]
purposes: [relief]
basis: {law: "社会救助暂行办法", article: "第五十八条"}
fields: [id_number, name, county]
rows: "county = '东城区'"
modes: [query, read]
quota: {calls_per_minute: 60, rows_per_day: 10000, rows_total: 90000, day: "+08:00"}
not_before: 2026-12-01T00:00:00+08:00
expires: 2027-04-01T00:00:00+08:00
why: "Caseworkers check who lives here before they pay."
)";

constexpr char kTerms[] = R"yaml(# terms
systems: [relief]
purposes: [relief]
fields:
  - {name: id_number, mask: "partial(3..4)", filter: exact}
  - {name: county}
modes: [query]
max_page_rows: 100
quota: {rows_per_day: 5000}
expires: 2027-04-01T00:00:00+08:00
require: [case_reference]
)yaml";

TEST(RequestYaml, AWholeOneIsRead) {
  const auto parsed = ParseRequestYaml(kRequest, "r.yaml");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  const v1::AccessRequest& request = parsed->request;
  EXPECT_EQ(request.dataset(), "public-security/persons");
  EXPECT_THAT(request.systems(), ElementsAre("relief"));
  EXPECT_THAT(request.purposes(), ElementsAre("relief"));
  EXPECT_EQ(request.basis().law(), "社会救助暂行办法");
  EXPECT_THAT(request.fields(), ElementsAre("id_number", "name", "county"));
  EXPECT_EQ(request.row_filter(), "county = '东城区'");
  EXPECT_THAT(request.modes(), ElementsAre(v1::MODE_QUERY, v1::MODE_READ));
  EXPECT_EQ(request.quota().calls_per_minute(), 60);
  EXPECT_EQ(request.quota().rows_total(), 90000);
  EXPECT_EQ(request.quota().day_offset_minutes(), 480);
  EXPECT_EQ(request.not_before().seconds(), 1796054400);
  EXPECT_EQ(request.expires().seconds(), 1806508800);
  EXPECT_EQ(request.justification(), "Caseworkers check who lives here before they pay.");
}

TEST(RequestYaml, WithoutModesPagesAreMeant) {
  const auto parsed = ParseRequestYaml(Replaced(kRequest, "modes: [query, read]\n", ""), "r.yaml");
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_THAT(parsed->request.modes(), ElementsAre(v1::MODE_QUERY));
}

TEST(RequestYaml, EveryMistakeIsNamedWithItsPlace) {
  const struct {
    const char* from;
    const char* to;
    const char* told;
  } rows[] = {
      {"dataset: public-security/persons\n", "", "dataset: "},
      {"public-security/persons", "persons", "r.yaml:2: dataset: "},
      {"public-security/persons", "\"\"", "r.yaml:2: dataset: "},
      {"systems: [relief]", "systems: []", "r.yaml:3: systems: "},
      {"systems: [relief]", "systems: [civil-affairs/relief]", "r.yaml:3: systems[0]: "},
      {"purposes: [relief]\n", "", "purposes: "},
      {"purposes: [relief]", "purposes: []", "r.yaml:4: purposes: "},
      {"purposes: [relief]", "purposes: [\"\"]", "r.yaml:4: purposes[0]: "},
      {"purposes: [relief]", "purposes: relief", "r.yaml:4: purposes: "},
      {", article: \"第五十八条\"", "", "r.yaml:5: basis.article: "},
      {"fields: [id_number, name, county]", "fields: []", "r.yaml:6: fields: "},
      {"name, county]", "name, name]", "r.yaml:6: fields[2]: field name is listed twice"},
      {"[id_number,", "[{name: id_number},", "r.yaml:6: fields[0]: "},
      {"[id_number,", "[\"\",", "r.yaml:6: fields[0]: "},
      {"rows: \"county = '东城区'\"", "rows: \"\"", "r.yaml:7: rows: "},
      {"modes: [query, read]", "modes: [write]", "r.yaml:8: modes[0]: "},
      {"calls_per_minute: 60", "calls_per_minute: -1", "r.yaml:9: quota.calls_per_minute: "},
      {"calls_per_minute: 60", "calls: 60", "r.yaml:9: quota.calls: "},
      {"\"+08:00\"", "\"+8\"", "r.yaml:9: quota.day: "},
      {"\"+08:00\"", "\"+0a:00\"", "r.yaml:9: quota.day: "},
      {"\"+08:00\"", "\"-0a:00\"", "r.yaml:9: quota.day: "},
      {"\"+08:00\"", "\"+14:01\"", "r.yaml:9: quota.day: "},
      {"\"+08:00\"", "\"+08:60\"", "r.yaml:9: quota.day: "},
      {"2026-12-01T00:00:00+08:00", "soon", "r.yaml:10: not_before: "},
      {"expires: 2027-04-01T00:00:00+08:00\n", "", "expires: "},
      {"expires: 2027-04-01T00:00:00+08:00", "expires: never", "r.yaml:11: expires: "},
      {"why: \"Caseworkers check who lives here before they pay.\"", "why:", "r.yaml:12: why: "},
      {"why:", "because:", "r.yaml:12: because: "},
  };
  for (const auto& row : rows) {
    const auto parsed = ParseRequestYaml(Replaced(kRequest, row.from, row.to), "r.yaml");
    EXPECT_EQ(ReasonOf(parsed.status()), v1::REASON_DEFINITION_INVALID)
        << row.from << " -> " << row.to;
    EXPECT_THAT(std::string(parsed.status().message()), HasSubstr(row.told))
        << row.from << " -> " << row.to;
  }
}

TEST(RequestYaml, TooManyWordsAreAMistake) {
  const std::string why = "why: \"" + std::string(4097, 'x') + "\"\n";
  const auto parsed = ParseRequestYaml(
      Replaced(kRequest, "why: \"Caseworkers check who lives here before they pay.\"\n", why),
      "r.yaml");
  EXPECT_THAT(std::string(parsed.status().message()), HasSubstr("r.yaml:12: why: at most 4096"));
}

TEST(RequestYaml, WhatTheGatewayRefusesIsPlacedInTheFile) {
  const auto parsed = ParseRequestYaml(kRequest, "r.yaml");
  ASSERT_TRUE(parsed.ok());
  absl::Status answer = Error(v1::REASON_DEFINITION_INVALID, "no");
  AddFieldViolation(answer, "request.fields[1]", "a");
  AddFieldViolation(answer, "request.row_filter", "b");
  AddFieldViolation(answer, "request.justification", "c");
  EXPECT_THAT(
      identity::PlaceViolations(answer, parsed->document, "r.yaml", "request", RequestYamlNames()),
      ElementsAre("r.yaml:6: fields[1]: a", "r.yaml:7: rows: b", "r.yaml:12: why: c"));
}

TEST(TermsYaml, OnlyWhatIsSaidIsSet) {
  const auto whole = ParseTermsYaml(kTerms, "t.yaml");
  ASSERT_TRUE(whole.ok()) << whole.status();
  ASSERT_EQ(whole->terms.fields_size(), 2);
  EXPECT_EQ(catalogue::FormatMask(whole->terms.fields(0).mask()), "partial(3..4)");
  EXPECT_EQ(whole->terms.fields(0).filter(), v1::MASKED_FILTER_EXACT);
  EXPECT_FALSE(whole->terms.fields(1).has_mask());
  EXPECT_EQ(whole->terms.max_page_rows(), 100);
  EXPECT_EQ(whole->terms.quota().rows_per_day(), 5000);
  EXPECT_TRUE(whole->terms.case_reference_required());
  EXPECT_FALSE(whole->terms.end_user_required());

  const auto part = ParseTermsYaml("max_page_rows: 20\n", "t.yaml");
  ASSERT_TRUE(part.ok()) << part.status();
  v1::Grant expected;
  expected.set_max_page_rows(20);
  EXPECT_EQ(part->terms.SerializeAsString(), expected.SerializeAsString());
}

TEST(TermsYaml, EveryMistakeIsNamedWithItsPlace) {
  const struct {
    const char* from;
    const char* to;
    const char* told;
  } rows[] = {
      {"purposes: [relief]", "purposes: []", "t.yaml:3: purposes: "},
      {"mask: \"partial(3..4)\"", "mask: \"partial(3)\"", "t.yaml:5: fields[0].mask: "},
      {"filter: exact", "filter: any", "t.yaml:5: fields[0].filter: "},
      {"name: county", "name: id_number", "t.yaml:6: fields[1]: field id_number"},
      {"max_page_rows: 100", "max_page_rows: many", "t.yaml:8: max_page_rows: "},
      {"expires: 2027-04-01T00:00:00+08:00", "expires: later", "t.yaml:10: expires: "},
      {"require: [case_reference]", "require: [case]", "t.yaml:11: require[0]: "},
      {"require: [case_reference]", "require: []", "t.yaml:11: require: "},
      {"max_page_rows: 100", "dataset: public-security/persons", "t.yaml:8: dataset: "},
      {"max_page_rows: 100", "to: civil-affairs", "t.yaml:8: to: "},
  };
  for (const auto& row : rows) {
    const auto parsed = ParseTermsYaml(Replaced(kTerms, row.from, row.to), "t.yaml");
    EXPECT_EQ(ReasonOf(parsed.status()), v1::REASON_DEFINITION_INVALID)
        << row.from << " -> " << row.to;
    EXPECT_THAT(std::string(parsed.status().message()), HasSubstr(row.told))
        << row.from << " -> " << row.to;
  }
}

}  // namespace
}  // namespace sluice::sharing
