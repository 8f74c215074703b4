// Attacks on the verifier: whatever is presented, only a certificate that a configured authority
// made for this party, at this time, gets through.
#include "certs/chain_verifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "certs/authority_testing.h"
#include "gateway/base/error.h"
#include "gateway/base/fake_clock.h"

namespace sluice::certs {
namespace {

using testing::HasSubstr;

constexpr char kDomain[] = "gov.example";
constexpr char kRelief[] = "spiffe://gov.example/agency/civil-affairs/system/relief";
constexpr char kTax[] = "spiffe://gov.example/agency/tax/system/returns";

// A root for all agencies, and below it an authority of civil-affairs alone.
class ChainVerifierTest : public testing::Test {
 protected:
  ChainVerifierTest()
      : root_(TestAuthority::Root("Root", now_)), below_(root_.Below("Civil affairs")) {
    root_list_ = root_.ListPem();
    below_list_ = below_.ListPem();
  }

  std::shared_ptr<const ChainVerifier> Build() const {
    auto verifier = ChainVerifier::Build(Options());
    EXPECT_TRUE(verifier.ok()) << verifier.status();
    return *verifier;
  }
  ChainVerifierOptions Options() const {
    return {.trust_domain = kDomain,
            .authorities = {{"root.pem", root_.pem(), {"*"}, root_list_},
                            {"below.pem", below_.pem(), {"civil-affairs"}, below_list_}},
            .crl_grace = grace_};
  }
  v1::Reason Refusal(const TestLeaf& leaf, PeerRole role = PeerRole::kClient) const {
    const auto peer = Build()->Verify(leaf.certificate_pem, now_, role);
    EXPECT_FALSE(peer.ok());
    return ReasonOf(peer.status());
  }

