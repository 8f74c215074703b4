// Tokens of any bytes: nothing but what was sealed here opens. And what a key that leaked could
// seal: any bytes within a token that does open.
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/check.h"
#include "gateway/base/crypto.h"
#include "gateway/exchange/tokens.h"

namespace sluice::exchange {
namespace {

constexpr size_t kMostBytes = 40 << 10;
constexpr char kPrincipal[] = "agency/a/system/s";

struct Keys {
  const std::unique_ptr<RandomSource> random = MakeSystemRandom();
  const Tokens tokens{std::string(32, 'k'), *random};
  const SealedTokens sealed{std::string(32, 'k'), *random};
  const TokenBinding binding = {kPrincipal, "7q4m2k", 1, "a/d", 1, std::string(16, 'r')};
};

void Present(const Keys& keys, std::string_view token) {
  const auto& [random, tokens, sealed, binding] = keys;
  SLUICE_CHECK(!tokens.OpenPage(binding, token, 0).ok());
  SLUICE_CHECK(!tokens.OpenResume(binding, token, 0).ok());
  SLUICE_CHECK(!tokens.OpenTicket(kPrincipal, token, 0).ok());
  // Sealed, and then altered by what came: cut, put in front, put behind.
  const std::string good = tokens.SealPage(binding, {.expires = kHour});
  SLUICE_CHECK(tokens.OpenPage(binding, good, 0).ok());
  if (token.empty()) return;
  SLUICE_CHECK(!tokens.OpenPage(binding, std::string(token) + good, 0).ok());
  SLUICE_CHECK(!tokens.OpenPage(binding, good + std::string(token), 0).ok());
  std::string altered = good;
  const size_t at = static_cast<uint8_t>(token[0]) % altered.size();
  altered.replace(at, token.size(), token);
  SLUICE_CHECK(altered == good || !tokens.OpenPage(binding, altered, 0).ok());
}

void PresentSealed(const Keys& keys, std::string_view plain) {
  const auto& [random, tokens, sealed, binding] = keys;
  const std::string page = sealed.Seal(TokenKind::kPage, plain, binding.Bytes());
  if (const auto opened = tokens.OpenPage(binding, page, 0); opened.ok())
    SLUICE_CHECK(opened->expires > 0);
  const std::string resume = sealed.Seal(TokenKind::kResume, plain, binding.Bytes());
  if (const auto opened = tokens.OpenResume(binding, resume, 0); opened.ok()) {
    SLUICE_CHECK(opened->tree.size() == static_cast<uint64_t>(opened->start.batches()));
    // It can be sealed again, and says the same.
    const auto again = tokens.OpenResume(binding, tokens.SealResume(binding, *opened), 0);
    SLUICE_CHECK(again.ok() && again->tree.Root() == opened->tree.Root() &&
                 again->after.has_value() == opened->after.has_value());
  }
  const std::string ticket = sealed.Seal(TokenKind::kTicket, plain, kPrincipal);
  (void)tokens.OpenTicket(kPrincipal, ticket, 0);
}

}  // namespace
}  // namespace sluice::exchange

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::exchange;
  if (size > kMostBytes) return 0;
  static const auto* const keys = new Keys();
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Present(*keys, bytes);
  PresentSealed(*keys, bytes);
  return 0;
}
