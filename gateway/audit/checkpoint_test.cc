// Checkpoints and tlog proofs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "absl/strings/str_cat.h"
#include "gateway/audit/merkle.h"
#include "gateway/audit/signed_note.h"
#include "gateway/base/cases_testing.h"

namespace sluice::audit {
namespace {

using ::testing::HasSubstr;

constexpr char kLogOrigin[] = "gw1.gov.example/log";
constexpr char kMirror[] =
    "mirror.example.org+3fb148ef+BAAjjch9GyYz0sJsJx7ALhbdAtz2ov0unbzSl1vMp94O";
constexpr char kRome[] =
    "rome2026h1.example.org\n300\ngw31yQrqZZCcEOPrzX+bpy3nJ6QgngTKn8G1m0i62uU=\n";

SigningKey NoteKey() {
  return *SigningKey::FromSeed(
      *HexDecode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));
}
VerifierKey LogVerifier(std::string_view name = kLogOrigin) {
  return *MakeVerifierKey(name, KeyType::kEd25519, NoteKey().public_key());
}

std::string Signed(const Checkpoint& checkpoint) {
  return SignNote(FormatCheckpointBody(checkpoint), checkpoint.origin, NoteKey());
}

TEST(CheckpointTest, BodyReadsAndWritesBack) {
  const auto checkpoint = ParseCheckpointBody(kRome);
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  EXPECT_EQ(checkpoint->origin, "rome2026h1.example.org");
  EXPECT_EQ(checkpoint->size, 300u);
  EXPECT_EQ(HexEncode(AsBytes(checkpoint->root)),
            "830df5c90aea65909c10e3ebcd7f9ba72de727a4209e04ca9fc1b59b48badae5");
  EXPECT_EQ(FormatCheckpointBody(*checkpoint), kRome);

  const std::string extended = absl::StrCat(kRome, "one\ntwo\n");
  EXPECT_EQ(ParseCheckpointBody(extended)->extensions, (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(FormatCheckpointBody(*ParseCheckpointBody(extended)), extended);
}

TEST(CheckpointTest, WhatIsNotABodyIsRefused) {
  const std::string root = "gw31yQrqZZCcEOPrzX+bpy3nJ6QgngTKn8G1m0i62uU=";
  for (const std::string& body : std::vector<std::string>{
           std::string(), std::string("a\n"), std::string("a\n3\n"), "\n3\n" + root + "\n",
           "a\n3\n" + root, "a\n03\n" + root + "\n", "a\n+3\n" + root + "\n",
           "a\n 3\n" + root + "\n", "a\n-3\n" + root + "\n", "a\n\n" + root + "\n",
           "a\n0x3\n" + root + "\n", "a\n18446744073709551616\n" + root + "\n",
           "a\n3\n" + root.substr(0, 43) + "\n", "a\n3\n" + root + " \n", "a\n3\nAAAA\n",
           "a\n3\n" + root + "\n\n", "a\n3\n" + root + "\nx\n\ny\n", "a\n3\n" + root + "\nx",
           // The empty tree has one root.
           "a\n0\n" + root + "\n"}) {
    EXPECT_FALSE(ParseCheckpointBody(body).ok()) << body;
  }
  EXPECT_EQ(ParseCheckpointBody("a\n18446744073709551615\n" + root + "\n")->size, UINT64_MAX);
}

TEST(CheckpointTest, VerifiesUnderTheKeyOfItsOriginOnly) {
  const Checkpoint checkpoint{.origin = kLogOrigin, .size = 7, .root = LeafHash("r")};
  const auto verified = VerifyCheckpoint(Signed(checkpoint), LogVerifier());
  ASSERT_TRUE(verified.ok()) << verified.status();
  EXPECT_EQ(verified->size, 7u);
  EXPECT_EQ(verified->root, LeafHash("r"));
  EXPECT_FALSE(VerifyCheckpoint(Signed(checkpoint), LogVerifier("gw2.gov.example/log")).ok());

  // Signed by a name that is not the origin.
  const std::string foreign = SignNote(FormatCheckpointBody(checkpoint), "gw2", NoteKey());
  EXPECT_THAT(VerifyCheckpoint(foreign, LogVerifier("gw2")).status().ToString(),
              HasSubstr("another log"));
  // A note by the right key that is no checkpoint.
  EXPECT_FALSE(VerifyCheckpoint(SignNote("hello\n", kLogOrigin, NoteKey()), LogVerifier()).ok());
  // A cosigner's key never stands for the log.
  const VerifierKey cosigner =
      *MakeVerifierKey(kLogOrigin, KeyType::kCosignatureV1, NoteKey().public_key());
  EXPECT_FALSE(VerifyCheckpoint(Signed(checkpoint), cosigner).ok());
}

TEST(CheckpointTest, PublishedCosignatureVerifies) {
  const std::string note =
      absl::StrCat(kRome,
                   "\n\u2014 mirror.example.org "
                   "P7FI7wAAAABpVGeAjA1S4pJm6MbcXjX7UUImu4azZtrfcVW2uyr/LXIYlwEJzXC0N0EiZkbqfLdXt/"
                   "4gVEEuGmxJjAfXKMCISpsJAg==\n");
  const VerifierKey mirror = *ParseVerifierKey(kMirror);
  uint64_t seconds = 0;
  const auto checkpoint =
      VerifyCosignedCheckpoint(note, mirror, "rome2026h1.example.org", &seconds);
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  EXPECT_EQ(checkpoint->size, 300u);
  EXPECT_EQ(seconds, 1767139200u);
  EXPECT_FALSE(VerifyCosignedCheckpoint(note, mirror, "milan2026h1.example.org").ok());
  EXPECT_FALSE(VerifyCosignedCheckpoint(note, LogVerifier(), "rome2026h1.example.org").ok());
}

TEST(CheckpointTest, ASplitViewIsNoticed) {
  const Checkpoint one{.origin = "a", .size = 3, .root = LeafHash("1")};
  const Checkpoint other{.origin = "a", .size = 3, .root = LeafHash("2")};
  const absl::Status split = CheckSplitView(one, other);
  EXPECT_EQ(split.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(split.ToString(), HasSubstr(Base64Encode(AsBytes(other.root))));
  EXPECT_TRUE(CheckSplitView(one, one).ok());
  EXPECT_TRUE(CheckSplitView(one, {.origin = "b", .size = 3, .root = other.root}).ok());
  EXPECT_TRUE(CheckSplitView(one, {.origin = "a", .size = 4, .root = other.root}).ok());
}

// A tree of "one", "two", "three".
struct SmallLog {
  std::vector<Hash> leaves = {LeafHash("one"), LeafHash("two"), LeafHash("three")};
  std::string checkpoint = Signed({.origin = kLogOrigin, .size = 3, .root = RootOf(leaves)});

  TlogProof Prove(uint64_t index) const {
    const SubtreeHash subtrees = [this](uint64_t begin, int level) -> absl::StatusOr<Hash> {
      const auto from = leaves.begin() + static_cast<ptrdiff_t>(begin);
      return RootOf(std::vector<Hash>(from, from + (ptrdiff_t{1} << level)));
    };
    return {.index = index, .path = *InclusionProof(index, 3, subtrees), .checkpoint = checkpoint};
  }
};

TEST(TlogProofTest, ReadsWritesAndVerifies) {
  const SmallLog log;
  const char* entries[] = {"one", "two", "three"};
  for (uint64_t index = 0; index < 3; ++index) {
    const std::string text = FormatTlogProof(log.Prove(index));
    const auto proof = ParseTlogProof(text);
    ASSERT_TRUE(proof.ok()) << proof.status();
    EXPECT_EQ(FormatTlogProof(*proof), text);
    for (uint64_t other = 0; other < 3; ++other) {
      EXPECT_EQ(VerifyTlogProof(*proof, entries[other], LogVerifier()).ok(), other == index);
    }
    EXPECT_FALSE(VerifyTlogProof(*proof, entries[index], LogVerifier("gw2")).ok());
  }
}

TEST(TlogProofTest, ExtraIsSkippedAndNothingElseIs) {
  const SmallLog log;
  const std::string head = "c2sp.org/tlog-proof@v1\n";
  const std::string path = absl::StrCat(Base64Encode(AsBytes(log.leaves[1])), "\n");
  const auto parses = [](const std::string& text) { return ParseTlogProof(text).ok(); };
  EXPECT_TRUE(parses(absl::StrCat(head, "index 0\n", path, "\n", log.checkpoint)));
  EXPECT_TRUE(parses(absl::StrCat(head, "extra AAAA\nindex 0\n", path, "\n", log.checkpoint)));
  for (const std::string& middle :
       {std::string("extra A\nindex 0\n"), std::string("extra AAAA\nextra AAAA\nindex 0\n"),
        std::string("other\nindex 0\n"), std::string("index 00\n"), std::string("index -1\n"),
        std::string("index\n"), std::string("index 0\nindex 0\n"), std::string()}) {
    EXPECT_FALSE(parses(absl::StrCat(head, middle, path, "\n", log.checkpoint))) << middle;
  }
  EXPECT_FALSE(parses(absl::StrCat("c2sp.org/tlog-proof@v2\nindex 0\n\n", log.checkpoint)));
  EXPECT_FALSE(parses(absl::StrCat(head, "index 0\n", path, "\n")));
  EXPECT_FALSE(parses(absl::StrCat(head, "index 0\n", path)));
  EXPECT_FALSE(parses(head));
  EXPECT_FALSE(parses(""));
  std::string many = head + "index 0\n";
  for (int i = 0; i < 65; ++i) many += path;
  EXPECT_FALSE(parses(absl::StrCat(many, "\n", log.checkpoint)));
}

TEST(TlogProofTest, EveryFlippedBitIsNoticed) {
  const std::string text = FormatTlogProof(SmallLog().Prove(1));
  for (size_t i = 0; i < text.size() * 8; ++i) {
    std::string bad = text;
    bad[i / 8] = static_cast<char>(bad[i / 8] ^ (1 << (i % 8)));
    const auto proof = ParseTlogProof(bad);
    EXPECT_FALSE(proof.ok() && VerifyTlogProof(*proof, "two", LogVerifier()).ok()) << i;
  }
}

TEST(TlogProofTest, SeededMutationsNeverProveAnotherEntry) {
  std::mt19937 random(7);
  const std::string text = FormatTlogProof(SmallLog().Prove(1));
  for (int round = 0; round < 5000; ++round) {
    std::string bad = text;
    for (unsigned edits = 1 + random() % 3; edits > 0 && !bad.empty(); --edits) {
      const size_t at = random() % bad.size(), length = random() % (bad.size() - at);
      if (random() % 2 == 0) {
        bad.erase(at, length % 60);
      } else {
        bad.insert(random() % bad.size(), std::string(bad, at, length % 60));
      }
    }
    const auto proof = ParseTlogProof(bad);
    if (!proof.ok()) continue;
    EXPECT_FALSE(VerifyTlogProof(*proof, "one", LogVerifier()).ok());
    EXPECT_FALSE(VerifyTlogProof(*proof, "four", LogVerifier()).ok());
  }
}

}  // namespace
}  // namespace sluice::audit
