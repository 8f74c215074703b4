// A page token of any bytes: nothing but what was sealed here opens.
#include <cstdint>
#include <string>
#include <string_view>

#include "gateway/base/check.h"
#include "gateway/base/crypto.h"
#include "gateway/exchange/tokens.h"

namespace sluice::exchange {
namespace {

constexpr size_t kMostBytes = 64 << 10;

void Present(std::string_view token) {
  static const auto* const random = MakeSystemRandom().release();
  static const auto* const tokens =
      new Tokens(std::string(32, 'k'), const_cast<RandomSource&>(*random));
  const TokenBinding binding = {"agency/a/system/s", "7q4m2k", 1, "a/d", 1, std::string(16, 'r')};
  SLUICE_CHECK(!tokens->OpenPage(binding, token, 0).ok());
  // Sealed, and then altered by what came: cut, put in front, put behind.
  const std::string sealed = tokens->SealPage(binding, {.expires = kHour});
  SLUICE_CHECK(tokens->OpenPage(binding, sealed, 0).ok());
  if (token.empty()) return;
  SLUICE_CHECK(!tokens->OpenPage(binding, std::string(token) + sealed, 0).ok());
  SLUICE_CHECK(!tokens->OpenPage(binding, sealed + std::string(token), 0).ok());
  std::string altered = sealed;
  const size_t at = static_cast<uint8_t>(token[0]) % altered.size();
  altered.replace(at, token.size(), token);
  SLUICE_CHECK(altered == sealed || !tokens->OpenPage(binding, altered, 0).ok());
}

}  // namespace
}  // namespace sluice::exchange

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > sluice::exchange::kMostBytes) return 0;
  sluice::exchange::Present({reinterpret_cast<const char*>(data), size});
  return 0;
}
