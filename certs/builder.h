// Builds and signs certificates and lists. Internal to certs/: Authority decides what may be built;
// this says it in X.509. Tests build what no authority of ours would sign.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "certs/certificate.h"
#include "certs/crl.h"
#include "certs/key.h"

struct evp_pkey_st;

namespace sluice::certs {

struct CertificateSpec {
  std::string organisation;  // left out where empty
  std::string common_name;
  evp_pkey_st* public_key = nullptr;
  std::string serial;  // bytes, big-endian
  Micros not_before = 0, not_after = 0;
  bool is_authority = false;
  std::optional<int> path_length;
  std::string permitted_uri_host;  // a name constraint where not empty
  std::vector<std::string> uris, dns_names, ip_addresses;
  std::string extended_usage;  // as OpenSSL writes it: "clientAuth,serverAuth"; none where empty
};

// `issuer` null: signed by itself.
absl::StatusOr<Certificate> BuildCertificate(const CertificateSpec& spec, const PrivateKey& signer,
                                             const Certificate* issuer);

struct ListSpec {
  int64_t number = 0;
  Micros this_update = 0, next_update = 0;
  std::vector<std::pair<std::string, Revocation>> revoked;  // serials in hexadecimal
};
absl::StatusOr<RevocationList> BuildList(const ListSpec& spec, const PrivateKey& signer,
                                         const Certificate& issuer);

}  // namespace sluice::certs
