// An X.509 certificate as a value: parsed once, immutable, cheap to copy. Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "certs/spiffe.h"
#include "gateway/base/clock.h"
#include "gateway/base/crypto.h"

struct x509_st;  // OpenSSL's X509

namespace sluice::certs {

class Certificate {
 public:
  // Exactly one "CERTIFICATE" block; text around it is passed over. `place` (a file, "the peer's
  // certificate") begins every error. Errors of all three: CERTIFICATE_INVALID.
  static absl::StatusOr<Certificate> FromPem(std::string_view pem, std::string_view place);
  // One to sixteen blocks, in the order of the text; any other kind of block is an error.
  static absl::StatusOr<std::vector<Certificate>> ChainFromPem(std::string_view pem,
                                                               std::string_view place);
  // Exactly one certificate, nothing behind it.
  static absl::StatusOr<Certificate> FromDer(std::string_view der, std::string_view place);

  // RFC 2253 text, for people; no decision reads it.
  const std::string& subject() const { return contents_->subject; }
  const std::string& issuer() const { return contents_->issuer; }
  // Lower-case hexadecimal, two digits a byte, no leading zero bytes.
  const std::string& serial() const { return contents_->serial; }
  Micros not_before() const { return contents_->not_before; }
  // From this moment on it is expired.
  Micros not_after() const { return contents_->not_after; }
  // SHA-256 of the certificate and of its SubjectPublicKeyInfo, both in DER.
  const Hash& fingerprint() const { return contents_->fingerprint; }
  const Hash& spki_hash() const { return contents_->spki_hash; }
  // Subject alternative names.
  const std::vector<std::string>& uris() const { return contents_->uris; }
  const std::vector<std::string>& dns_names() const { return contents_->dns_names; }
  const std::vector<std::string>& ip_addresses() const { return contents_->ip_addresses; }
  // Basic constraints say CA.
  bool is_authority() const { return contents_->is_authority; }
  // Subject and issuer are the same name and the signature is by its own key.
  bool is_self_signed() const { return contents_->is_self_signed; }

  // Who it names: its one URI name, which must be a SPIFFE ID of `trust_domain`. The common name is
  // never read. CERTIFICATE_IDENTITY_MALFORMED otherwise.
  absl::StatusOr<SpiffeId> Identity(std::string_view trust_domain) const;

  std::string ToPem() const;
  const std::string& der() const { return contents_->der; }

  // Borrowed; lives as long as any copy of this value. For this room.
  x509_st* native() const { return contents_->native.get(); }

 private:
  struct Contents {
    std::shared_ptr<x509_st> native;
    std::string der, subject, issuer, serial;
    Micros not_before = 0, not_after = 0;
    Hash fingerprint{}, spki_hash{};
    std::vector<std::string> uris, dns_names, ip_addresses;
    bool is_authority = false, is_self_signed = false;
  };
  explicit Certificate(std::shared_ptr<const Contents> contents) : contents_(std::move(contents)) {}
  std::shared_ptr<const Contents> contents_;
};

}  // namespace sluice::certs
