#include "certs/builder.h"

#include <openssl/bn.h>

#include "absl/strings/str_cat.h"
#include "certs/openssl.h"
#include "gateway/base/error.h"

namespace sluice::certs {
namespace {

using OwnedNumber = Owned<BIGNUM, BN_free>;

OwnedInteger IntegerOf(const std::string& bytes) {
  const OwnedNumber number(BN_bin2bn(reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()), nullptr));
  return OwnedInteger(number == nullptr ? nullptr : BN_to_ASN1_INTEGER(number.get(), nullptr));
}

bool AddText(X509_NAME* name, const char* type, const std::string& text) {
  return text.empty() ||
         X509_NAME_add_entry_by_txt(name, type, MBSTRING_UTF8,
                                    reinterpret_cast<const unsigned char*>(text.data()),
                                    static_cast<int>(text.size()), -1, 0) == 1;
}

// `text` in OpenSSL's own notation: words of ours only, never of a request.
bool AddExtension(X509* certificate, X509V3_CTX* context, int nid, const std::string& text) {
  const OwnedExtension extension(X509V3_EXT_conf_nid(nullptr, context, nid, text.c_str()));
  return extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1;
}

bool AddConstraints(X509* native, X509V3_CTX* context, const CertificateSpec& spec) {
  std::string basic = spec.is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE";
  if (spec.path_length) absl::StrAppend(&basic, ",pathlen:", *spec.path_length);
  if (!AddExtension(native, context, NID_basic_constraints, basic)) return false;
  const char* usage =
      spec.is_authority ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature";
  if (!AddExtension(native, context, NID_key_usage, usage)) return false;
  if (!spec.extended_usage.empty() &&
      !AddExtension(native, context, NID_ext_key_usage, spec.extended_usage))
    return false;
  return spec.permitted_uri_host.empty() ||
         AddExtension(native, context, NID_name_constraints,
                      absl::StrCat("critical,permitted;URI:", spec.permitted_uri_host));
}

bool AddNames(X509* native, const CertificateSpec& spec) {
  if (spec.uris.empty() && spec.dns_names.empty() && spec.ip_addresses.empty()) return true;
  const OwnedNames names = JoinNames(spec.uris, spec.dns_names, spec.ip_addresses);
  return names != nullptr &&
         X509_add1_ext_i2d(native, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) == 1;
}

bool FillBody(X509* native, const CertificateSpec& spec, X509* issuer) {
  const OwnedInteger serial = IntegerOf(spec.serial);
  const OwnedName subject(X509_NAME_new());
  return serial != nullptr && subject != nullptr &&
         AddText(subject.get(), "O", spec.organisation) &&
         AddText(subject.get(), "CN", spec.common_name) &&
         X509_set_version(native, X509_VERSION_3) == 1 &&
         X509_set_serialNumber(native, serial.get()) == 1 &&
         X509_set_subject_name(native, subject.get()) == 1 &&
         X509_set_issuer_name(native, X509_get_subject_name(issuer)) == 1 &&
         X509_set1_notBefore(native, TimeOf(spec.not_before).get()) == 1 &&
         X509_set1_notAfter(native, TimeOf(spec.not_after).get()) == 1 &&
         X509_set_pubkey(native, spec.public_key) == 1;
}

bool AddRevoked(X509_CRL* list, const std::string& serial, const Revocation& revocation) {
  const auto bytes = HexDecode(serial);
  Owned<X509_REVOKED, X509_REVOKED_free> entry(X509_REVOKED_new());
  if (!bytes.ok() || entry == nullptr) return false;
  const OwnedInteger number = IntegerOf(*bytes);
  if (number == nullptr || X509_REVOKED_set_serialNumber(entry.get(), number.get()) != 1 ||
      X509_REVOKED_set_revocationDate(entry.get(), TimeOf(revocation.revoked_at).get()) != 1)
    return false;
  // RFC 5280 5.3.1: unspecified is said by leaving the reason out.
  if (revocation.reason != RevocationReason::kUnspecified) {
    const Owned<ASN1_ENUMERATED, ASN1_ENUMERATED_free> code(ASN1_ENUMERATED_new());
    if (code == nullptr ||
        ASN1_ENUMERATED_set(code.get(), static_cast<long>(revocation.reason)) != 1 ||
        X509_REVOKED_add1_ext_i2d(entry.get(), NID_crl_reason, code.get(), 0, 0) != 1)
      return false;
  }
  if (X509_CRL_add0_revoked(list, entry.get()) != 1) return false;
  entry.release();
  return true;
}

}  // namespace

absl::StatusOr<Certificate> BuildCertificate(const CertificateSpec& spec, const PrivateKey& signer,
                                             const Certificate* issuer) {
  const OwnedCertificate native(X509_new());
  if (native == nullptr) return OpensslFailed("make a certificate");
  X509* above = issuer == nullptr ? native.get() : issuer->native();
  X509V3_CTX context;
  X509V3_set_ctx(&context, above, native.get(), nullptr, nullptr, 0);
  // The authority key id copies the issuer's subject key id, so that one comes first.
  if (!FillBody(native.get(), spec, above) || !AddConstraints(native.get(), &context, spec) ||
      !AddNames(native.get(), spec) ||
      !AddExtension(native.get(), &context, NID_subject_key_identifier, "hash") ||
      !AddExtension(native.get(), &context, NID_authority_key_identifier, "keyid:always") ||
      X509_sign(native.get(), signer.native(), SignatureDigest(signer.native())) <= 0)
    return OpensslFailed("make a certificate");
  return Certificate::FromDer(DerOf(native.get(), i2d_X509), "the new certificate");
}

absl::StatusOr<RevocationList> BuildList(const ListSpec& spec, const PrivateKey& signer,
                                         const Certificate& issuer) {
  const OwnedList list(X509_CRL_new());
  const OwnedInteger number(ASN1_INTEGER_new());
  if (list == nullptr || number == nullptr) return OpensslFailed("make a revocation list");
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer.native(), nullptr, nullptr, list.get(), 0);
  const OwnedExtension key_id(
      X509V3_EXT_conf_nid(nullptr, &context, NID_authority_key_identifier, "keyid:always"));
  if (key_id == nullptr || ASN1_INTEGER_set_int64(number.get(), spec.number) != 1 ||
      X509_CRL_set_version(list.get(), X509_CRL_VERSION_2) != 1 ||
      X509_CRL_set_issuer_name(list.get(), X509_get_subject_name(issuer.native())) != 1 ||
      X509_CRL_set1_lastUpdate(list.get(), TimeOf(spec.this_update).get()) != 1 ||
      X509_CRL_set1_nextUpdate(list.get(), TimeOf(spec.next_update).get()) != 1 ||
      X509_CRL_add_ext(list.get(), key_id.get(), -1) != 1 ||
      X509_CRL_add1_ext_i2d(list.get(), NID_crl_number, number.get(), 0, 0) != 1)
    return OpensslFailed("make a revocation list");
  for (const auto& [serial, revocation] : spec.revoked)
    if (!AddRevoked(list.get(), serial, revocation)) return OpensslFailed("revoke a serial");
  if (X509_CRL_sort(list.get()) != 1 ||
      X509_CRL_sign(list.get(), signer.native(), SignatureDigest(signer.native())) <= 0)
    return OpensslFailed("sign a revocation list");
  return RevocationList::FromPem(WritePem("X509 CRL", DerOf(list.get(), i2d_X509_CRL)),
                                 "the new list");
}

}  // namespace sluice::certs
