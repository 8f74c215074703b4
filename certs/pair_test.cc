#include "certs/pair.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "certs/authority_testing.h"
#include "certs/links.h"
#include "gateway/base/error.h"
#include "gateway/base/fake_clock.h"

namespace sluice::certs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kGateway[] = "spiffe://gov.example/gateway/gw1";

class PairTest : public testing::Test {
 protected:
  TestLeaf Gateway() const {
    return root_.Issue(kGateway,
                       [](CertificateSpec& spec) { spec.dns_names = {"gw1.gov.example"}; });
  }
  absl::StatusOr<Pair> Load(const std::string& certificate, const std::string& key,
                            uint32_t mode = 0600) {
    EXPECT_TRUE(files_->WriteAtomically(folder_.Path("c.pem"), certificate, 0644).ok());
    EXPECT_TRUE(files_->WriteAtomically(folder_.Path("k.pem"), key, mode).ok());
    return LoadPair(*files_, folder_.Path("c.pem"), folder_.Path("k.pem"), expected_, now_);
  }
  void ExpectRefused(const absl::StatusOr<Pair>& pair, const std::string& file,
                     const std::string& said) {
    ASSERT_FALSE(pair.ok()) << said;
    EXPECT_THAT(std::string(pair.status().message()),
                testing::AllOf(HasSubstr(file), HasSubstr(said)));
    EXPECT_NE(ReasonOf(pair.status()), v1::REASON_UNSPECIFIED);
  }

  Micros now_ = FakeClock().Now();
  const TestAuthority root_ = TestAuthority::Root("Root", now_);
  PairExpectation expected_{"gov.example", Kind::kGateway, {"gw1.gov.example"}};
  std::unique_ptr<FileSystem> files_ = MakePosixFileSystem();
  TemporaryFolder folder_;
};

TEST_F(PairTest, AGoodPairIsReadWithItsChain) {
  const TestLeaf leaf = Gateway();
  const auto pair = Load(leaf.certificate_pem + root_.pem(), leaf.key_pem);
  ASSERT_TRUE(pair.ok()) << pair.status();
  EXPECT_EQ(pair->identity.Format(), kGateway);
  EXPECT_EQ(pair->chain.size(), 2u);
  EXPECT_EQ(pair->key_pem, leaf.key_pem);
  EXPECT_TRUE(Load(leaf.certificate_pem, leaf.key_pem, 0640).ok());
}

TEST_F(PairTest, HalfWrittenMixedAndUnfitPairsAreRefusedByName) {
  const TestLeaf leaf = Gateway();
  const std::string& pem = leaf.certificate_pem;
  ExpectRefused(Load(pem, Gateway().key_pem), "c.pem", "is not for this private key");
  ExpectRefused(Load(pem.substr(0, pem.size() / 2), leaf.key_pem), "c.pem", "PEM");
  ExpectRefused(Load("", leaf.key_pem), "c.pem", "no \"CERTIFICATE\" block");
  ExpectRefused(Load(pem, leaf.key_pem.substr(0, 60)), "k.pem", "no private key");
  ExpectRefused(Load(pem, ""), "k.pem", "no private key");
  ExpectRefused(Load(pem, leaf.key_pem, 0644), "k.pem", "by everybody");
  ExpectRefused(Load(pem + TestAuthority::Root("Root", now_).pem(), leaf.key_pem), "c.pem",
                "has not signed the one before it");
  ExpectRefused(LoadPair(*files_, folder_.Path("none"), folder_.Path("k.pem"), expected_, now_),
                "none", "/none: open: No such file or directory; put the file there");
}