  const Micros now_ = FakeClock().Now();
  TestAuthority root_;
  TestAuthority below_;
  std::string root_list_, below_list_;
  Micros grace_ = 0;
};

TEST_F(ChainVerifierTest, AGoodCertificateSaysWhoItIs) {
  const TestLeaf leaf = below_.Issue(kRelief);
  const auto peer = Build()->Verify(leaf.certificate_pem, now_);
  ASSERT_TRUE(peer.ok()) << peer.status();
  EXPECT_EQ(peer->identity.Format(), kRelief);
  EXPECT_EQ(peer->serial, leaf.certificate.serial());
  EXPECT_EQ(peer->fingerprint, leaf.certificate.fingerprint());
  EXPECT_EQ(peer->not_after, leaf.certificate.not_after());
  ASSERT_EQ(peer->chain.size(), 3u);
  EXPECT_EQ(peer->chain[0].issuer_spki_hash, below_.certificate().spki_hash());
  EXPECT_EQ(peer->chain[1].serial, below_.certificate().serial());
  EXPECT_EQ(peer->chain[2].issuer_spki_hash, root_.certificate().spki_hash());
  EXPECT_TRUE(Build()->CheckAgain(*peer, now_).ok());
  EXPECT_TRUE(Build()->Verify(leaf.certificate_pem, now_, PeerRole::kServer).ok());
}

TEST_F(ChainVerifierTest, AnotherAuthorityIsRefused) {
  const TestAuthority other = TestAuthority::Root("Root", now_);  // the same name, another key
  EXPECT_EQ(Refusal(other.Issue(kRelief)), v1::REASON_CERTIFICATE_INVALID);
  const TestAuthority fake_below = other.Below("Civil affairs");
  EXPECT_EQ(Refusal(fake_below.Issue(kRelief)), v1::REASON_CERTIFICATE_INVALID);
}

TEST_F(ChainVerifierTest, AnIntermediateThatIsNotConfiguredIsRefusedThoughTheRootSignedIt) {
  EXPECT_EQ(Refusal(root_.Below("Unknown").Issue(kRelief)), v1::REASON_CERTIFICATE_INVALID);
}

TEST_F(ChainVerifierTest, AnAuthorityNamesItsOwnAgenciesOnly) {
  EXPECT_EQ(Refusal(below_.Issue(kTax)), v1::REASON_AUTHORITY_NOT_ALLOWED);
  EXPECT_EQ(Refusal(below_.Issue("spiffe://gov.example/gateway/gw1")),
            v1::REASON_AUTHORITY_NOT_ALLOWED);
  EXPECT_TRUE(Build()->Verify(root_.Issue(kTax).certificate_pem, now_).ok());
  EXPECT_TRUE(
      Build()->Verify(root_.Issue("spiffe://gov.example/gateway/gw1").certificate_pem, now_).ok());
}

TEST_F(ChainVerifierTest, TheAuthorityAboveMustAllowTheAgencyAsWell) {
  ChainVerifierOptions options = Options();
  options.authorities[0].agencies = {"tax"};
  const auto verifier = ChainVerifier::Build(options);
  ASSERT_TRUE(verifier.ok());
  EXPECT_EQ(ReasonOf((*verifier)->Verify(below_.Issue(kRelief).certificate_pem, now_).status()),
            v1::REASON_AUTHORITY_NOT_ALLOWED);
}

TEST_F(ChainVerifierTest, PeriodsAreThoseOfTheGivenTime) {
  const TestLeaf leaf = below_.Issue(kRelief);
  grace_ = 10000 * kDay;
  const auto verifier = Build();
  const auto at = [&](Micros now) {
    return ReasonOf(verifier->Verify(leaf.certificate_pem, now).status());
  };
  const auto peer = verifier->Verify(leaf.certificate_pem, now_);
  ASSERT_TRUE(peer.ok());
  for (const Micros bad : {leaf.certificate.not_after(), leaf.certificate.not_after() + kDay,
                           leaf.certificate.not_before() - 1, Micros{0}, -kDay}) {
    EXPECT_EQ(at(bad), v1::REASON_CERTIFICATE_EXPIRED) << bad;
    EXPECT_EQ(ReasonOf(verifier->CheckAgain(*peer, bad)), v1::REASON_CERTIFICATE_EXPIRED) << bad;
  }
  EXPECT_TRUE(verifier->Verify(leaf.certificate_pem, leaf.certificate.not_after() - 1).ok());
  EXPECT_TRUE(verifier->CheckAgain(*peer, leaf.certificate.not_after() - 1).ok());
}

TEST_F(ChainVerifierTest, AnExpiredAuthorityEndsItsLeaves) {
  grace_ = 10000 * kDay;
  const TestLeaf leaf =
      below_.Issue(kRelief, [&](CertificateSpec& spec) { spec.not_after = now_ + 2000 * kDay; });
  const auto verifier = Build();
  const auto peer = verifier->Verify(leaf.certificate_pem, now_);
  ASSERT_TRUE(peer.ok());
  EXPECT_EQ(peer->not_after, below_.certificate().not_after());
  const Micros later = now_ + 1500 * kDay;
  EXPECT_EQ(ReasonOf(verifier->Verify(leaf.certificate_pem, later).status()),
            v1::REASON_CERTIFICATE_EXPIRED);
  EXPECT_EQ(ReasonOf(verifier->CheckAgain(*peer, later)), v1::REASON_CERTIFICATE_EXPIRED);
}

TEST_F(ChainVerifierTest, RevokedLeavesAndAuthoritiesAreRefusedAndOpenConnectionsToo) {
  const TestLeaf leaf = below_.Issue(kRelief);
  const auto before = Build()->Verify(leaf.certificate_pem, now_);
  ASSERT_TRUE(before.ok());
  below_list_ = below_.ListPem({leaf.certificate.serial()});
  EXPECT_EQ(Refusal(leaf), v1::REASON_CERTIFICATE_REVOKED);
  EXPECT_EQ(ReasonOf(Build()->CheckAgain(*before, now_)), v1::REASON_CERTIFICATE_REVOKED);

  below_list_ = below_.ListPem();
  root_list_ = root_.ListPem({below_.certificate().serial()});
  EXPECT_EQ(Refusal(leaf), v1::REASON_CERTIFICATE_REVOKED);
  EXPECT_EQ(ReasonOf(Build()->CheckAgain(*before, now_)), v1::REASON_CERTIFICATE_REVOKED);
}

TEST_F(ChainVerifierTest, ASerialOfOneAuthorityDoesNotRevokeThatOfAnother) {
  const TestLeaf leaf = below_.Issue(kRelief);
  root_list_ = root_.ListPem({leaf.certificate.serial()});
  EXPECT_TRUE(Build()->Verify(leaf.certificate_pem, now_).ok());
}

TEST_F(ChainVerifierTest, AMissingListRefusesWhateverTheGrace) {
  const TestLeaf leaf = below_.Issue(kRelief);
  const auto before = Build()->Verify(leaf.certificate_pem, now_);
  ASSERT_TRUE(before.ok());
  grace_ = 10000 * kDay;
  for (std::string* list : {&below_list_, &root_list_}) {
    const std::string kept = std::exchange(*list, "");
    EXPECT_EQ(Refusal(leaf), v1::REASON_REVOCATION_LIST_STALE);
    EXPECT_EQ(ReasonOf(Build()->CheckAgain(*before, now_)), v1::REASON_REVOCATION_LIST_STALE);
    *list = kept;
  }
}

TEST_F(ChainVerifierTest, AListPastItsNextUpdateRefusesAfterTheGrace) {
  const TestLeaf leaf = below_.Issue(kRelief);
  const auto peer = Build()->Verify(leaf.certificate_pem, now_);
  ASSERT_TRUE(peer.ok());
  const Micros end = now_ + 7 * kDay;
  EXPECT_EQ(Build()->EarliestNextUpdate(), end);
  for (const Micros grace : {Micros{0}, 2 * kHour}) {
    grace_ = grace;
    const auto verifier = Build();
    EXPECT_TRUE(verifier->Verify(leaf.certificate_pem, end + grace - 1).ok());
    EXPECT_TRUE(verifier->CheckAgain(*peer, end + grace - 1).ok());
    EXPECT_EQ(ReasonOf(verifier->Verify(leaf.certificate_pem, end + grace).status()),
              v1::REASON_REVOCATION_LIST_STALE);
    EXPECT_EQ(ReasonOf(verifier->CheckAgain(*peer, end + grace)), v1::REASON_REVOCATION_LIST_STALE);
  }
}

TEST_F(ChainVerifierTest, RevokedIsSaidEvenByAStaleList) {
  const TestLeaf leaf = below_.Issue(kRelief);
  below_list_ = below_.ListPem({leaf.certificate.serial()});
  const auto peer = Build()->Verify(leaf.certificate_pem, now_ + 30 * kDay);
  EXPECT_EQ(ReasonOf(peer.status()), v1::REASON_CERTIFICATE_REVOKED);
}

TEST_F(ChainVerifierTest, AClockThatJumpsBackBeforeTheListRefuses) {
  const TestLeaf leaf = below_.Issue(kRelief);
  const auto verifier = Build();
  EXPECT_TRUE(verifier->Verify(leaf.certificate_pem, now_ - kMinute).ok());
  EXPECT_EQ(ReasonOf(verifier->Verify(leaf.certificate_pem, now_ - kHour).status()),
            v1::REASON_REVOCATION_LIST_STALE);
}

TEST_F(ChainVerifierTest, IdentityIsOneUriOfThisTrustDomainAndNeverTheCommonName) {
  const auto with = [&](std::vector<std::string> uris) {
    return root_.Issue("", [&](CertificateSpec& spec) {
      spec.uris = std::move(uris);
      spec.common_name = kRelief;
    });
  };
  for (const TestLeaf& leaf : {with({}), with({kRelief, kTax}), with({kRelief, kRelief}),
                               with({"spiffe://other.example/agency/civil-affairs/system/relief"}),
                               with({"https://gov.example/agency/civil-affairs/system/relief"}),
                               with({"spiffe://GOV.example/agency/civil-affairs/system/relief"})}) {
    EXPECT_EQ(Refusal(leaf), v1::REASON_CERTIFICATE_IDENTITY_MALFORMED);
  }
}

TEST_F(ChainVerifierTest, ALeafIsNoAuthority) {
  // A leaf's key signs another leaf: the leaf is not configured, and could not be.
  const TestLeaf leaf = below_.Issue(kRelief);
  CertificateSpec spec{.common_name = "x",
                       .public_key = leaf.key.native(),
                       .serial = "\1\2\3",
                       .not_before = now_ - kDay,
                       .not_after = now_ + kDay,
                       .uris = {kRelief},
                       .extended_usage = "clientAuth"};
  const auto forged = BuildCertificate(spec, leaf.key, &leaf.certificate);
  ASSERT_TRUE(forged.ok());
  EXPECT_EQ(ReasonOf(Build()->Verify(forged->ToPem(), now_).status()),
            v1::REASON_CERTIFICATE_INVALID);
  ChainVerifierOptions options = Options();
  options.authorities.push_back({"leaf.pem", leaf.certificate_pem, {"*"}, ""});
  const auto verifier = ChainVerifier::Build(options);
  EXPECT_THAT(std::string(verifier.status().message()), HasSubstr("leaf.pem: "));
}

TEST_F(ChainVerifierTest, AnAuthoritysOwnCertificateIsNoPartys) {
  EXPECT_EQ(ReasonOf(Build()->Verify(below_.pem(), now_).status()), v1::REASON_CERTIFICATE_INVALID);
  EXPECT_EQ(ReasonOf(Build()->Verify(root_.pem(), now_).status()), v1::REASON_CERTIFICATE_INVALID);
  const TestAuthority named = root_.Below("named", [](CertificateSpec& spec) {
    spec.uris = {kRelief}, spec.extended_usage = "clientAuth";
  });
  EXPECT_EQ(ReasonOf(Build()->Verify(named.pem(), now_).status()), v1::REASON_CERTIFICATE_INVALID);
}

TEST_F(ChainVerifierTest, PathLengthsHold) {
  const TestAuthority root =
      TestAuthority::Root("R", now_, [](CertificateSpec& spec) { spec.path_length = 0; });
  const TestAuthority below = root.Below("B");
  const auto verifier =
      ChainVerifier::Build({.trust_domain = kDomain,
                            .authorities = {{"r", root.pem(), {"*"}, root.ListPem()},
                                            {"b", below.pem(), {"*"}, below.ListPem()}}});
  ASSERT_TRUE(verifier.ok()) << verifier.status();
  EXPECT_EQ(ReasonOf((*verifier)->Verify(below.Issue(kRelief).certificate_pem, now_).status()),
            v1::REASON_CERTIFICATE_INVALID);
  EXPECT_TRUE((*verifier)->Verify(root.Issue(kRelief).certificate_pem, now_).ok());
}

TEST_F(ChainVerifierTest, NameConstraintsHold) {
  const TestAuthority root = TestAuthority::Root(
      "R", now_, [](CertificateSpec& spec) { spec.permitted_uri_host = "other.example"; });
  const auto verifier = ChainVerifier::Build(
      {.trust_domain = kDomain, .authorities = {{"r", root.pem(), {"*"}, root.ListPem()}}});
  ASSERT_TRUE(verifier.ok()) << verifier.status();
  EXPECT_EQ(ReasonOf((*verifier)->Verify(root.Issue(kRelief).certificate_pem, now_).status()),
            v1::REASON_CERTIFICATE_INVALID);
}

TEST_F(ChainVerifierTest, ACertificateServesOnlyForWhatItWasMadeFor) {
  const auto with = [&](const std::string& usage) {
    return below_.Issue(kRelief, [&](CertificateSpec& spec) { spec.extended_usage = usage; });
  };
  for (const char* usage : {"", "serverAuth", "codeSigning", "anyExtendedKeyUsage"})
    EXPECT_EQ(Refusal(with(usage)), v1::REASON_CERTIFICATE_INVALID) << usage;
  EXPECT_EQ(Refusal(with("clientAuth"), PeerRole::kServer), v1::REASON_CERTIFICATE_INVALID);
}

TEST_F(ChainVerifierTest, GarbageIsRefused) {
  const TestLeaf leaf = below_.Issue(kRelief);
  const auto verifier = Build();
  const std::string kGarbage[] = {
      "",
      "nonsense",
      "-----BEGIN CERTIFICATE-----\n",
      "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
      leaf.key_pem,
      leaf.certificate_pem + leaf.certificate_pem,
      leaf.key_pem + leaf.certificate_pem,
      std::string(1 << 20, '-'),
  };
  for (const std::string& pem : kGarbage)
    EXPECT_EQ(ReasonOf(verifier->Verify(pem, now_).status()), v1::REASON_CERTIFICATE_INVALID);
}

TEST_F(ChainVerifierTest, TruncatedAndMutatedCertificatesNeverPassAsSomebodyElse) {
  const TestLeaf leaf = below_.Issue(kRelief);
  const auto verifier = Build();
  const std::string& der = leaf.certificate.der();
  for (size_t size = 0; size < der.size(); ++size)
    ASSERT_FALSE(Certificate::FromDer(std::string_view(der).substr(0, size), "cut").ok()) << size;
  EXPECT_FALSE(Certificate::FromDer(der + "x", "longer").ok());
  std::mt19937 random(20261102);
  for (int round = 0; round < 3000; ++round) {
    std::string changed = der;
    for (int i = 0; i <= round % 3; ++i)
      changed[random() % changed.size()] ^= static_cast<char>(1 + random() % 255);
    if (changed == der) continue;
    const auto parsed = Certificate::FromDer(changed, "changed");
    if (!parsed.ok()) continue;
    const auto peer = verifier->Verify(*parsed, now_);
    ASSERT_FALSE(peer.ok()) << round;
    ASSERT_NE(ReasonOf(peer.status()), v1::REASON_UNSPECIFIED) << peer.status();
  }
}

TEST_F(ChainVerifierTest, AVerifierWithoutTheAuthorityForgetsItsPeers) {
  const auto peer = Build()->Verify(below_.Issue(kRelief).certificate_pem, now_);
  ASSERT_TRUE(peer.ok());
  ChainVerifierOptions options = Options();
  options.authorities.pop_back();
  EXPECT_EQ(ReasonOf((*ChainVerifier::Build(options))->CheckAgain(*peer, now_)),
            v1::REASON_AUTHORITY_NOT_ALLOWED);
  options = Options();
  options.authorities[1].agencies = {"tax"};
  EXPECT_EQ(ReasonOf((*ChainVerifier::Build(options))->CheckAgain(*peer, now_)),
            v1::REASON_AUTHORITY_NOT_ALLOWED);
  options = Options();
  options.trust_domain = "other.example";
  EXPECT_FALSE((*ChainVerifier::Build(options))->CheckAgain(*peer, now_).ok());
  EXPECT_FALSE(Build()->CheckAgain(VerifiedPeer{}, now_).ok());
}

TEST_F(ChainVerifierTest, ManyThreadsMayVerifyAtOnce) {
  const TestLeaf good = below_.Issue(kRelief), bad = below_.Issue(kTax);
  const auto verifier = Build();
  std::atomic<int> passed = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        const auto peer = verifier->Verify(good.certificate, now_);
        if (peer.ok() && verifier->CheckAgain(*peer, now_).ok() &&
            !verifier->Verify(bad.certificate_pem, now_).ok())
          ++passed;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(passed, 200);
}

TEST_F(ChainVerifierTest, ARenewedAuthorityOfTheSameKeyServesOldAndNewLeaves) {
  const TestLeaf leaf = below_.Issue(kRelief);
  CertificateSpec spec{.common_name = "Civil affairs",
                       .public_key = below_.key().native(),
                       .serial = "\5\6",
                       .not_before = now_ + 900 * kDay,
                       .not_after = now_ + 2000 * kDay,
                       .is_authority = true};
  const auto renewed = BuildCertificate(spec, root_.key(), &root_.certificate());
  ASSERT_TRUE(renewed.ok());
  ChainVerifierOptions options = Options();
  options.crl_grace = 10000 * kDay;
  options.authorities[1].certificates_pem += renewed->ToPem();
  const auto verifier = ChainVerifier::Build(options);
  ASSERT_TRUE(verifier.ok()) << verifier.status();
  EXPECT_TRUE((*verifier)->Verify(leaf.certificate_pem, now_).ok());
  const TestLeaf later = below_.Issue(kRelief, [&](CertificateSpec& s) {
    s.not_before = now_ + 1100 * kDay, s.not_after = now_ + 1200 * kDay;
  });
  EXPECT_TRUE((*verifier)->Verify(later.certificate_pem, now_ + 1150 * kDay).ok());
}

TEST_F(ChainVerifierTest, ABadConfigurationNamesThePlace) {
  const TestAuthority other = TestAuthority::Root("Other", now_);
  const struct {
    std::function<void(ChainVerifierOptions&)> change;
    const char* said;
  } kCases[] = {
      {[](auto& o) { o.trust_domain = "Gov"; }, "trust_domain: "},
      {[](auto& o) { o.authorities.clear(); }, "authorities: "},
      {[](auto& o) { o.authorities[1].agencies.clear(); }, "below.pem: names no agencies"},
      {[](auto& o) {
         o.authorities[1].agencies = {"*", "tax"};
       },
       "below.pem: \"*\" is no agency"},
      {[](auto& o) { o.authorities[1].agencies = {"Tax"}; }, "below.pem: \"Tax\" is no agency"},
      {[](auto& o) { o.authorities[1].certificates_pem = "x"; }, "below.pem: no \"CERTIFICATE\""},
      {[](auto& o) { o.authorities.erase(o.authorities.begin()); }, "is not configured"},
      {[&](auto& o) { o.authorities[1].certificates_pem = root_.pem(); }, "configured at root.pem"},
      {[](auto& o) { o.authorities[1].lists_pem = "x"; }, "below.pem, revocation list: no"},
      {[&](auto& o) { o.authorities[1].lists_pem = other.ListPem(); }, "signed by none"},
  };
  for (const auto& one : kCases) {
    ChainVerifierOptions options = Options();
    one.change(options);
    const auto verifier = ChainVerifier::Build(options);
    ASSERT_FALSE(verifier.ok()) << one.said;
    EXPECT_THAT(std::string(verifier.status().message()), HasSubstr(one.said));
  }
}

TEST_F(ChainVerifierTest, ANewListMustBeSignedNewerAndCurrent) {
  const auto numbered = [&](int64_t number, Micros from) {
    return below_.ListPem({}, [&](ListSpec& spec) {
      spec.number = number, spec.this_update = from, spec.next_update = from + kDay;
    });
  };
  below_list_ = numbered(5, now_);
  const auto verifier = Build();
  const auto accepted = verifier->CheckNewList(numbered(6, now_), "new.pem", now_);
  ASSERT_TRUE(accepted.ok()) << accepted.status();
  EXPECT_EQ(accepted->authority_spki_hash, below_.certificate().spki_hash());
  EXPECT_EQ(accepted->place, "below.pem");
  EXPECT_TRUE(verifier->CheckNewList(below_list_, "new.pem", now_).ok());  // the same again
  const std::string forged =
      TestAuthority::Root("Civil affairs", now_).ListPem({}, [&](ListSpec& spec) {
        spec.number = 9;
      });
  const struct {
    std::string pem;
    const char* said;
  } kBad[] = {{numbered(4, now_), "not newer than list 5"},
              {numbered(5, now_ + kMinute), "not newer than list 5"},
              {numbered(6, now_ - kHour), "not newer than list 5"},
              {numbered(6, now_ + 2 * kDay), "and now is"},
              {forged, "signed by none"},
              {"x", "new.pem: no \"X509 CRL\""}};
  for (const auto& one : kBad) {
    const auto list = verifier->CheckNewList(one.pem, "new.pem", now_);
    ASSERT_FALSE(list.ok()) << one.said;
    EXPECT_THAT(std::string(list.status().message()), HasSubstr(one.said));
  }
  EXPECT_FALSE(verifier->CheckNewList(numbered(6, now_), "new.pem", now_ + 2 * kDay).ok());
}

TEST_F(ChainVerifierTest, TheNewestOfSeveralListsCountsAndStatesAreTold) {
  const TestLeaf leaf = below_.Issue(kRelief);
  const std::string newer =
      below_.ListPem({leaf.certificate.serial()}, [](ListSpec& spec) { spec.number = 2; });
  below_list_ = newer + below_list_;
  EXPECT_EQ(Refusal(leaf), v1::REASON_CERTIFICATE_REVOKED);
  root_list_.clear();
  const auto lists = Build()->Lists();
  ASSERT_EQ(lists.size(), 2u);
  EXPECT_FALSE(lists[0].present);
  EXPECT_EQ(lists[0].place, "root.pem");
  EXPECT_EQ(lists[1].number, 2);
}

}  // namespace
}  // namespace sluice::certs
