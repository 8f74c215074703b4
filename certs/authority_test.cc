#include "certs/authority.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "certs/authority_testing.h"
#include "certs/builder.h"
#include "certs/chain_verifier.h"
#include "gateway/base/error.h"
#include "gateway/base/fake_clock.h"

namespace sluice::certs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string MessageOf(const absl::Status& status) { return std::string(status.message()); }

class AuthorityTest : public testing::Test {
 protected:
  std::unique_ptr<Authority> CreateRoot(AuthorityOptions options = {.common_name = "Root"}) {
    auto made = Authority::CreateRoot(*files_, clock_, *random_, Folder(), options);
    EXPECT_TRUE(made.ok()) << made.status();
    return *std::move(made);
  }
  absl::StatusOr<std::unique_ptr<Authority>> Open() {
    return Authority::Open(*files_, clock_, *random_, Folder());
  }
  std::string Folder() const { return folder_.Path("ca"); }
  std::string Read(const std::string& name) { return *files_->ReadAll(folder_.Path(name)); }
  static Names System(const std::string& name = "relief") {
    return {*MakeSpiffeId("gov.example", Kind::kSystem, "civil-affairs", name), {}, {}};
  }
  static Names Gateway() {
    return {*MakeSpiffeId("gov.example", Kind::kGateway, "", "gw1"),
            {"gw1.gov.example"},
            {"192.0.2.7", "2001:db8::1"}};
  }
  static Request NewRequest(const Names& names) {
    return *Request::Make(*PrivateKey::Generate(), names);
  }
  // A verifier of this authority alone, with its newest list.
  static std::shared_ptr<const ChainVerifier> VerifierOf(const Authority& authority) {
    auto verifier = ChainVerifier::Build(
        {.trust_domain = "gov.example",
         .authorities = {{"ca", authority.ChainPem(), {"*"}, authority.list().ToPem()}}});
    EXPECT_TRUE(verifier.ok()) << verifier.status();
    return *verifier;
  }

  FakeClock clock_;
  std::unique_ptr<FileSystem> files_ = MakePosixFileSystem();
  std::unique_ptr<RandomSource> random_ = MakeSystemRandom();
  TemporaryFolder folder_;
};

TEST_F(AuthorityTest, SignsWhatTheVerifierTakes) {
  auto root = CreateRoot();
  for (const Names& names : {System(), Gateway()}) {
    const auto made = root->Sign(NewRequest(names), {names});
    ASSERT_TRUE(made.ok()) << made.status();
    EXPECT_EQ(made->dns_names(), names.dns_names);
    EXPECT_EQ(made->ip_addresses(), names.ip_addresses);
    EXPECT_EQ(made->not_after(), clock_.Now() + 90 * kDay);
    const auto peer = VerifierOf(*root)->Verify(made->ToPem(), clock_.Now());
    ASSERT_TRUE(peer.ok()) << peer.status();
    EXPECT_EQ(peer->identity, names.identity);
    const bool serves = names.identity.kind == Kind::kGateway;
    EXPECT_EQ(VerifierOf(*root)->Verify(*made, clock_.Now(), PeerRole::kServer).ok(), serves);
  }
  EXPECT_EQ(root->issued().size(), 2u);
  EXPECT_NE(root->issued()[0].serial, root->issued()[1].serial);
}

TEST_F(AuthorityTest, ARequestForOtherNamesIsRefusedAndTheDifferenceNamed) {
  auto root = CreateRoot();
  const auto other = root->Sign(NewRequest(System("tax")), {System("relief")});
  EXPECT_EQ(ReasonOf(other.status()), v1::REASON_DEFINITION_INVALID);
  EXPECT_THAT(
      MessageOf(other.status()),
      testing::AllOf(
          HasSubstr("asks for URI spiffe://gov.example/agency/civil-affairs/system/tax"),
          HasSubstr("operator says spiffe://gov.example/agency/civil-affairs/system/relief")));
  Names fewer = Gateway();
  fewer.dns_names.clear();
  EXPECT_THAT(MessageOf(root->Sign(NewRequest(Gateway()), {fewer}).status()),
              HasSubstr("asks for DNS names gw1.gov.example, the operator says none"));
  EXPECT_THAT(root->issued(), IsEmpty());
}

