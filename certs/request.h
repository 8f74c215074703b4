// Certificate signing requests (PKCS#10, RFC 2986): what `sluice certs request` makes beside the
// new private key, and what `sluice certs sign` reads where the authority is.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "certs/key.h"
#include "certs/spiffe.h"
#include "gateway/base/file_system.h"

struct X509_req_st;  // OpenSSL's X509_REQ

namespace sluice::certs {

// The names that a certificate shall carry. DNS names and IP addresses are for gateways only.
struct Names {
  SpiffeId identity;
  std::vector<std::string> dns_names;     // lower case; a leading "*." is refused
  std::vector<std::string> ip_addresses;  // "192.0.2.7", "2001:db8::1"
};

// OK, or DEFINITION_INVALID naming the first mistake.
absl::Status CheckNames(const Names& names);

// A parsed request whose own signature holds: whoever made it has the private key.
class Request {
 public:
  // `place` begins errors: DEFINITION_INVALID where it is no request, its signature is wrong, its
  // key is too weak, or it does not ask for exactly one SPIFFE ID.
  static absl::StatusOr<Request> FromPem(std::string_view pem, std::string_view place);
  static absl::StatusOr<Request> Make(const PrivateKey& key, const Names& names);

  const Names& names() const { return names_; }
  const Hash& spki_hash() const { return spki_hash_; }
  std::string ToPem() const;
  X509_req_st* native() const { return native_.get(); }  // borrowed; for this room

 private:
  Request() = default;
  std::shared_ptr<X509_req_st> native_;
  Names names_;
  Hash spki_hash_{};
};

// Makes a private key at `key_path` (0600, folder 0700 where absent) and the request at
// `request_path` (0644). ALREADY_EXISTS where there is a key: a key is never overwritten.
absl::StatusOr<Request> CreateRequest(FileSystem& files, const std::string& key_path,
                                      const std::string& request_path, const Names& names,
                                      KeyType type = KeyType::kEcdsaP256);

}  // namespace sluice::certs
