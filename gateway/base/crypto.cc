// SHA-256 by OpenSSL's own functions, which version 3 calls deprecated and keeps: by way of EVP
// each digest allocates its state anew, which costs more than hashing a Merkle node, and a lookup
// hashes some twenty short texts.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "gateway/base/crypto.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cstring>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "gateway/base/check.h"

namespace sluice {
namespace {

const uint8_t* Data(std::string_view bytes) {
  return reinterpret_cast<const uint8_t*>(bytes.data());
}
uint8_t* Data(std::string& bytes) { return reinterpret_cast<uint8_t*>(bytes.data()); }

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* p) const {
    Free(p);
  }
};
using MdCtx = std::unique_ptr<EVP_MD_CTX, Freer<EVP_MD_CTX_free>>;
using CipherCtx = std::unique_ptr<EVP_CIPHER_CTX, Freer<EVP_CIPHER_CTX_free>>;
using PkeyCtx = std::unique_ptr<EVP_PKEY_CTX, Freer<EVP_PKEY_CTX_free>>;
using Pkey = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;

constexpr size_t kGcmTag = 16;
constexpr size_t kGcmNonce = 12;

}  // namespace

Hash HashFromBytes(std::string_view bytes) {
  SLUICE_CHECK(bytes.size() == kHashSize);
  Hash hash;
  std::memcpy(hash.data(), bytes.data(), kHashSize);
  return hash;
}

Hash Sha256(std::initializer_list<std::string_view> parts) {
  SHA256_CTX state;
  SHA256_Init(&state);
  for (std::string_view part : parts) SHA256_Update(&state, part.data(), part.size());
  Hash hash;
  SHA256_Final(hash.data(), &state);
  return hash;
}

Hash Sha256(std::string_view bytes) { return Sha256({bytes}); }

struct Sha256Stream::State {
  SHA256_CTX context;
  void Start() { SHA256_Init(&context); }
};

Sha256Stream::Sha256Stream() : state_(std::make_unique<State>()) { state_->Start(); }
Sha256Stream::~Sha256Stream() = default;

void Sha256Stream::Update(std::string_view bytes) {
  SHA256_Update(&state_->context, bytes.data(), bytes.size());
}

Hash Sha256Stream::Finish() {
  Hash hash;
  SHA256_Final(hash.data(), &state_->context);
  state_->Start();
  return hash;
}

Hash HmacSha256(std::string_view key, std::string_view message) {
  // HMAC over our own SHA-256 (RFC 2104): OpenSSL 3's HMAC() fetches at each call.
  std::array<char, 64> block{};
  if (key.size() > block.size()) {
    const Hash hashed = Sha256(key);
    std::memcpy(block.data(), hashed.data(), hashed.size());
  } else if (!key.empty()) {
    std::memcpy(block.data(), key.data(), key.size());
  }
  std::array<char, 64> inner = block, outer = block;
  for (char& c : inner) c ^= 0x36;
  for (char& c : outer) c ^= 0x5c;
  const Hash first = Sha256({std::string_view(inner.data(), inner.size()), message});
  return Sha256({std::string_view(outer.data(), outer.size()), AsBytes(first)});
}

std::string Hkdf(std::string_view secret, std::string_view info, size_t size) {
  SLUICE_CHECK(size >= 1 && size <= 255 * kHashSize);
  PkeyCtx context(EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, nullptr));
  std::string out(size, '\0');
  size_t length = size;
  SLUICE_CHECK(EVP_PKEY_derive_init(context.get()) == 1);
  SLUICE_CHECK(EVP_PKEY_CTX_set_hkdf_md(context.get(), EVP_sha256()) == 1);
  SLUICE_CHECK(EVP_PKEY_CTX_set1_hkdf_key(context.get(), Data(secret),
                                          static_cast<int>(secret.size())) == 1);
  SLUICE_CHECK(
      EVP_PKEY_CTX_add1_hkdf_info(context.get(), Data(info), static_cast<int>(info.size())) == 1);
  SLUICE_CHECK(EVP_PKEY_derive(context.get(), Data(out), &length) == 1 && length == size);
  return out;
}

std::string AesGcmSeal(std::string_view key, std::string_view nonce, std::string_view plain,
                       std::string_view associated) {
  SLUICE_CHECK(key.size() == 32 && nonce.size() == kGcmNonce);
  // Fetched once, and its context kept by the thread: both cost more than sealing a short text.
  static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  thread_local CipherCtx context(EVP_CIPHER_CTX_new());
  std::string out(plain.size() + kGcmTag, '\0');
  int length = 0;
  SLUICE_CHECK(EVP_EncryptInit_ex2(context.get(), cipher, Data(key), Data(nonce), nullptr) == 1);
  SLUICE_CHECK(EVP_EncryptUpdate(context.get(), nullptr, &length, Data(associated),
                                 static_cast<int>(associated.size())) == 1);
  SLUICE_CHECK(EVP_EncryptUpdate(context.get(), Data(out), &length, Data(plain),
                                 static_cast<int>(plain.size())) == 1);
  SLUICE_CHECK(EVP_EncryptFinal_ex(context.get(), Data(out) + length, &length) == 1);
  SLUICE_CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kGcmTag,
                                   Data(out) + plain.size()) == 1);
  return out;
}

