#include "gateway/audit/signed_note.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "absl/strings/str_cat.h"
#include "gateway/base/cases_testing.h"

namespace sluice::audit {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kNeumann[] = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
constexpr char kProblem[] =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n";
constexpr char kProblemSigned[] =
    "\u2014 PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZ"
    "b6KE6RyyBwJnAM=\n";
// The key of RFC 8032's first test.
constexpr char kSeed[] = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
constexpr char kSofa[] =
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n";
constexpr char kSofaSigned[] =
    "\u2014 example.com/behind-the-sofa "
    "+PpSVFNUsAicB1wXCuc36HrmzCfBx1ATQpTulWd9U006OEpyCvIVj2pM8CIzKlzXWcwxIO/"
    "VAQzkCO8DZUY5tlFX6QQ=\n";
constexpr char kSofaCosigned[] =
    "\u2014 witness.example.com/w1 "
    "fm9KqgAAAABkGFDL+TPmh4BYuAjsYRoqMJCWb/gWJaeRF/kmm5tlCr9sJ57DLErur7K0yDXc2ArN+TIuotuB/"
    "HbuL3AJsp3bv/aNCQ==\n";

SigningKey KeyOf(const char* seed) { return *SigningKey::FromSeed(*HexDecode(seed)); }

VerifierKey RfcKey(std::string_view name, KeyType type) {
  return *MakeVerifierKey(name, type, KeyOf(kSeed).public_key());
}

bool Verifies(std::string_view note, const std::vector<VerifierKey>& known) {
  return VerifyNote(note, known).ok();
}

TEST(VerifierKeyTest, PublishedKeysReadAndWriteBack) {
  for (const char* text :
       {kNeumann, "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx",
        "mirror.example.org+3fb148ef+BAAjjch9GyYz0sJsJx7ALhbdAtz2ov0unbzSl1vMp94O",
        "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"}) {
    const auto key = ParseVerifierKey(text);
    ASSERT_TRUE(key.ok()) << text << key.status();
    EXPECT_EQ(FormatVerifierKey(*key), text);
  }
  EXPECT_EQ(RfcKey("example.com/behind-the-sofa", KeyType::kEd25519).id, 0xf8fa5254u);
  EXPECT_EQ(RfcKey("witness.example.com/w1", KeyType::kCosignatureV1).id, 0x7e6f4aaau);
}

TEST(VerifierKeyTest, WhatIsNotAKeyIsRefused) {
  for (const char* text :
       {"", "+", "++", "PeterNeumann", "PeterNeumann+c74f20a3", "PeterNeumann+c74f20a3+",
        // Wrong id, short id, id in upper case, no name, space in the name, key cut, key too long
        // with its id adjusted, type 0x65 with its id adjusted.
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10",
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"}) {
    EXPECT_FALSE(ParseVerifierKey(text).ok()) << text;
  }
}

TEST(VerifierKeyTest, NamesHoldNoSpacePlusOrControl) {
  const std::string key(32, 'k');
  for (const char* name : {"", "a b", "a+b", "a\tb", "a\nb", "a\u00a0b", "a\u2003b", "a\u2028b",
                           "a\u3000b", "a\u0085", "\xff", "\xc0\xa0", "a\xed\xa0\x80"}) {
    EXPECT_FALSE(MakeVerifierKey(name, KeyType::kEd25519, key).ok()) << name;
  }
  for (const char* name : {"gw1.gov.example/log", "\u65e5\u5fd7", "a\u2014b", "a\u200bb"}) {
    EXPECT_TRUE(MakeVerifierKey(name, KeyType::kEd25519, key).ok()) << name;
  }
  EXPECT_FALSE(MakeVerifierKey("a", KeyType::kEd25519, key.substr(1)).ok());
  EXPECT_FALSE(MakeVerifierKey("a", static_cast<KeyType>(2), key).ok());
}

TEST(VerifierKeyTest, PaperFormIsTheStartOfTheHashOfItsText) {
  const VerifierKey key = *ParseVerifierKey(kNeumann);
  const std::string hex = HexEncode(AsBytes(Sha256(kNeumann)));
  EXPECT_EQ(PaperForm(key), absl::StrCat(hex.substr(0, 4), " ", hex.substr(4, 4), " ",
                                         hex.substr(8, 4), " ", hex.substr(12, 4)));
  EXPECT_NE(PaperForm(key), PaperForm(RfcKey("PeterNeumann", KeyType::kEd25519)));
}

TEST(SignedNoteTest, PublishedNotesVerify) {
  const auto verified =
      VerifyNote(absl::StrCat(kProblem, "\n", kProblemSigned), {*ParseVerifierKey(kNeumann)});
  ASSERT_TRUE(verified.ok()) << verified.status();
  EXPECT_EQ(verified->text, kProblem);
  EXPECT_THAT(verified->verified, ElementsAre("PeterNeumann"));
  EXPECT_THAT(verified->unknown, IsEmpty());

  EXPECT_TRUE(Verifies(
      "This is an example message.\n\n\u2014 example.com/foo "
      "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="
      "\n",
      {*ParseVerifierKey(
          "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")}));
}

TEST(SignedNoteTest, SigningGivesThePublishedNote) {
  const SigningKey key = KeyOf("810a1402d5146c8d84f2443330f54080ebf98ee17d9c74f6252fc5d5c7283173");
  EXPECT_EQ(SignNote(kProblem, "PeterNeumann", key), absl::StrCat(kProblem, "\n", kProblemSigned));
  EXPECT_EQ(SignNote(kSofa, "example.com/behind-the-sofa", KeyOf(kSeed)),
            absl::StrCat(kSofa, "\n", kSofaSigned));
}

TEST(SignedNoteTest, CosignaturesVerifyWithTheirTime) {
  const std::string note = absl::StrCat(kSofa, "\n", kSofaSigned, kSofaCosigned);
  const VerifierKey log = RfcKey("example.com/behind-the-sofa", KeyType::kEd25519);
  const VerifierKey witness = RfcKey("witness.example.com/w1", KeyType::kCosignatureV1);
  const auto verified = VerifyNote(note, {log, witness});
  ASSERT_TRUE(verified.ok()) << verified.status();
  EXPECT_THAT(verified->verified, ElementsAre(log.name, witness.name));
  ASSERT_EQ(verified->cosignatures.size(), 1u);
  EXPECT_EQ(verified->cosignatures[0].name, witness.name);
  EXPECT_EQ(verified->cosignatures[0].seconds, 1679315147u);
  EXPECT_THAT(VerifyNote(note, {log})->unknown, ElementsAre(witness.name));
}

TEST(SignedNoteTest, ACosignatureOverAnotherTimeOrTextIsRefused) {
  const VerifierKey witness = RfcKey("witness.example.com/w1", KeyType::kCosignatureV1);
  const auto parsed = ParseNote(absl::StrCat(kSofa, "\n", kSofaCosigned));
  ASSERT_TRUE(parsed.ok());
  const auto with = [&](const std::string& text, const std::string& blob) {
    const std::string id("\x7e\x6f\x4a\xaa", 4);
    return absl::StrCat(text, "\n\u2014 witness.example.com/w1 ", Base64Encode(id + blob), "\n");
  };
  const std::string blob = parsed->signatures[0].blob;
  ASSERT_TRUE(Verifies(with(kSofa, blob), {witness}));
  for (size_t i = 0; i < blob.size(); ++i) {
    std::string bad = blob;
    bad[i] ^= 0x10;
    EXPECT_FALSE(Verifies(with(kSofa, bad), {witness})) << i;
  }
  EXPECT_FALSE(Verifies(with(std::string(kSofa) + "x\n", blob), {witness}));
  EXPECT_FALSE(Verifies(with(kSofa, blob.substr(0, 71)), {witness}));
  EXPECT_FALSE(Verifies(with(kSofa, blob + "x"), {witness}));
  // A plain signature by the same key is no cosignature, nor the other way round.
  EXPECT_FALSE(Verifies(with(kSofa, KeyOf(kSeed).Sign(kSofa)), {witness}));
  EXPECT_FALSE(Verifies(absl::StrCat(kSofa, "\n", kSofaCosigned),
                        {RfcKey("witness.example.com/w1", KeyType::kEd25519)}));
  // Beyond 2^63 - 1 seconds, even well signed.
  const std::string late = absl::StrCat("cosignature/v1\ntime ", uint64_t{1} << 63, "\n", kSofa);
  EXPECT_FALSE(Verifies(with(kSofa, std::string("\x80\0\0\0\0\0\0\0", 8) + KeyOf(kSeed).Sign(late)),
                        {witness}));
}

TEST(SignedNoteTest, ABadSecondSignatureOfAKnownKeyIsRefused) {
  const VerifierKey key = *ParseVerifierKey(kNeumann);
  std::string bad = kProblemSigned;
  bad[bad.size() - 10] = bad[bad.size() - 10] == 'A' ? 'B' : 'A';
  EXPECT_TRUE(Verifies(absl::StrCat(kProblem, "\n", kProblemSigned, kProblemSigned), {key}));
  EXPECT_FALSE(Verifies(absl::StrCat(kProblem, "\n", kProblemSigned, bad), {key}));
  EXPECT_FALSE(Verifies(absl::StrCat(kProblem, "\n", bad, kProblemSigned), {key}));
}

TEST(SignedNoteTest, TheTextEndsAtTheLastEmptyLine) {
  const SigningKey key = KeyOf(kSeed);
  const VerifierKey known = RfcKey("k", KeyType::kEd25519);
  const std::string text = "one\n\n\u2014 k AAAAAAAA\n\ntwo\n";
  const auto verified = VerifyNote(SignNote(text, "k", key), {known});
  ASSERT_TRUE(verified.ok()) << verified.status();
  EXPECT_EQ(verified->text, text);
}

TEST(SignedNoteTest, EveryFlippedBitIsNoticed) {
  const std::string note = absl::StrCat(kSofa, "\n", kSofaSigned, kSofaCosigned);
  const std::vector<VerifierKey> known = {
      RfcKey("example.com/behind-the-sofa", KeyType::kEd25519),
      RfcKey("witness.example.com/w1", KeyType::kCosignatureV1)};
  for (size_t i = 0; i < note.size() * 8; ++i) {
    std::string bad = note;
    bad[i / 8] = static_cast<char>(bad[i / 8] ^ (1 << (i % 8)));
    const auto verified = VerifyNote(bad, known);
    // A changed name or id makes a line another key's; then that key is missing.
    EXPECT_TRUE(!verified.ok() || verified->verified.size() < 2) << i;
    if (verified.ok()) {
      EXPECT_EQ(verified->text, kSofa);
    }
  }
}

// Cuts, copies and changes pieces. What still verifies says what was signed, word by word.
TEST(SignedNoteTest, SeededMutationsNeverVerifyAnotherText) {
  std::mt19937 random(20261119);
  const std::string note = absl::StrCat(kSofa, "\n", kSofaSigned, kSofaCosigned);
  const std::vector<VerifierKey> known = {
      RfcKey("example.com/behind-the-sofa", KeyType::kEd25519),
      RfcKey("witness.example.com/w1", KeyType::kCosignatureV1)};
  for (int round = 0; round < 5000; ++round) {
    std::string bad = note;
    for (unsigned edits = 1 + random() % 3; edits > 0 && !bad.empty(); --edits) {
      const size_t at = random() % bad.size(), length = random() % (bad.size() - at);
      switch (random() % 4) {
        case 0:
          bad.erase(at, length);
          break;
        case 1:
          bad.insert(random() % bad.size(), std::string(bad, at, length));
          break;
        case 2:
          bad[at] = static_cast<char>(random());
          break;
        default:
          bad.insert(at, 1, "\n \u2014+=0"[random() % 8]);
      }
    }
    const auto verified = VerifyNote(bad, known);
    if (verified.ok()) {
      EXPECT_EQ(verified->text, kSofa);
    }
    (void)ParseCheckpointBody(bad);
    (void)ParseVerifierKey(bad);
  }
}

TEST(SignedNoteTest, SizeIsBounded) {
  const VerifierKey known = RfcKey("k", KeyType::kEd25519);
  EXPECT_TRUE(Verifies(SignNote(std::string(900'000, 'x') + "\n", "k", KeyOf(kSeed)), {known}));
  EXPECT_FALSE(Verifies(SignNote(std::string(1'000'000, 'x') + "\n", "k", KeyOf(kSeed)), {known}));
}

TEST(SignedNoteTest, PublishedNotesAreAcceptedAndRefusedAsTheySay) {
  SLUICE_CASES_OR_SKIP(cases);
  const auto json = nlohmann::json::parse(ReadTestFile(*cases + "/tlog/signed-notes/notes.json"));
  for (const auto& key : json["verifier_keys"]) {
    EXPECT_EQ(ParseVerifierKey(key["vkey"].get<std::string>()).ok(), key["ok"].get<bool>()) << key;
  }
  int tried = 0;
  for (const auto& note : json["notes"]) {
    ++tried;
    std::vector<VerifierKey> known;
    for (const auto& key : note["verifiers"]) {
      known.push_back(*ParseVerifierKey(key.get<std::string>()));
    }
    const auto verified = VerifyNote(*Base64Decode(note["note_base64"].get<std::string>()), known);
    ASSERT_EQ(verified.ok(), note["result"] == "ok") << note["name"] << verified.status();
    if (!verified.ok()) continue;
    EXPECT_EQ(verified->text, *Base64Decode(note["text_base64"].get<std::string>()));
    EXPECT_EQ(nlohmann::json(verified->verified), note["verified"]) << note["name"];
    EXPECT_EQ(nlohmann::json(verified->unknown), note["unverified"]) << note["name"];
  }
  EXPECT_EQ(tried, 16);
}

}  // namespace
}  // namespace sluice::audit
