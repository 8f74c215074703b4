// Agencies, systems, persons and their roles. What they stand on is in registry_rules.cc.
#include "gateway/identity/registry.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/identity/definitions.h"
#include "gateway/identity/registration.h"
#include "gateway/records/utf8.h"

namespace sluice::identity {
namespace {

using audit::ChangeOutcome;
using Effect = audit::Changes::Effect;
using store::Transaction;

absl::Status NotFound(std::string_view what, std::string_view name) {
  return Error(v1::REASON_NOT_FOUND,
               absl::StrCat("There is no ", absl::string_view(what.data(), what.size()), " \"",
                            absl::string_view(name.data(), name.size()), "\"."));
}

absl::Status Exists(std::string_view what, std::string_view name) {
  return Error(v1::REASON_ALREADY_EXISTS,
               absl::StrCat("There is a ", absl::string_view(what.data(), what.size()), " \"",
                            absl::string_view(name.data(), name.size()), "\" already."));
}

absl::Status CheckStateChange(v1::RegistrationState state, const std::string& reason) {
  if (state != v1::REGISTRATION_STATE_ACTIVE && state != v1::REGISTRATION_STATE_SUSPENDED)
    return InvalidField("state", "active or suspended");
  if (records::IsBlank(reason)) return InvalidField("reason", "needed: it is recorded");
  if (reason.size() > 1000) return InvalidField("reason", "at most 1,000 bytes");
  return absl::OkStatus();
}

// Suspension bites at once; who is let in again waits for the record.
Effect EffectOf(v1::RegistrationState state) {
  return state == v1::REGISTRATION_STATE_SUSPENDED ? Effect::kAtCommit : Effect::kAfterRecord;
}
const char* ActionOf(v1::RegistrationState state) {
  return state == v1::REGISTRATION_STATE_SUSPENDED ? "suspend" : "resume";
}

absl::Status RequireAgency(store::Reader& reader, const std::string& name) {
  const std::string agency = SplitName(name).value_or(NameParts()).agency;
  SLUICE_ASSIGN_OR_RETURN(const auto known, FindAgency(reader, agency));
  return known ? absl::OkStatus() : NotFound("agency", agency);
}

// Sets state and reason of a system or person, and writes it.
template <class Message>
absl::StatusOr<ChangeOutcome> ChangeState(Transaction& transaction, const char* kind,
                                          const std::optional<Message>& known,
                                          const std::string& name, v1::RegistrationState state,
                                          const std::string& reason,
                                          absl::Status (*put)(Transaction&, Message&),
                                          Message& after) {
  if (!known) return NotFound(kind, name);
  after = *known;
  if (known->state() == state) return Unchanged();
  after.set_state(state);
  after.set_state_reason(reason);
  SLUICE_RETURN_IF_ERROR(put(transaction, after));
  ChangeOutcome outcome = OutcomeOf(kind, name, ActionOf(state), &*known, &after);
  outcome.reason = reason;
  return outcome;
}

}  // namespace

Registry::Registry(store::Store& store, audit::Changes& changes, const Clock& clock,
                   VerifierSource verifier, SourceCheck check_source)
    : store_(store),
      changes_(changes),
      clock_(clock),
      verifier_(std::move(verifier)),
      check_source_(std::move(check_source)) {}

void Registry::AddAgency(const Caller& caller, v1::AddAgencyRequest request,
                         Done<v1::AddAgencyResponse> done) {
  absl::Status status = RequireRole(caller, v1::ROLE_AUTHORITY);
  if (status.ok()) status = PrepareAgency(*request.mutable_agency());
  if (!status.ok()) return done(status);
  SubmitChange<v1::AddAgencyResponse>(
      changes_, caller, Effect::kAfterRecord,
      [caller, agency = request.agency()](Transaction& transaction, v1::AddAgencyResponse& response)
          -> absl::StatusOr<ChangeOutcome> {
        SLUICE_RETURN_IF_ERROR(RequireRoleNow(transaction, caller, v1::ROLE_AUTHORITY));
        SLUICE_ASSIGN_OR_RETURN(const auto known, FindAgency(transaction, agency.id()));
        if (known) return Exists("agency", agency.id());
        *response.mutable_agency() = agency;
        SLUICE_RETURN_IF_ERROR(PutAgency(transaction, *response.mutable_agency()));
        return OutcomeOf("agency", agency.id(), "create", nullptr, &response.agency());
      },
      std::move(done));
}

void Registry::AddSystem(const Caller& caller, v1::AddSystemRequest request,
                         Done<v1::AddSystemResponse> done) {
  absl::Status status = RequireRole(caller, v1::ROLE_OPERATOR);
  if (status.ok()) status = PrepareSystem(*request.mutable_system());
  if (!status.ok()) return done(status);
  SubmitChange<v1::AddSystemResponse>(
      changes_, caller, Effect::kAfterRecord,
      [caller, system = request.system()](Transaction& transaction, v1::AddSystemResponse& response)
          -> absl::StatusOr<ChangeOutcome> {
        SLUICE_RETURN_IF_ERROR(RequireRoleNow(transaction, caller, v1::ROLE_OPERATOR));
        SLUICE_RETURN_IF_ERROR(RequireAgency(transaction, system.name()));
        SLUICE_ASSIGN_OR_RETURN(const auto known, FindSystem(transaction, system.name()));
        if (known) return Exists("system", system.name());
        *response.mutable_system() = system;
        SLUICE_RETURN_IF_ERROR(PutSystem(transaction, *response.mutable_system()));
        return OutcomeOf("system", system.name(), "create", nullptr, &response.system());
      },
      std::move(done));
}

void Registry::AddPerson(const Caller& caller, v1::AddPersonRequest request,
                         Done<v1::AddPersonResponse> done) {
  absl::Status status = RequireRole(caller, v1::ROLE_OPERATOR);
  if (status.ok() && !request.person().roles().empty())
    status = InvalidField("person.roles", "the authority gives roles, by GrantRole");
  if (status.ok()) status = PreparePerson(*request.mutable_person());
  if (!status.ok()) return done(status);
  SubmitChange<v1::AddPersonResponse>(
      changes_, caller, Effect::kAfterRecord,
      [caller, person = request.person()](Transaction& transaction, v1::AddPersonResponse& response)
          -> absl::StatusOr<ChangeOutcome> {
        SLUICE_RETURN_IF_ERROR(RequireRoleNow(transaction, caller, v1::ROLE_OPERATOR));
        SLUICE_RETURN_IF_ERROR(RequireAgency(transaction, person.name()));
        SLUICE_ASSIGN_OR_RETURN(const auto known, FindPerson(transaction, person.name()));
        if (known) return Exists("person", person.name());
        *response.mutable_person() = person;
        SLUICE_RETURN_IF_ERROR(PutPerson(transaction, *response.mutable_person()));
        return OutcomeOf("person", person.name(), "create", nullptr, &response.person());
      },
      std::move(done));
}

void Registry::SetSystemState(const Caller& caller, v1::SetSystemStateRequest request,
                              Done<v1::SetSystemStateResponse> done) {
  absl::Status status = RequireRole(caller, v1::ROLE_OPERATOR);
  if (status.ok()) status = CheckStateChange(request.state(), request.reason());
  if (!status.ok()) return done(status);
  const Effect effect = EffectOf(request.state());
  SubmitChange<v1::SetSystemStateResponse>(
      changes_, caller, effect,
      [caller, request = std::move(request)](
          Transaction& transaction,
          v1::SetSystemStateResponse& response) -> absl::StatusOr<ChangeOutcome> {
        SLUICE_RETURN_IF_ERROR(RequireRoleNow(transaction, caller, v1::ROLE_OPERATOR));
        SLUICE_ASSIGN_OR_RETURN(const auto known, FindSystem(transaction, request.name()));
        return ChangeState(transaction, "system", known, request.name(), request.state(),
                           request.reason(), &PutSystem, *response.mutable_system());
      },
      std::move(done));
}

void Registry::SetPersonState(const Caller& caller, v1::SetPersonStateRequest request,
                              Done<v1::SetPersonStateResponse> done) {
  absl::Status status = RequireRole(caller, v1::ROLE_OPERATOR);
  if (status.ok()) status = CheckStateChange(request.state(), request.reason());
  if (!status.ok()) return done(status);
  const Effect effect = EffectOf(request.state());
  SubmitChange<v1::SetPersonStateResponse>(
      changes_, caller, effect,
      [caller, request = std::move(request)](
          Transaction& transaction,
          v1::SetPersonStateResponse& response) -> absl::StatusOr<ChangeOutcome> {
        SLUICE_RETURN_IF_ERROR(RequireRoleNow(transaction, caller, v1::ROLE_OPERATOR));
        SLUICE_ASSIGN_OR_RETURN(const auto known, FindPerson(transaction, request.name()));
        return ChangeState(transaction, "person", known, request.name(), request.state(),
                           request.reason(), &PutPerson, *response.mutable_person());
      },
      std::move(done));
}

void Registry::ChangeRole(const Caller& caller, const std::string& person, int role, bool give,
                          Done<v1::Person> done) {
  absl::Status status = RequireRole(caller, v1::ROLE_AUTHORITY);
  if (status.ok() && (role == v1::ROLE_UNSPECIFIED || !v1::Role_IsValid(role)))
    status = InvalidField("role", "owner, authority, auditor or operator");
  if (status.ok() && give && person == caller.principal.QualifiedName())
    status = Error(v1::REASON_ROLE_REQUIRED, "Nobody gives himself a role; another authority can.",
                   {{"role", "authority"}});
  if (!status.ok()) return done(status);
  SubmitChange<v1::Person>(
      changes_, caller, give ? Effect::kAfterRecord : Effect::kAtCommit,
      [caller, person, role, give](Transaction& transaction,
                                   v1::Person& after) -> absl::StatusOr<ChangeOutcome> {
        SLUICE_RETURN_IF_ERROR(RequireRoleNow(transaction, caller, v1::ROLE_AUTHORITY));
        SLUICE_ASSIGN_OR_RETURN(const auto known, FindPerson(transaction, person));
        if (!known) return NotFound("person", person);
        after = *known;
        auto& roles = *after.mutable_roles();
        const auto held = std::find(roles.begin(), roles.end(), role);
        if ((held != roles.end()) == give) return Unchanged();
        if (give) {
          after.add_roles(static_cast<v1::Role>(role));
          std::sort(roles.begin(), roles.end());
        } else {
          roles.erase(held);
        }
        if (!give && role == v1::ROLE_AUTHORITY) {
          SLUICE_ASSIGN_OR_RETURN(const auto another,
                                  AnotherWithRole(transaction, v1::ROLE_AUTHORITY, person));
          if (another.empty())
            return Error(v1::REASON_STILL_IN_USE,
                         "The last authority cannot be taken away: nobody could give roles again.",
                         {{"person", person}});
        }
        SLUICE_RETURN_IF_ERROR(PutPerson(transaction, after));
        return OutcomeOf("person", person, give ? "grant-role" : "revoke-role", &*known, &after);
      },
      std::move(done));
}

void Registry::GrantRole(const Caller& caller, v1::GrantRoleRequest request,
                         Done<v1::GrantRoleResponse> done) {
  ChangeRole(caller, request.person(), request.role(), true,
             [done = std::move(done)](absl::StatusOr<v1::Person> person) {
               if (!person.ok()) return done(person.status());
               v1::GrantRoleResponse response;
               *response.mutable_person() = *std::move(person);
               done(std::move(response));
             });
}

void Registry::RevokeRole(const Caller& caller, v1::RevokeRoleRequest request,
                          Done<v1::RevokeRoleResponse> done) {
  ChangeRole(caller, request.person(), request.role(), false,
             [done = std::move(done)](absl::StatusOr<v1::Person> person) {
               if (!person.ok()) return done(person.status());
               v1::RevokeRoleResponse response;
               *response.mutable_person() = *std::move(person);
               done(std::move(response));
             });
}

absl::StatusOr<v1::ListAgenciesResponse> Registry::ListAgencies(const Caller&,
                                                                const v1::ListAgenciesRequest&) {
  v1::ListAgenciesResponse response;
  SLUICE_RETURN_IF_ERROR(store_.Read([&](store::Reader& reader) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(const auto directory, LoadDirectory(reader));
    for (const auto& [id, agency] : directory->agencies) *response.add_agencies() = agency;
    return absl::OkStatus();
  }));
  return response;
}

