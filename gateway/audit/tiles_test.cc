#include "gateway/audit/tiles.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <random>
#include <set>

#include "absl/strings/str_cat.h"
#include "gateway/audit/signed_note.h"
#include "gateway/base/cases_testing.h"

namespace sluice::audit {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Files by name, as a server of tiles has them.
using Files = std::map<std::string, std::string>;
using ReadTile = std::function<absl::StatusOr<std::string>(const TileId&)>;

ReadTile Reading(const Files& files) {
  return [&files](const TileId& id) -> absl::StatusOr<std::string> {
    const auto found = files.find(TilePath(id));
    if (found == files.end()) return absl::NotFoundError(TilePath(id));
    return found->second;
  };
}

// The tiles of these entries, from the definition: hash i of level l is the root of 256^l leaves.
Files TilesOf(const std::vector<std::string>& entries, uint64_t old_size = 0) {
  std::vector<std::vector<Hash>> levels(1);
  for (const std::string& entry : entries) levels[0].push_back(LeafHash(entry));
  while (levels.back().size() >= kTileWidth) {
    std::vector<Hash> above;
    for (auto from = levels.back().begin(); levels.back().end() - from >= 256; from += 256) {
      above.push_back(RootOf(std::vector<Hash>(from, from + 256)));
    }
    levels.push_back(above);
  }
  Files files;
  for (const TileId& id : NewTiles(old_size, entries.size())) {
    const auto begin = static_cast<ptrdiff_t>(id.index * kTileWidth), end = begin + id.width;
    if (id.level < 0) {
      files[TilePath(id)] = EncodeBundle({entries.begin() + begin, entries.begin() + end});
    } else {
      const std::vector<Hash>& level = levels[static_cast<size_t>(id.level)];
      files[TilePath(id)] = EncodeTile({level.begin() + begin, level.begin() + end});
    }
  }
  return files;
}

std::vector<std::string> NumberedEntries(uint64_t count) {
  std::vector<std::string> entries;
  for (uint64_t i = 0; i < count; ++i) entries.push_back(absl::StrCat("leaf ", i));
  return entries;
}

std::vector<Hash> LeavesOf(const std::vector<std::string>& entries) {
  std::vector<Hash> leaves;
  for (const std::string& entry : entries) leaves.push_back(LeafHash(entry));
  return leaves;
}

Hash RootOfFirst(const std::vector<Hash>& leaves, uint64_t size) {
  return RootOf({leaves.begin(), leaves.begin() + static_cast<ptrdiff_t>(size)});
}

TEST(TilePathTest, NamesReadAndWriteBack) {
  const std::pair<TileId, const char*> names[] = {
      {{0, 0, 256}, "tile/0/000"},
      {{0, 0, 12}, "tile/0/000.p/12"},
      {{0, 1234067, 256}, "tile/0/x001/x234/067"},
      {{3, 123456078, 256}, "tile/3/x123/x456/078"},
      {{1, 3057500, 255}, "tile/1/x003/x057/500.p/255"},
      {{-1, 0, 256}, "tile/entries/000"},
      {{-1, 1000, 1}, "tile/entries/x001/000.p/1"},
      {{63, UINT64_MAX, 256}, "tile/63/x018/x446/x744/x073/x709/x551/615"}};
  for (const auto& [id, name] : names) {
    EXPECT_EQ(TilePath(id), name);
    const auto parsed = ParseTilePath(name);
    ASSERT_TRUE(parsed.ok()) << name;
    EXPECT_EQ(*parsed, id) << name;
  }
}

TEST(TilePathTest, OtherNamesAreRefused) {
  for (const char* name : {"",
                           "tile",
                           "tile/",
                           "tile/0",
                           "tile/0/",
                           "/tile/0/000",
                           "tile/0/0",
                           "tile/0/00",
                           "tile/0/0000",
                           "tile/00/000",
                           "tile/64/000",
                           "tile/-1/000",
                           "tile/+1/000",
                           "tile//000",
                           "tile/0/123/456/078",
                           "tile/0/x123/456/078",
                           "tile/0/x000/067",
                           "tile/0/x123/x456/x078",
                           "tile/0/x001",
                           "tile/0/x1/000",
                           "tile/0/+12",
                           "tile/0/ 12",
                           "tile/0/0x1",
                           "tile/0/000/",
                           "tile/0/000.p",
                           "tile/0/000.p/",
                           "tile/0/000.p/0",
                           "tile/0/000.p/00",
                           "tile/0/000.p/01",
                           "tile/0/000.p/256",
                           "tile/0/000.p/1/",
                           "tile/0/000.p/1.p/1",
                           "tile/0/.p/1",
                           "tile/entries",
                           "tile/entries/",
                           "tile/Entries/000",
                           "tile/0/../000",
                           "tile/0/x..",
                           "tile/63/x018/x446/x744/x073/x709/x551/616",
                           "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
                           "checkpoint"}) {
    EXPECT_FALSE(ParseTilePath(name).ok()) << name;
  }
}

TEST(TilePathTest, SeededMutationsAreEachATilesOnlyNameOrNone) {
  std::mt19937 random(3);
  int good = 0;
  for (int round = 0; round < 50000; ++round) {
    std::string name = TilePath({.level = static_cast<int>(random() % 65) - 1,
                                 .index = random() >> (random() % 32),
                                 .width = static_cast<uint32_t>(1 + random() % 256)});
    const size_t at = random() % name.size();
    if (random() % 2 == 0) name.erase(at, 1 + random() % 3);
    if (random() % 2 == 0)
      name.insert(at % (name.size() + 1), 1, "0123456789x./p-+e"[random() % 17]);
    const auto id = ParseTilePath(name);
    if (!id.ok()) continue;
    ++good;
    EXPECT_EQ(TilePath(*id), name);
  }
  EXPECT_GT(good, 100);
}

std::vector<std::string> Names(const std::vector<TileId>& ids) {
  std::vector<std::string> names;
  for (const TileId& id : ids) names.push_back(TilePath(id));
  return names;
}

TEST(NewTilesTest, NamesWhatAGrownTreeHasAnew) {
  EXPECT_THAT(Names(NewTiles(0, 0)), ElementsAre());
  EXPECT_THAT(Names(NewTiles(5, 5)), ElementsAre());
  EXPECT_THAT(Names(NewTiles(0, 1)), ElementsAre("tile/entries/000.p/1", "tile/0/000.p/1"));
  EXPECT_THAT(Names(NewTiles(0, 256)),
              ElementsAre("tile/entries/000", "tile/0/000", "tile/1/000.p/1"));
  EXPECT_THAT(Names(NewTiles(255, 257)),
              ElementsAre("tile/entries/000", "tile/entries/001.p/1", "tile/0/000",
                          "tile/0/001.p/1", "tile/1/000.p/1"));
  EXPECT_THAT(Names(NewTiles(256, 257)), ElementsAre("tile/entries/001.p/1", "tile/0/001.p/1"));

  std::map<int, int> full, partial;
  for (const TileId& id : NewTiles(0, 70000)) {
    if (id.width == 256) ++full[id.level];
    if (id.width < 256) partial[id.level] = static_cast<int>(id.width);
  }
  EXPECT_EQ(full, (std::map<int, int>{{-1, 273}, {0, 273}, {1, 1}}));
  EXPECT_EQ(partial, (std::map<int, int>{{-1, 112}, {0, 112}, {1, 17}, {2, 1}}));
}

TEST(NewTilesTest, GrowingInStepsGivesAllThatTheLastTreeNeeds) {
  std::mt19937 random(5);
  const uint64_t last = 66000;
  std::set<std::string> made;
  for (uint64_t size = 0; size < last;) {
    const uint64_t next = std::min<uint64_t>(last, size + 1 + random() % 700);
    for (const std::string& name : Names(NewTiles(size, next))) {
      EXPECT_TRUE(made.insert(name).second) << name << " was there before " << next;
    }
    size = next;
  }
  for (const std::string& name : Names(NewTiles(0, last))) EXPECT_TRUE(made.contains(name)) << name;
}

TEST(BundleTest, PublishedBundleReadsAndWritesBack) {
  const std::vector<std::string> entries = {"one", "two", "three"};
  EXPECT_EQ(HexEncode(EncodeBundle(entries)), "00036f6e65000374776f00057468726565");
  EXPECT_EQ(*DecodeBundle(EncodeBundle(entries)), entries);
  EXPECT_EQ(Base64Encode(AsBytes(RootOf(LeavesOf(entries)))),
            "Wqx3HImawpLnS/Gv4ubjAvi1WIOy0b8Ze0amvqbavKk=");
  const std::vector<std::string> extremes = {"", std::string(65535, 'x'), ""};
  EXPECT_EQ(*DecodeBundle(EncodeBundle(extremes)), extremes);
}

TEST(BundleTest, ACutBundleIsRefusedOrShorter) {
  const std::string bundle = EncodeBundle({"one", "two", "three"});
  for (size_t size = 0; size < bundle.size(); ++size) {
    const auto entries = DecodeBundle(bundle.substr(0, size));
    EXPECT_EQ(entries.ok(), size == 0 || size == 5 || size == 10) << size;
  }
  EXPECT_TRUE(DecodeBundle(std::string(2 * 256, '\0')).ok());
  EXPECT_FALSE(DecodeBundle(std::string(2 * 257, '\0')).ok());
}

TEST(TilesTest, PublishedTilesOf70000Leaves) {
  const Files files = TilesOf(NumberedEntries(70000));
  const auto digest = [&](const char* name) { return HexEncode(AsBytes(Sha256(files.at(name)))); };
  EXPECT_EQ(digest("tile/0/000"),
            "3658d44ebeb979b996b87ac966392dffbe9a628e34cb70bbff0ba844e74c31c6");
  EXPECT_EQ(digest("tile/0/273.p/112"),
            "a8e4ee4e4f31c2fac9bb546b9b57c22f6c92e15c11adee487d09ebc926ab3ad7");
  EXPECT_EQ(digest("tile/1/001.p/17"),
            "f1b11556adcce30fcd3fca6ef542ccf6a4319ab92143fb7c8f6c8f1d2e08209e");
  EXPECT_EQ(HexEncode(files.at("tile/2/000.p/1")),
            "e100ba54d69a91012fc13b7890feac78d6996a097268b6f735d17311c7402a60");
}

TEST(TilesTest, ProofsOutOfTilesHold) {
  const std::vector<std::string> entries = NumberedEntries(70000);
  const Files files = TilesOf(entries);
  const std::vector<Hash> leaves = LeavesOf(entries);
  const Hash root = RootOf(leaves);
  const SubtreeHash subtrees = SubtreesFromTiles(70000, Reading(files));
  EXPECT_EQ(*RootFromSubtrees(70000, subtrees), root);
  for (const uint64_t index : {0, 1, 255, 256, 65535, 65536, 69887, 69888, 69999}) {
    const auto path = InclusionProof(index, 70000, subtrees);
    ASSERT_TRUE(path.ok()) << path.status();
    EXPECT_TRUE(CheckInclusion(index, 70000, leaves[index], *path, root).ok()) << index;
    const auto proof = ConsistencyProof(index + 1, 70000, subtrees);
    ASSERT_TRUE(proof.ok()) << proof.status();
    EXPECT_TRUE(
        CheckConsistency(index + 1, 70000, RootOfFirst(leaves, index + 1), root, *proof).ok());
  }
  EXPECT_TRUE(CheckTiles(70000, root, Reading(files)).ok());
}

TEST(TilesTest, AProofReadsEachTileOnce) {
  const Files files = TilesOf(NumberedEntries(70000));
  std::map<std::string, int> reads;
  const SubtreeHash subtrees = SubtreesFromTiles(70000, [&](const TileId& id) {
    ++reads[TilePath(id)];
    return Reading(files)(id);
  });
  ASSERT_TRUE(InclusionProof(300, 70000, subtrees).ok());
  for (const auto& [name, count] : reads) EXPECT_LE(count, 2) << name;
  EXPECT_LE(reads.size(), 5u);
}

TEST(TilesTest, SubtreesThatATreeDoesNotHaveAreRefused) {
  const Files files = TilesOf(NumberedEntries(300));
  const SubtreeHash subtrees = SubtreesFromTiles(300, Reading(files));
  EXPECT_TRUE(subtrees(256, 5).ok());
  EXPECT_TRUE(subtrees(0, 8).ok());
  EXPECT_FALSE(subtrees(256, 6).ok());  // 44 leaves are there
  EXPECT_FALSE(subtrees(300, 0).ok());  // the end
  EXPECT_FALSE(subtrees(1, 1).ok());    // not aligned
  EXPECT_FALSE(subtrees(256, 8).ok());
  EXPECT_FALSE(subtrees(0, 9).ok());
  EXPECT_FALSE(subtrees(0, 63).ok());
  EXPECT_FALSE(subtrees(0, 64).ok());
  EXPECT_FALSE(subtrees(0, -1).ok());
  EXPECT_FALSE(subtrees(UINT64_MAX, 0).ok());
}

TEST(TilesTest, AFullTileMayAnswerForAPartialOneAndNoOtherLengthMay) {
  const std::vector<std::string> entries = NumberedEntries(300);
  const Hash root_of_200 = RootOfFirst(LeavesOf(entries), 200);
  const Files files = TilesOf(entries);
  const ReadTile full_only = [&](const TileId& id) {
    return Reading(files)({.level = id.level, .index = id.index});
  };
  EXPECT_EQ(*RootFromSubtrees(200, SubtreesFromTiles(200, full_only)), root_of_200);
  EXPECT_TRUE(CheckTiles(200, root_of_200, full_only).ok());
  for (const size_t size : {0, 1, 199 * 32, 200 * 32 - 1, 200 * 32 + 1, 201 * 32, 257 * 32}) {
    const SubtreeHash subtrees = SubtreesFromTiles(
        200, [&](const TileId&) -> absl::StatusOr<std::string> { return std::string(size, 'x'); });
    EXPECT_FALSE(subtrees(0, 0).ok()) << size;
  }
}

TEST(TilesTest, AFailedReadIsHandedOn) {
  const Files none;
  EXPECT_EQ(SubtreesFromTiles(3, Reading(none))(0, 0).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(CheckTiles(3, EmptyRoot(), Reading(none)).code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(CheckTiles(0, EmptyRoot(), Reading(none)).ok());
  EXPECT_FALSE(CheckTiles(0, LeafHash(""), Reading(none)).ok());
}

// The example of docs/formats/merkle-and-tiles.md, computed anew.
TEST(TilesTest, TheDocumentsExampleIsTrue) {
  const std::string document = ReadSourceFile("docs/formats/merkle-and-tiles.md");
  const auto key = SigningKey::FromSeed(
      *HexDecode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));
  const std::vector<std::string> entries = {"one", "two", "three"};
  const std::vector<Hash> leaves = LeavesOf(entries);
  const Hash root = RootOf(leaves);
  for (const Hash& leaf : leaves) EXPECT_THAT(document, HasSubstr(HexEncode(AsBytes(leaf))));
  EXPECT_THAT(document, HasSubstr(HexEncode(AsBytes(NodeHash(leaves[0], leaves[1])))));
  EXPECT_THAT(document, HasSubstr(HexEncode(AsBytes(root))));
  EXPECT_THAT(document, HasSubstr(HexEncode(EncodeBundle(entries))));

  const Checkpoint head{.origin = "gw1.gov.example/log", .size = 3, .root = root};
  const std::string note = SignNote(FormatCheckpointBody(head), head.origin, *key);
  EXPECT_THAT(document, HasSubstr("\n" + note));
  const VerifierKey verifier = *MakeVerifierKey(head.origin, KeyType::kEd25519, key->public_key());
  EXPECT_THAT(document, HasSubstr(FormatVerifierKey(verifier)));
  EXPECT_THAT(document, HasSubstr(PaperForm(verifier)));

  const Files files = TilesOf(entries);
  const auto path = InclusionProof(1, 3, SubtreesFromTiles(3, Reading(files)));
  ASSERT_TRUE(path.ok());
  const std::string proof = FormatTlogProof({.index = 1, .path = *path, .checkpoint = note});
  EXPECT_THAT(document, HasSubstr(proof));
  EXPECT_TRUE(VerifyTlogProof(*ParseTlogProof(proof), "two", verifier).ok());
}

class Tessera15 : public ::testing::Test {
 protected:
  void SetUp() override {
    SLUICE_CASES_OR_SKIP(cases);
    folder_ = *cases + "/tlog/tessera15/log/";
    for (const auto& file : std::filesystem::recursive_directory_iterator(folder_ + "tile")) {
      if (!file.is_regular_file()) continue;
      files_[std::filesystem::relative(file.path(), folder_)] = ReadTestFile(file.path());
    }
    for (uint64_t size = 0; size <= 15; ++size) {
      notes_.push_back(ReadTestFile(absl::StrCat(folder_, "checkpoint.", size)));
      const auto head = VerifyCheckpoint(notes_.back(), key_);
      ASSERT_TRUE(head.ok()) << head.status();
      ASSERT_EQ(head->size, size);
      heads_.push_back(*head);
    }
  }

  const VerifierKey key_ = *ParseVerifierKey(
      "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx");
  std::string folder_;
  Files files_;
  std::vector<std::string> notes_;
  std::vector<Checkpoint> heads_;
};

TEST_F(Tessera15, EverySizeHasTheSignedRoot) {
  ASSERT_EQ(files_.size(), 30u);
  EXPECT_EQ(HexEncode(AsBytes(heads_[15].root)),
            "aca6c38a90af86e5f5199ee0e4105ef2c03a05b27b8daff59e4e36eefdfcddcb");
  const std::vector<std::string> entries = *DecodeBundle(files_["tile/entries/000.p/15"]);
  ASSERT_EQ(entries.size(), 15u);
  CompactRange range;
  for (uint64_t size = 0; size <= 15; ++size) {
    if (size > 0) range.Append(LeafHash(entries[size - 1]));
    EXPECT_EQ(range.Root(), heads_[size].root);
    EXPECT_EQ(*RootFromSubtrees(size, SubtreesFromTiles(size, Reading(files_))), heads_[size].root);
    EXPECT_TRUE(CheckTiles(size, heads_[size].root, Reading(files_)).ok());
    // What we write is, byte by byte, what the other implementation wrote.
    for (const auto& [name, bytes] :
         TilesOf({entries.begin(), entries.begin() + static_cast<ptrdiff_t>(size)})) {
      EXPECT_EQ(files_[name], bytes) << name;
    }
  }
}

TEST_F(Tessera15, EveryPairOfSizesIsConsistent) {
  for (uint64_t size = 1; size <= 15; ++size) {
    const SubtreeHash subtrees = SubtreesFromTiles(size, Reading(files_));
    for (uint64_t old_size = 1; old_size <= size; ++old_size) {
      const auto proof = ConsistencyProof(old_size, size, subtrees);
      ASSERT_TRUE(proof.ok());
      const Hash &old_root = heads_[old_size].root, &root = heads_[size].root;
      EXPECT_TRUE(CheckConsistency(old_size, size, old_root, root, *proof).ok());
      // The other way round nothing is proved.
      EXPECT_EQ(CheckConsistency(size, old_size, root, old_root, *proof).ok(), old_size == size);
      EXPECT_EQ(ConsistencyProof(size, old_size, subtrees).ok(), old_size == size);
    }
  }
}

TEST_F(Tessera15, OneChangedByteAnywhereIsNoticed) {
  for (auto& [name, bytes] : files_) {
    const uint64_t size = ParseTilePath(name)->width;
    ASSERT_TRUE(CheckTiles(size, heads_[size].root, Reading(files_)).ok());
    for (char& byte : bytes) {
      byte ^= 0x20;
      EXPECT_FALSE(CheckTiles(size, heads_[size].root, Reading(files_)).ok()) << name;
      byte ^= 0x20;
    }
  }
  for (std::string& note : notes_) {
    for (char& byte : note) {
      byte ^= 0x20;
      EXPECT_FALSE(VerifyCheckpoint(note, key_).ok());
      byte ^= 0x20;
    }
  }
}

class Sunlight300 : public ::testing::Test {
 protected:
  void SetUp() override {
    SLUICE_CASES_OR_SKIP(cases);
    folder_ = *cases + "/tlog/sunlight300/";
    for (const char* name : {"tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1"}) {
      files_[name] = ReadTestFile(folder_ + "log/" + name);
    }
    for (const char* name : {"tile/entries/000", "tile/entries/001.p/44"}) {
      files_[name] = ReadTestFile(folder_ + "entries-derived/" + name);
    }
  }
  absl::StatusOr<Checkpoint> Cosigned(const char* file, const char* key, const char* origin) {
    return VerifyCosignedCheckpoint(ReadTestFile(folder_ + file), *ParseVerifierKey(key), origin);
  }
  absl::StatusOr<Checkpoint> OfTheTiles() {
    return Cosigned("log/checkpoint",
                    "mirror.example.org+3fb148ef+BAAjjch9GyYz0sJsJx7ALhbdAtz2ov0unbzSl1vMp94O",
                    "rome2026h1.example.org");
  }

  std::string folder_;
  Files files_;
};

TEST_F(Sunlight300, LeavesTilesAndCosignedRootBelongTogether) {
  const auto head = OfTheTiles();
  ASSERT_TRUE(head.ok()) << head.status();
  std::vector<std::string> records;
  for (int i = 0; i < 300; ++i) records.push_back(absl::StrCat("record ", i));
  EXPECT_EQ(TilesOf(records), files_);
  EXPECT_EQ(*RootFromSubtrees(300, SubtreesFromTiles(300, Reading(files_))), head->root);
  EXPECT_TRUE(CheckTiles(300, head->root, Reading(files_)).ok());
}

TEST_F(Sunlight300, OneChangedByteAnywhereIsNoticed) {
  const auto head = OfTheTiles();
  ASSERT_TRUE(head.ok());
  std::mt19937 random(300);
  for (auto& [name, bytes] : files_) {
    for (int round = 0; round < 40; ++round) {
      char& byte = bytes[random() % bytes.size()];
      byte ^= 0x01;
      EXPECT_FALSE(CheckTiles(300, head->root, Reading(files_)).ok()) << name;
      byte ^= 0x01;
    }
  }
  EXPECT_TRUE(CheckTiles(300, head->root, Reading(files_)).ok());
}

TEST_F(Sunlight300, TheSplitViewIsNoticed) {
  const auto one = OfTheTiles();
  const auto other =
      Cosigned("cosigned/checkpoint-log-and-witness",
               "witness.example.org+b8a2cf20+BFLN3yikSfFkVAJtrnh/CiY3Zozkoy7clp+P7XB28qUN",
               "rome2026h1.example.org");
  const auto elsewhere =
      Cosigned("cosigned/checkpoint-witness2-other-origin",
               "witness2.example.org+2e55b896+BIZ7fpceQWd60IfqQeS9IAnmNOCZjMDne8lZuguz/bi9",
               "milan2026h1.example.org");
  ASSERT_TRUE(one.ok() && other.ok() && elsewhere.ok());
  EXPECT_FALSE(CheckSplitView(*one, *other).ok());
  EXPECT_TRUE(CheckSplitView(*one, *elsewhere).ok());
  EXPECT_TRUE(CheckSplitView(*other, *elsewhere).ok());
  EXPECT_FALSE(CheckTiles(300, other->root, Reading(files_)).ok());
}

}  // namespace
}  // namespace sluice::audit
