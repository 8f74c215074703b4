#include "gateway/identity/caller.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/identity/registration.h"

namespace sluice::identity {
namespace {

constexpr size_t kPrefixSize = sizeof("ROLE_") - 1;

absl::Status RoleMissing(v1::Role role) {
  const std::string name = RoleName(role);
  return Error(v1::REASON_ROLE_REQUIRED,
               absl::StrCat("This call is for persons with the role ", name, "."),
               {{"role", name}});
}

}  // namespace

audit::ChangeActor ActorOf(const Caller& caller) {
  audit::ChangeActor actor;
  actor.actor = caller.principal.ToActor();
  actor.call_id = caller.call_id;
  actor.peer = caller.peer;
  actor.method = caller.method;
  actor.certificate_serial = caller.principal.serial;
  actor.certificate_digest = caller.principal.certificate_digest;
  return actor;
}

absl::Status RequireRole(const Caller& caller, v1::Role role) {
  return caller.principal.Has(role) ? absl::OkStatus() : RoleMissing(role);
}

absl::Status RequireListRole(const Caller& caller) {
  for (const v1::Role role : {v1::ROLE_OPERATOR, v1::ROLE_AUTHORITY, v1::ROLE_AUDITOR})
    if (caller.principal.Has(role)) return absl::OkStatus();
  return Error(v1::REASON_ROLE_REQUIRED,
               "This list is for persons with the role operator, authority or auditor.",
               {{"role", "operator, authority or auditor"}});
}

absl::Status RequireActiveNow(store::Reader& reader, const Caller& caller) {
  const std::string name = caller.principal.QualifiedName();
  SLUICE_ASSIGN_OR_RETURN(const auto agency, FindAgency(reader, caller.principal.agency));
  std::optional<v1::RegistrationState> state;
  if (caller.principal.kind == PrincipalKind::kSystem) {
    SLUICE_ASSIGN_OR_RETURN(const auto system, FindSystem(reader, name));
    if (system) state = system->state();
  } else {
    SLUICE_ASSIGN_OR_RETURN(const auto person, FindPerson(reader, name));
    if (person) state = person->state();
  }
  if (!state || !agency)
    return Error(v1::REASON_NOT_REGISTERED, "The caller is not registered any more.");
  if (*state != v1::REGISTRATION_STATE_ACTIVE || agency->state() != v1::REGISTRATION_STATE_ACTIVE)
    return Error(v1::REASON_SUSPENDED, "The caller or its agency is suspended.");
  return absl::OkStatus();
}

absl::Status RequireRoleNow(store::Reader& reader, const Caller& caller, v1::Role role) {
  SLUICE_RETURN_IF_ERROR(RequireRole(caller, role));
  SLUICE_RETURN_IF_ERROR(RequireActiveNow(reader, caller));
  SLUICE_ASSIGN_OR_RETURN(const auto person, FindPerson(reader, caller.principal.QualifiedName()));
  if (person)
    for (const int held : person->roles())
      if (held == role) return absl::OkStatus();
  return RoleMissing(role);
}

std::string RoleName(v1::Role role) {
  return absl::AsciiStrToLower(v1::Role_Name(role).substr(kPrefixSize));
}

v1::Role RoleFromName(std::string_view name) {
  v1::Role role = v1::ROLE_UNSPECIFIED;
  const std::string upper = absl::AsciiStrToUpper(absl::string_view(name.data(), name.size()));
  // Lower case only, as it is written everywhere.
  if (absl::AsciiStrToLower(upper) != name) return role;
  if (!v1::Role_Parse(absl::StrCat("ROLE_", upper), &role)) return v1::ROLE_UNSPECIFIED;
  return role;
}

}  // namespace sluice::identity
