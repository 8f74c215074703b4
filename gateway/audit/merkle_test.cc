#include "gateway/audit/merkle.h"

#include <gtest/gtest.h>

#include <bit>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>

#include "absl/strings/str_cat.h"
#include "gateway/base/cases_testing.h"

namespace sluice::audit {
namespace {

std::string Hex(const Hash& hash) { return HexEncode(AsBytes(hash)); }
std::string Base64(const Hash& hash) { return Base64Encode(AsBytes(hash)); }

// The leaves of RFC 6962's reference implementation.
std::vector<Hash> ReferenceLeaves(size_t count = 8) {
  std::vector<Hash> leaves;
  for (const char* hex : {"", "00", "10", "2021", "3031", "40414243", "5051525354555657",
                          "606162636465666768696a6b6c6d6e6f"}) {
    leaves.push_back(LeafHash(*HexDecode(hex)));
  }
  leaves.resize(count);
  return leaves;
}

std::vector<Hash> NumberedLeaves(uint64_t count) {
  std::vector<Hash> leaves;
  for (uint64_t i = 0; i < count; ++i) leaves.push_back(LeafHash(absl::StrCat("leaf ", i)));
  return leaves;
}

// The definition of RFC 6962, section 2.1, word by word.
Hash RootByDefinition(const std::vector<Hash>& leaves, size_t begin, size_t end) {
  if (begin == end) return EmptyRoot();
  if (end - begin == 1) return leaves[begin];
  const size_t middle = begin + std::bit_floor(end - begin - 1);
  return NodeHash(RootByDefinition(leaves, begin, middle), RootByDefinition(leaves, middle, end));
}

SubtreeHash SubtreesOf(const std::vector<Hash>& leaves) {
  return [&leaves](uint64_t begin, int level) -> absl::StatusOr<Hash> {
    const uint64_t end = begin + (uint64_t{1} << level);
    EXPECT_EQ(begin % (end - begin), 0u) << "not aligned";
    EXPECT_LE(end, leaves.size());
    return RootByDefinition(leaves, begin, end);
  };
}

TEST(MerkleTest, HashesAreThoseOfRfc6962) {
  EXPECT_EQ(Hex(EmptyRoot()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Hex(LeafHash("")), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
  EXPECT_EQ(Hex(LeafHash("L123456")),
            "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56");
  EXPECT_EQ(Base64(LeafHash("hello world")), "TszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=");
  // The published node hash is over two short texts; the same prefix, by hand.
  EXPECT_EQ(Hex(Sha256({"\x01", "N123", "N456"})),
            "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb");
  const Hash left = LeafHash("a"), right = LeafHash("b");
  EXPECT_EQ(NodeHash(left, right), Sha256({"\x01", AsBytes(left), AsBytes(right)}));
}

TEST(MerkleTest, RootsOfTheReferenceTree) {
  const std::pair<size_t, const char*> roots[] = {
      {2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
      {3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
      {7, "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
      {8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"}};
  for (const auto& [size, root] : roots) EXPECT_EQ(Hex(RootOf(ReferenceLeaves(size))), root);
  EXPECT_EQ(RootOf({}), EmptyRoot());
}

TEST(MerkleTest, RootsOfNumberedLeaves) {
  EXPECT_EQ(Hex(RootOf(NumberedLeaves(100))),
            "13f88915c560dc911a1da0fb209d84a20971051f294ebeb428fb3fc293af2743");
  EXPECT_EQ(Hex(RootOf(NumberedLeaves(256))),
            "cf5effdb11d0927a2edf53b0e73c7837f659414e00537da5d90eb5c4c49ff274");
  EXPECT_EQ(Hex(RootOf(NumberedLeaves(257))),
            "855b936aa00cb98b5114484249ad39d78a6be93623e26c01e8e487dc02184a5a");
  EXPECT_EQ(Hex(RootOf(NumberedLeaves(70000))),
            "da0532ff7b2ee56f4067110fc964e9f27b5959f9527bfff3fa501aa7584deaf3");
}

TEST(MerkleTest, CompactRangeHasTheRootOfTheDefinitionAtEverySizeAndAfterARestore) {
  const std::vector<Hash> leaves = NumberedLeaves(130);
  CompactRange range;
  EXPECT_EQ(range.Root(), EmptyRoot());
  for (size_t size = 1; size <= leaves.size(); ++size) {
    range.Append(leaves[size - 1]);
    EXPECT_EQ(range.Root(), RootByDefinition(leaves, 0, size)) << size;
    EXPECT_EQ(range.hashes().size(), static_cast<size_t>(std::popcount(size)));
    auto restored = CompactRange::Restore(range.size(), range.hashes());
    ASSERT_TRUE(restored.ok());
    range = *restored;
  }
  EXPECT_FALSE(CompactRange::Restore(130, {}).ok());
  EXPECT_FALSE(CompactRange::Restore(0, {leaves[0]}).ok());
  EXPECT_FALSE(CompactRange::Restore(2, {leaves[0], leaves[1]}).ok());
  EXPECT_TRUE(CompactRange::Restore(0, {}).ok());
}

TEST(MerkleTest, PublishedProofsOfTheReferenceTree) {
  const std::vector<Hash> leaves = ReferenceLeaves();
  const auto inclusion = InclusionProof(5, 8, SubtreesOf(leaves));
  ASSERT_TRUE(inclusion.ok());
  ASSERT_EQ(inclusion->size(), 3u);
  EXPECT_EQ(Hex((*inclusion)[0]),
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b");
  EXPECT_EQ(Hex((*inclusion)[1]),
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0");
  EXPECT_EQ(Hex((*inclusion)[2]),
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7");

  const auto consistency = ConsistencyProof(1, 8, SubtreesOf(leaves));
  ASSERT_TRUE(consistency.ok());
  ASSERT_EQ(consistency->size(), 3u);
  EXPECT_EQ(Base64((*consistency)[0]), "lqKW0iTyhcZ77pPDD4owkVfw2qNdxbh+QQt4YwoJz8c=");
  EXPECT_EQ(Base64((*consistency)[1]), "Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4=");
  EXPECT_EQ(Base64((*consistency)[2]), "a0eq8p7jwq+a+Im8H7klTavTEXfxYjLdaqsDXKOb9uQ=");
}

TEST(MerkleTest, EveryInclusionProofHoldsForItsLeafAlone) {
  const std::vector<Hash> leaves = NumberedLeaves(40);
  for (uint64_t size = 1; size <= leaves.size(); ++size) {
    const Hash root = RootByDefinition(leaves, 0, size);
    EXPECT_EQ(*RootFromSubtrees(size, SubtreesOf(leaves)), root);
    for (uint64_t index = 0; index < size; ++index) {
      const auto path = InclusionProof(index, size, SubtreesOf(leaves));
      ASSERT_TRUE(path.ok());
      EXPECT_TRUE(CheckInclusion(index, size, leaves[index], *path, root).ok());
      for (uint64_t other = 0; other < size; ++other) {
        if (other == index) continue;
        EXPECT_FALSE(CheckInclusion(other, size, leaves[index], *path, root).ok());
        EXPECT_FALSE(CheckInclusion(index, size, leaves[other], *path, root).ok());
      }
    }
    EXPECT_FALSE(InclusionProof(size, size, SubtreesOf(leaves)).ok());
  }
}

TEST(MerkleTest, EveryConsistencyProofHoldsAndNoComponentOfItIsIdle) {
  const std::vector<Hash> leaves = NumberedLeaves(40);
  for (uint64_t size = 1; size <= leaves.size(); ++size) {
    const Hash root = RootByDefinition(leaves, 0, size);
    for (uint64_t old_size = 1; old_size <= size; ++old_size) {
      const Hash old_root = RootByDefinition(leaves, 0, old_size);
      const auto path = ConsistencyProof(old_size, size, SubtreesOf(leaves));
      ASSERT_TRUE(path.ok());
      EXPECT_EQ(path->empty(), old_size == size);
      EXPECT_TRUE(CheckConsistency(old_size, size, old_root, root, *path).ok());
      EXPECT_FALSE(CheckConsistency(old_size, size, root, LeafHash("x"), *path).ok());
      EXPECT_FALSE(CheckConsistency(old_size, size, LeafHash("x"), root, *path).ok());
      for (size_t i = 0; i < path->size(); ++i) {
        std::vector<Hash> bad = *path;
        bad[i][7] ^= 1;
        EXPECT_FALSE(CheckConsistency(old_size, size, old_root, root, bad).ok());
        bad.erase(bad.begin() + static_cast<ptrdiff_t>(i));
        EXPECT_FALSE(CheckConsistency(old_size, size, old_root, root, bad).ok());
      }
    }
  }
  EXPECT_FALSE(ConsistencyProof(0, 8, SubtreesOf(leaves)).ok());
  EXPECT_FALSE(ConsistencyProof(9, 8, SubtreesOf(leaves)).ok());
  EXPECT_FALSE(CheckConsistency(0, 0, EmptyRoot(), EmptyRoot(), {}).ok());
}

// A tree in which every complete subtree of one level has the same hash reaches any size.
TEST(MerkleTest, ProofsHoldAtTheLargestSizes) {
  std::vector<Hash> by_level = {LeafHash("same")};
  while (by_level.size() < 64) by_level.push_back(NodeHash(by_level.back(), by_level.back()));
  const SubtreeHash subtrees = [&](uint64_t, int level) -> absl::StatusOr<Hash> {
    return by_level[static_cast<size_t>(level)];
  };
  const uint64_t most = UINT64_MAX;
  for (const uint64_t size : {most, most - 1, uint64_t{1} << 63, (uint64_t{1} << 63) + 1}) {
    const Hash root = *RootFromSubtrees(size, subtrees);
    for (const uint64_t index : {uint64_t{0}, uint64_t{1}, size / 2, size - 2, size - 1}) {
      const auto path = InclusionProof(index, size, subtrees);
      ASSERT_TRUE(path.ok());
      EXPECT_TRUE(CheckInclusion(index, size, by_level[0], *path, root).ok());
      const auto proof = ConsistencyProof(index + 1, size, subtrees);
      ASSERT_TRUE(proof.ok());
      const Hash old_root = *RootFromSubtrees(index + 1, subtrees);
      EXPECT_TRUE(CheckConsistency(index + 1, size, old_root, root, *proof).ok());
    }
  }
}

TEST(MerkleTest, AFailedSubtreeFailsTheProof) {
  const SubtreeHash broken = [](uint64_t, int) -> absl::StatusOr<Hash> {
    return absl::DataLossError("tile");
  };
  EXPECT_EQ(InclusionProof(1, 5, broken).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(ConsistencyProof(2, 5, broken).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(RootFromSubtrees(5, broken).status().code(), absl::StatusCode::kDataLoss);
}

TEST(MerkleTest, RandomPathsAreRefusedWithoutHarm) {
  std::mt19937_64 random(20261119);
  const std::vector<Hash> leaves = NumberedLeaves(9);
  for (int round = 0; round < 20000; ++round) {
    const uint64_t size = random() >> (random() % 64), other = random() >> (random() % 64);
    std::vector<Hash> path;
    while (path.size() < 70 && random() % 16 != 0) path.push_back(leaves[random() % 9]);
    EXPECT_FALSE(CheckInclusion(other, size, leaves[0], path, leaves[8]).ok());
    EXPECT_FALSE(CheckConsistency(other, size, leaves[0], leaves[8], path).ok());
  }
}

std::string CaseBytes(const nlohmann::json& value) {
  return *Base64Decode(value.is_null() ? "" : value.get<std::string>());
}

// Nothing where a hash has another length than 32 bytes, which our type refuses already.
std::optional<Hash> CaseHash(const nlohmann::json& value) {
  const std::string bytes = CaseBytes(value);
  if (bytes.size() != kHashSize) return std::nullopt;
  return HashFromBytes(bytes);
}

// Some good cases write a short text for a root that only has to be equal to the other one: its
// hash stands for it.
Hash CaseRoot(const nlohmann::json& value) {
  return CaseHash(value).value_or(Sha256(CaseBytes(value)));
}

bool AcceptsCase(const nlohmann::json& json) {
  std::vector<Hash> path;
  for (const auto& component : json["proof"]) {
    const std::optional<Hash> hash = CaseHash(component);
    if (!hash.has_value()) return false;
    path.push_back(*hash);
  }
  if (json.contains("leafIdx")) {
    const std::optional<Hash> leaf = CaseHash(json["leafHash"]), root = CaseHash(json["root"]);
    return leaf.has_value() && root.has_value() &&
           CheckInclusion(json["leafIdx"].get<uint64_t>(), json["treeSize"].get<uint64_t>(), *leaf,
                          path, *root)
               .ok();
  }
  return CheckConsistency(json["size1"].get<uint64_t>(), json["size2"].get<uint64_t>(),
                          CaseRoot(json["root1"]), CaseRoot(json["root2"]), path)
      .ok();
}

TEST(MerkleTest, PublishedCasesAreAcceptedAndRefusedAsTheySay) {
  SLUICE_CASES_OR_SKIP(cases);
  int good = 0, bad = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(*cases + "/merkle")) {
    if (file.path().extension() != ".json") continue;
    const auto json = nlohmann::json::parse(ReadTestFile(file.path()));
    const bool refuse = json["wantErr"].get<bool>();
    (refuse ? bad : good)++;
    EXPECT_EQ(AcceptsCase(json), !refuse) << file.path() << ": " << json["desc"];
  }
  EXPECT_EQ(good, 7);
  EXPECT_EQ(bad, 101);
}

}  // namespace
}  // namespace sluice::audit
