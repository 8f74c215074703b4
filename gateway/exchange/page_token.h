// Page tokens: where a query goes on, sealed so that only this gateway can read one, and bound to
// what they were given for (docs/formats/page-token.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "adapters/adapter.h"
#include "gateway/base/clock.h"
#include "gateway/base/crypto.h"

namespace sluice::exchange {

// What a token must be presented with again: all of it is authenticated, none of it is in the
// token.
struct TokenBinding {
  std::string principal;  // "agency/civil-affairs/system/relief"
  std::string grant;
  int64_t grant_revision = 0;
  std::string dataset;
  int64_t dataset_revision = 0;
  std::string request_digest;  // of the request without token and request id
};

struct PagePosition {
  adapters::KeyPosition after;
  std::string source_version;  // empty where the source cannot tell
  int64_t first_page = -1;     // log index of the first page's record
  Micros expires = 0;
};

class PageTokens {
 public:
  // Key of 32 bytes; a token outlives a restart as long as the key does.
  PageTokens(std::string key, RandomSource& random);
  std::string Seal(const TokenBinding& binding, const PagePosition& position) const;
  // PAGE_TOKEN_INVALID for anything that was not sealed here with this binding (it does not say
  // which part differs), PAGE_TOKEN_EXPIRED.
  absl::StatusOr<PagePosition> Open(const TokenBinding& binding, std::string_view token,
                                    Micros now) const;

 private:
  const std::string key_;
  RandomSource& random_;
};

}  // namespace sluice::exchange
