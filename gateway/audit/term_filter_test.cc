#include "gateway/audit/term_filter.h"

#include <gtest/gtest.h>

#include <random>

namespace sluice::audit {
namespace {

TEST(TermFilterTest, NeverMissesWhatItHasAndSeldomTakesAnotherForIt) {
  for (const int64_t terms : {1, 50, 51, 1000, 200'000}) {
    FilterRoom room;
    const auto filter = TermFilter::Make(terms, room);
    ASSERT_NE(filter, nullptr);
    for (int64_t term = 0; term < terms; ++term) filter->Add(term);
    int64_t falsely = 0;
    for (int64_t term = 0; term < terms; ++term) {
      ASSERT_TRUE(filter->MayHave(term)) << term << " of " << terms;
      falsely += filter->MayHave(-1 - term);
    }
    EXPECT_LE(falsely, terms / 50 + 2) << terms;
  }
}

TEST(TermFilterTest, IsReadBackAsItWasWritten) {
  FilterRoom room;
  std::mt19937_64 dice(7);
  const auto filter = TermFilter::Make(5000, room);
  ASSERT_NE(filter, nullptr);
  for (int i = 0; i < 5000; ++i) filter->Add(static_cast<int64_t>(dice()));
  const auto read = TermFilter::Unpack(filter->Pack(9), 9, room);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ((*read)->Pack(9), filter->Pack(9));
  for (int i = 0; i < 5000; ++i) {
    const auto term = static_cast<int64_t>(dice());
    EXPECT_EQ((*read)->MayHave(term), filter->MayHave(term));
  }
}

TEST(TermFilterTest, WhatIsDamagedCutOrOfAnotherRunIsRefused) {
  FilterRoom room;
  const auto filter = TermFilter::Make(10, room);
  filter->Add(1);
  const std::string bytes = filter->Pack(9);
  EXPECT_TRUE(absl::IsDataLoss(TermFilter::Unpack(bytes, 8, room).status()));
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_TRUE(absl::IsDataLoss(TermFilter::Unpack(bytes.substr(0, size), 9, room).status()));
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    EXPECT_TRUE(absl::IsDataLoss(TermFilter::Unpack(damaged, 9, room).status())) << at;
  }
}

TEST(TermFilterTest, TakesNoMoreThanThereIsRoomAndGivesItBack) {
  FilterRoom room{.left = 256};
  auto filter = TermFilter::Make(100, room);
  ASSERT_NE(filter, nullptr);
  EXPECT_EQ(room.left, 128u);
  EXPECT_EQ(TermFilter::Make(500, room), nullptr);
  const std::string bytes = filter->Pack(1);
  const auto second = TermFilter::Unpack(bytes, 1, room);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(room.left, 0u);
  EXPECT_EQ(*TermFilter::Unpack(bytes, 1, room), nullptr);
  filter.reset();
  EXPECT_EQ(room.left, 128u);
}

}  // namespace
}  // namespace sluice::audit
