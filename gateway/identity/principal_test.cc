#include "gateway/identity/principal.h"

#include <gtest/gtest.h>

#include "gateway/base/error.h"
#include "gateway/identity/caller.h"
#include "gateway/identity/registration.h"
#include "gateway/identity/world_testing.h"

namespace sluice::identity {
namespace {

certs::VerifiedPeer Peer(certs::Kind kind, const std::string& agency, const std::string& name) {
  certs::VerifiedPeer peer;
  peer.identity = {"gov.example", kind, agency, name};
  peer.serial = "0a";
  peer.fingerprint.fill(7);
  peer.not_after = 99 * kSecond;
  return peer;
}

class PrincipalTest : public ::testing::Test {
 protected:
  PrincipalTest() {
    world_.AddAgency("police");
    world_.AddPerson("police", "li", {v1::ROLE_OWNER});
    world_.AddSystem("police", "patrol");
  }
  v1::Reason Refusal(const certs::VerifiedPeer& peer) {
    return ReasonOf(Load()->Resolve(peer).status());
  }
  std::shared_ptr<const Directory> Load() {
    std::shared_ptr<const Directory> directory;
    world_.Read([&](store::Reader& reader) -> absl::Status {
      SLUICE_ASSIGN_OR_RETURN(directory, LoadDirectory(reader));
      return absl::OkStatus();
    });
    return directory;
  }
  World world_;
};

TEST_F(PrincipalTest, IsWhatTheCertificateAndTheDirectorySay) {
  const auto person = Load()->Resolve(Peer(certs::Kind::kPerson, "police", "li"));
  ASSERT_TRUE(person.ok()) << person.status();
  EXPECT_EQ(person->path, "agency/police/person/li");
  EXPECT_EQ(person->QualifiedName(), "police/li");
  EXPECT_TRUE(person->Has(v1::ROLE_OWNER));
  EXPECT_FALSE(person->Has(v1::ROLE_AUDITOR));
  EXPECT_EQ(person->certificate_digest, std::string(32, 7));
  EXPECT_EQ(person->expires, 99 * kSecond);
  EXPECT_EQ(person->ToActor().agency(), "police");
  const auto system = Load()->Resolve(Peer(certs::Kind::kSystem, "police", "patrol"));
  ASSERT_TRUE(system.ok());
  EXPECT_TRUE(system->kind == PrincipalKind::kSystem && system->roles.empty());
}

TEST_F(PrincipalTest, ASystemIsNoPersonOfTheSameName) {
  EXPECT_EQ(Refusal(Peer(certs::Kind::kPerson, "police", "patrol")), v1::REASON_NOT_REGISTERED);
  EXPECT_EQ(Refusal(Peer(certs::Kind::kSystem, "police", "li")), v1::REASON_NOT_REGISTERED);
  EXPECT_EQ(Refusal(Peer(certs::Kind::kSystem, "welfare", "patrol")), v1::REASON_NOT_REGISTERED);
}

TEST_F(PrincipalTest, OnlySystemsAndPersonsCall) {
  for (const auto kind : {certs::Kind::kAdapter, certs::Kind::kGateway, certs::Kind::kWitness})
    EXPECT_EQ(Refusal(Peer(kind, "police", "li")), v1::REASON_CERTIFICATE_KIND_NOT_ALLOWED);
}

TEST_F(PrincipalTest, SuspensionOfTheAgencyIsThatOfAllItsOwn) {
  world_.Write([](store::Transaction& transaction) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(auto agency, FindAgency(transaction, "police"));
    agency->set_state(v1::REGISTRATION_STATE_SUSPENDED);
    return PutAgency(transaction, *agency);
  });
  EXPECT_EQ(Refusal(Peer(certs::Kind::kPerson, "police", "li")), v1::REASON_SUSPENDED);
  EXPECT_EQ(Refusal(Peer(certs::Kind::kSystem, "police", "patrol")), v1::REASON_SUSPENDED);
}

TEST_F(PrincipalTest, ASystemWithoutAStateIsAsGoodAsSuspended) {
  world_.Write([](store::Transaction& transaction) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(auto system, FindSystem(transaction, "police/patrol"));
    system->clear_state();
    return PutSystem(transaction, *system);
  });
  EXPECT_EQ(Refusal(Peer(certs::Kind::kSystem, "police", "patrol")), v1::REASON_SUSPENDED);
}

TEST(RoleNameTest, IsWhatPeopleWrite) {
  for (const v1::Role role :
       {v1::ROLE_OWNER, v1::ROLE_AUTHORITY, v1::ROLE_AUDITOR, v1::ROLE_OPERATOR})
    EXPECT_EQ(RoleFromName(RoleName(role)), role);
  EXPECT_EQ(RoleName(v1::ROLE_OWNER), "owner");
  for (const char* name : {"Owner", "OWNER", "unspecified", "root", ""})
    EXPECT_EQ(RoleFromName(name), v1::ROLE_UNSPECIFIED) << name;
}

}  // namespace
}  // namespace sluice::identity
