// Tiles made from a log that runs, against the checker that rebuilds them from entries.
#include "gateway/audit/log_tiles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "gateway/audit/log_testing.h"
#include "gateway/base/error.h"

namespace sluice::audit {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class LogTilesTest : public ::testing::Test {
 protected:
  LogTilesTest() { EXPECT_TRUE(files_.CreateDirectories("/gw").ok()); }

  std::unique_ptr<Log> OpenTileLog() {
    auto log = OpenLog(options_, files_, clock_, key_, nullptr);
    EXPECT_TRUE(log.ok()) << log.status();
    return *std::move(log);
  }
  void Append(Log& log, int count) {
    std::vector<SealedRecord> records;
    for (int i = 0; i < count; ++i) {
      records.push_back(MakeRecord(v1::RECORD_KIND_RELEASED, absl::StrCat("dataset ", i), 50));
      records.back().sealed_detail = "SEALED DETAIL";
    }
    for (const auto& receipt : AppendAll(log, std::move(records))) EXPECT_TRUE(receipt.ok());
  }
  // All tiles of the head's tree, held against its root.
  absl::Status CheckAll(Log& log) {
    SLUICE_ASSIGN_OR_RETURN(const std::string note, AskForHead(log, clock_));
    SLUICE_ASSIGN_OR_RETURN(const Checkpoint head, VerifyCheckpoint(note, TestLogVerifier()));
    return CheckTiles(head.size, head.root,
                      [&](const TileId& id) { return ReadTile(log, head.size, id); });
  }

  FakeFileSystem files_;
  FakeClock clock_;
  LogOptions options_ = TestLogOptions();
  SigningKey key_ = TestLogKey();
};

TEST_F(LogTilesTest, EveryTileHoldsWhatTheHeadSaysAlsoOverSegmentsAndAfterReopening) {
  auto log = OpenTileLog();
  for (const int more : {1, 254, 1, 1, 255, 300}) {  // 1 255 256 257 512 812
    Append(*log, more);
    const absl::Status holds = CheckAll(*log);
    EXPECT_TRUE(holds.ok()) << log->size() << ": " << holds;
  }
  ASSERT_TRUE(log->Close().ok());
  log = OpenTileLog();
  Append(*log, 1);
  const absl::Status holds = CheckAll(*log);
  EXPECT_TRUE(holds.ok()) << holds;
}

TEST_F(LogTilesTest, TheTreeHasNoOthers) {
  const auto log = OpenTileLog();
  Append(*log, 300);
  // Of the tree of 258, though there are more records.
  const auto read = [&](const TileId& id) { return ReadTile(*log, 258, id).status(); };
  for (const int level : {-1, 0}) {
    for (const uint32_t width : {1u, 255u, 256u}) EXPECT_TRUE(read({level, 0, width}).ok());
    EXPECT_TRUE(read({level, 1, 2}).ok());
    for (const TileId& id : {TileId{level, 1, 3}, TileId{level, 1, 256}, TileId{level, 2, 1},
                             TileId{level, UINT64_MAX, 1}, TileId{level, UINT64_MAX / 256, 256},
                             TileId{level, 0, 0}, TileId{level, 0, 257}})
      EXPECT_EQ(ReasonOf(read(id)), v1::REASON_RECORD_NOT_FOUND) << level << " " << id.index;
  }
  EXPECT_TRUE(read({1, 0, 1}).ok());
  for (const TileId& id :
       {TileId{1, 0, 2}, TileId{1, 0, 256}, TileId{2, 0, 1}, TileId{8, 0, 1}, TileId{63, 0, 1}})
    EXPECT_EQ(ReasonOf(read(id)), v1::REASON_RECORD_NOT_FOUND) << id.level;
  EXPECT_EQ(ReasonOf(ReadTile(*log, 0, {0, 0, 1}).status()), v1::REASON_RECORD_NOT_FOUND);
}

TEST_F(LogTilesTest, ProofsOfEveryRecordHoldUnderAnOlderTree) {
  const auto log = OpenTileLog();
  Append(*log, 600);
  const auto note = AskForHead(*log, clock_);
  ASSERT_TRUE(note.ok()) << note.status();
  const auto head = VerifyCheckpoint(*note, TestLogVerifier());
  ASSERT_TRUE(head.ok()) << head.status();
  Append(*log, 300);
  const SubtreeHash subtrees = SubtreesOf(*log, head->size);
  // Backwards once too: what was kept is not what is asked for.
  for (const bool backwards : {false, true}) {
    for (uint64_t i = 0; i < head->size; ++i) {
      const uint64_t index = backwards ? head->size - 1 - i : i;
      const auto path = InclusionProof(index, head->size, subtrees);
      const auto leaf = subtrees(index, 0);
      ASSERT_TRUE(path.ok()) << index << ": " << path.status();
      ASSERT_TRUE(leaf.ok()) << index << ": " << leaf.status();
      EXPECT_TRUE(CheckInclusion(index, head->size, *leaf, *path, head->root).ok()) << index;
    }
  }
}

TEST_F(LogTilesTest, BundlesHaveEnvelopesAndNoDetails) {
  const auto log = OpenTileLog();
  Append(*log, 3);
  const auto bundle = ReadTile(*log, 3, {-1, 0, 3});
  ASSERT_TRUE(bundle.ok()) << bundle.status();
  const auto entries = DecodeBundle(*bundle);
  ASSERT_TRUE(entries.ok());
  EXPECT_EQ(entries->at(1), MakeRecord(v1::RECORD_KIND_RELEASED, "dataset 1", 50).envelope);
  EXPECT_THAT(*bundle, Not(HasSubstr("SEALED DETAIL")));
}

}  // namespace
}  // namespace sluice::audit
