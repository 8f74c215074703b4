#include "gateway/audit/index_runs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <set>

#include "absl/strings/str_cat.h"
#include "gateway/audit/record_testing.h"

namespace sluice::audit {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kManyPostings = 1'000'000'000;

class IndexRunsTest : public ::testing::Test {
 protected:
  IndexRunsTest() {
    std::ofstream made_main(folder_.path() + "/main");
    std::ofstream made_details(DetailsFile());
    Connect(folder_.path());
    auto made = IndexRuns::Make(*database_, "d", "format", room_);
    EXPECT_TRUE(made.ok()) << made.status();
    runs_ = *std::move(made);
  }

  std::string DetailsFile() const { return folder_.path() + "/details"; }

  void Connect(const std::string& folder) {
    runs_.reset();
    auto database = store::SqliteConnection::Open(folder + "/main");
    ASSERT_TRUE(database.ok()) << database.status();
    database_ = *std::move(database);
    ASSERT_TRUE(database_->Query("ATTACH ?1 AS d", {folder + "/details"}).ok());
    ASSERT_TRUE(database_->Run("PRAGMA d.journal_mode=WAL").ok());
  }
  void Reopen(const std::string& folder) {
    Connect(folder);
    auto opened = IndexRuns::Open(*database_, "d", "format", room_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    runs_ = *std::move(opened);
  }
  void Reopen() { Reopen(folder_.path()); }

  // So many postings of records that follow each other; some terms come again and again.
  void Add(int64_t postings) {
    std::set<Posting> more;
    while (static_cast<int64_t>(more.size()) < postings) {
      const auto term = static_cast<int64_t>(dice_() % 4 == 0 ? Common(dice_() % 20) : dice_());
      more.insert({term, next_ + static_cast<int64_t>(dice_() % 50)});
    }
    next_ += 50;
    model_.insert(more.begin(), more.end());
    ASSERT_TRUE(runs_->Add({more.begin(), more.end()}, next_).ok());
  }
  static uint64_t Common(uint64_t which) { return which * 0x9e3779b97f4a7c15; }

  void WorkAll(bool past = false, int64_t slice = kManyPostings) {
    for (int i = 0; i < 100'000; ++i) {
      const auto worked = runs_->Work(slice, past);
      ASSERT_TRUE(worked.ok()) << worked.status();
      if (!*worked) return;
    }
    FAIL() << "it never ends";
  }

  // The indices that have the term, newest first, by leaps of any length.
  absl::StatusOr<std::vector<int64_t>> Leaps(int64_t term, uint64_t reach) {
    std::vector<int64_t> found;
    const auto cursor = runs_->Find(term);
    uint64_t steps = 0;
    for (int64_t at = next_ + 100; at >= 0;) {
      const auto index = cursor->AtOrBelow(at, steps);
      if (!index.ok()) return index.status();
      if (*index < 0) break;
      found.push_back(*index);
      at = *index - 1 - static_cast<int64_t>(reach == 0 ? 0 : dice_() % reach);
    }
    return found;
  }
  std::vector<int64_t> InModel(int64_t term) const {
    std::vector<int64_t> found;
    for (auto at = model_.lower_bound({term, -1}); at != model_.end() && at->term == term; ++at)
      found.insert(found.begin(), at->index);
    return found;
  }
  void ExpectLikeModel() {
    for (uint64_t which = 0; which < 21; ++which) {  // the last is of no record
      const auto term = static_cast<int64_t>(Common(which));
      const auto found = Leaps(term, 0);
      ASSERT_TRUE(found.ok()) << found.status();
      ASSERT_EQ(*found, InModel(term)) << which;
    }
    size_t nth = 0;
    for (const Posting& posting : model_) {
      if (nth++ % 97 != 0) continue;
      const auto found = Leaps(posting.term, 0);
      ASSERT_TRUE(found.ok()) << found.status();
      ASSERT_EQ(*found, InModel(posting.term));
    }
  }

  int64_t Count(const std::string& table) {
    return *database_->Number("SELECT count(*) FROM d." + table);
  }

  const TestFolder folder_;
  FilterRoom room_;
  std::unique_ptr<store::SqliteConnection> database_;
  std::unique_ptr<IndexRuns> runs_;
  std::mt19937_64 dice_{11};
  int64_t next_ = 0;
  std::set<Posting> model_;
};

TEST(RunLevelTest, EachLevelIsEightTimesTheOneBelow) {
  EXPECT_EQ(RunLevel(1), 0);
  EXPECT_EQ(RunLevel(4095), 0);
  EXPECT_EQ(RunLevel(4096), 1);
  EXPECT_EQ(RunLevel(8 * 4096 - 1), 1);
  EXPECT_EQ(RunLevel(8 * 4096), 2);
  EXPECT_EQ(RunLevel(64 * 4096), 3);
}

TEST(IndexBlockTest, HoldsAnyPostings) {
  std::mt19937_64 dice(5);
  for (const int64_t lowest : {int64_t{0}, int64_t{1} << 40}) {
    for (int round = 0; round < 50; ++round) {
      std::set<Posting> postings;
      const uint64_t near = dice() % 64;
      for (int i = 0; i < 5000; ++i)
        postings.insert({static_cast<int64_t>(dice() >> near << (near / 2)),
                         lowest + static_cast<int64_t>(dice() % 1000)});
      postings.insert({std::numeric_limits<int64_t>::min(), lowest});
      postings.insert({std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::max()});
      BlockPacker packer(7, lowest);
      std::vector<Posting> unpacked;
      uint64_t number = 0;
      const auto take = [&] {
        const std::string bytes = packer.Take();
        EXPECT_LE(bytes.size(), kBlockBytes);
        const auto block = UnpackBlock(bytes, 7);
        ASSERT_TRUE(block.ok()) << block.status();
        EXPECT_EQ(block->number, number++);
        unpacked.insert(unpacked.end(), block->postings.begin(), block->postings.end());
        EXPECT_TRUE(absl::IsDataLoss(UnpackBlock(bytes, 8).status()));
      };
      for (const Posting& posting : postings) {
        if (packer.Add(posting)) continue;
        take();
        ASSERT_TRUE(packer.Add(posting));
      }
      take();
      ASSERT_TRUE(packer.empty());
      ASSERT_EQ(unpacked, std::vector<Posting>(postings.begin(), postings.end()));
    }
  }
}

TEST(IndexBlockTest, AnyDamageIsNoticed) {
  BlockPacker packer(1, 0);
  for (int64_t i = 0; i < 40; ++i) ASSERT_TRUE(packer.Add({i * i, i}));
  const std::string bytes = packer.Take();
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::string bad = bytes;
    bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 8)));
    EXPECT_TRUE(absl::IsDataLoss(UnpackBlock(bad, 1).status())) << at;
    EXPECT_TRUE(absl::IsDataLoss(UnpackBlock(bytes.substr(0, at), 1).status())) << at;
  }
  EXPECT_TRUE(UnpackBlock(bytes, 1).ok());
}

