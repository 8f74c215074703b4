// Owners of OpenSSL's objects and the small conversions that this room shares. Internal to certs/.
#pragma once

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/base/check.h"
#include "gateway/base/clock.h"
#include "gateway/base/crypto.h"
#include "sluice/v1/reason.pb.h"

namespace sluice::certs {

template <auto free_function>
struct FreeWith {
  template <class T>
  void operator()(T* object) const {
    free_function(object);
  }
};
template <class T, auto free_function>
using Owned = std::unique_ptr<T, FreeWith<free_function>>;

using OwnedBio = Owned<BIO, BIO_free_all>;
using OwnedCertificate = Owned<X509, X509_free>;
using OwnedRequest = Owned<X509_REQ, X509_REQ_free>;
using OwnedList = Owned<X509_CRL, X509_CRL_free>;
using OwnedKey = Owned<EVP_PKEY, EVP_PKEY_free>;
using OwnedName = Owned<X509_NAME, X509_NAME_free>;
using OwnedExtension = Owned<X509_EXTENSION, X509_EXTENSION_free>;
using OwnedNames = Owned<GENERAL_NAMES, GENERAL_NAMES_free>;
using OwnedInteger = Owned<ASN1_INTEGER, ASN1_INTEGER_free>;
using OwnedTime = Owned<ASN1_TIME, ASN1_TIME_free>;

// What OpenSSL last complained about, for messages; empties its queue. "unknown" where it is empty.
std::string LastOpensslError();
// INTERNAL: OpenSSL failed at something that only a lack of memory or a broken build explains.
absl::Status OpensslFailed(std::string_view action);

// DEFINITION_INVALID "place: mistake; next", with place and next as keys as well.
absl::Status Mistake(std::string_view place, std::string_view mistake, std::string_view next);

// The DER of every block labelled `label`. A block of another label, an encrypted one, none at all
// or more than `most` are refused with `reason`; so is text over 1 MiB.
absl::StatusOr<std::vector<std::string>> ReadPemBlocks(std::string_view pem, std::string_view label,
                                                       size_t most, std::string_view place,
                                                       v1::Reason reason);
std::string WritePem(std::string_view label, std::string_view der);

// DER of an object by its i2d function.
template <class T, class Function>
std::string DerOf(T* object, Function i2d) {
  unsigned char* bytes = nullptr;
  const int size = i2d(object, &bytes);
  SLUICE_CHECK(size > 0);
  std::string der(reinterpret_cast<char*>(bytes), static_cast<size_t>(size));
  OPENSSL_free(bytes);
  return der;
}
// The object that is exactly `der`; null where it is none or something follows it.
template <class T, auto free_function, class Function>
Owned<T, free_function> FromExactDer(std::string_view der, Function d2i) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const auto* end = at + der.size();
  Owned<T, free_function> object(d2i(nullptr, &at, static_cast<long>(der.size())));
  if (object != nullptr && at != end) object.reset();
  return object;
}

// RFC 2253, in UTF-8, control characters escaped.
std::string NameText(const X509_NAME* name);
// Whole seconds; nullopt where it is no time.
std::optional<Micros> MicrosOf(const ASN1_TIME* time);
// Cut down to whole seconds.
OwnedTime TimeOf(Micros micros);
// As Certificate::serial; nullopt where negative or over 20 bytes (RFC 5280 4.1.2.2).
std::optional<std::string> SerialText(const ASN1_INTEGER* serial);
// SHA-256 of the SubjectPublicKeyInfo.
Hash SpkiHash(EVP_PKEY* key);

// What subject alternative names may hold, split by type.
struct AlternativeNames {
  std::vector<std::string> uris, dns_names, ip_addresses;
  int others = 0;
};
AlternativeNames SplitNames(const GENERAL_NAMES* names);
// Null where a name is not fit for its type.
OwnedNames JoinNames(const std::vector<std::string>& uris,
                     const std::vector<std::string>& dns_names,
                     const std::vector<std::string>& ip_addresses);

// The digest that a signature by this key takes: none for Ed25519.
const EVP_MD* SignatureDigest(EVP_PKEY* key);

}  // namespace sluice::certs