absl::StatusOr<std::string> AesGcmOpen(std::string_view key, std::string_view nonce,
                                       std::string_view sealed, std::string_view associated) {
  SLUICE_CHECK(key.size() == 32);
  if (nonce.size() != kGcmNonce || sealed.size() < kGcmTag)
    return absl::InvalidArgumentError("sealed bytes are too short");
  const size_t size = sealed.size() - kGcmTag;
  CipherCtx context(EVP_CIPHER_CTX_new());
  std::string out(size, '\0');
  std::string tag(sealed.substr(size));
  int length = 0;
  SLUICE_CHECK(
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, Data(key), Data(nonce)) == 1);
  SLUICE_CHECK(EVP_DecryptUpdate(context.get(), nullptr, &length, Data(associated),
                                 static_cast<int>(associated.size())) == 1);
  SLUICE_CHECK(EVP_DecryptUpdate(context.get(), Data(out), &length, Data(sealed),
                                 static_cast<int>(size)) == 1);
  SLUICE_CHECK(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kGcmTag, Data(tag)) == 1);
  if (EVP_DecryptFinal_ex(context.get(), Data(out) + length, &length) != 1)
    return absl::InvalidArgumentError("sealed bytes are not authentic");
  return out;
}

absl::StatusOr<SigningKey> SigningKey::FromSeed(std::string_view seed) {
  if (seed.size() != 32) return absl::InvalidArgumentError("an Ed25519 seed has 32 bytes");
  EVP_PKEY* raw = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, Data(seed), seed.size());
  SLUICE_CHECK(raw != nullptr);
  SigningKey key;
  key.key_ = std::shared_ptr<void>(raw, [](void* p) { EVP_PKEY_free(static_cast<EVP_PKEY*>(p)); });
  EVP_MD_CTX* ready = EVP_MD_CTX_new();
  SLUICE_CHECK(EVP_DigestSignInit(ready, nullptr, nullptr, nullptr, raw) == 1);
  key.ready_ =
      std::shared_ptr<void>(ready, [](void* p) { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(p)); });
  key.seed_ = std::string(seed);
  key.public_key_.resize(32);
  size_t size = 32;
  SLUICE_CHECK(EVP_PKEY_get_raw_public_key(raw, Data(key.public_key_), &size) == 1);
  return key;
}

std::string SigningKey::Sign(std::string_view message) const {
  MdCtx context(EVP_MD_CTX_new());
  std::string signature(64, '\0');
  size_t size = signature.size();
  // A copy of a context that is ready: making one ready fetches its algorithm.
  SLUICE_CHECK(EVP_MD_CTX_copy_ex(context.get(), static_cast<EVP_MD_CTX*>(ready_.get())) == 1);
  SLUICE_CHECK(
      EVP_DigestSign(context.get(), Data(signature), &size, Data(message), message.size()) == 1);
  return signature;
}

bool VerifyEd25519(std::string_view public_key, std::string_view message,
                   std::string_view signature) {
  if (public_key.size() != 32 || signature.size() != 64) return false;
  Pkey key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, Data(public_key), 32));
  if (key == nullptr) return false;
  MdCtx context(EVP_MD_CTX_new());
  SLUICE_CHECK(EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1);
  return EVP_DigestVerify(context.get(), Data(signature), signature.size(), Data(message),
                          message.size()) == 1;
}

bool ConstantTimeEqual(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::unique_ptr<RandomSource> MakeSystemRandom() {
  // OpenSSL's generator asks the system for the process's id at each call, and its work is by the
  // call rather than by the byte: a thread draws some in advance. What was given out is wiped.
  // Nothing here forks without executing another program.
  struct Drawn {
    std::array<char, 1024> bytes;
    size_t left = 0;
    ~Drawn() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
    void Take(char* out, size_t count) {
      if (left < count) {
        SLUICE_CHECK(RAND_bytes(reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()) == 1);
        left = bytes.size();
      }
      left -= count;
      std::memcpy(out, bytes.data() + left, count);
      OPENSSL_cleanse(bytes.data() + left, count);
    }
  };
  class SystemRandom : public RandomSource {
   public:
    std::string Bytes(size_t count) override {
      thread_local Drawn drawn;
      std::string out(count, '\0');
      for (size_t done = 0; done < count;) {
        const size_t part = std::min(count - done, drawn.bytes.size());
        drawn.Take(out.data() + done, part);
        done += part;
      }
      return out;
    }
  };
  return std::make_unique<SystemRandom>();
}

std::string Base64Encode(std::string_view bytes) {
  return absl::Base64Escape(absl::string_view(bytes.data(), bytes.size()));
}

absl::StatusOr<std::string> Base64Decode(std::string_view text) {
  std::string out;
  // Abseil skips white space and takes missing padding; canonical text survives a round trip.
  if (!absl::Base64Unescape(absl::string_view(text.data(), text.size()), &out) ||
      Base64Encode(out) != text) {
    return absl::InvalidArgumentError("not canonical base64");
  }
  return out;
}

std::string HexEncode(std::string_view bytes) {
  return absl::BytesToHexString(absl::string_view(bytes.data(), bytes.size()));
}

absl::StatusOr<std::string> HexDecode(std::string_view text) {
  if (text.size() % 2 != 0) return absl::InvalidArgumentError("hex text of odd length");
  for (char c : text)
    if (!absl::ascii_isxdigit(static_cast<unsigned char>(c)))
      return absl::InvalidArgumentError("not a hex digit");
  return absl::HexStringToBytes(absl::string_view(text.data(), text.size()));
}

}  // namespace sluice
