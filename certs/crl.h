// Revocation lists (X.509 CRL version 2, RFC 5280 section 5) as values: parsed once, immutable,
// cheap to copy. Any thread. Only full lists of one authority for its own certificates: delta and
// indirect lists, and critical extensions of any kind, are refused.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "certs/certificate.h"
#include "gateway/base/clock.h"

struct X509_crl_st;  // OpenSSL's X509_CRL

namespace sluice::certs {

// RFC 5280 section 5.3.1, as far as an operator needs them.
enum class RevocationReason {
  kUnspecified = 0,
  kKeyCompromise = 1,
  kAuthorityCompromise = 2,
  kAffiliationChanged = 3,
  kSuperseded = 4,
  kCessationOfOperation = 5,
};
// "key-compromise", …
std::string_view RevocationReasonName(RevocationReason reason);
std::optional<RevocationReason> RevocationReasonFromName(std::string_view name);

struct Revocation {
  Micros revoked_at = 0;
  RevocationReason reason = RevocationReason::kUnspecified;
};

class RevocationList {
 public:
  // Exactly one "X509 CRL" block; `place` begins errors (DEFINITION_INVALID). A list needs a number
  // (of at most 63 bits) and a next update.
  static absl::StatusOr<RevocationList> FromPem(std::string_view pem, std::string_view place);
  // One to sixteen blocks.
  static absl::StatusOr<std::vector<RevocationList>> AllFromPem(std::string_view pem,
                                                                std::string_view place);

  const std::string& issuer() const { return contents_->issuer; }  // RFC 2253 text, for people
  int64_t number() const { return contents_->number; }
  Micros this_update() const { return contents_->this_update; }
  Micros next_update() const { return contents_->next_update; }
  size_t size() const { return contents_->revoked.size(); }

  // Serials as Certificate::serial writes them. One hash lookup.
  bool Contains(std::string_view serial) const;
  std::optional<Revocation> Find(std::string_view serial) const;

  // OK where `authority` is a CA that may sign lists, bears the list's issuer name and its key has
  // signed the list; else DEFINITION_INVALID.
  absl::Status VerifyAgainst(const Certificate& authority) const;
  // Whether this list may replace `current` of the same authority: its number is higher and its
  // this update not earlier (an equal list, byte for byte, may as well). DEFINITION_INVALID
  // otherwise: an old list would give revoked certificates back.
  absl::Status CheckReplaces(const RevocationList& current) const;

  std::string ToPem() const;
  const std::string& der() const { return contents_->der; }

 private:
  struct Contents {
    std::shared_ptr<X509_crl_st> native;
    std::string place, der, issuer;
    int64_t number = 0;
    Micros this_update = 0, next_update = 0;
    absl::flat_hash_map<std::string, Revocation> revoked;
  };
  explicit RevocationList(std::shared_ptr<const Contents> contents)
      : contents_(std::move(contents)) {}
  static absl::StatusOr<RevocationList> FromDer(std::string_view der, std::string_view place);
  std::shared_ptr<const Contents> contents_;
};

}  // namespace sluice::certs
