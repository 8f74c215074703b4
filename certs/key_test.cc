// Signatures by the keys of certificates.
#include "certs/key.h"

#include <gtest/gtest.h>

#include "certs/authority_testing.h"
#include "gateway/base/fake_clock.h"

namespace sluice::certs {
namespace {

constexpr char kWang[] = "spiffe://gov.example/agency/audit-office/person/wang";
constexpr char kLi[] = "spiffe://gov.example/agency/audit-office/person/li";

TEST(KeyTest, ASignatureIsOfItsKeyOverItsMessage) {
  const FakeClock clock;
  const TestAuthority root = TestAuthority::Root("root", clock.Now());
  const TestLeaf wang = root.Issue(kWang);
  const TestLeaf li = root.Issue(kLi);
  const std::string message = "sluice-seal/v1\norigin gw1.gov.example/log\n";
  const auto signature = wang.key.Sign(message);
  ASSERT_TRUE(signature.ok()) << signature.status();
  EXPECT_TRUE(VerifySignature(wang.certificate, message, *signature));
  EXPECT_FALSE(VerifySignature(li.certificate, message, *signature));
  EXPECT_FALSE(VerifySignature(wang.certificate, message + "\n", *signature));
  EXPECT_FALSE(VerifySignature(wang.certificate, "", *signature));
  EXPECT_FALSE(VerifySignature(wang.certificate, message, ""));
  for (size_t i = 0; i < signature->size(); ++i) {
    std::string flipped = *signature;
    flipped[i] = static_cast<char>(flipped[i] ^ 1);
    EXPECT_FALSE(VerifySignature(wang.certificate, message, flipped)) << "byte " << i;
  }
}

TEST(KeyTest, AnEd25519KeySignsWithoutADigest) {
  const auto key = PrivateKey::Generate(KeyType::kEd25519);
  ASSERT_TRUE(key.ok()) << key.status();
  const auto signature = key->Sign("message");
  ASSERT_TRUE(signature.ok()) << signature.status();
  EXPECT_EQ(signature->size(), 64u);
  EXPECT_EQ(*signature, *key->Sign("message"));
  EXPECT_NE(*signature, *key->Sign("another"));
}

}  // namespace
}  // namespace sluice::certs
