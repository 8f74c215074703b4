#include "gateway/identity/principal.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"

namespace sluice::identity {
namespace {

absl::Status NotRegistered(const certs::VerifiedPeer& peer) {
  return Error(v1::REASON_NOT_REGISTERED,
               absl::StrCat(peer.identity.Path(), " is not registered here."),
               {{"principal", peer.identity.Path()}});
}

absl::Status Suspended(std::string_view what) {
  return Error(v1::REASON_SUSPENDED,
               absl::StrCat(absl::string_view(what.data(), what.size()), " is suspended."));
}

}  // namespace

bool Principal::Has(v1::Role role) const {
  return kind == PrincipalKind::kPerson &&
         std::find(roles.begin(), roles.end(), role) != roles.end();
}

v1::Actor Principal::ToActor() const {
  v1::Actor actor;
  actor.set_principal(path);
  actor.set_agency(agency);
  return actor;
}

std::shared_ptr<const Principal> Nobody() {
  static const auto* const nobody =
      new std::shared_ptr<const Principal>(std::make_shared<Principal>());
  return *nobody;
}

absl::StatusOr<Principal> Directory::Resolve(const certs::VerifiedPeer& peer) const {
  Principal principal;
  if (peer.identity.kind == certs::Kind::kSystem) {
    principal.kind = PrincipalKind::kSystem;
  } else if (peer.identity.kind == certs::Kind::kPerson) {
    principal.kind = PrincipalKind::kPerson;
  } else {
    return Error(v1::REASON_CERTIFICATE_KIND_NOT_ALLOWED, "Only systems and persons may call.");
  }
  principal.path = peer.identity.Path();
  principal.agency = peer.identity.agency;
  principal.name = peer.identity.name;
  principal.serial = peer.serial;
  principal.certificate_digest = std::string(AsBytes(peer.fingerprint));
  principal.expires = peer.not_after;

  // Only what is stated to be active is: an unknown state is as good as suspended.
  const auto agency = agencies.find(principal.agency);
  if (agency == agencies.end()) return NotRegistered(peer);
  v1::RegistrationState state;
  if (principal.kind == PrincipalKind::kSystem) {
    const auto system = systems.find(principal.QualifiedName());
    if (system == systems.end()) return NotRegistered(peer);
    state = system->second.state();
    principal.max_running_calls = system->second.max_running_calls();
  } else {
    const auto person = persons.find(principal.QualifiedName());
    if (person == persons.end()) return NotRegistered(peer);
    state = person->second.state();
    for (const int role : person->second.roles())
      principal.roles.push_back(static_cast<v1::Role>(role));
  }
  if (agency->second.state() != v1::REGISTRATION_STATE_ACTIVE)
    return Suspended(absl::StrCat("Agency ", principal.agency));
  if (state != v1::REGISTRATION_STATE_ACTIVE) return Suspended(principal.path);
  return principal;
}

}  // namespace sluice::identity
