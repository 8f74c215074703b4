// Private keys of certificates. Immutable, cheap to copy, any thread. Made by OpenSSL's generator
// where they are used; never sent anywhere.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "certs/certificate.h"
#include "gateway/base/crypto.h"

struct evp_pkey_st;  // OpenSSL's EVP_PKEY

namespace sluice::certs {

enum class KeyType { kEcdsaP256, kEd25519 };

class PrivateKey {
 public:
  // INTERNAL where OpenSSL fails.
  static absl::StatusOr<PrivateKey> Generate(KeyType type = KeyType::kEcdsaP256);
  // PKCS#8 without a passphrase, or the older "EC PRIVATE KEY" and "RSA PRIVATE KEY". `place`
  // begins errors (DEFINITION_INVALID). No part of the key is ever in an error.
  static absl::StatusOr<PrivateKey> FromPem(std::string_view pem, std::string_view place);

  // PKCS#8, unencrypted: for files of mode 0600.
  std::string ToPem() const;
  // SHA-256 of the SubjectPublicKeyInfo in DER: equal to that of a certificate for this key.
  const Hash& spki_hash() const { return spki_hash_; }

  // ECDSA with SHA-256, in DER, or Ed25519. INTERNAL where OpenSSL fails.
  absl::StatusOr<std::string> Sign(std::string_view message) const;

  evp_pkey_st* native() const { return native_.get(); }  // borrowed; for this room

 private:
  PrivateKey() = default;
  std::shared_ptr<evp_pkey_st> native_;
  Hash spki_hash_{};
};

// OK where the certificate is for this key, else DEFINITION_INVALID.
absl::Status CheckPair(const PrivateKey& key, const Certificate& certificate);

// Whether PrivateKey::Sign of the key of this certificate made it.
bool VerifySignature(const Certificate& certificate, std::string_view message,
                     std::string_view signature);

}  // namespace sluice::certs
