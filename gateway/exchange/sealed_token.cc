#include "gateway/exchange/sealed_token.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/check.h"

namespace sluice::exchange {
namespace {

// A fresh key a token, derived from 16 random bytes, so that no nonce is ever used twice under one.
constexpr size_t kSaltSize = 16;
constexpr std::string_view kTokenNonce("\0\0\0\0\0\0\0\0\0\0\0\0", 12);
constexpr size_t kMostTokenBytes = 64 << 10;

}  // namespace

SealedTokens::SealedTokens(std::string key, RandomSource& random)
    : key_(std::move(key)), random_(random) {
  SLUICE_CHECK(key_.size() == 32);
}

// Pages have the plain form; of the others no salt is as long.
Hash SealedTokens::KeyOf(TokenKind kind, std::string_view salt) const {
  if (kind == TokenKind::kPage) return HmacSha256(key_, salt);
  std::string message(1, static_cast<char>(kind));
  message.append(salt);
  return HmacSha256(key_, message);
}

std::string SealedTokens::Seal(TokenKind kind, std::string_view plain,
                               std::string_view associated) const {
  const std::string salt = random_.Bytes(kSaltSize);
  std::string token(1, static_cast<char>(kind));
  token += salt;
  token += AesGcmSeal(AsBytes(KeyOf(kind, salt)), kTokenNonce, plain, associated);
  return absl::WebSafeBase64Escape(token);
}

std::optional<std::string> SealedTokens::Open(TokenKind kind, std::string_view token,
                                              std::string_view associated) const {
  std::string bytes;
  if (token.size() > kMostTokenBytes ||
      !absl::WebSafeBase64Unescape(absl::string_view(token.data(), token.size()), &bytes) ||
      bytes.size() < 1 + kSaltSize || bytes[0] != static_cast<char>(kind)) {
    return std::nullopt;
  }
  // Bits at the end that no byte holds could be anything; then a token had several spellings.
  if (absl::WebSafeBase64Escape(bytes) != token) return std::nullopt;
  const std::string_view view = bytes;
  auto plain = AesGcmOpen(AsBytes(KeyOf(kind, view.substr(1, kSaltSize))), kTokenNonce,
                          view.substr(1 + kSaltSize), associated);
  if (!plain.ok()) return std::nullopt;
  return *std::move(plain);
}

void PutText(std::string& out, std::string_view text) {
  PutRaw<uint32_t>(out, static_cast<uint32_t>(text.size()));
  out.append(text);
}

std::string_view TokenParser::Take(size_t count) {
  if (!ok || rest.size() < count) return ok = false, std::string_view();
  const std::string_view taken = rest.substr(0, count);
  rest.remove_prefix(count);
  return taken;
}

std::string TokenParser::Text() {
  const auto size = Raw<uint32_t>();
  return std::string(Take(ok ? size : 0));
}

}  // namespace sluice::exchange