TEST_F(AuthorityTest, ValidityIsBoundedAndNeverOutlivesTheAuthority) {
  auto root = CreateRoot({.common_name = "Root", .valid_for = 30 * kDay});
  const auto made = root->Sign(NewRequest(System()), {System(), 90 * kDay});
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(made->not_after(), root->certificate().not_after());
  EXPECT_FALSE(root->Sign(NewRequest(System()), {System(), 0}).ok());
  EXPECT_FALSE(root->Sign(NewRequest(System()), {System(), 3650 * kDay}).ok());
  clock_.Advance(31 * kDay);
  EXPECT_THAT(MessageOf(root->Sign(NewRequest(System()), {System()}).status()),
              HasSubstr("outside its validity"));
}

TEST_F(AuthorityTest, TheAuthoritysOwnKeyGetsNoLeaf) {
  auto root = CreateRoot();
  const auto key = PrivateKey::FromPem(Read("ca/ca.key"), "ca.key");
  ASSERT_TRUE(key.ok());
  EXPECT_THAT(MessageOf(root->Sign(*Request::Make(*key, System()), {System()}).status()),
              HasSubstr("its key is that of CN=Root"));
}

TEST_F(AuthorityTest, RevocationReachesTheVerifierThroughTheList) {
  auto root = CreateRoot();
  const auto made = root->Sign(NewRequest(System()), {System()});
  const auto kept = root->Sign(NewRequest(System("other")), {System("other")});
  ASSERT_TRUE(made.ok() && kept.ok());
  const int64_t first = root->list().number();
  const auto list = root->Revoke(made->serial(), RevocationReason::kKeyCompromise);
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_GT(list->number(), first);
  EXPECT_EQ(list->Find(made->serial())->reason, RevocationReason::kKeyCompromise);
  EXPECT_EQ(list->next_update(), list->this_update() + 7 * kDay);
  EXPECT_EQ(ReasonOf(VerifierOf(*root)->Verify(*made, clock_.Now()).status()),
            v1::REASON_CERTIFICATE_REVOKED);
  EXPECT_TRUE(VerifierOf(*root)->Verify(*kept, clock_.Now()).ok());

  const Micros revoked_at = list->Find(made->serial())->revoked_at;
  clock_.Advance(kDay);
  const auto again = root->Revoke(made->serial(), RevocationReason::kSuperseded);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->Find(made->serial())->reason, RevocationReason::kKeyCompromise);
  EXPECT_EQ(again->Find(made->serial())->revoked_at, revoked_at);
  EXPECT_EQ(ReasonOf(root->Revoke("00ff", RevocationReason::kUnspecified).status()),
            v1::REASON_NOT_FOUND);
}

TEST_F(AuthorityTest, ListNumbersRiseThoughTheClockFallsBack) {
  auto root = CreateRoot();
  const RevocationList first = root->list();
  clock_.Jump(-30 * kDay);
  const auto second = root->RenewList();
  ASSERT_TRUE(second.ok());
  EXPECT_TRUE(second->CheckReplaces(first).ok());
  EXPECT_FALSE(first.CheckReplaces(*second).ok());
}

TEST_F(AuthorityTest, RenewalKeepsTheNamesAndNeedsAGoodCertificate) {
  auto root = CreateRoot();
  const auto first = root->Sign(NewRequest(Gateway()), {Gateway()});
  ASSERT_TRUE(first.ok());
  clock_.Advance(60 * kDay);
  const auto second = root->Renew(first->serial(), NewRequest(Gateway()));
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->uris(), first->uris());
  EXPECT_EQ(second->dns_names(), first->dns_names());
  EXPECT_GT(second->not_after(), first->not_after());
  EXPECT_FALSE(root->Renew(first->serial(), NewRequest(System())).ok());
  EXPECT_EQ(ReasonOf(root->Renew("0abc", NewRequest(Gateway())).status()), v1::REASON_NOT_FOUND);
  ASSERT_TRUE(root->Revoke(second->serial(), RevocationReason::kSuperseded).ok());
  EXPECT_THAT(MessageOf(root->Renew(second->serial(), NewRequest(Gateway())).status()),
              HasSubstr("was revoked"));
  clock_.Advance(60 * kDay);
  EXPECT_THAT(MessageOf(root->Renew(first->serial(), NewRequest(Gateway())).status()),
              HasSubstr("has expired"));
}

