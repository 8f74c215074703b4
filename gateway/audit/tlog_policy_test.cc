#include "gateway/audit/tlog_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "gateway/audit/cosignature.h"
#include "gateway/base/error.h"

namespace sluice::audit {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kPolicyOrigin[] = "gw1.gov.example/log";

NamedSigningKey PolicyKey(const std::string& name, char seed, KeyType type) {
  return *MakeSigningKey(name, std::string(32, seed), type);
}
NamedSigningKey PolicyLog(char seed = 'l') {
  return PolicyKey(kPolicyOrigin, seed, KeyType::kEd25519);
}
NamedSigningKey PolicyWitness(char name) {
  return PolicyKey(absl::StrCat("w.example/", std::string(1, name)), name, KeyType::kCosignatureV1);
}
std::string Vkey(const NamedSigningKey& key) { return FormatVerifierKey(key.verifier); }
// Lines for the log and witnesses a, b, c, d.
std::string KeyLines() {
  std::string text = absl::StrCat("log ", Vkey(PolicyLog()), "\n");
  for (const char name : {'a', 'b', 'c', 'd'})
    absl::StrAppend(&text, "witness ", std::string(1, name), " ", Vkey(PolicyWitness(name)),
                    " https://w.example:1/", std::string(1, name), "\n");
  return text;
}

std::string PolicyHead(const std::vector<std::pair<char, uint64_t>>& cosigners) {
  const Checkpoint head{.origin = kPolicyOrigin, .size = 7, .root = LeafHash("root")};
  const std::string body = FormatCheckpointBody(head);
  std::string note = SignNote(body, kPolicyOrigin, PolicyLog().key);
  for (const auto& [name, seconds] : cosigners)
    note += CosignatureLine(body, PolicyWitness(name), seconds);
  return note;
}

TEST(CosignatureTest, IsMadeAsThePublishedOneIs) {
  const auto seed = HexDecode("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
  const auto key = MakeSigningKey("witness.example.com/w1", *seed, KeyType::kCosignatureV1);
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(CosignatureLine("example.com/behind-the-sofa\n20852163\n"
                            "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
                            *key, 1679315147),
            "\u2014 witness.example.com/w1 fm9KqgAAAABkGFDL+TPmh4BYuAjsYRoqMJCWb/"
            "gWJaeRF/kmm5tlCr9sJ57DLErur7K0yDXc2ArN+TIuotuB/HbuL3AJsp3bv/aNCQ==\n");
  // A cosigner's private key is not a log's.
  EXPECT_TRUE(ParseSigningKey(FormatSigningKey(*key), KeyType::kCosignatureV1).ok());
  EXPECT_FALSE(ParseSigningKey(FormatSigningKey(*key)).ok());
}

TEST(CosignatureTest, IsAddedOnceAndReadBack) {
  const std::string head = PolicyHead({});
  const std::string body = ParseNote(head)->text;
  const std::string line = CosignatureLine(body, PolicyWitness('a'), 5);
  const auto signatures = ParseSignatureLines(line + line);
  ASSERT_TRUE(signatures.ok()) << signatures.status();
  const auto added = AddSignatures(head, *signatures);
  ASSERT_TRUE(added.ok());
  EXPECT_EQ(*added, head + line);
  EXPECT_EQ(*AddSignatures(*added, *signatures), *added);
  for (const char* bad : {"", "x", "\n", "\u2014 name\n", "\u2014 name AAAA\n"})
    EXPECT_FALSE(ParseSignatureLines(bad).ok()) << bad;
  EXPECT_FALSE(ParseSignatureLines(absl::StrCat("y\n\n", line)).ok());
}

TEST(TlogPolicyTest, ReadsLogsWitnessesGroupsAndTheQuorum) {
  const auto policy = ParseTlogPolicy(
      absl::StrCat("# who counts\n\n", KeyLines(), "group\t two 2 a b c # of three\n",
                   "group all-of-it all two d\nquorum all-of-it\n"),
      "w.policy");
  ASSERT_TRUE(policy.ok()) << policy.status();
  ASSERT_EQ(policy->logs.size(), 1u);
  EXPECT_EQ(policy->logs[0].key.name, kPolicyOrigin);
  ASSERT_EQ(policy->witnesses.size(), 4u);
  EXPECT_EQ(policy->witnesses[1].name, "b");
  EXPECT_EQ(policy->witnesses[1].url, "https://w.example:1/b");
  ASSERT_EQ(policy->groups.size(), 2u);
  EXPECT_EQ(policy->groups[0].needed, 2u);
  EXPECT_EQ(policy->groups[1].needed, 2u);
  EXPECT_THAT(policy->groups[1].members, ElementsAre("two", "d"));
  EXPECT_EQ(policy->quorum, "all-of-it");
}

TEST(TlogPolicyTest, EachMistakeIsToldWithItsLine) {
  const std::string keys = KeyLines();  // five lines
  const struct {
    std::string lines, told;
  } cases[] = {
      {"", "p:7: there is no line \"quorum NAME\""},
      {"quorum none\nquorum a\n", "p:7: there is one quorum"},
      {"quorum e\n", "p:6: \"e\" is no witness or group that is defined above"},
      {"quorum\n", "p:6: expected: quorum NAME"},
      {"group g any b e\n", "p:6: \"e\" is no witness"},
      {"group g any g\n", "p:6: \"g\" is no witness"},
      {"group g any a a\n", "p:6: \"a\" is a member twice"},
      {"group g 3 a b\n", "p:6: \"3\" is not all, any or a number from 1 to 2"},
      {"group g 0 a b\n", "p:6: \"0\" is not all"},
      {"group g some a b\n", "p:6: \"some\" is not all"},
      {"group g all\n", "p:6: expected: group"},
      {"group a all b\n", "p:6: \"a\" is defined in line 2 already"},
      {"group none all b\n", "p:6: nothing may be called \"none\""},
      {"witness e\n", "p:6: expected: witness"},
      {"log x y z\n", "p:6: expected: log"},
      {"key x\n", "p:6: a line begins with log, witness, group or quorum"},
      {absl::StrCat("witness e ", Vkey(PolicyWitness('a')), "\n"),
       "p:6: the public key of line 2 again"},
      // The same key under another name, and as another type.
      {absl::StrCat("witness e ", Vkey(PolicyKey("other", 'a', KeyType::kCosignatureV1)), "\n"),
       "p:6: the public key of line 2 again"},
      {absl::StrCat("log ", Vkey(PolicyKey("other", 'a', KeyType::kEd25519)), "\n"),
       "p:6: the public key of line 2 again"},
      {absl::StrCat("witness e ", Vkey(PolicyKey("w.example/a", 'e', KeyType::kCosignatureV1)),
                    "\n"),
       "p:6: the key's name is that of the witness in line 2"},
      {absl::StrCat("witness e ", Vkey(PolicyKey("o", 'o', KeyType::kEd25519)), "\n"),
       "p:6: a witness's key is of type 04"},
      {absl::StrCat("log ", Vkey(PolicyWitness('e')), "\n"), "p:6: a log's key is of type 01"},
      {"witness e w.example/e+00000000+AAAA\n", "p:6: "},
  };
  for (const auto& one : cases) {
    const auto policy = ParseTlogPolicy(keys + one.lines, "p");
    ASSERT_FALSE(policy.ok()) << one.lines;
    EXPECT_THAT(std::string(policy.status().message()), HasSubstr(one.told)) << one.lines;
  }
  EXPECT_THAT(std::string(ParseTlogPolicy("quorum none\n", "p").status().message()),
              HasSubstr("there is no line \"log KEY\""));
}

TEST(TlogPolicyTest, SaysWhichSetsAreEnough) {
  const struct {
    std::string rule;
    std::vector<std::set<std::string>> enough, not_enough;
  } cases[] = {
      {"quorum none\n", {{}, {"a"}}, {}},
      {"quorum b\n", {{"b"}, {"a", "b"}}, {{}, {"a", "c", "d"}}},
      {"group g any a b\nquorum g\n", {{"a"}, {"b"}}, {{}, {"c"}}},
      {"group g all a b\nquorum g\n", {{"a", "b"}}, {{"a"}, {"b", "c"}}},
      {"group g 2 a b c\nquorum g\n", {{"a", "c"}, {"a", "b", "c"}}, {{"a"}, {"c", "d"}}},
      {"group g 2 a b c\ngroup h all g d\nquorum h\n",
       {{"a", "b", "d"}},
       {{"a", "b"}, {"a", "d"}, {"d"}}},
  };
  for (const auto& one : cases) {
    const auto policy = ParseTlogPolicy(KeyLines() + one.rule, "p");
    ASSERT_TRUE(policy.ok()) << policy.status();
    for (const auto& set : one.enough) EXPECT_TRUE(IsQuorum(*policy, set)) << one.rule;
    for (const auto& set : one.not_enough) EXPECT_FALSE(IsQuorum(*policy, set)) << one.rule;
  }
}

TEST(TlogPolicyTest, JudgesTheSignaturesUnderAHead) {
  const auto policy = ParseTlogPolicy(KeyLines() + "group g 2 a b c\nquorum g\n", "p");
  ASSERT_TRUE(policy.ok()) << policy.status();
  // The second of the two that are needed was there at 20; a third, older one does not matter.
  auto verdict = Judge(PolicyHead({{'a', 30}, {'b', 20}, {'c', 10}, {'d', 99}, {'a', 5}}), *policy);
  ASSERT_TRUE(verdict.ok()) << verdict.status();
  EXPECT_EQ(verdict->checkpoint.size, 7u);
  EXPECT_TRUE(verdict->quorum);
  EXPECT_EQ(verdict->quorum_seconds, 20u);
  EXPECT_EQ(verdict->cosignatures.size(), 4u);
  EXPECT_EQ(verdict->cosignatures[0].seconds, 30u);
  EXPECT_THAT(verdict->missing, IsEmpty());

  verdict = Judge(PolicyHead({{'b', 20}, {'d', 30}}), *policy);
  ASSERT_TRUE(verdict.ok());
  EXPECT_FALSE(verdict->quorum);
  EXPECT_EQ(verdict->quorum_seconds, 0u);
  EXPECT_THAT(verdict->missing, ElementsAre("a", "c"));

  // Signed by nobody known; by a witness alone; a witness's signature over other bytes; a head of
  // another log, cosigned.
  const std::string head = PolicyHead({});
  const std::string body = ParseNote(head)->text;
  EXPECT_FALSE(Judge(SignNote(body, kPolicyOrigin, PolicyLog('x').key), *policy).ok());
  EXPECT_FALSE(Judge(body + "\n" + CosignatureLine(body, PolicyWitness('a'), 1), *policy).ok());
  EXPECT_FALSE(Judge(head + CosignatureLine("other\n", PolicyWitness('a'), 1), *policy).ok());
  const std::string other = FormatCheckpointBody({.origin = "o", .size = 7, .root = LeafHash("r")});
  EXPECT_FALSE(
      Judge(SignNote(other, "o", PolicyLog().key) + CosignatureLine(other, PolicyWitness('a'), 1),
            *policy)
          .ok());
}

}  // namespace
}  // namespace sluice::audit
