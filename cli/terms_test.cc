// Terms as an owner says them: only what differs, but lists and quotas whole.
#include "cli/terms.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/failure.h"
#include "gateway/catalogue/mask_spec.h"

namespace sluice::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr Micros kNow = 1'795'413'727 * kSecond;

v1::GetAccessRequestResponse Asked() {
  v1::GetAccessRequestResponse asked;
  asked.mutable_request()->set_id("r-7q4m2k");
  asked.mutable_request()->set_dataset("public-security/persons");
  asked.mutable_request()->set_state(v1::ACCESS_REQUEST_STATE_SUBMITTED);
  v1::Grant& grant = *asked.mutable_proposed();
  for (const char* name : {"id_number", "name", "county"}) grant.add_fields()->set_name(name);
  *grant.mutable_fields(0)->mutable_mask() = *catalogue::ParseMask("partial(3..4)");
  grant.mutable_quota()->set_calls_per_minute(60);
  grant.mutable_quota()->set_rows_per_day(10000);
  grant.mutable_quota()->set_day_offset_minutes(480);
  return asked;
}

absl::StatusOr<v1::Grant> BuildFor(const TermsOptions& options, const v1::Grant& file = {},
                                   const v1::GetAccessRequestResponse& asked = Asked()) {
  return BuildTerms(options, file, asked, kNow, absl::UTCTimeZone());
}

std::vector<std::string> Fields(const v1::Grant& terms) {
  std::vector<std::string> fields;
  for (const v1::GrantedField& field : terms.fields())
    fields.push_back(field.name() + " " + catalogue::FormatMask(field.mask()));
  return fields;
}

TEST(TermsTest, NothingSaidIsNothingSent) {
  const auto terms = BuildFor({});
  ASSERT_TRUE(terms.ok());
  EXPECT_EQ(terms->SerializeAsString(), "");
}

TEST(TermsTest, AMaskForOneFieldBringsTheOthersWithIt) {
  TermsOptions options;
  options.masks = {"name=partial(1..0)"};
  const auto terms = BuildFor(options);
  ASSERT_TRUE(terms.ok()) << terms.status();
  EXPECT_THAT(Fields(*terms),
              ElementsAre("id_number partial(3..4)", "name partial(1..0)", "county none"));
  EXPECT_FALSE(terms->has_quota());
}

TEST(TermsTest, AFilterForOneFieldKeepsItsMask) {
  TermsOptions options;
  options.filters = {"id_number=exact"};
  const auto terms = BuildFor(options);
  ASSERT_TRUE(terms.ok()) << terms.status();
  ASSERT_EQ(terms->fields_size(), 3);
  EXPECT_EQ(terms->fields(0).filter(), v1::MASKED_FILTER_EXACT);
  EXPECT_EQ(catalogue::FormatMask(terms->fields(0).mask()), "partial(3..4)");
}

TEST(TermsTest, FewerFieldsComeInTheOrderSaid) {
  TermsOptions options;
  options.share.fields = {"county", "id_number"};
  const auto terms = BuildFor(options);
  ASSERT_TRUE(terms.ok()) << terms.status();
  EXPECT_THAT(Fields(*terms), ElementsAre("county none", "id_number partial(3..4)"));
}

TEST(TermsTest, OptionsStandAboveTheFile) {
  v1::Grant file;
  file.add_fields()->set_name("name");
  *file.mutable_fields(0)->mutable_mask() = *catalogue::ParseMask("null");
  file.set_max_page_rows(20);
  file.set_row_filter("county = 'a'");
  TermsOptions options;
  options.share.fields = {"name", "county"};
  options.share.rows = "county = 'b'";
  const auto terms = BuildFor(options, file);
  ASSERT_TRUE(terms.ok()) << terms.status();
  EXPECT_THAT(Fields(*terms), ElementsAre("name null", "county none"));
  EXPECT_EQ(terms->row_filter(), "county = 'b'");
  EXPECT_EQ(terms->max_page_rows(), 20);
}

TEST(TermsTest, OneLimitKeepsTheOthersThatWereAskedFor) {
  TermsOptions options;
  options.share.rows_per_day = 500;
  const auto terms = BuildFor(options);
  ASSERT_TRUE(terms.ok()) << terms.status();
  EXPECT_EQ(terms->quota().rows_per_day(), 500);
  EXPECT_EQ(terms->quota().calls_per_minute(), 60);
  EXPECT_EQ(terms->quota().day_offset_minutes(), 480);
}

TEST(TermsTest, TheRestIsTakenAsSaid) {
  TermsOptions options;
  options.share.systems = {"relief"};
  options.share.modes = {"query", "read"};
  options.share.until = "90d";
  options.require = {"case_reference"};
  const auto terms = BuildFor(options);
  ASSERT_TRUE(terms.ok()) << terms.status();
  EXPECT_THAT(terms->systems(), ElementsAre("relief"));
  EXPECT_THAT(terms->modes(), ElementsAre(v1::MODE_QUERY, v1::MODE_READ));
  EXPECT_EQ(ToMicros(terms->expires()), kNow + 90 * kDay);
  EXPECT_TRUE(terms->case_reference_required());
  EXPECT_FALSE(terms->end_user_required());
}

TEST(TermsTest, WhatCannotBeMeantIsWrongUsage) {
  const struct {
    std::vector<std::string> masks, filters, fields;
    const char* told;
  } rows[] = {
      {{"phone=null"}, {}, {}, "\"phone\" is not in it"},
      {{"name"}, {}, {}, "FIELD=WORD"},
      {{"=null"}, {}, {}, "FIELD=WORD"},
      {{"name="}, {}, {}, "FIELD=WORD"},
      {{"name=partial(1)"}, {}, {}, "--mask name=partial(1): "},
      {{}, {"id_number=like"}, {}, "--filter id_number=like: one of exact"},
      {{}, {}, {"phone"}, "--fields: the field \"phone\""},
      {{}, {}, {"name", "name"}, "stands twice"},
      {{"county=null"}, {}, {"name"}, "\"county\" is not in it"},
  };
  for (const auto& row : rows) {
    TermsOptions options;
    options.masks = row.masks;
    options.filters = row.filters;
    options.share.fields = row.fields;
    const auto terms = BuildFor(options);
    ASSERT_FALSE(terms.ok()) << row.told;
    const Failure failure = DescribeFailure(terms.status());
    EXPECT_EQ(failure.exit_code, kWrongUsage);
    EXPECT_THAT(failure.sentence, HasSubstr(row.told));
  }
}

TEST(TermsTest, WithoutAProposalNothingIsMadeUp) {
  TermsOptions options;
  options.masks = {"name=null"};
  v1::GetAccessRequestResponse asked = Asked();
  asked.clear_proposed();
  EXPECT_EQ(DescribeFailure(BuildFor(options, {}, asked).status()).reason, "NOT_OWNER");
  asked.mutable_request()->set_state(v1::ACCESS_REQUEST_STATE_WITHDRAWN);
  EXPECT_EQ(DescribeFailure(BuildFor(options, {}, asked).status()).reason, "STEP_NOT_ALLOWED");
  options.masks.clear();
  options.share.rows_total = 5;
  EXPECT_EQ(DescribeFailure(BuildFor(options, {}, asked).status()).reason, "STEP_NOT_ALLOWED");
}

}  // namespace
}  // namespace sluice::cli
