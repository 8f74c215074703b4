#include "certs/request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "certs/authority_testing.h"
#include "certs/openssl.h"
#include "gateway/base/error.h"

namespace sluice::certs {
namespace {

using testing::HasSubstr;

Names System() {
  return {*MakeSpiffeId("gov.example", Kind::kSystem, "civil-affairs", "relief"), {}, {}};
}

TEST(Request, IsReadAsItWasMade) {
  Names names{*MakeSpiffeId("gov.example", Kind::kGateway, "", "gw1"),
              {"gw1.gov.example", "gw1"},
              {"192.0.2.7"}};
  const auto key = PrivateKey::Generate();
  ASSERT_TRUE(key.ok());
  const auto made = Request::Make(*key, names);
  ASSERT_TRUE(made.ok()) << made.status();
  const auto read = Request::FromPem(made->ToPem(), "r.csr");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->names().identity, names.identity);
  EXPECT_EQ(read->names().dns_names, names.dns_names);
  EXPECT_EQ(read->names().ip_addresses, names.ip_addresses);
  EXPECT_EQ(read->spki_hash(), key->spki_hash());
}

TEST(Request, OnlyGatewaysHaveServerNames) {
  Names names = System();
  names.dns_names = {"relief.gov.example"};
  EXPECT_THAT(std::string(Request::Make(*PrivateKey::Generate(), names).status().message()),
              HasSubstr("a system has no DNS or IP names"));
}

TEST(Request, BadServerNamesAreRefused) {
  for (const char* bad : {"", "GW1", "*.gov.example", "a b", "gw1,URI:spiffe://x", "gw_1"}) {
    Names names{*MakeSpiffeId("gov.example", Kind::kGateway, "", "gw1"), {bad}, {}};
    EXPECT_FALSE(CheckNames(names).ok()) << bad;
    names = {names.identity, {}, {bad}};
    EXPECT_FALSE(CheckNames(names).ok()) << bad;
  }
}

TEST(Request, WithoutTheKeysSignatureItIsRefused) {
  const auto made = Request::Make(*PrivateKey::Generate(), System());
  ASSERT_TRUE(made.ok());
  std::string der = DerOf(made->native(), i2d_X509_REQ);
  der.back() ^= 1;
  EXPECT_THAT(
      std::string(
          Request::FromPem(WritePem("CERTIFICATE REQUEST", der), "r.csr").status().message()),
      HasSubstr("r.csr: not signed by its own key"));
  std::mt19937 random(20261103);
  const std::string good = DerOf(made->native(), i2d_X509_REQ);
  for (int round = 0; round < 1000; ++round) {
    std::string changed = good;
    changed[random() % changed.size()] ^= static_cast<char>(1 + random() % 255);
    EXPECT_FALSE(Request::FromPem(WritePem("CERTIFICATE REQUEST", changed), "r.csr").ok()) << round;
  }
}

TEST(Request, ThePrivateKeyIsWrittenOnceAndForItsOwnerOnly) {
  TemporaryFolder folder;
  const auto files = MakePosixFileSystem();
  const std::string key = folder.Path("profile/key.pem"), request = folder.Path("profile/r.csr");
  ASSERT_TRUE(CreateRequest(*files, key, request, System()).ok());
  EXPECT_EQ(files->Stat(key)->mode, 0600u);
  EXPECT_EQ(files->Stat(folder.Path("profile"))->mode, 0700u);
  const std::string kept = *files->ReadAll(key);
  EXPECT_EQ(PrivateKey::FromPem(kept, key)->spki_hash(),
            Request::FromPem(*files->ReadAll(request), request)->spki_hash());
  EXPECT_EQ(ReasonOf(CreateRequest(*files, key, request, System()).status()),
            v1::REASON_ALREADY_EXISTS);
  EXPECT_EQ(*files->ReadAll(key), kept);
}

TEST(PrivateKey, WhatIsNoKeyIsRefusedWithoutSayingAnyOfIt) {
  const std::string pem = PrivateKey::Generate()->ToPem();
  const std::string cut = pem.substr(0, pem.size() / 2);
  const auto read = PrivateKey::FromPem(cut, "k.pem");
  EXPECT_THAT(std::string(read.status().message()), HasSubstr("k.pem: no private key"));
  EXPECT_THAT(read.status().ToString(), testing::Not(HasSubstr(cut.substr(40, 8))));
  EXPECT_FALSE(PrivateKey::FromPem("", "k.pem").ok());
  EXPECT_FALSE(PrivateKey::FromPem(std::string(1 << 20, 'x'), "k.pem").ok());
}

}  // namespace
}  // namespace sluice::certs
