#include "certs/crl.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "certs/authority_testing.h"
#include "certs/openssl.h"
#include "gateway/base/error.h"
#include "gateway/base/fake_clock.h"

namespace sluice::certs {
namespace {

using testing::HasSubstr;

class CrlTest : public testing::Test {
 protected:
  const Micros now_ = FakeClock().Now();
  const TestAuthority root_ = TestAuthority::Root("Root", now_);
};

TEST_F(CrlTest, IsReadAsItWasMade) {
  const auto list = RevocationList::FromPem(root_.ListPem({"0a1b", "ff"}), "l.pem");
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_EQ(list->number(), 1);
  EXPECT_EQ(list->this_update(), now_);
  EXPECT_EQ(list->next_update(), now_ + 7 * kDay);
  EXPECT_EQ(list->issuer(), "CN=Root");
  EXPECT_EQ(list->size(), 2u);
  EXPECT_TRUE(list->Contains("0a1b"));
  EXPECT_EQ(list->Find("ff")->reason, RevocationReason::kKeyCompromise);
  EXPECT_EQ(list->Find("ff")->revoked_at, now_);
  EXPECT_FALSE(list->Contains("0a1c"));
  EXPECT_FALSE(list->Find("").has_value());
  EXPECT_TRUE(list->VerifyAgainst(root_.certificate()).ok());
  EXPECT_EQ(RevocationList::FromPem(list->ToPem(), "l.pem")->der(), list->der());
}

TEST_F(CrlTest, AnotherSignerIsRefused) {
  const auto list = RevocationList::FromPem(root_.ListPem(), "l.pem");
  ASSERT_TRUE(list.ok());
  const TestAuthority same_name = TestAuthority::Root("Root", now_);
  EXPECT_THAT(std::string(list->VerifyAgainst(same_name.certificate()).message()),
              HasSubstr("l.pem: is not signed by CN=Root"));
  // A leaf may bear any name; it signs no lists.
  const TestLeaf leaf = root_.Issue("spiffe://gov.example/gateway/gw1");
  EXPECT_THAT(std::string(list->VerifyAgainst(leaf.certificate).message()),
              HasSubstr("may not sign lists"));
}

TEST_F(CrlTest, AnAlteredListIsRefused) {
  const auto list = RevocationList::FromPem(root_.ListPem({"0a1b"}), "l.pem");
  ASSERT_TRUE(list.ok());
  std::mt19937 random(20261104);
  for (int round = 0; round < 2000; ++round) {
    std::string changed = list->der();
    changed[random() % changed.size()] ^= static_cast<char>(1 + random() % 255);
    const auto read = RevocationList::FromPem(WritePem("X509 CRL", changed), "l.pem");
    if (read.ok()) {
      ASSERT_FALSE(read->VerifyAgainst(root_.certificate()).ok()) << round;
    }
  }
  for (size_t size = 1; size < list->der().size(); ++size) {
    ASSERT_FALSE(
        RevocationList::FromPem(WritePem("X509 CRL", list->der().substr(0, size)), "l.pem").ok());
  }
}

TEST_F(CrlTest, DeltaListsAreRefused) {
  const auto list = RevocationList::FromPem(root_.ListPem(), "l.pem");
  ASSERT_TRUE(list.ok());
  auto native = FromExactDer<X509_CRL, X509_CRL_free>(list->der(), d2i_X509_CRL);
  const OwnedInteger base(ASN1_INTEGER_new());
  ASSERT_EQ(ASN1_INTEGER_set_int64(base.get(), 1), 1);
  ASSERT_EQ(X509_CRL_add1_ext_i2d(native.get(), NID_delta_crl, base.get(), 1, 0), 1);
  ASSERT_GT(X509_CRL_sign(native.get(), root_.key().native(), EVP_sha256()), 0);
  const std::string der = DerOf(native.get(), i2d_X509_CRL);
  EXPECT_THAT(
      std::string(RevocationList::FromPem(WritePem("X509 CRL", der), "l.pem").status().message()),
      HasSubstr("l.pem: a delta"));
}

TEST_F(CrlTest, ANextUpdateBeforeThisUpdateIsRefused) {
  ListSpec spec{.number = 1, .this_update = now_, .next_update = now_};
  EXPECT_FALSE(BuildList(spec, root_.key(), root_.certificate()).ok());
}

TEST(RevocationReason, NamesAreReadBack) {
  for (int value = 0; value <= 5; ++value) {
    const auto reason = static_cast<RevocationReason>(value);
    EXPECT_EQ(RevocationReasonFromName(RevocationReasonName(reason)), reason);
  }
  EXPECT_FALSE(RevocationReasonFromName("keyCompromise").has_value());
}

}  // namespace
}  // namespace sluice::certs
