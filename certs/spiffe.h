// Names of parties: SPIFFE IDs of the five forms that Sluice knows (SPIFFE-ID specification, made
// stricter). The one URI name of a certificate is such an id; nothing else says who a party is.
//
//   spiffe://gov.example/agency/civil-affairs/system/relief
//   spiffe://gov.example/agency/civil-affairs/person/li-na
//   spiffe://gov.example/agency/civil-affairs/adapter/cobol
//   spiffe://gov.example/gateway/gw1
//   spiffe://gov.example/witness/archive
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sluice::certs {

enum class Kind { kSystem, kPerson, kAdapter, kGateway, kWitness };

// "system", "person", …: as in the path.
std::string_view KindName(Kind kind);

// A value; two ids are equal where all parts are. Made by ParseSpiffeId or MakeSpiffeId only, so
// that its parts are always well-formed.
struct SpiffeId {
  std::string trust_domain;
  Kind kind = Kind::kSystem;
  std::string agency;  // empty for gateways and witnesses, which belong to no agency
  std::string name;    // of the system, person, adapter, gateway or witness

  // "agency/civil-affairs/system/relief": without a leading slash.
  std::string Path() const;
  // "spiffe://gov.example/agency/civil-affairs/system/relief".
  std::string Format() const;

  bool operator==(const SpiffeId&) const = default;
};

// 1 to 63 of a-z, 0-9 and inner hyphens.
bool IsId(std::string_view text);
// Lower-case DNS labels with dots between, at most 253 characters in all.
bool IsTrustDomain(std::string_view text);

// Strict: exactly the forms above, byte for byte. No upper case, port, user info, query, fragment,
// percent sign, empty or further segment. INVALID_ARGUMENT says what is wrong and where (character
// from 1).
absl::StatusOr<SpiffeId> ParseSpiffeId(std::string_view uri);

// From parts, checked in the same way. `agency` must be empty exactly for gateways and witnesses.
absl::StatusOr<SpiffeId> MakeSpiffeId(std::string_view trust_domain, Kind kind,
                                      std::string_view agency, std::string_view name);

}  // namespace sluice::certs
