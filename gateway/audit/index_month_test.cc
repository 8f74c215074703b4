#include "gateway/audit/index_month.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "gateway/audit/record_testing.h"
#include "gateway/base/sanitized_testing.h"

namespace sluice::audit {
namespace {

using ::testing::IsEmpty;

constexpr Micros kMay = 1777593600 * kSecond;  // 2026-05-01
constexpr char kMayKey[] = "2026-05/three-years";
constexpr int64_t kRows = 20'000;
constexpr int64_t kFirstRow = 1000;
constexpr Micros kRowEvery = 2 * kMinute;

// Terms of envelopes are 100 and up, of details 200 and up: 0 of every record, then rarer and
// rarer.
class IndexMonthTest : public ::testing::Test {
 protected:
  static constexpr int kTermsEach = 8;
  static bool Has(int64_t row, int term) {
    static constexpr int64_t kEvery[kTermsEach] = {1, 2, 3, 20, 31, 1000, 7919, 1'000'000};
    // Apart, so that few records have two of them.
    return (row * 7 + term) % kEvery[term % kTermsEach] == 0;
  }

  IndexMonthTest() {
    auto keys = DetailKeys::Open(folder_.path() + "/keys", *files_, random_);
    EXPECT_TRUE(keys.ok());
    keys_ = *std::move(keys);
    EXPECT_TRUE(keys_->ForSealing(kMayKey).ok());
    std::filesystem::create_directory(folder_.path() + "/index");
    auto month =
        IndexMonth::Open(folder_.path() + "/index", "2026-05", "format", *keys_, *files_, room_);
    EXPECT_TRUE(month.ok()) << month.status();
    month_ = *std::move(month);
    std::vector<IndexRow> rows;
    for (int64_t row = 0; row < kRows; ++row) {
      rows.push_back(RowOf(row));
      if (rows.size() < 900) continue;
      EXPECT_TRUE(month_->Add(rows).ok());
      rows.clear();
      EXPECT_TRUE(month_->Work(100'000, false).ok());
    }
    EXPECT_TRUE(month_->Add(rows).ok());
  }

  static IndexRow RowOf(int64_t row) {
    IndexRow made;
    made.index = kFirstRow + row;
    made.time = kMay + row * kRowEvery;
    made.progress = row % 1000 > 20;  // long stretches of steps
    made.opened = true;
    made.detail_key = kMayKey;
    for (int term = 0; term < kTermsEach; ++term) {
      if (Has(row, term)) made.terms.push_back(TermOf(term, false, made.progress));
      if (Has(row, term + 100)) made.detail_terms.push_back(TermOf(term, true, made.progress));
    }
    return made;
  }
  static int64_t TermOf(int term, bool detail, bool progress) {
    return term + (detail ? 200 : 100) + (progress ? 1000 : 0);
  }

  const TestFolder folder_;
  const std::unique_ptr<FileSystem> files_ = MakePosixFileSystem();
  CountingRandom random_;
  std::unique_ptr<DetailKeys> keys_;
  FilterRoom room_;
  std::unique_ptr<IndexMonth> month_;
};

TEST_F(IndexMonthTest, ASearchTakesNoMoreStepsThanItsHitsAndItsRarestTerm) {
  std::mt19937_64 dice(3);
  int64_t all_hits = 0;
  for (size_t round = 0; round < 300; round += kSweepStep) {
    std::set<int> of_envelope, of_detail;
    for (uint64_t i = dice() % 4; i > 0; --i)
      (dice() % 2 == 0 ? of_envelope : of_detail).insert(static_cast<int>(dice() % kTermsEach));
    TermsTogether together;
    together.progress = dice() % 2 == 0;
    for (const int term : of_envelope)
      together.terms.push_back(TermOf(term, false, together.progress));
    for (const int term : of_detail)
      together.detail_terms.push_back(TermOf(term, true, together.progress));
    IndexSpan span;
    span.limit = dice() % 2 == 0 ? 10 : 1000;
    if (dice() % 2 == 0) span.before = kFirstRow + static_cast<int64_t>(dice() % kRows);
    if (dice() % 3 == 0) span.since = kMay + static_cast<Micros>(dice() % kRows) * kRowEvery;
    if (dice() % 3 == 0) span.until = kMay + static_cast<Micros>(dice() % kRows) * kRowEvery;

    std::vector<int64_t> expected;
    std::vector<uint64_t> postings(of_envelope.size() + of_detail.size());
    for (int64_t row = kRows - 1; row >= 0; --row) {
      const IndexRow made = RowOf(row);
      if (made.progress != together.progress) continue;
      size_t has = 0, at = 0;
      for (const int term : of_envelope) has += Has(row, term) ? ++postings[at++], 1 : (++at, 0);
      for (const int term : of_detail)
        has += Has(row, term + 100) ? ++postings[at++], 1 : (++at, 0);
      if (has < postings.size() || (span.before >= 0 && made.index >= span.before)) continue;
      if ((span.since && made.time < *span.since) || (span.until && made.time >= *span.until))
        continue;
      if (expected.size() < static_cast<size_t>(span.limit)) expected.push_back(made.index);
    }
    const uint64_t before = month_->steps();
    const auto found = month_->Find(together, span);
    ASSERT_TRUE(found.ok()) << found.status();
    ASSERT_EQ(*found, expected) << "round " << round;
    all_hits += static_cast<int64_t>(expected.size());

    // Each posting of the rarest makes each cursor leap once: some rows, then a look from the root.
    const uint64_t rarest =
        postings.empty() ? 0 : *std::min_element(postings.begin(), postings.end());
    const uint64_t cursors = postings.size() + 2;
    constexpr uint64_t kLeap = 6, kRuns = 40;
    EXPECT_LE(month_->steps() - before, kLeap * cursors * (expected.size() + rarest) + kRuns)
        << "round " << round << ", " << expected.size() << " hits, rarest " << rarest;
  }
  EXPECT_GT(all_hits, 5'000 / int64_t{kSweepStep});
}

TEST_F(IndexMonthTest, WhatItHasNotIsKnownWithoutALook) {
  TermsTogether together;
  together.detail_terms = {TermOf(0, true, false)};
  EXPECT_TRUE(month_->MayHave({together}));
  const uint64_t before = month_->steps();
  int maybe = 0;
  for (int term = 0; term < 1000; ++term) {
    together.detail_terms = {TermOf(0, true, false), int64_t{1} << 40 | term};
    if (!month_->MayHave({together})) continue;
    ++maybe;
    EXPECT_THAT(*month_->Find(together, {.limit = 10}), testing::IsEmpty());
  }
  EXPECT_LT(maybe, 100);
  if (maybe == 0) {
    EXPECT_EQ(month_->steps(), before);
  }
  // What stands in envelopes has to be looked for.
  together.detail_terms.clear();
  together.terms = {int64_t{1} << 40};
  EXPECT_TRUE(month_->MayHave({together}));
  EXPECT_THAT(*month_->Find(together, {.limit = 10}), testing::IsEmpty());
}

TEST_F(IndexMonthTest, StepsOfStreamsAreNotWalkedThroughForOtherRecords) {
  const uint64_t before = month_->steps();
  const auto found = month_->Find({}, {.limit = 100});
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->size(), 100u);
  EXPECT_LE(month_->steps() - before, 200u);
}

TEST_F(IndexMonthTest, ADroppedKeyTakesWhatIsHalfMergedAlong) {
  ASSERT_TRUE(month_->Work(10, true).ok());
  ASSERT_TRUE(files_->Remove(folder_.path() + "/keys/2026-05-three-years.key").ok());
  ASSERT_TRUE(month_->DropErased(*keys_).ok());
  TermsTogether together;
  together.detail_terms = {TermOf(0, true, false)};
  const auto found = month_->Find(together, {.limit = 10});
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_THAT(*found, IsEmpty());
  EXPECT_EQ(month_->erased(), kRows);
  const auto worked = month_->Work(10, true);
  ASSERT_TRUE(worked.ok()) << worked.status();
  EXPECT_FALSE(*worked);
}

}  // namespace
}  // namespace sluice::audit