TEST_F(AuthorityTest, TheFolderHoldsItAllAndOneProcessAtATime) {
  std::string serial;
  {
    auto root = CreateRoot();
    serial = root->Sign(NewRequest(Gateway()), {Gateway()})->serial();
    ASSERT_TRUE(root->Revoke(serial, RevocationReason::kCessationOfOperation).ok());
    EXPECT_EQ(Open().status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_FALSE(
        Authority::CreateRoot(*files_, clock_, *random_, Folder(), {.common_name = "x"}).ok());
  }
  EXPECT_EQ(files_->Stat(Folder())->mode, 0700u);
  EXPECT_EQ(files_->Stat(folder_.Path("ca/ca.key"))->mode, 0600u);
  const auto again = Open();
  ASSERT_TRUE(again.ok()) << again.status();
  ASSERT_EQ((*again)->issued().size(), 1u);
  EXPECT_EQ((*again)->issued()[0].serial, serial);
  EXPECT_THAT((*again)->issued()[0].dns_names, ElementsAre("gw1.gov.example"));
  EXPECT_EQ((*again)->issued()[0].revocation->reason, RevocationReason::kCessationOfOperation);
  EXPECT_TRUE((*again)->list().Contains(serial));
}

TEST_F(AuthorityTest, AnExistingAuthorityIsNeverOverwritten) {
  CreateRoot();
  const std::string key = Read("ca/ca.key");
  const auto second =
      Authority::CreateRoot(*files_, clock_, *random_, Folder(), {.common_name = "x"});
  EXPECT_EQ(ReasonOf(second.status()), v1::REASON_ALREADY_EXISTS);
  EXPECT_EQ(Read("ca/ca.key"), key);
}

TEST_F(AuthorityTest, ARevocationWhoseListWasLostInACrashIsListedAtTheNextOpen) {
  std::string serial, old_list;
  {
    auto root = CreateRoot();
    serial = root->Sign(NewRequest(System()), {System()})->serial();
    old_list = Read("ca/crl.pem");
    ASSERT_TRUE(root->Revoke(serial, RevocationReason::kKeyCompromise).ok());
  }
  ASSERT_TRUE(files_->WriteAtomically(folder_.Path("ca/crl.pem"), old_list, 0644).ok());
  const auto again = Open();
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE((*again)->list().Contains(serial));
}

TEST_F(AuthorityTest, ADamagedFolderIsRefusedByName) {
  CreateRoot()->Sign(NewRequest(System()), {System()}).status().IgnoreError();
  const auto damage = [&](const std::string& name, const std::string& text, uint32_t mode) {
    const std::string path = folder_.Path("ca/" + name);
    const std::string kept = *files_->ReadAll(path);
    const uint32_t kept_mode = files_->Stat(path)->mode;
    EXPECT_TRUE(files_->WriteAtomically(path, text, mode).ok());
    const auto opened = Open();
    EXPECT_FALSE(opened.ok()) << name;
    EXPECT_THAT(MessageOf(opened.status()), HasSubstr(name));
    EXPECT_TRUE(files_->WriteAtomically(path, kept, kept_mode).ok());
    EXPECT_TRUE(Open().ok());
  };
  const std::string key = Read("ca/ca.key"), index = Read("ca/issued.jsonl");
  damage("ca.key", key.substr(0, key.size() / 2), 0600);
  damage("ca.key", PrivateKey::Generate()->ToPem(), 0600);
  damage("ca.key", key, 0644);
  damage("ca.pem", "", 0644);
  damage("issued.jsonl", index.substr(0, index.size() / 2), 0600);
  damage("issued.jsonl", index + "{}\n", 0600);
  damage("crl.pem", TestAuthority::Root("Root", clock_.Now()).ListPem(), 0644);
  EXPECT_THAT(MessageOf(Authority::Open(*files_, clock_, *random_, folder_.Path("none")).status()),
              HasSubstr("no authority is here"));
}

TEST_F(AuthorityTest, AnIntermediateSignsUnderItsRoot) {
  auto root = CreateRoot({.common_name = "Root", .path_length = 1, .trust_domain = "gov.example"});
  const auto below = root->CreateIntermediate(folder_.Path("below"), {.common_name = "Below"});
  ASSERT_TRUE(below.ok()) << below.status();
  EXPECT_EQ((*below)->chain().size(), 2u);
  const auto made = (*below)->Sign(NewRequest(System()), {System()});
  ASSERT_TRUE(made.ok()) << made.status();
  const auto verifier = ChainVerifier::Build(
      {.trust_domain = "gov.example",
       .authorities = {{"root", root->certificate().ToPem(), {"*"}, root->list().ToPem()},
                       {"below",
                        (*below)->certificate().ToPem(),
                        {"civil-affairs"},
                        (*below)->list().ToPem()}}});
  ASSERT_TRUE(verifier.ok()) << verifier.status();
  EXPECT_TRUE((*verifier)->Verify(*made, clock_.Now()).ok());
  EXPECT_THAT(
      MessageOf(
          (*below)->CreateIntermediate(folder_.Path("lower"), {.common_name = "Lower"}).status()),
      HasSubstr("path length 0"));
  ASSERT_TRUE(root->Revoke((*below)->certificate().serial(), RevocationReason::kUnspecified).ok());
  EXPECT_TRUE(root->list().Contains((*below)->certificate().serial()));

  Names foreign = System();
  foreign.identity.trust_domain = "other.example";
  EXPECT_THAT(MessageOf((*below)->Sign(NewRequest(foreign), {foreign}).status()),
              HasSubstr("CN=Root may not name"));
}

TEST_F(AuthorityTest, Ed25519Works) {
  auto root = CreateRoot({.common_name = "Root", .key_type = KeyType::kEd25519});
  const auto key = PrivateKey::Generate(KeyType::kEd25519);
  ASSERT_TRUE(key.ok());
  const auto made = root->Sign(*Request::Make(*key, System()), {System()});
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_TRUE(VerifierOf(*root)->Verify(*made, clock_.Now()).ok());
}

// The same verdicts by an independent reader of the same files.
TEST_F(AuthorityTest, OpensslAgrees) {
  if (system("openssl version >/dev/null 2>&1") != 0) GTEST_SKIP() << "no openssl binary";
  auto root = CreateRoot();
  const auto good = root->Sign(NewRequest(System()), {System()});
  const auto bad = root->Sign(NewRequest(Gateway()), {Gateway()});
  ASSERT_TRUE(good.ok() && bad.ok());
  ASSERT_TRUE(root->Revoke(bad->serial(), RevocationReason::kKeyCompromise).ok());
  ASSERT_TRUE(files_->WriteAtomically(folder_.Path("good.pem"), good->ToPem()).ok());
  ASSERT_TRUE(files_->WriteAtomically(folder_.Path("bad.pem"), bad->ToPem()).ok());
  const auto run = [&](const std::string& command) {
    return system(
        absl::StrCat("cd ", folder_.path(), " && openssl ", command, " >>out 2>&1").c_str());
  };
  const std::string verify =
      absl::StrCat("verify -x509_strict -purpose sslclient -crl_check_all -attime ",
                   clock_.Now() / kSecond, " -CAfile ca/ca.pem -CRLfile ca/crl.pem ");
  EXPECT_EQ(run(verify + "good.pem"), 0) << Read("out");
  EXPECT_NE(run(verify + "bad.pem"), 0);
  EXPECT_THAT(Read("out"), HasSubstr("certificate revoked"));
  EXPECT_EQ(run("crl -in ca/crl.pem -CAfile ca/ca.pem -noout -text"), 0);
  EXPECT_THAT(Read("out"), HasSubstr("verify OK"));
  EXPECT_THAT(Read("out"), HasSubstr("X509v3 CRL Number"));
  EXPECT_THAT(Read("out"), HasSubstr("Key Compromise"));
}

}  // namespace
}  // namespace sluice::certs
