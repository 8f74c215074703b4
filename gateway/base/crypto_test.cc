#include "gateway/base/crypto.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>
#include <vector>

namespace sluice {
namespace {

// FIPS 180-4's own examples, and a text of more than one block.
TEST(Sha256, GivesThePublishedDigests) {
  EXPECT_EQ(HexEncode(AsBytes(Sha256("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(HexEncode(AsBytes(
                Sha256({"abcdbcdecdefdefgefghfghighij", "", "hijkijkljklmklmnlmnomnopnopq"}))),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Sha256, GivesTheSameInStepsAndAgainAfterwards) {
  const std::string text(1000, 'a');
  Sha256Stream stream;
  for (int turn = 0; turn < 2; ++turn) {
    for (size_t at = 0; at < text.size(); at += 300) stream.Update(text.substr(at, 300));
    EXPECT_EQ(stream.Finish(), Sha256(text));
  }
}

// RFC 4231, cases 1, 2 and 6: keys shorter than a block and longer.
TEST(HmacSha256, GivesThePublishedCodes) {
  EXPECT_EQ(HexEncode(AsBytes(HmacSha256(std::string(20, '\x0b'), "Hi There"))),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(HexEncode(AsBytes(HmacSha256("Jefe", "what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(
      HexEncode(AsBytes(HmacSha256(std::string(131, '\xaa'),
                                   "Test Using Larger Than Block-Size Key - Hash Key First"))),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

// Test case 14 of the paper that proposed GCM: one key in a context that held another before.
TEST(AesGcm, SealsAsPublishedWhateverWasSealedBefore) {
  const std::string nonce(12, '\0');
  for (int turn = 0; turn < 2; ++turn) {
    AesGcmSeal(std::string(32, 'k'), nonce, "something longer than a block of it", "bound");
    EXPECT_EQ(HexEncode(AesGcmSeal(std::string(32, '\0'), nonce, std::string(16, '\0'), "")),
              "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919");
  }
}

TEST(Ed25519, SignsAsPublishedAgainAndAgain) {
  // RFC 8032, 7.1, test 2.
  const auto key = SigningKey::FromSeed(
      *HexDecode("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"));
  ASSERT_TRUE(key.ok());
  for (int turn = 0; turn < 2; ++turn) {
    EXPECT_EQ(HexEncode(key->Sign("\x72")),
              "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
              "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
    EXPECT_TRUE(VerifyEd25519(key->public_key(), "another", key->Sign("another")));
  }
}

TEST(SystemRandom, GivesNoByteTwiceWhateverIsAskedFor) {
  const auto random = MakeSystemRandom();
  std::set<std::string> seen;
  size_t drawn = 0;
  const auto draw = [&](size_t count) {
    const std::string bytes = random->Bytes(count);
    EXPECT_EQ(bytes.size(), count);
    for (size_t at = 0; at + 8 <= count; at += 8, ++drawn) seen.insert(bytes.substr(at, 8));
  };
  for (size_t count : {16, 64, 1024, 5000, 8, 0, 1000}) draw(count);
  for (int i = 0; i < 200; ++i) draw(64);
  EXPECT_EQ(seen.size(), drawn);
  EXPECT_EQ(seen.count(std::string(8, '\0')), 0U);
  std::string here = random->Bytes(32), there;
  std::thread([&] { there = random->Bytes(32); }).join();
  EXPECT_NE(here, there);
}

}  // namespace
}  // namespace sluice