absl::StatusOr<v1::ListSystemsResponse> Registry::ListSystems(
    const Caller& caller, const v1::ListSystemsRequest& request) {
  SLUICE_RETURN_IF_ERROR(RequireListRole(caller));
  v1::ListSystemsResponse response;
  SLUICE_RETURN_IF_ERROR(store_.Read([&](store::Reader& reader) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(const auto directory, LoadDirectory(reader));
    for (const auto& [name, system] : directory->systems)
      if (request.agency().empty() || name.starts_with(request.agency() + "/"))
        *response.add_systems() = system;
    return absl::OkStatus();
  }));
  return response;
}

absl::StatusOr<v1::ListPersonsResponse> Registry::ListPersons(
    const Caller& caller, const v1::ListPersonsRequest& request) {
  SLUICE_RETURN_IF_ERROR(RequireListRole(caller));
  v1::ListPersonsResponse response;
  SLUICE_RETURN_IF_ERROR(store_.Read([&](store::Reader& reader) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(const auto persons, LoadPersons(reader));
    for (const auto& person : persons)
      if (request.agency().empty() || person.name().starts_with(request.agency() + "/"))
        *response.add_persons() = person;
    return absl::OkStatus();
  }));
  return response;
}

absl::StatusOr<v1::ListSourcesResponse> Registry::ListSources(const Caller& caller,
                                                              const v1::ListSourcesRequest&) {
  SLUICE_RETURN_IF_ERROR(RequireListRole(caller));
  v1::ListSourcesResponse response;
  SLUICE_RETURN_IF_ERROR(store_.Read([&](store::Reader& reader) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(const auto directory, LoadDirectory(reader));
    for (const auto& [id, source] : directory->sources) *response.add_sources() = source;
    return absl::OkStatus();
  }));
  return response;
}

}  // namespace sluice::identity
