// Lists in documents that code knows better.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/reasons.h"
#include "gateway/base/error.h"
#include "gateway/catalogue/mask_spec.h"
#include "gateway/policy/filter_syntax.h"
#include "tests/documents/document.h"

namespace sluice {
namespace {

using ::testing::HasSubstr;

TEST(ReasonsTest, ThePageIsWhatTheToolPrints) {
  EXPECT_EQ(ReadDocument("docs/reasons.md"), cli::ReasonsMarkdown())
      << "make it anew: build/bin/sluice explain --all --format markdown > docs/reasons.md";
}

TEST(FiltersTest, TheExamplesAreFilters) {
  const std::vector<std::string> lines = LinesOfBlock(ReadDocument("docs/filters.md"), "filter");
  EXPECT_GE(lines.size(), 5u);
  for (const std::string& line : lines)
    EXPECT_TRUE(policy::ParseFilter(line).ok())
        << line << ": " << policy::ParseFilter(line).status();
}

TEST(FiltersTest, TheCounterexamplesAreRefusedWithARemedyAtTheirPlace) {
  const std::vector<std::string> lines =
      LinesOfBlock(ReadDocument("docs/filters.md"), "filter-refused");
  EXPECT_GE(lines.size(), 5u);
  for (const std::string& line : lines) {
    const absl::Status refused = policy::ParseFilter(line).status();
    EXPECT_EQ(ReasonOf(refused), v1::REASON_FILTER_INVALID) << line;
    const auto request = BadRequestOf(refused);
    ASSERT_TRUE(request.has_value()) << line;
    EXPECT_THAT(request->field_violations(0).field(), HasSubstr("filter:")) << line;
  }
}

TEST(MasksTest, ThePageHasEveryKind) {
  const std::string page = ReadDocument("docs/masks.md");
  for (const char* mask : {"none", "null", "date(year)", "date(month)", "pseudonym"}) {
    EXPECT_TRUE(catalogue::ParseMask(mask).ok()) << mask;
    EXPECT_THAT(page, HasSubstr("`" + std::string(mask) + "`"));
  }
  const auto* kinds = v1::MaskKind_descriptor();
  EXPECT_EQ(kinds->value_count(), 8) << "a kind of mask that docs/masks.md does not know";
}

}  // namespace
}  // namespace sluice
