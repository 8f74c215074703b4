#include "gateway/identity/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "certs/authority.h"
#include "gateway/base/fake_file_system.h"
#include "gateway/identity/definitions.h"
#include "gateway/identity/registration.h"
#include "gateway/identity/world_testing.h"

namespace sluice::identity {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Effect = audit::Changes::Effect;

class RegistryTest : public ::testing::Test {
 protected:
  RegistryTest()
      : registry_(
            *world_.store, *world_.changes, world_.clock, [this] { return verifier_; },
            [](const v1::Source& source) {
              Mistakes mistakes;
              if (source.kind() != "sqlite") mistakes.Add("kind", "unknown");
              for (const auto& [key, value] : source.settings())
                if (key != "file") mistakes.Add("settings." + key, "is no setting");
              return mistakes.ToStatus();
            }) {
    for (const char* id : {"ministry", "police", "welfare"}) world_.AddAgency(id);
    authority_ = world_.AddPerson("ministry", "au", {v1::ROLE_AUTHORITY});
    operator_ = world_.AddPerson("ministry", "op", {v1::ROLE_OPERATOR});
    auditor_ = world_.AddPerson("ministry", "audit", {v1::ROLE_AUDITOR});
    owner_ = world_.AddPerson("police", "owner", {v1::ROLE_OWNER});
    system_ = world_.AddSystem("welfare", "relief");
  }

  absl::StatusOr<v1::AddSystemResponse> AddSystem(const Caller& caller, const std::string& name) {
    v1::AddSystemRequest request;
    request.mutable_system()->set_name(name);
    return Answer<v1::AddSystemResponse>(
        [&](auto done) { registry_.AddSystem(caller, request, done); });
  }
  absl::StatusOr<v1::AddPersonResponse> AddPerson(const Caller& caller,
                                                  const v1::AddPersonRequest& request) {
    return Answer<v1::AddPersonResponse>(
        [&](auto done) { registry_.AddPerson(caller, request, done); });
  }
  absl::StatusOr<v1::AddAgencyResponse> AddAgency(const Caller& caller, const std::string& id) {
    v1::AddAgencyRequest request;
    request.mutable_agency()->set_id(id);
    return Answer<v1::AddAgencyResponse>(
        [&](auto done) { registry_.AddAgency(caller, request, done); });
  }
  absl::StatusOr<v1::SetSystemStateResponse> SetSystemState(const Caller& caller,
                                                            v1::RegistrationState state,
                                                            const std::string& reason) {
    v1::SetSystemStateRequest request;
    request.set_name("welfare/relief");
    request.set_state(state);
    request.set_reason(reason);
    return Answer<v1::SetSystemStateResponse>(
        [&](auto done) { registry_.SetSystemState(caller, request, done); });
  }
  absl::StatusOr<v1::SetPersonStateResponse> SuspendPerson(const Caller& caller,
                                                           const std::string& name) {
    v1::SetPersonStateRequest request;
    request.set_name(name);
    request.set_state(v1::REGISTRATION_STATE_SUSPENDED);
    request.set_reason("left");
    return Answer<v1::SetPersonStateResponse>(
        [&](auto done) { registry_.SetPersonState(caller, request, done); });
  }
  absl::StatusOr<v1::GrantRoleResponse> GrantRole(const Caller& caller, const std::string& person,
                                                  v1::Role role) {
    v1::GrantRoleRequest request;
    request.set_person(person);
    request.set_role(role);
    return Answer<v1::GrantRoleResponse>(
        [&](auto done) { registry_.GrantRole(caller, request, done); });
  }
  absl::StatusOr<v1::RevokeRoleResponse> RevokeRole(const Caller& caller, const std::string& person,
                                                    v1::Role role) {
    v1::RevokeRoleRequest request;
    request.set_person(person);
    request.set_role(role);
    return Answer<v1::RevokeRoleResponse>(
        [&](auto done) { registry_.RevokeRole(caller, request, done); });
  }
  absl::StatusOr<v1::ApplyPurposesResponse> ApplyPurposes(const Caller& caller,
                                                          const std::vector<std::string>& codes,
                                                          bool dry_run = false) {
    v1::ApplyPurposesRequest request;
    for (const auto& code : codes) request.add_purposes()->set_code(code);
    request.set_dry_run(dry_run);
    return Answer<v1::ApplyPurposesResponse>(
        [&](auto done) { registry_.ApplyPurposes(caller, request, done); });
  }
  static v1::ApplySourceRequest SourceRequest() {
    v1::ApplySourceRequest request;
    v1::Source& source = *request.mutable_source();
    source.set_id("ps");
    source.set_owner_agency("police");
    source.set_kind("sqlite");
    (*source.mutable_settings())["file"] = "/srv/ps.db";
    return request;
  }
  absl::StatusOr<v1::ApplySourceResponse> ApplySource(const Caller& caller,
                                                      const v1::ApplySourceRequest& request) {
    return Answer<v1::ApplySourceResponse>(
        [&](auto done) { registry_.ApplySource(caller, request, done); });
  }
  absl::StatusOr<v1::PublishRevocationListResponse> Publish(const Caller& caller,
                                                            const std::string& pem) {
    v1::PublishRevocationListRequest request;
    request.set_pem(pem);
    return Answer<v1::PublishRevocationListResponse>(
        [&](auto done) { registry_.PublishRevocationList(caller, request, done); });
  }

