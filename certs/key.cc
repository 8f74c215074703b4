#include "certs/key.h"

#include <openssl/err.h>

#include "absl/strings/str_cat.h"
#include "certs/openssl.h"
#include "gateway/base/error.h"

namespace sluice::certs {

absl::StatusOr<PrivateKey> PrivateKey::Generate(KeyType type) {
  EVP_PKEY* made = type == KeyType::kEd25519 ? EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")
                                             : EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
  if (made == nullptr) return OpensslFailed("make a private key");
  PrivateKey key;
  key.native_ = std::shared_ptr<EVP_PKEY>(made, EVP_PKEY_free);
  key.spki_hash_ = SpkiHash(made);
  return key;
}

absl::StatusOr<PrivateKey> PrivateKey::FromPem(std::string_view pem, std::string_view place) {
  constexpr std::string_view kNext = "make one with sluice certs request";
  if (pem.size() > 1 << 16) return Mistake(place, "larger than 64 KiB, so no private key", kNext);
  const OwnedBio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (bio == nullptr) return OpensslFailed("read a private key");
  // An encrypted key would make OpenSSL ask at the terminal; an empty answer refuses it instead.
  const auto no_passphrase = [](char*, int, int, void*) { return -1; };
  EVP_PKEY* read = PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr);
  ERR_clear_error();
  if (read == nullptr)
    return Mistake(place, "no private key in PEM without a passphrase, or cut short", kNext);
  PrivateKey key;
  key.native_ = std::shared_ptr<EVP_PKEY>(read, EVP_PKEY_free);
  key.spki_hash_ = SpkiHash(read);
  return key;
}

std::string PrivateKey::ToPem() const {
  const OwnedBio bio(BIO_new(BIO_s_secmem()));
  SLUICE_CHECK(bio != nullptr);
  SLUICE_CHECK(PEM_write_bio_PKCS8PrivateKey(bio.get(), native_.get(), nullptr, nullptr, 0, nullptr,
                                             nullptr) == 1);
  char* text = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &text);
  return {text, static_cast<size_t>(size)};
}

absl::StatusOr<std::string> PrivateKey::Sign(std::string_view message) const {
  const Owned<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
  size_t size = 0;
  if (context == nullptr ||
      EVP_DigestSignInit(context.get(), nullptr, SignatureDigest(native_.get()), nullptr,
                         native_.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, bytes, message.size()) != 1)
    return OpensslFailed("sign");
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     bytes, message.size()) != 1)
    return OpensslFailed("sign");
  signature.resize(size);
  return signature;
}

bool VerifySignature(const Certificate& certificate, std::string_view message,
                     std::string_view signature) {
  EVP_PKEY* key = X509_get0_pubkey(certificate.native());
  const Owned<EVP_MD_CTX, EVP_MD_CTX_free> context(EVP_MD_CTX_new());
  const bool holds =
      key != nullptr && context != nullptr &&
      EVP_DigestVerifyInit(context.get(), nullptr, SignatureDigest(key), nullptr, key) == 1 &&
      EVP_DigestVerify(context.get(), reinterpret_cast<const unsigned char*>(signature.data()),
                       signature.size(), reinterpret_cast<const unsigned char*>(message.data()),
                       message.size()) == 1;
  ERR_clear_error();
  return holds;
}

absl::Status CheckPair(const PrivateKey& key, const Certificate& certificate) {
  // Not by hash alone: a certificate may write the same key's parameters in another way.
  if (EVP_PKEY_eq(key.native(), X509_get0_pubkey(certificate.native())) == 1)
    return absl::OkStatus();
  ERR_clear_error();
  return Mistake(
      absl::StrCat("certificate ", certificate.serial(), " (", certificate.subject(), ")"),
      "is not for this private key",
      "put the key beside it that its request was made with, or request a new one");
}

}  // namespace sluice::certs
