// Where a query or a stream goes on, and what a ticket stands for: sealed, so that only this
// gateway can read one, and bound to what they were given for (docs/formats/tokens.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "adapters/adapter.h"
#include "gateway/audit/merkle.h"
#include "gateway/base/clock.h"
#include "gateway/exchange/sealed_token.h"
#include "sluice/v1/exchange.pb.h"

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

  // Each part behind its length, so that no two bindings give the same bytes.
  std::string Bytes() const;
};

struct PagePosition {
  adapters::KeyPosition after;
  std::string source_version;  // empty where the source cannot tell
  int64_t first_page = -1;     // log index of the first page's record
  Micros expires = 0;
};

// Behind some batch of a stream.
struct StreamPosition {
  std::optional<adapters::KeyPosition> after;  // none: no row stands before
  bool at_end = false;                         // no row follows
  std::string source_version;                  // empty where scans of one version differ
  v1::StreamStart start;                       // all that stands before
  audit::CompactRange tree;                    // over the batches before
  Micros expires = 0;
};

class Tokens {
 public:
  // Key of 32 bytes; a token outlives a restart as long as the key does.
  Tokens(std::string key, RandomSource& random) : sealed_(std::move(key), random) {}

  std::string SealPage(const TokenBinding& binding, const PagePosition& position) const;
  // PAGE_TOKEN_INVALID for anything that was not sealed here with this binding (it does not say
  // which part differs), PAGE_TOKEN_EXPIRED.
  absl::StatusOr<PagePosition> OpenPage(const TokenBinding& binding, std::string_view token,
                                        Micros now) const;

  std::string SealResume(const TokenBinding& binding, const StreamPosition& position) const;
  // RESUME_TOKEN_INVALID, RESUME_TOKEN_EXPIRED.
  absl::StatusOr<StreamPosition> OpenResume(const TokenBinding& binding, std::string_view token,
                                            Micros now) const;

  // What its holder, and nobody else, may ask for until then.
  std::string SealTicket(const std::string& principal, const v1::ReadRequest& request,
                         Micros expires) const;
  // TICKET_INVALID, TICKET_EXPIRED.
  absl::StatusOr<v1::ReadRequest> OpenTicket(const std::string& principal, std::string_view ticket,
                                             Micros now) const;

 private:
  const SealedTokens sealed_;
};

}  // namespace sluice::exchange