  World world_;
  std::shared_ptr<const certs::ChainVerifier> verifier_;
  Registry registry_;
  Caller authority_, operator_, auditor_, owner_, system_;
};

// A gateway's authority, and verifiers over its lists.
class RevocationTest : public RegistryTest {
 protected:
  RevocationTest() {
    auto ca =
        certs::Authority::CreateRoot(files_, world_.clock, *random_, "/ca",
                                     {.common_name = "Test CA", .trust_domain = "gov.example"});
    EXPECT_TRUE(ca.ok()) << ca.status();
    ca_ = *std::move(ca);
    verifier_ = Verifier(ca_->list().ToPem());
  }
  std::shared_ptr<const certs::ChainVerifier> Verifier(const std::string& list) {
    auto verifier = certs::ChainVerifier::Build(
        {.trust_domain = "gov.example",
         .authorities = {{"ca.pem", ca_->certificate().ToPem(), {"*"}, list}}});
    EXPECT_TRUE(verifier.ok()) << verifier.status();
    return *verifier;
  }

  FakeFileSystem files_;
  std::unique_ptr<RandomSource> random_ = MakeSystemRandom();
  std::unique_ptr<certs::Authority> ca_;
};

TEST_F(RevocationTest, EachMethodIsForItsRolesAlone) {
  struct Row {
    const char* method;
    std::string allowed;  // letters: a authority, o operator, u auditor, w owner, s system
    std::function<absl::Status(const Caller&)> call;
  };
  const auto list = ca_->RenewList();
  ASSERT_TRUE(list.ok());
  // Each call would be refused for another reason, or changes nothing that the next one needs.
  const std::vector<Row> rows = {
      {"AddAgency", "a", [&](const Caller& c) { return AddAgency(c, "police").status(); }},
      {"ListAgencies", "aouws",
       [&](const Caller& c) { return registry_.ListAgencies(c, {}).status(); }},
      {"AddSystem", "o", [&](const Caller& c) { return AddSystem(c, "welfare/relief").status(); }},
      {"ListSystems", "aou",
       [&](const Caller& c) { return registry_.ListSystems(c, {}).status(); }},
      {"SetSystemState", "o",
       [&](const Caller& c) {
         return SetSystemState(c, v1::REGISTRATION_STATE_ACTIVE, "x").status();
       }},
      {"AddPerson", "o",
       [&](const Caller& c) {
         v1::AddPersonRequest request;
         request.mutable_person()->set_name("police/owner");
         return AddPerson(c, request).status();
       }},
      {"ListPersons", "aou",
       [&](const Caller& c) { return registry_.ListPersons(c, {}).status(); }},
      {"SetPersonState", "o",
       [&](const Caller& c) { return SuspendPerson(c, "police/nobody").status(); }},
      {"GrantRole", "a",
       [&](const Caller& c) { return GrantRole(c, "police/nobody", v1::ROLE_OWNER).status(); }},
      {"RevokeRole", "a",
       [&](const Caller& c) { return RevokeRole(c, "police/nobody", v1::ROLE_OWNER).status(); }},
      {"ApplyPurposes", "a", [&](const Caller& c) { return ApplyPurposes(c, {}).status(); }},
      {"ApplyPurposes dry", "a",
       [&](const Caller& c) { return ApplyPurposes(c, {}, true).status(); }},
      {"ListPurposes", "aouws",
       [&](const Caller& c) { return registry_.ListPurposes(c, {}).status(); }},
      {"ApplySource", "o",
       [&](const Caller& c) { return ApplySource(c, SourceRequest()).status(); }},
      {"ListSources", "aou",
       [&](const Caller& c) { return registry_.ListSources(c, {}).status(); }},
      {"PublishRevocationList", "o",
       [&](const Caller& c) { return Publish(c, list->ToPem()).status(); }},
      {"ListRevocationLists", "aou",
       [&](const Caller& c) { return registry_.ListRevocationLists(c, {}).status(); }},
  };
  const std::vector<std::pair<char, const Caller*>> callers = {
      {'a', &authority_}, {'o', &operator_}, {'u', &auditor_}, {'w', &owner_}, {'s', &system_}};
  for (const auto& row : rows) {
    for (const auto& [letter, caller] : callers) {
      const bool allowed = row.allowed.find(letter) != std::string::npos;
      EXPECT_EQ(ReasonOf(row.call(*caller)) != v1::REASON_ROLE_REQUIRED, allowed)
          << row.method << " by " << caller->principal.path;
    }
  }
}

TEST_F(RegistryTest, ASystemNeverHoldsARole) {
  Caller forged = system_;
  forged.principal.roles = {v1::ROLE_OPERATOR, v1::ROLE_AUTHORITY};
  EXPECT_EQ(ReasonOf(AddSystem(forged, "welfare/new").status()), v1::REASON_ROLE_REQUIRED);
}

TEST_F(RegistryTest, ARoleTakenAwayMeanwhileNoLongerServes) {
  ASSERT_TRUE(GrantRole(authority_, "police/owner", v1::ROLE_OPERATOR).ok());
  Caller caller = owner_;
  caller.principal.roles = {v1::ROLE_OWNER, v1::ROLE_OPERATOR};  // as its call began
  ASSERT_TRUE(AddSystem(caller, "police/first").ok());
  ASSERT_TRUE(RevokeRole(authority_, "police/owner", v1::ROLE_OPERATOR).ok());
  EXPECT_EQ(world_.changes->last().effect, Effect::kAtCommit);
  EXPECT_EQ(ReasonOf(AddSystem(caller, "police/second").status()), v1::REASON_ROLE_REQUIRED);
}

TEST_F(RegistryTest, ASuspendedOperatorChangesNothingMore) {
  const Caller second = world_.AddPerson("ministry", "op2", {v1::ROLE_OPERATOR});
  ASSERT_TRUE(SuspendPerson(second, "ministry/op").ok());
  EXPECT_EQ(world_.changes->last().effect, Effect::kAtCommit);
  EXPECT_EQ(ReasonOf(AddSystem(operator_, "welfare/new").status()), v1::REASON_SUSPENDED);
}

TEST_F(RegistryTest, NobodyGivesHimselfARole) {
  EXPECT_EQ(ReasonOf(GrantRole(authority_, "ministry/au", v1::ROLE_AUDITOR).status()),
            v1::REASON_ROLE_REQUIRED);
  ASSERT_TRUE(GrantRole(authority_, "ministry/audit", v1::ROLE_AUTHORITY).ok());
  EXPECT_EQ(world_.changes->last().effect, Effect::kAfterRecord);
  EXPECT_EQ(world_.changes->last().outcome.action, "grant-role");
}

TEST_F(RegistryTest, TheLastAuthorityStays) {
  EXPECT_EQ(ReasonOf(RevokeRole(authority_, "ministry/au", v1::ROLE_AUTHORITY).status()),
            v1::REASON_STILL_IN_USE);
  ASSERT_TRUE(GrantRole(authority_, "ministry/audit", v1::ROLE_AUTHORITY).ok());
  EXPECT_TRUE(RevokeRole(authority_, "ministry/au", v1::ROLE_AUTHORITY).ok());
}

TEST_F(RegistryTest, ARoleGivenTwiceIsOneRole) {
  ASSERT_TRUE(GrantRole(authority_, "police/owner", v1::ROLE_AUDITOR).ok());
  const auto again = GrantRole(authority_, "police/owner", v1::ROLE_AUDITOR);
  ASSERT_TRUE(again.ok());
  EXPECT_THAT(again->person().roles(), ElementsAre(v1::ROLE_OWNER, v1::ROLE_AUDITOR));
  EXPECT_THAT(world_.changes->made(), SizeIs(1));
}

TEST_F(RegistryTest, SuspensionActsAtCommitAndResumptionAfterItsRecord) {
  const auto suspended = SetSystemState(operator_, v1::REGISTRATION_STATE_SUSPENDED, "key lost");
  ASSERT_TRUE(suspended.ok()) << suspended.status();
  EXPECT_EQ(suspended->system().state_reason(), "key lost");
  EXPECT_EQ(world_.changes->last().effect, Effect::kAtCommit);
  EXPECT_EQ(world_.changes->last().outcome.action, "suspend");
  EXPECT_EQ(world_.changes->last().outcome.reason, "key lost");
  ASSERT_TRUE(SetSystemState(operator_, v1::REGISTRATION_STATE_SUSPENDED, "again").ok());
  EXPECT_THAT(world_.changes->made(), SizeIs(1));  // it is suspended already
  ASSERT_TRUE(SetSystemState(operator_, v1::REGISTRATION_STATE_ACTIVE, "new key").ok());
  EXPECT_EQ(world_.changes->last().effect, Effect::kAfterRecord);
  EXPECT_EQ(ReasonOf(SetSystemState(operator_, v1::REGISTRATION_STATE_ACTIVE, "").status()),
            v1::REASON_REQUEST_INVALID);
  EXPECT_EQ(ReasonOf(SetSystemState(operator_, v1::REGISTRATION_STATE_UNSPECIFIED, "x").status()),
            v1::REASON_REQUEST_INVALID);
}

TEST_F(RegistryTest, AddsWhatIsWellFormedAndNewInAKnownAgency) {
  EXPECT_TRUE(AddAgency(authority_, "tax").ok());
  EXPECT_EQ(ReasonOf(AddAgency(authority_, "tax").status()), v1::REASON_ALREADY_EXISTS);
  EXPECT_EQ(ReasonOf(AddAgency(authority_, "Tax").status()), v1::REASON_DEFINITION_INVALID);
  const auto added = AddSystem(operator_, "tax/returns");
  ASSERT_TRUE(added.ok()) << added.status();
  EXPECT_EQ(added->system().state(), v1::REGISTRATION_STATE_ACTIVE);
  EXPECT_EQ(added->system().etag().size(), 16u);
  EXPECT_EQ(ReasonOf(AddSystem(operator_, "tax/returns").status()), v1::REASON_ALREADY_EXISTS);
  EXPECT_EQ(ReasonOf(AddSystem(operator_, "nobody/returns").status()), v1::REASON_NOT_FOUND);
  for (const char* name : {"tax", "tax/", "/x", "tax/a/b", "tax/../x", "tax/A", ""})
    EXPECT_EQ(ReasonOf(AddSystem(operator_, name).status()), v1::REASON_DEFINITION_INVALID) << name;
  v1::AddPersonRequest request;
  request.mutable_person()->set_name("tax/li");
  request.mutable_person()->add_roles(v1::ROLE_AUTHORITY);
  EXPECT_EQ(ReasonOf(AddPerson(operator_, request).status()), v1::REASON_REQUEST_INVALID);
  request.mutable_person()->clear_roles();
  EXPECT_TRUE(AddPerson(operator_, request).ok());
}

TEST_F(RegistryTest, TheRecordOfAChangeNamesItsCaller) {
  ASSERT_TRUE(AddSystem(operator_, "welfare/pension").ok());
  const auto made = world_.changes->last();
  EXPECT_EQ(made.actor.actor.principal(), "agency/ministry/person/op");
  EXPECT_EQ(made.actor.call_id, "call-1");
  EXPECT_EQ(made.actor.certificate_serial, "0a0b");
  EXPECT_EQ(made.outcome.resource_kind, "system");
  EXPECT_EQ(made.outcome.resource_name, "welfare/pension");
  EXPECT_EQ(made.outcome.action, "create");
  EXPECT_EQ(made.outcome.before_json, "");
  EXPECT_THAT(made.outcome.after_json, HasSubstr("\"welfare/pension\""));
}

TEST_F(RegistryTest, APurposeThatIsMissingIsWithdrawnNotForgotten) {
  ASSERT_TRUE(ApplyPurposes(authority_, {"relief", "tax"}).ok());
  const auto dry = ApplyPurposes(authority_, {"relief", "census"}, true);
  ASSERT_TRUE(dry.ok());
  EXPECT_THAT(dry->differences(),
              ElementsAre("purposes.census: added", "purposes.tax.withdrawn: false -> true"));
  EXPECT_THAT(world_.changes->made(), SizeIs(1));
  ASSERT_TRUE(ApplyPurposes(authority_, {"relief", "census"}).ok());
  const auto list = registry_.ListPurposes(system_, {});
  ASSERT_TRUE(list.ok());
  ASSERT_EQ(list->purposes_size(), 3);
  EXPECT_EQ(list->purposes(2).code(), "tax");
  EXPECT_TRUE(list->purposes(2).withdrawn());
  ASSERT_TRUE(ApplyPurposes(authority_, {"relief", "census"}).ok());
  EXPECT_THAT(world_.changes->made(), SizeIs(2));  // nothing new: no record
}

TEST_F(RegistryTest, EveryMistakeInTheListOfPurposesIsNamed) {
  const auto answer = ApplyPurposes(authority_, {"relief", "Relief", "relief"});
  EXPECT_THAT(Violations(answer.status()),
              ElementsAre(HasSubstr("purposes[1].code"), "purposes[2].code: listed twice"));
}

TEST_F(RegistryTest, ASourceIsFilledWithDefaultsAndAppliedOnce) {
  const auto applied = ApplySource(operator_, SourceRequest());
  ASSERT_TRUE(applied.ok()) << applied.status();
  EXPECT_EQ(applied->source().limits().connections(), kDefaultConnections);
  EXPECT_EQ(applied->source().limits().breaker_open_ms(), kDefaultBreakerOpenMs);
  EXPECT_THAT(applied->differences(), Contains("settings.file: none -> /srv/ps.db"));
  const auto again = ApplySource(operator_, SourceRequest());
  ASSERT_TRUE(again.ok());
  EXPECT_THAT(again->differences(), IsEmpty());
  EXPECT_EQ(again->source().etag(), applied->source().etag());
  EXPECT_THAT(world_.changes->made(), SizeIs(1));
  EXPECT_EQ(world_.changes->last().outcome.owner_agency, "police");
}

TEST_F(RegistryTest, EveryMistakeInASourceIsNamed) {
  auto request = SourceRequest();
  request.mutable_source()->set_id("Bad Id");
  request.mutable_source()->mutable_limits()->set_connections(1000);
  (*request.mutable_source()->mutable_settings())["password"] = "secret";
  const auto answer = ApplySource(operator_, request);
  EXPECT_EQ(ReasonOf(answer.status()), v1::REASON_DEFINITION_INVALID);
  EXPECT_THAT(Violations(answer.status()),
              ElementsAre(HasSubstr("source.id"), "source.limits.connections: 1 to 64",
                          "source.settings.password: is no setting"));
  request = SourceRequest();
  request.mutable_source()->set_owner_agency("nobody");
  EXPECT_THAT(Violations(ApplySource(operator_, request).status()),
              ElementsAre("source.owner_agency: there is no such agency"));
}

TEST_F(RegistryTest, ASourceKeepsItsOwner) {
  ASSERT_TRUE(ApplySource(operator_, SourceRequest()).ok());
  auto request = SourceRequest();
  request.mutable_source()->set_owner_agency("welfare");
  EXPECT_EQ(ReasonOf(ApplySource(operator_, request).status()), v1::REASON_DEFINITION_INVALID);
}

TEST_F(RegistryTest, OfTwoChangesToOneSourceTheSlowerLoses) {
  const auto first = ApplySource(operator_, SourceRequest());
  ASSERT_TRUE(first.ok());
  auto mine = SourceRequest();
  mine.mutable_source()->set_etag(first->source().etag());
  (*mine.mutable_source()->mutable_settings())["file"] = "/srv/mine.db";
  auto theirs = mine;
  (*theirs.mutable_source()->mutable_settings())["file"] = "/srv/theirs.db";
  ASSERT_TRUE(ApplySource(operator_, theirs).ok());
  EXPECT_EQ(ReasonOf(ApplySource(operator_, mine).status()), v1::REASON_ETAG_MISMATCH);
  mine.set_dry_run(true);
  EXPECT_EQ(ReasonOf(ApplySource(operator_, mine).status()), v1::REASON_ETAG_MISMATCH);
}

TEST_F(RegistryTest, ListsCanBeNarrowedToAnAgency) {
  world_.AddSystem("police", "patrol");
  v1::ListSystemsRequest request;
  request.set_agency("police");
  const auto systems = registry_.ListSystems(auditor_, request);
  ASSERT_TRUE(systems.ok());
  ASSERT_EQ(systems->systems_size(), 1);
  EXPECT_EQ(systems->systems(0).name(), "police/patrol");
}

TEST_F(RevocationTest, ANewerListActsAtCommit) {
  const auto list = ca_->RenewList();
  ASSERT_TRUE(list.ok());
  const auto published = Publish(operator_, list->ToPem());
  ASSERT_TRUE(published.ok()) << published.status();
  EXPECT_EQ(published->list().number(), list->number());
  EXPECT_EQ(world_.changes->last().effect, Effect::kAtCommit);
  EXPECT_EQ(world_.changes->last().outcome.resource_kind, "revocation-list");
  world_.Read([&](store::Reader& reader) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(const auto lists, LoadPublishedLists(reader));
    EXPECT_EQ(lists.size(), 1u);
    EXPECT_EQ(lists[0].pem, list->ToPem());
    EXPECT_EQ(lists[0].authority_key, published->list().authority_key());
    return absl::OkStatus();
  });
  ASSERT_TRUE(Publish(operator_, list->ToPem()).ok());
  EXPECT_THAT(world_.changes->made(), SizeIs(1));  // the same again is no change
}

