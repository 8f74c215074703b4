// Who may come in: attacks on identity with clients that are not ours. DESIGN, promise 2.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "certs/authority_testing.h"
#include "gateway/base/error.h"
#include "tests/system/raw_client.h"

namespace sluice::system_test {
namespace {

using certs::CertificateSpec;
using certs::TestAuthority;
using certs::TestLeaf;

constexpr char kRelief[] = "spiffe://gov.example/agency/civil-affairs/system/relief";

Identity Of(const TestLeaf& leaf) { return {leaf.certificate_pem, leaf.key_pem}; }

// A gateway with a second authority, which may name civil-affairs and nobody else, and whose every
// word the test chooses.
class IdentityTest : public testing::Test {
 protected:
  void SetUp() override {
    now_ = MakeSystemClock()->Now();
    authority_ = std::make_unique<TestAuthority>(TestAuthority::Root("Second authority", now_));
    gateway_.Write("tls/second.pem", authority_->pem());
    revoked_ = std::make_unique<TestLeaf>(authority_->Issue(kRelief));
    gateway_.Write("tls/second-list.pem", authority_->ListPem({revoked_->certificate.serial()}));
    gateway_.Replace("sluiced.yaml", "\naudit:",
                     "    - certificate: tls/second.pem\n"
                     "      agencies: [civil-affairs]\n"
                     "      revocation_list: tls/second-list.pem\n\naudit:");
    gateway_.Start();
  }

  absl::Status WhoAmI(const Identity& identity, v1::WhoAmIResponse* response = nullptr) {
    v1::WhoAmIResponse ignored;
    RawClient client(gateway_.address(), gateway_.Read("tls/authority.pem"), identity);
    return client.Call("/sluice.v1.Registry/WhoAmI", v1::WhoAmIRequest(),
                       response != nullptr ? *response : ignored);
  }

  // The reasons of the refusals in the log from this index on, counted ones included.
  std::vector<std::string> Refusals(int64_t since = 0) {
    std::vector<std::string> reasons;
    for (const v1::Record& record : gateway_.Records()) {
      const v1::AuditEnvelope& envelope = record.envelope();
      if (record.index() < since || envelope.reason() == v1::REASON_UNSPECIFIED) continue;
      reasons.push_back(ReasonName(envelope.reason()));
    }
    return reasons;
  }

