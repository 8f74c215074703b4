// A request as options say it.
#include "cli/access_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/failure.h"

namespace sluice::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr Micros kAskedAt = 1'795'413'727 * kSecond;

RequestOptions Whole() {
  RequestOptions options;
  options.dataset = "public-security/persons";
  options.purposes = {"relief"};
  options.law = "社会救助暂行办法";
  options.article = "第五十八条";
  options.share.fields = {"id_number", "name"};
  options.share.until = "2027-04-01";
  return options;
}

absl::StatusOr<v1::AccessRequest> BuildAt(const RequestOptions& options) {
  return BuildRequest(options, kAskedAt, absl::FixedTimeZone(8 * 60 * 60));
}

TEST(AccessRequestTest, WhatIsSaidIsAsked) {
  RequestOptions options = Whole();
  options.share.systems = {"relief"};
  options.share.rows = "county = '东城区'";
  options.share.modes = {"query", "read"};
  options.share.rows_per_day = 10000;
  options.why = "Because.";
  const auto request = BuildAt(options);
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->dataset(), "public-security/persons");
  EXPECT_THAT(request->systems(), ElementsAre("relief"));
  EXPECT_THAT(request->purposes(), ElementsAre("relief"));
  EXPECT_EQ(request->basis().article(), "第五十八条");
  EXPECT_THAT(request->fields(), ElementsAre("id_number", "name"));
  EXPECT_EQ(request->row_filter(), "county = '东城区'");
  EXPECT_THAT(request->modes(), ElementsAre(v1::MODE_QUERY, v1::MODE_READ));
  EXPECT_EQ(request->quota().rows_per_day(), 10000);
  EXPECT_EQ(request->expires().seconds(), 1806508800);  // midnight in China
  EXPECT_EQ(request->justification(), "Because.");
}

TEST(AccessRequestTest, WithoutMoreItAsksForPagesFromNowOn) {
  const auto request = BuildAt(Whole());
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_THAT(request->modes(), ElementsAre(v1::MODE_QUERY));
  EXPECT_FALSE(request->has_not_before());
  EXPECT_FALSE(request->has_quota());
}

TEST(AccessRequestTest, AllThatIsMissingIsNamedAtOnce) {
  const Failure failure = DescribeFailure(BuildAt({}).status());
  EXPECT_EQ(failure.exit_code, kWrongUsage);
  EXPECT_THAT(failure.sentence,
              HasSubstr("DATASET, --purpose, --law, --article, --fields, --until"));
  RequestOptions options = Whole();
  options.article.clear();
  EXPECT_THAT(DescribeFailure(BuildAt(options).status()).sentence, HasSubstr("said: --article."));
}

TEST(AccessRequestTest, ATimeThatIsNoneIsRefused) {
  RequestOptions options = Whole();
  options.share.until = "spring";
  EXPECT_EQ(DescribeFailure(BuildAt(options).status()).exit_code, kWrongUsage);
}

}  // namespace
}  // namespace sluice::cli
