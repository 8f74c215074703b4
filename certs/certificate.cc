#include "certs/certificate.h"

#include <openssl/err.h>

#include "absl/strings/str_cat.h"
#include "certs/openssl.h"
#include "gateway/base/error.h"

namespace sluice::certs {
namespace {

constexpr std::string_view kCertificateLabel = "CERTIFICATE";
constexpr size_t kMaxChain = 16;

absl::Status Invalid(std::string_view place, std::string_view mistake) {
  ERR_clear_error();
  return Error(v1::REASON_CERTIFICATE_INVALID,
               absl::StrCat(std::string(place), ": ", std::string(mistake)), {{"place", place}});
}

}  // namespace

absl::StatusOr<Certificate> Certificate::FromDer(std::string_view der, std::string_view place) {
  auto owned = FromExactDer<X509, X509_free>(der, d2i_X509);
  if (owned == nullptr) return Invalid(place, "no certificate in DER, or something follows it");
  X509* native = owned.get();
  auto contents = std::make_shared<Contents>();
  contents->native = std::shared_ptr<X509>(owned.release(), X509_free);
  // Reads all extensions once, here: later use from many threads finds them cached.
  if ((X509_get_extension_flags(native) & EXFLAG_INVALID) != 0)
    return Invalid(place, "a malformed or repeated extension");
  contents->der = std::string(der);
  contents->subject = NameText(X509_get_subject_name(native));
  contents->issuer = NameText(X509_get_issuer_name(native));
  const auto serial = SerialText(X509_get0_serialNumber(native));
  if (!serial) return Invalid(place, "a negative or overlong serial number");
  contents->serial = *serial;
  const auto not_before = MicrosOf(X509_get0_notBefore(native));
  const auto not_after = MicrosOf(X509_get0_notAfter(native));
  if (!not_before || !not_after) return Invalid(place, "a malformed validity period");
  contents->not_before = *not_before;
  contents->not_after = *not_after;
  EVP_PKEY* key = X509_get0_pubkey(native);
  if (key == nullptr) return Invalid(place, "a public key of an unknown kind");
  contents->fingerprint = Sha256(der);
  contents->spki_hash = Sha256(DerOf(X509_get_X509_PUBKEY(native), i2d_X509_PUBKEY));
  int critical = 0;
  const OwnedNames names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(native, NID_subject_alt_name, &critical, nullptr)));
  if (names == nullptr && critical != -1)
    return Invalid(place, "malformed or repeated subject alternative names");
  if (names != nullptr) {
    AlternativeNames split = SplitNames(names.get());
    contents->uris = std::move(split.uris);
    contents->dns_names = std::move(split.dns_names);
    contents->ip_addresses = std::move(split.ip_addresses);
  }
  contents->is_authority = (X509_get_extension_flags(native) & EXFLAG_CA) != 0;
  contents->is_self_signed = X509_self_signed(native, 1) == 1;
  ERR_clear_error();
  return Certificate(std::move(contents));
}

absl::StatusOr<Certificate> Certificate::FromPem(std::string_view pem, std::string_view place) {
  SLUICE_ASSIGN_OR_RETURN(const auto blocks, ReadPemBlocks(pem, kCertificateLabel, 1, place,
                                                           v1::REASON_CERTIFICATE_INVALID));
  return FromDer(blocks.front(), place);
}

absl::StatusOr<std::vector<Certificate>> Certificate::ChainFromPem(std::string_view pem,
                                                                   std::string_view place) {
  SLUICE_ASSIGN_OR_RETURN(const auto blocks, ReadPemBlocks(pem, kCertificateLabel, kMaxChain, place,
                                                           v1::REASON_CERTIFICATE_INVALID));
  std::vector<Certificate> chain;
  for (size_t i = 0; i < blocks.size(); ++i) {
    const std::string block_place = blocks.size() == 1
                                        ? std::string(place)
                                        : absl::StrCat(std::string(place), ", certificate ", i + 1);
    SLUICE_ASSIGN_OR_RETURN(auto certificate, FromDer(blocks[i], block_place));
    chain.push_back(std::move(certificate));
  }
  return chain;
}

absl::StatusOr<SpiffeId> Certificate::Identity(std::string_view trust_domain) const {
  const auto malformed = [&](std::string_view mistake) {
    return Error(v1::REASON_CERTIFICATE_IDENTITY_MALFORMED,
                 absl::StrCat("certificate ", serial(), ": ", std::string(mistake)),
                 {{"serial", serial()}});
  };
  if (uris().size() != 1) {
    return malformed(absl::StrCat("has ", uris().size(),
                                  " URI names, not exactly one; the common name is never read"));
  }
  auto identity = ParseSpiffeId(uris().front());
  if (!identity.ok()) return malformed(std::string(identity.status().message()));
  if (identity->trust_domain != trust_domain) {
    return malformed(
        absl::StrCat("its trust domain is ", identity->trust_domain, ", not this gateway's"));
  }
  return *identity;
}

std::string Certificate::ToPem() const { return WritePem(kCertificateLabel, der()); }

}  // namespace sluice::certs
