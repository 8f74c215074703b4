// An auditor's first page costs the same however long the log is.
#include <gtest/gtest.h>

#include "gateway/audit/search_growth_testing.h"

namespace sluice::audit {
namespace {

// Below this it is noise.
constexpr double kNoiseMs = 1.0;

TEST(SearchGrowthTest, TheFirstPageOfALongLogCostsWhatThatOfAShortOneDoes) {
  SearchGrowth growth;
  ASSERT_TRUE(growth.GrowTo(10'000, [](uint64_t) {}).ok());
  const auto before = growth.Measure();
  ASSERT_TRUE(before.ok()) << before.status();
  ASSERT_TRUE(growth.GrowTo(400'000, [](uint64_t) {}).ok());
  const auto after = growth.Measure();
  ASSERT_TRUE(after.ok()) << after.status();
  ASSERT_EQ(before->size(), after->size());
  for (size_t i = 0; i < after->size(); ++i) {
    // Reading all of it would take forty times as long.
    EXPECT_LT((*after)[i].median_ms, 4 * (*before)[i].median_ms + kNoiseMs) << (*after)[i].what;
    EXPECT_GT((*after)[i].hits, 0u) << (*after)[i].what;
  }
}

}  // namespace
}  // namespace sluice::audit