  Micros now_ = 0;
  Deployment gateway_;
  std::unique_ptr<TestAuthority> authority_;
  std::unique_ptr<TestLeaf> revoked_;
};

TEST_F(IdentityTest, TheSecondAuthoritysSystemIsServed) {
  v1::WhoAmIResponse who;
  const TestLeaf leaf = authority_->Issue(kRelief);
  ASSERT_TRUE(WhoAmI(Of(leaf), &who).ok());
  EXPECT_EQ(who.principal(), "agency/civil-affairs/system/relief");
  EXPECT_EQ(who.certificate_serial(), leaf.certificate.serial());
  EXPECT_TRUE(Openssl(gateway_, Of(leaf)).served);
}

struct BadIdentity {
  std::string name;
  std::function<TestLeaf(const TestAuthority&)> issue;
  std::string reason;  // in the log; empty where TLS itself refuses, so that none is recorded
};

std::vector<BadIdentity> BadIdentities() {
  const auto named = [](const std::string& uri) {
    return [uri](const TestAuthority& authority) { return authority.Issue(uri); };
  };
  const auto changed = [](const std::function<void(CertificateSpec&)>& change) {
    return [change](const TestAuthority& authority) { return authority.Issue(kRelief, change); };
  };
  return {
      {"AnotherAgencysName", named("spiffe://gov.example/agency/public-security/system/x"),
       "AUTHORITY_NOT_ALLOWED"},
      {"AGatewaysName", named("spiffe://gov.example/gateway/gw1"), "AUTHORITY_NOT_ALLOWED"},
      {"Unregistered", named("spiffe://gov.example/agency/civil-affairs/system/stranger"),
       "NOT_REGISTERED"},
      {"UnregisteredPerson", named("spiffe://gov.example/agency/civil-affairs/person/relief"),
       "NOT_REGISTERED"},
      {"AnotherTrustDomain", named("spiffe://gov.other/agency/civil-affairs/system/relief"),
       "CERTIFICATE_IDENTITY_MALFORMED"},
      {"NoSpiffeId", named("https://gov.example/agency/civil-affairs/system/relief"),
       "CERTIFICATE_IDENTITY_MALFORMED"},
      {"PathTricks", named("spiffe://gov.example/agency/civil-affairs/system/../system/relief"),
       "CERTIFICATE_IDENTITY_MALFORMED"},
      {"TwoUriNames", changed([](CertificateSpec& spec) {
         spec.uris.push_back("spiffe://gov.example/agency/civil-affairs/system/other");
       }),
       "CERTIFICATE_IDENTITY_MALFORMED"},
      {"CommonNameOnly", changed([](CertificateSpec& spec) {
         spec.common_name = kRelief;
         spec.uris.clear();
       }),
       "CERTIFICATE_IDENTITY_MALFORMED"},
      {"DnsNameOnly", changed([](CertificateSpec& spec) {
         spec.dns_names = {"relief.gov.example"};
         spec.uris.clear();
       }),
       "CERTIFICATE_IDENTITY_MALFORMED"},
      {"Expired", changed([](CertificateSpec& spec) {
         spec.not_before -= 200 * kDay;
         spec.not_after = spec.not_before + kDay;
       }),
       ""},
      {"NotYetValid", changed([](CertificateSpec& spec) {
         spec.not_before += 30 * kDay;
         spec.not_after += 30 * kDay;
       }),
       ""},
      {"ForServersOnly", changed([](CertificateSpec& spec) { spec.extended_usage = "serverAuth"; }),
       ""},
      {"AnAuthorityItself", changed([](CertificateSpec& spec) { spec.is_authority = true; }), ""},
  };
}

// One gateway for all: each is refused by both clients, and recorded where a handshake got so far.
TEST_F(IdentityTest, EveryBadCertificateIsRefusedAndRecorded) {
  for (const BadIdentity& bad : BadIdentities()) {
    const TestLeaf leaf = bad.issue(*authority_);
    const int64_t since = gateway_.Records().back().index() + 1;
    EXPECT_FALSE(WhoAmI(Of(leaf)).ok()) << bad.name;
    const OpensslOutcome openssl = Openssl(gateway_, Of(leaf));
    EXPECT_FALSE(openssl.served) << bad.name << "\n" << openssl.said;
    if (bad.reason.empty()) continue;
    // Those beyond ten a second come as one record when the second is over.
    EXPECT_TRUE(Eventually([&] {
      const std::vector<std::string> reasons = Refusals(since);
      return std::find(reasons.begin(), reasons.end(), bad.reason) != reasons.end();
    })) << bad.name;
  }
  // A refused certificate's own words are a claim: nothing of them names an actor.
  for (const v1::Record& record : gateway_.Records(v1::RECORD_KIND_DENIED))
    EXPECT_EQ(record.envelope().actor().principal(), "");
}

TEST_F(IdentityTest, NoCertificateOrAStrangersIsRefused) {
  EXPECT_FALSE(WhoAmI({}).ok());
  EXPECT_FALSE(Openssl(gateway_, {}).served);
  const TestAuthority stranger = TestAuthority::Root("Second authority", now_);
  const TestLeaf leaf = stranger.Issue(kRelief);
  EXPECT_FALSE(WhoAmI(Of(leaf)).ok());
  EXPECT_FALSE(Openssl(gateway_, Of(leaf)).served);
}

TEST_F(IdentityTest, ARevokedCertificateIsRefusedAfresh) {
  EXPECT_FALSE(WhoAmI(Of(*revoked_)).ok());
  EXPECT_FALSE(Openssl(gateway_, Of(*revoked_)).served);
  EXPECT_EQ(Refusals().back(), "CERTIFICATE_REVOKED");
}

// Debian's gRPC accepts everybody below an authority whose list is missing.
TEST(IdentityWithoutListTest, AnAuthorityWithoutAListStopsTheStart) {
  Deployment gateway;
  gateway.Replace("sluiced.yaml", "revocation_list:", "# revocation_list:");
  const Finished check = Execute({"sluiced", "--config", gateway.Path("sluiced.yaml"), "--check"});
  EXPECT_EQ(check.code, 78);
  EXPECT_NE(check.errors.find("revocation_list"), std::string::npos) << check.errors;
}

// What Debian's gRPC lets through by itself: a session resumed after the certificate was revoked.
TEST_F(IdentityTest, ARevokedCertificateCannotResumeItsSession) {
  const TestLeaf leaf = authority_->Issue(kRelief);
  for (const char* version : {"-tls1_2", "-tls1_3"}) {
    const std::string session = gateway_.Path(std::string("session") + version);
    const OpensslOutcome first = Openssl(gateway_, Of(leaf), {version, "-sess_out", session});
    ASSERT_TRUE(first.served) << first.said;
    const OpensslOutcome again = Openssl(gateway_, Of(leaf), {version, "-sess_in", session});
    ASSERT_TRUE(again.served) << again.said;
    ASSERT_TRUE(again.resumed) << version << ": this test would prove nothing\n" << again.said;
  }
  gateway_.Write("new-list.pem",
                 authority_->ListPem({revoked_->certificate.serial(), leaf.certificate.serial()},
                                     [](certs::ListSpec& spec) { ++spec.number; }));
  gateway_.Done("operator", {"certs", "publish", "new-list.pem"});
  for (const char* version : {"-tls1_2", "-tls1_3"}) {
    const std::string session = gateway_.Path(std::string("session") + version);
    const OpensslOutcome resumed = Openssl(gateway_, Of(leaf), {version, "-sess_in", session});
    EXPECT_FALSE(resumed.served) << version << "\n" << resumed.said;
  }
}

TEST_F(IdentityTest, RevocationActsOnAnOpenConnectionWithinASecond) {
  gateway_.OfferSample();
  const TestLeaf leaf = authority_->Issue(kRelief);
  RawClient client(gateway_.address(), gateway_.Read("tls/authority.pem"), Of(leaf));
  v1::QueryResponse reply;
  const v1::QueryRequest request = Deployment::PersonsQuery();
  ASSERT_TRUE(client.Call("/sluice.v1.Exchange/Query", request, reply).ok());
  gateway_.Write("new-list.pem",
                 authority_->ListPem({revoked_->certificate.serial(), leaf.certificate.serial()},
                                     [](certs::ListSpec& spec) { ++spec.number; }));
  gateway_.Done("operator", {"certs", "publish", "new-list.pem"});
  // At commit, so from the publication's answer on.
  const absl::Status refused = client.Call("/sluice.v1.Exchange/Query", request, reply);
  EXPECT_EQ(ReasonOf(refused), v1::REASON_CERTIFICATE_REVOKED) << refused;
  EXPECT_EQ(Refusals().back(), "CERTIFICATE_REVOKED");
}

TEST_F(IdentityTest, SuspensionActsOnAnOpenConnectionAndEndsWithIt) {
  gateway_.OfferSample();
  cli::Gateway& relief = gateway_.As("relief");
  ASSERT_TRUE(Call(relief, cli::kQuery, Deployment::PersonsQuery()).ok());
  gateway_.Done("operator",
                {"system", "suspend", "civil-affairs/relief", "--reason", "lost laptop"});
  const auto refused = Call(relief, cli::kQuery, Deployment::PersonsQuery());
  EXPECT_EQ(ReasonOf(refused.status()), v1::REASON_SUSPENDED) << refused.status();
  EXPECT_FALSE(Openssl(gateway_, IdentityOf(gateway_, "relief")).served);
  gateway_.Done("operator", {"system", "resume", "civil-affairs/relief", "--reason", "found"});
  EXPECT_TRUE(Call(*gateway_.Connect("relief"), cli::kQuery, Deployment::PersonsQuery()).ok());
}

// A person's certificate asks for no records; a system's changes nothing.
TEST_F(IdentityTest, OneKindCannotActAsAnother) {
  gateway_.OfferSample();
  for (const char* party : {"residents-owner", "operator", "auditor", "authority"}) {
    const auto refused = Call(gateway_.As(party), cli::kQuery, Deployment::PersonsQuery());
    EXPECT_EQ(ReasonOf(refused.status()), v1::REASON_CERTIFICATE_KIND_NOT_ALLOWED)
        << party << refused.status();
  }
  v1::RevokeGrantRequest revoke;
  revoke.set_id("whatever");
  revoke.set_reason("none");
  EXPECT_NE(Call(gateway_.As("relief"), cli::kRevokeGrant, revoke).status().code(),
            absl::StatusCode::kOk);
  v1::AddAgencyRequest add;
  add.mutable_agency()->set_id("mine");
  EXPECT_EQ(ReasonOf(Call(gateway_.As("relief"), cli::kAddAgency, add).status()),
            v1::REASON_ROLE_REQUIRED);
}

// Claims in metadata and body: the record names whom the certificate names, and the grant is that
// one's.
TEST_F(IdentityTest, AnotherIdentityInMetadataOrBodyChangesNothing) {
  gateway_.OfferSample();
  RawClient client(gateway_.address(), gateway_.Read("tls/authority.pem"),
                   IdentityOf(gateway_, "relief"));
  v1::QueryRequest request = Deployment::PersonsQuery();
  request.set_end_user("agency/public-security/person/residents-owner");
  request.set_on_behalf_of("agency/audit-office/person/auditor");
  v1::QueryResponse reply;
  const absl::Status status =
      client.Call("/sluice.v1.Exchange/Query", request, reply, [](grpc::ClientContext& context) {
        for (const char* name : {"x-forwarded-client-cert", "x-spiffe-id", "x-road-client",
                                 "authorization", "x509-subject", "peer", "principal"}) {
          context.AddMetadata(name, "spiffe://gov.example/agency/audit-office/person/auditor");
        }
      });
  ASSERT_TRUE(status.ok()) << status;
  const v1::Record record = gateway_.RecordAt(reply.receipt().index());
  EXPECT_EQ(record.envelope().actor().principal(), "agency/civil-affairs/system/relief");
  EXPECT_EQ(record.envelope().actor().agency(), "civil-affairs");
  EXPECT_EQ(record.detail().end_user(), request.end_user());
  // As somebody who may read the whole log it still sees its own agency's records alone.
  v1::ListRecordsResponse listed;
  ASSERT_TRUE(client
                  .Call("/sluice.v1.Audit/ListRecords", v1::ListRecordsRequest(), listed,
                        [](grpc::ClientContext& context) {
                          context.AddMetadata(
                              "x-forwarded-client-cert",
                              "spiffe://gov.example/agency/audit-office/person/auditor");
                        })
                  .ok());
  for (const v1::Record& seen : listed.records())
    EXPECT_EQ(seen.envelope().actor().agency(), "civil-affairs");
}

}  // namespace
}  // namespace sluice::system_test