TEST_F(IndexRunsTest, HoldsWhatASetHolds) {
  // All sizes, merged by slices of all sizes, with searches in between.
  for (int round = 0; round < 120; ++round) {
    Add(static_cast<int64_t>(dice_() % (round % 10 == 0 ? 6000 : 300) + 1));
    for (uint64_t i = dice_() % 4; i > 0; --i)
      ASSERT_TRUE(runs_->Work(static_cast<int64_t>(dice_() % 3000 + 1), false).ok());
    if (round % 20 == 7) ExpectLikeModel();
    if (round % 40 == 17) Reopen();
  }
  ExpectLikeModel();
  WorkAll();
  ExpectLikeModel();
  EXPECT_LE(runs_->visible_runs(), 2 * (kMergedAtOnce - 1));
  WorkAll(/*past=*/true, 1000);
  ExpectLikeModel();
  EXPECT_LE(runs_->visible_runs(), 3u);
  // What was merged is gone.
  EXPECT_EQ(Count("runs"), static_cast<int64_t>(runs_->visible_runs()));
  EXPECT_EQ(Count("blocks"), Count("fences"));
  EXPECT_EQ(Count("fences"), *database_->Number("SELECT sum(blocks) FROM d.runs"));
}

TEST_F(IndexRunsTest, ALeapIsAsGoodAsManySteps) {
  for (int i = 0; i < 30; ++i) Add(3000);
  for (uint64_t which = 0; which < 20; ++which) {
    const auto term = static_cast<int64_t>(Common(which));
    const std::vector<int64_t> all = InModel(term);
    const auto cursor = runs_->Find(term);
    uint64_t steps = 0;
    for (int64_t at = next_ + 100; at >= 0; at -= static_cast<int64_t>(dice_() % 200)) {
      const auto expected =
          std::find_if(all.begin(), all.end(), [&](int64_t i) { return i <= at; });
      const auto found = cursor->AtOrBelow(at, steps);
      ASSERT_TRUE(found.ok()) << found.status();
      ASSERT_EQ(*found, expected == all.end() ? -1 : *expected) << at;
    }
  }
}

