#include "gateway/identity/world_testing.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "gateway/base/check.h"
#include "gateway/identity/definitions.h"
#include "gateway/identity/registration.h"

namespace sluice::identity {
namespace {

Caller MakeCaller(PrincipalKind kind, const std::string& agency, const std::string& name) {
  Caller caller;
  caller.principal.kind = kind;
  caller.principal.agency = agency;
  caller.principal.name = name;
  caller.principal.path =
      "agency/" + agency + (kind == PrincipalKind::kPerson ? "/person/" : "/system/") + name;
  caller.principal.serial = "0a0b";
  caller.principal.certificate_digest = std::string(32, 'c');
  caller.call_id = "call-1";
  caller.peer = "ipv4:192.0.2.7:41522";
  caller.method = "Test";
  return caller;
}

}  // namespace

World::World(const std::vector<store::Migrations>& rooms) {
  std::string pattern = ::testing::TempDir() + "/world-XXXXXX";
  folder_ = mkdtemp(pattern.data());
  std::vector<store::Migrations> all = {RegistrationMigrations()};
  all.insert(all.end(), rooms.begin(), rooms.end());
  auto opened = store::Store::Open(folder_ + "/control.db", all);
  SLUICE_CHECK(opened.ok());
  store = *std::move(opened);
  changes = std::make_unique<audit::FakeChanges>(*store);
}

World::~World() {
  store.reset();
  std::filesystem::remove_all(folder_);
}

void World::AddAgency(const std::string& id) {
  v1::Agency agency;
  agency.set_id(id);
  SLUICE_CHECK(PrepareAgency(agency).ok());
  Write([&](store::Transaction& transaction) { return PutAgency(transaction, agency); });
}

Caller World::AddPerson(const std::string& agency, const std::string& name,
                        const std::vector<v1::Role>& roles) {
  v1::Person person;
  person.set_name(agency + "/" + name);
  for (const v1::Role role : roles) person.add_roles(role);
  SLUICE_CHECK(PreparePerson(person).ok());
  Write([&](store::Transaction& transaction) { return PutPerson(transaction, person); });
  Caller caller = MakeCaller(PrincipalKind::kPerson, agency, name);
  caller.principal.roles = roles;
  return caller;
}

Caller World::AddSystem(const std::string& agency, const std::string& name) {
  v1::ClientSystem system;
  system.set_name(agency + "/" + name);
  SLUICE_CHECK(PrepareSystem(system).ok());
  Write([&](store::Transaction& transaction) { return PutSystem(transaction, system); });
  return MakeCaller(PrincipalKind::kSystem, agency, name);
}

void World::AddPurpose(const std::string& code, bool withdrawn) {
  v1::Purpose purpose;
  purpose.set_code(code);
  purpose.set_withdrawn(withdrawn);
  Write([&](store::Transaction& transaction) { return PutPurpose(transaction, purpose); });
}

v1::Source World::AddSource(const std::string& id, const std::string& owner) {
  v1::Source source;
  source.set_id(id);
  source.set_owner_agency(owner);
  source.set_kind("sqlite");
  (*source.mutable_settings())["file"] = "/srv/" + id + ".db";
  SLUICE_CHECK(PrepareSource(source).ok());
  Write([&](store::Transaction& transaction) { return PutSource(transaction, source); });
  return source;
}

void World::Read(const std::function<absl::Status(store::Reader&)>& body) {
  const absl::Status status = store->Read(body);
  EXPECT_TRUE(status.ok()) << status;
}

void World::Write(const std::function<absl::Status(store::Transaction&)>& body) {
  const absl::Status status = store->Write(body);
  EXPECT_TRUE(status.ok()) << status;
}

std::vector<std::string> Violations(const absl::Status& status) {
  std::vector<std::string> lines;
  if (const auto request = BadRequestOf(status))
    for (const auto& violation : request->field_violations())
      lines.push_back(violation.field() + ": " + violation.description());
  return lines;
}

}  // namespace sluice::identity
