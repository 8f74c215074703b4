// Tokens that only the gateway that gave them can read, and only with what they were given for:
// AES-256-GCM under a key of each token's own (docs/formats/tokens.md). What is in them, and
// what they are bound to, is their user's.
#pragma once

#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/base/crypto.h"

namespace sluice::exchange {

// A token of one kind never passes for one of another.
enum class TokenKind : char { kPage = 1, kResume = 2, kTicket = 3 };

class SealedTokens {
 public:
  // Key of 32 bytes; a token outlives a restart as long as the key does.
  SealedTokens(std::string key, RandomSource& random);
  // `associated` is authenticated and not in the token. Base64url text.
  std::string Seal(TokenKind kind, std::string_view plain, std::string_view associated) const;
  // Nothing for whatever was not sealed here, as this kind, with the same `associated`.
  std::optional<std::string> Open(TokenKind kind, std::string_view token,
                                  std::string_view associated) const;

 private:
  Hash KeyOf(TokenKind kind, std::string_view salt) const;

  const std::string key_;
  RandomSource& random_;
};

// Little-endian numbers, and text behind its length of 4 bytes.
template <class T>
void PutRaw(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
void PutText(std::string& out, std::string_view text);

// Reads what was put; `ok` turns false at the first thing that does not fit, and stays so.
struct TokenParser {
  std::string_view rest;
  bool ok = true;

  std::string_view Take(size_t count);
  template <class T>
  T Raw() {
    T value{};
    const std::string_view bytes = Take(sizeof value);
    if (ok) std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
  std::string Text();
};

}  // namespace sluice::exchange
