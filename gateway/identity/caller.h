// One call as the services see it: who makes it, and what its record says of it.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "gateway/audit/changes.h"
#include "gateway/identity/principal.h"
#include "gateway/store/store.h"

namespace sluice::identity {

struct Caller {
  Principal principal;
  std::string call_id;
  std::string peer;    // "ipv4:10.0.0.7:41522"
  std::string method;  // "Registry.AddSystem"
};

audit::ChangeActor ActorOf(const Caller& caller);

// ROLE_REQUIRED, naming the role, where the caller is not a person who holds it.
absl::Status RequireRole(const Caller& caller, v1::Role role);
// For lists of what is registered: operator, authority or auditor.
absl::Status RequireListRole(const Caller& caller);
// RequireRole with what is registered at this moment: between a call's start and its turn on the
// change thread a role may be taken away. SUSPENDED where the person or the agency is.
absl::Status RequireRoleNow(store::Reader& reader, const Caller& caller, v1::Role role);

// SUSPENDED or NOT_REGISTERED where the caller, a system or a person, or its agency is no longer
// active at this moment.
absl::Status RequireActiveNow(store::Reader& reader, const Caller& caller);

// "owner", "authority", "auditor", "operator".
std::string RoleName(v1::Role role);
// ROLE_UNSPECIFIED for another word.
v1::Role RoleFromName(std::string_view name);

}  // namespace sluice::identity