TEST_F(RevocationTest, AnOldListGivesNothingBack) {
  const auto older = ca_->RenewList();
  const auto newer = ca_->RenewList();
  ASSERT_TRUE(older.ok() && newer.ok());
  ASSERT_TRUE(Publish(operator_, newer->ToPem()).ok());
  // Even while the verifier is still the one from before.
  EXPECT_EQ(ReasonOf(Publish(operator_, older->ToPem()).status()), v1::REASON_DEFINITION_INVALID);
  verifier_ = Verifier(newer->ToPem());
  EXPECT_EQ(ReasonOf(Publish(operator_, older->ToPem()).status()), v1::REASON_DEFINITION_INVALID);
}

TEST_F(RevocationTest, AListOfAStrangerIsRefused) {
  auto stranger =
      certs::Authority::CreateRoot(files_, world_.clock, *random_, "/stranger",
                                   {.common_name = "Test CA", .trust_domain = "gov.example"});
  ASSERT_TRUE(stranger.ok());
  EXPECT_FALSE(Publish(operator_, (*stranger)->list().ToPem()).ok());
  EXPECT_FALSE(Publish(operator_, "no list").ok());
  EXPECT_THAT(world_.changes->made(), IsEmpty());
}

TEST_F(RevocationTest, ListsAreShownWithTheirAuthority) {
  const auto list = ca_->RenewList();
  ASSERT_TRUE(Publish(operator_, list->ToPem()).ok());
  verifier_ = Verifier(list->ToPem());
  const auto shown = registry_.ListRevocationLists(auditor_, {});
  ASSERT_TRUE(shown.ok());
  ASSERT_EQ(shown->lists_size(), 1);
  EXPECT_EQ(shown->lists(0).number(), list->number());
  EXPECT_THAT(shown->lists(0).authority(), HasSubstr("Test CA"));
}

}  // namespace
}  // namespace sluice::identity