TEST_F(PairTest, IdentityNamesAndTimeAreAsExpected) {
  const TestLeaf leaf = Gateway();
  const TestLeaf nameless = root_.Issue(kGateway);
  const TestLeaf system = root_.Issue("spiffe://gov.example/agency/a/system/s");
  ExpectRefused(Load(nameless.certificate_pem, nameless.key_pem), "c.pem", "neither DNS names");
  ExpectRefused(Load(system.certificate_pem, system.key_pem), "c.pem", "not a gateway");
  expected_.server_names = {"gw2.gov.example"};
  ExpectRefused(Load(leaf.certificate_pem, leaf.key_pem), "c.pem", "is not for gw2.gov.example");
  expected_ = {"other.example", std::nullopt, {}};
  ExpectRefused(Load(leaf.certificate_pem, leaf.key_pem), "c.pem", "trust domain");
  expected_ = {"gov.example", std::nullopt, {}};
  EXPECT_TRUE(Load(system.certificate_pem, system.key_pem).ok());
  // What helps against the one does not help against the other.
  const auto next = [&] {
    return ErrorInfoOf(Load(leaf.certificate_pem, leaf.key_pem).status())->metadata().at("next");
  };
  now_ = leaf.certificate.not_after();
  EXPECT_EQ(ReasonOf(Load(leaf.certificate_pem, leaf.key_pem).status()),
            v1::REASON_CERTIFICATE_EXPIRED);
  EXPECT_THAT(next(), HasSubstr("sluice certs renew"));
  now_ = leaf.certificate.not_before() - 1;
  ExpectRefused(Load(leaf.certificate_pem, leaf.key_pem), "c.pem", "is not valid before");
  EXPECT_THAT(next(), HasSubstr("set this machine's clock"));
}

TEST_F(PairTest, StagingSwapsWholePairsAndKeepsTwo) {
  const std::string tls = folder_.Path("tls");
  const auto stage = [&](const TestLeaf& leaf, const std::string& key_pem) {
    return StagePair(*files_, tls, leaf.certificate_pem, key_pem, expected_, now_);
  };
  const auto served = [&] {
    return LoadPair(*files_, tls + "/current/certificate.pem", tls + "/current/key.pem", expected_,
                    now_)
        ->chain.front()
        .serial();
  };
  for (int version = 1; version <= 4; ++version) {
    const TestLeaf leaf = Gateway();
    const auto staged = stage(leaf, leaf.key_pem);
    ASSERT_TRUE(staged.ok()) << staged.status();
    EXPECT_EQ(*staged, "v" + std::to_string(version));
    EXPECT_EQ(served(), leaf.certificate.serial());
    EXPECT_EQ(std::filesystem::read_symlink(tls + "/current"), *staged);
  }
  EXPECT_THAT(*files_->List(tls), ElementsAre("current", "lock", "v3", "v4"));
  EXPECT_EQ(files_->Stat(tls + "/v4/key.pem")->mode, 0600u);

  const std::string before = served();
  EXPECT_FALSE(stage(Gateway(), Gateway().key_pem).ok());
  EXPECT_EQ(served(), before);
  EXPECT_THAT(*files_->List(tls), ElementsAre("current", "lock", "v3", "v4"));
}

TEST_F(PairTest, AVersionLeftByACrashIsPassedOver) {
  const std::string tls = folder_.Path("tls");
  ASSERT_TRUE(files_->CreateDirectories(tls + "/v1").ok());
  ASSERT_TRUE(files_->WriteAtomically(tls + "/v1/key.pem", "half", 0600).ok());
  ASSERT_TRUE(files_->WriteAtomically(tls + "/current.new", "in the way", 0600).ok());
  const TestLeaf leaf = Gateway();
  const auto staged = StagePair(*files_, tls, leaf.certificate_pem, leaf.key_pem, expected_, now_);
  ASSERT_TRUE(staged.ok()) << staged.status();
  EXPECT_EQ(*staged, "v2");
}

TEST_F(PairTest, AFolderWhereTheLinkShouldBeIsNotReplaced) {
  const std::string tls = folder_.Path("tls");
  ASSERT_TRUE(files_->CreateDirectories(tls + "/current").ok());
  const TestLeaf leaf = Gateway();
  EXPECT_THAT(
      std::string(StagePair(*files_, tls, leaf.certificate_pem, leaf.key_pem, expected_, now_)
                      .status()
                      .message()),
      HasSubstr("is no link"));
}

}  // namespace
}  // namespace sluice::certs
