// The few cryptographic functions that Sluice stands on, over OpenSSL's EVP. Byte strings are
// std::string; fixed sizes are checked. All functions may be called from any thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace sluice {

inline constexpr size_t kHashSize = 32;
using Hash = std::array<uint8_t, kHashSize>;

inline std::string_view AsBytes(const Hash& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}
// Hash of exactly 32 bytes; anything else is a broken invariant.
Hash HashFromBytes(std::string_view bytes);

// SHA-256 of the concatenation of the parts.
Hash Sha256(std::string_view bytes);
Hash Sha256(std::initializer_list<std::string_view> parts);

// SHA-256 in steps. Reusable after Finish.
class Sha256Stream {
 public:
  Sha256Stream();
  ~Sha256Stream();
  Sha256Stream(const Sha256Stream&) = delete;
  Sha256Stream& operator=(const Sha256Stream&) = delete;
  void Update(std::string_view bytes);
  Hash Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

Hash HmacSha256(std::string_view key, std::string_view message);

// HKDF-SHA256 (RFC 5869) with an empty salt. `size` in bytes, 1 to 8160.
std::string Hkdf(std::string_view secret, std::string_view info, size_t size);

// AES-256-GCM. Key 32 bytes, nonce 12 bytes, never the same nonce twice under one key. The
// ciphertext ends in the 16-byte tag.
std::string AesGcmSeal(std::string_view key, std::string_view nonce, std::string_view plain,
                       std::string_view associated);
// INVALID_ARGUMENT where it is not authentic.
absl::StatusOr<std::string> AesGcmOpen(std::string_view key, std::string_view nonce,
                                       std::string_view sealed, std::string_view associated);

// Ed25519 (RFC 8032). Immutable; any thread may sign.
class SigningKey {
 public:
  // Seed of 32 bytes.
  static absl::StatusOr<SigningKey> FromSeed(std::string_view seed);
  std::string Sign(std::string_view message) const;              // 64 bytes
  const std::string& public_key() const { return public_key_; }  // 32 bytes
  const std::string& seed() const { return seed_; }

 private:
  SigningKey() = default;
  std::string seed_;
  std::string public_key_;
  std::shared_ptr<void> key_;
  std::shared_ptr<void> ready_;  // a context to sign in, which is copied only
};
// False for a wrong signature, key or length.
bool VerifyEd25519(std::string_view public_key, std::string_view message,
                   std::string_view signature);

// True where both are equal; takes the same time wherever they differ.
bool ConstantTimeEqual(std::string_view a, std::string_view b);

// Randomness as an interface, so that tests are repeatable.
class RandomSource {
 public:
  virtual ~RandomSource() = default;
  virtual std::string Bytes(size_t count) = 0;  // any thread
};
// The operating system's. Aborts where that fails.
std::unique_ptr<RandomSource> MakeSystemRandom();

// Standard alphabet with padding; decoding is strict (no white space, canonical padding).
std::string Base64Encode(std::string_view bytes);
absl::StatusOr<std::string> Base64Decode(std::string_view text);
// Lower case; decoding takes either case.
std::string HexEncode(std::string_view bytes);
absl::StatusOr<std::string> HexDecode(std::string_view text);

}  // namespace sluice
