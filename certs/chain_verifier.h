// Decides whether a peer's certificate is good, at every handshake, full or resumed, and again for
// every call. Debian's gRPC does not: it accepts where a list is missing, checks the leaf's list
// only, and skips all of it when a session is resumed. So the chain is rebuilt here from the leaf
// and the configured authorities alone; what a peer sends beside its leaf is never looked at.
//
// Immutable after Build; any thread may call any function, nothing locks. A change of configuration
// or a new list makes a new verifier, which is swapped in whole:
//
//   ChainVerifierOptions options{.trust_domain = "gov.example", .authorities = {…}};
//   SLUICE_ASSIGN_OR_RETURN(auto verifier, ChainVerifier::Build(std::move(options)));
//   auto peer = verifier->Verify(leaf_pem, clock.Now());       // in the handshake
//   absl::Status still = verifier->CheckAgain(*peer, clock.Now());  // in every call
//
// Errors carry the reasons CERTIFICATE_INVALID, CERTIFICATE_EXPIRED, CERTIFICATE_REVOKED,
// CERTIFICATE_IDENTITY_MALFORMED, AUTHORITY_NOT_ALLOWED and REVOCATION_LIST_STALE, and may be read
// by the peer.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "certs/certificate.h"
#include "certs/crl.h"
#include "certs/spiffe.h"
#include "gateway/base/clock.h"
#include "gateway/base/crypto.h"

namespace sluice::certs {

// One configured authority: a root, or an intermediate below a root that is configured as well.
struct AuthorityConfig {
  // For messages, such as "ca/ca.pem" or "authorities[0]".
  std::string place;
  // One or more certificates, to all of which the rest applies.
  std::string certificates_pem;
  // The agencies that they may name; "*" alone means any agency, and gateways and witnesses too.
  // An authority above them must allow the agency as well.
  std::vector<std::string> agencies;
  // Their revocation lists, one block each, in any order; empty where there is none yet, which
  // refuses every certificate below until there is one.
  std::string lists_pem;
};

struct ChainVerifierOptions {
  std::string trust_domain;
  std::vector<AuthorityConfig> authorities;
  // How long past its next update a list still serves.
  Micros crl_grace = 0;
};

// What a good certificate says, kept with the connection.
struct VerifiedPeer {
  SpiffeId identity;
  std::string serial;
  Hash fingerprint{};
  // What all of the chain has in common: the latest beginning and the earliest end.
  Micros not_before = 0;
  Micros not_after = 0;

  // A certificate of the chain under the authority that signed it, from the leaf up to the root.
  struct Link {
    std::string serial;
    Hash spki_hash{};
    Hash issuer_spki_hash{};
  };
  std::vector<Link> chain;
};

// What the peer is in the handshake, so that a certificate serves only for what it was made for.
enum class PeerRole { kClient, kServer };

// Of one authority's list, for `status` and alarms.
struct ListState {
  std::string place;      // of the authority
  std::string authority;  // subject
  Hash spki_hash{};
  bool present = false;
  int64_t number = 0;
  Micros this_update = 0;
  Micros next_update = 0;
};

class ChainVerifier {
 public:
  // DEFINITION_INVALID, naming place, mistake and remedy: a certificate or list that cannot be
  // read, a certificate that is no CA or not under a configured root, one configured twice, an
  // agency that is no id, a list signed by none of the configured authorities, a bad trust domain.
  static absl::StatusOr<std::shared_ptr<const ChainVerifier>> Build(ChainVerifierOptions options);
  ~ChainVerifier();
  ChainVerifier(const ChainVerifier&) = delete;
  ChainVerifier& operator=(const ChainVerifier&) = delete;

  // `now` is the only time used; the system's clock is not read.
  absl::StatusOr<VerifiedPeer> Verify(std::string_view leaf_pem, Micros now,
                                      PeerRole role = PeerRole::kClient) const;
  absl::StatusOr<VerifiedPeer> Verify(const Certificate& leaf, Micros now,
                                      PeerRole role = PeerRole::kClient) const;

  // For each call on an open connection: the period, every serial of the chain against the lists of
  // this verifier (which may be newer than the handshake's), the lists' own age, the authorities
  // and what they may name. Parses nothing, allocates nothing where all is well.
  absl::Status CheckAgain(const VerifiedPeer& peer, Micros now) const;

  // When the first list runs out, grace not counted; nullopt where there are no lists.
  std::optional<Micros> EarliestNextUpdate() const;
  // Of every authority, in the order of the configuration.
  std::vector<ListState> Lists() const;
  const std::string& trust_domain() const;

  // Checks a list brought by `certs publish`: it can be read, a configured authority signed it, it
  // may replace that authority's present one, and it is not past its next update at `now`. Returns
  // it with the SPKI hash of its authority.
  struct AcceptedList {
    RevocationList list;
    Hash authority_spki_hash{};
    std::string place;
  };
  absl::StatusOr<AcceptedList> CheckNewList(std::string_view list_pem, std::string_view place,
                                            Micros now) const;

 private:
  struct State;
  explicit ChainVerifier(std::unique_ptr<const State> state);
  const std::unique_ptr<const State> state_;
};

}  // namespace sluice::certs