TEST_F(IndexRunsTest, EightOfALevelBecomeOneOfTheNext) {
  const auto runs = [&] {
    std::vector<int64_t> sizes;
    const auto rows = database_->Query("SELECT postings FROM d.runs WHERE state=1 ORDER BY id");
    EXPECT_TRUE(rows.ok()) << rows.status();
    for (const store::SqlRow& row : *rows) sizes.push_back(row.Int(0));
    return sizes;
  };
  for (int i = 0; i < 7; ++i) Add(kSmallRun / 8);
  Add(kSmallRun);
  WorkAll();
  EXPECT_EQ(runs().size(), 8u);  // seven of one level, one of the next
  Add(kSmallRun / 8 - 1);
  WorkAll();
  EXPECT_THAT(runs(), ElementsAre(kSmallRun, kSmallRun - 1));
  for (int i = 0; i < 6; ++i) Add(kSmallRun);
  WorkAll();
  EXPECT_EQ(runs().size(), 8u);
  Add(1);
  WorkAll();
  EXPECT_EQ(runs().size(), 9u);
  Add(8 * kSmallRun - 1);
  WorkAll();
  EXPECT_EQ(runs().size(), 3u);
  EXPECT_EQ(runs_->postings(), static_cast<int64_t>(model_.size()));
  ExpectLikeModel();
}

TEST_F(IndexRunsTest, WhatIsAddedTwiceIsFoundOnce) {
  const std::vector<Posting> postings = {{1, 5}, {1, 6}, {2, 5}};
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(runs_->Add(postings, 6).ok());
  next_ = 6;
  EXPECT_THAT(*Leaps(1, 0), ElementsAre(6, 5));
  WorkAll();
  EXPECT_EQ(runs_->postings(), 3);
  EXPECT_THAT(*Leaps(1, 0), ElementsAre(6, 5));
  EXPECT_THAT(*Leaps(3, 0), IsEmpty());
  EXPECT_EQ(runs_->newest(), 6);
}

// The files as they stood after each commit of a merge and of what is deleted after it.
TEST_F(IndexRunsTest, ACrashAfterAnyCommitLosesNothing) {
  for (int i = 0; i < 8; ++i) Add(700);
  std::vector<std::string> crashes;
  for (;;) {
    const std::string crash = absl::StrCat(folder_.path(), "/crash", crashes.size());
    std::filesystem::create_directory(crash);
    for (const char* file : {"main", "details", "details-wal"})
      std::filesystem::copy_file(folder_.path() + "/" + file, crash + "/" + file);
    crashes.push_back(crash);
    const auto worked = runs_->Work(400, false);
    ASSERT_TRUE(worked.ok()) << worked.status();
    if (!*worked) break;
  }
  ASSERT_GT(crashes.size(), 20u);
  for (const std::string& crash : crashes) {
    SCOPED_TRACE(crash);
    Reopen(crash);
    EXPECT_EQ(runs_->newest(), next_);
    ExpectLikeModel();
    WorkAll();
    ExpectLikeModel();
    EXPECT_EQ(runs_->visible_runs(), 1u);
    EXPECT_EQ(Count("runs"), 1);
    EXPECT_EQ(Count("blocks"), *database_->Number("SELECT blocks FROM d.runs"));
    EXPECT_EQ(Count("fences"), Count("blocks"));
  }
}

