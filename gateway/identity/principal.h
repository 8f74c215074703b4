// Who calls, as its verified certificate says; and the directory of who is registered.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "certs/chain_verifier.h"
#include "gateway/base/clock.h"
#include "sluice/v1/audit_record.pb.h"
#include "sluice/v1/registry.pb.h"

namespace sluice::identity {

enum class PrincipalKind { kSystem, kPerson };

struct Principal {
  PrincipalKind kind = PrincipalKind::kSystem;
  std::string path;                // "agency/civil-affairs/system/relief"
  std::string agency;              // "civil-affairs"
  std::string name;                // "relief": of the system or person, without the agency
  std::vector<v1::Role> roles;     // of a person
  int max_running_calls = 0;       // of a system; 0: the gateway's own limit
  std::string serial;              // hex
  std::string certificate_digest;  // 32 bytes
  Micros expires = 0;

  bool Has(v1::Role role) const;
  v1::Actor ToActor() const;
  std::string QualifiedName() const { return agency + "/" + name; }
};

// Whoever has not said who he is.
std::shared_ptr<const Principal> Nobody();

// Everything registered, at one state of the store. Immutable.
struct Directory {
  std::map<std::string, v1::Agency, std::less<>> agencies;
  std::map<std::string, v1::ClientSystem, std::less<>> systems;  // by "agency/system"
  std::map<std::string, v1::Person, std::less<>> persons;
  std::map<std::string, v1::Purpose, std::less<>> purposes;
  std::map<std::string, v1::Source, std::less<>> sources;

  // NOT_REGISTERED, SUSPENDED (itself or its agency), CERTIFICATE_KIND_NOT_ALLOWED for certificates
  // that are neither a system's nor a person's.
  absl::StatusOr<Principal> Resolve(const certs::VerifiedPeer& peer) const;
};

}  // namespace sluice::identity