TEST_F(IndexRunsTest, AFullDiskLeavesWhatWasThere) {
  for (int i = 0; i < 8; ++i) Add(2000);
  const int64_t pages = *database_->Number("PRAGMA d.page_count");
  ASSERT_TRUE(database_->Number(absl::StrCat("PRAGMA d.max_page_count=", pages + 3)).ok());
  EXPECT_TRUE(absl::IsResourceExhausted(runs_->Work(kManyPostings, false).status()));
  std::vector<Posting> many;
  for (int64_t i = 0; i < 10'000; ++i) many.push_back({i << 40, 5});
  EXPECT_TRUE(absl::IsResourceExhausted(runs_->Add(many, next_ + 9)));
  EXPECT_EQ(runs_->newest(), next_);
  ExpectLikeModel();
  ASSERT_TRUE(database_->Number("PRAGMA d.max_page_count=1000000").ok());
  WorkAll();
  EXPECT_EQ(runs_->visible_runs(), 1u);
  ExpectLikeModel();
}

TEST_F(IndexRunsTest, DamageIsNoticedWhereItIsRead) {
  for (int i = 0; i < 8; ++i) Add(1000);
  const int64_t block = Count("blocks") / 2;
  ASSERT_GT(block, 2);
  const auto place = database_->Query(absl::StrCat("SELECT run FROM d.fences WHERE block=", block));
  ASSERT_TRUE(place.ok());
  const auto bytes = database_->Query(absl::StrCat("SELECT data FROM d.blocks WHERE id=", block));
  ASSERT_TRUE(bytes.ok());
  const auto whole = UnpackBlock((*bytes)[0].Text(0), (*place)[0].Int(0));
  ASSERT_TRUE(whole.ok()) << whole.status();
  const int64_t term = whole->postings.back().term;
  const char* const kDamages[] = {
      "",
      "UPDATE d.blocks SET data=(SELECT data FROM d.blocks WHERE id<>@ LIMIT 1) WHERE id=@",
      "UPDATE d.blocks SET data=substr(data, 1, length(data) - 1) WHERE id=@",
      "UPDATE d.blocks SET data=substr(data, 1, 90)||x'0000'||substr(data, 93) WHERE id=@",
      "DELETE FROM d.blocks WHERE id=@",
      "UPDATE d.fences SET term=term+1 WHERE block=@",
      "UPDATE d.fences SET block=block-1 WHERE block=@",
      "DELETE FROM d.fences WHERE block=@",
      "DELETE FROM d.runs WHERE id=(SELECT run FROM d.fences WHERE block=@)",
      "UPDATE d.filters SET data=substr(data, 1, 90)||x'0000'||substr(data, 93) WHERE run=(SELECT "
      "run "
      "FROM d.fences WHERE block=@)"};
  ASSERT_TRUE(database_->Number("PRAGMA d.wal_checkpoint(TRUNCATE)").ok());
  runs_.reset();
  database_.reset();
  for (const char* damage : kDamages) {
    SCOPED_TRACE(damage);
    const std::string folder = folder_.path() + "/damaged";
    std::filesystem::remove_all(folder);
    std::filesystem::create_directory(folder);
    for (const char* file : {"main", "details"})
      std::filesystem::copy_file(folder_.path() + "/" + file, folder + "/" + file);
    Connect(folder);
    std::string sql;
    for (const char* c = damage; *c != 0; ++c) *c == '@' ? sql += absl::StrCat(block) : sql += *c;
    ASSERT_TRUE(database_->Run(sql).ok());
    // What is found, what a merge reads.
    const auto opened = IndexRuns::Open(*database_, "d", "format", room_);
    if (*damage == 0) {
      ASSERT_TRUE(opened.ok()) << opened.status();
    } else if (!opened.ok()) {
      EXPECT_TRUE(absl::IsDataLoss(opened.status())) << opened.status();
      continue;
    }
    uint64_t steps = 0;
    const auto found = (*opened)->Find(term)->AtOrBelow(next_ + 100, steps);
    const auto merged = (*opened)->Work(kManyPostings, false);
    EXPECT_EQ(absl::IsDataLoss(found.status()), *damage != 0) << found.status();
    EXPECT_EQ(absl::IsDataLoss(merged.status()), *damage != 0) << merged.status();
  }
}

TEST_F(IndexRunsTest, EachRunHasItsFilterWhileThereIsRoom) {
  const size_t room = room_.left;
  for (int i = 0; i < 20; ++i) Add(1000);
  WorkAll();
  EXPECT_EQ(Count("filters"), static_cast<int64_t>(runs_->visible_runs()));
  EXPECT_LT(room_.left, room);
  const size_t used = room - room_.left;
  EXPECT_NEAR(static_cast<double>(used), 20'000 * 10 / 8, 3000);
  const auto falsely = [&] {
    int count = 0;
    for (uint64_t i = 1; i <= 1000; ++i) count += runs_->MayHave(static_cast<int64_t>(i << 20));
    return count;
  };
  EXPECT_LT(falsely(), 200);  // over six runs
  for (const Posting& posting : model_) EXPECT_TRUE(runs_->MayHave(posting.term));
  Reopen();
  EXPECT_EQ(room - room_.left, used);
  EXPECT_LT(falsely(), 200);
  ExpectLikeModel();

  // Without room everything is found as before, if not as soon.
  runs_.reset();
  EXPECT_EQ(room_.left, room);
  room_.left = 0;
  Reopen();
  EXPECT_EQ(falsely(), 1000);
  for (int i = 0; i < 20; ++i) Add(1000);
  WorkAll();
  ExpectLikeModel();
  EXPECT_LT(Count("filters"), static_cast<int64_t>(runs_->visible_runs()));
}

TEST_F(IndexRunsTest, AnotherFormatIsRefused) {
  Connect(folder_.path());
  EXPECT_TRUE(absl::IsDataLoss(IndexRuns::Open(*database_, "d", "other", room_).status()));
}

}  // namespace
}  // namespace sluice::audit
