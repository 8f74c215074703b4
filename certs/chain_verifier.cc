#include "certs/chain_verifier.h"

#include <openssl/err.h>

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "certs/openssl.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"

namespace sluice::certs {
namespace {

constexpr std::string_view kPeerPlace = "the peer's certificate";
constexpr size_t kMaxLeafPem = 64 << 10;
// How far a list may come from the future before the clock is to blame.
constexpr Micros kClockTolerance = 5 * kMinute;
// OpenSSL's scale: 2 asks for 112 bits of security from every key and signature.
constexpr int kSecurityLevel = 2;

using OwnedContext = Owned<X509_STORE_CTX, X509_STORE_CTX_free>;
using OwnedStack = Owned<STACK_OF(X509), [](STACK_OF(X509) * stack) { sk_X509_free(stack); }>;

absl::Status Invalid(const Certificate& leaf, std::string_view mistake) {
  return Error(v1::REASON_CERTIFICATE_INVALID,
               absl::StrCat("certificate ", leaf.serial(), ": ", View(mistake)),
               {{"serial", leaf.serial()}});
}

// The reason for which OpenSSL refused the chain.
absl::Status ChainError(const Certificate& leaf, int error, int depth) {
  const std::string which = depth == 0 ? absl::StrCat("certificate ", leaf.serial())
                                       : absl::StrCat("certificate ", leaf.serial(),
                                                      ": an authority above it (", depth, ")");
  const bool expired = error == X509_V_ERR_CERT_HAS_EXPIRED;
  if (expired || error == X509_V_ERR_CERT_NOT_YET_VALID) {
    return Error(v1::REASON_CERTIFICATE_EXPIRED,
                 absl::StrCat(which, expired ? " has expired" : " is not yet valid"),
                 {{"serial", leaf.serial()}});
  }
  return Error(v1::REASON_CERTIFICATE_INVALID,
               absl::StrCat(which, ": ", X509_verify_cert_error_string(error)),
               {{"serial", leaf.serial()}});
}

}  // namespace

// One authority, that is, one key: renewed certificates of it share what it may name and its list.
struct AuthorityState {
  std::string place, subject;
  Hash spki_hash{};
  std::vector<Certificate> certificates;
  bool any_agency = false;
  absl::flat_hash_set<std::string> agencies;
  std::optional<RevocationList> list;

  bool MayName(const SpiffeId& identity) const {
    return any_agency || (!identity.agency.empty() && agencies.contains(identity.agency));
  }
};

struct ChainVerifier::State {
  std::string trust_domain;
  Micros crl_grace = 0;
  std::vector<AuthorityState> authorities;
  absl::flat_hash_map<Hash, size_t> by_spki;
  // What OpenSSL builds chains from; the certificates are owned by `authorities`.
  OwnedStack roots, intermediates;

  absl::Status Add(const AuthorityConfig& config);
  absl::Status AddCertificate(const AuthorityConfig& config, const Certificate& certificate);
  absl::Status AddLists(const AuthorityConfig& config);
  absl::Status CheckUnderRoots() const;
  // The authority whose key signed the list.
  absl::StatusOr<const AuthorityState*> SignerOf(const RevocationList& list,
                                                 std::string_view place) const;
  const AuthorityState* Find(const Hash& spki_hash) const {
    const auto found = by_spki.find(spki_hash);
    return found == by_spki.end() ? nullptr : &authorities[found->second];
  }
  // The chain from the leaf to a root; roles and times checked.
  absl::StatusOr<std::vector<Certificate>> BuildChain(const Certificate& leaf, Micros now,
                                                      PeerRole role) const;
  // Authorities and lists, for a chain whose signatures were checked.
  absl::Status CheckStanding(const VerifiedPeer& peer, Micros now) const;
  absl::Status CheckFresh(const AuthorityState& authority, const VerifiedPeer& peer,
                          Micros now) const;
};

absl::Status ChainVerifier::State::Add(const AuthorityConfig& config) {
  if (config.agencies.empty()) {
    return Mistake(config.place, "names no agencies that it may name",
                   "list them, or write \"*\" for any");
  }
  for (const std::string& agency : config.agencies) {
    const bool star = agency == "*" && config.agencies.size() == 1;
    if (!star && !IsId(agency)) {
      return Mistake(config.place, absl::StrCat("\"", agency, "\" is no agency"),
                     "1 to 63 of a-z, 0-9 and inner hyphens, or \"*\" alone");
    }
  }
  SLUICE_ASSIGN_OR_RETURN(const auto certificates,
                          Certificate::ChainFromPem(config.certificates_pem, config.place));
  for (const Certificate& certificate : certificates)
    SLUICE_RETURN_IF_ERROR(AddCertificate(config, certificate));
  return absl::OkStatus();
}

absl::Status ChainVerifier::State::AddCertificate(const AuthorityConfig& config,
                                                  const Certificate& certificate) {
  if (!certificate.is_authority()) {
    return Mistake(config.place, absl::StrCat(certificate.subject(), " is no authority (no CA)"),
                   "name the certificate of the authority, not of a system");
  }
  const auto [found, is_new] = by_spki.try_emplace(certificate.spki_hash(), authorities.size());
  if (is_new) {
    AuthorityState state{.place = config.place,
                         .subject = certificate.subject(),
                         .spki_hash = certificate.spki_hash()};
    state.any_agency = config.agencies.front() == "*";
    if (!state.any_agency) state.agencies.insert(config.agencies.begin(), config.agencies.end());
    authorities.push_back(std::move(state));
  } else if (authorities[found->second].place != config.place) {
    return Mistake(config.place,
                   absl::StrCat("the key of ", certificate.subject(), " is configured at ",
                                authorities[found->second].place, " already"),
                   "configure an authority once");
  }
  authorities[found->second].certificates.push_back(certificate);
  auto* stack = certificate.is_self_signed() ? roots.get() : intermediates.get();
  if (sk_X509_push(stack, certificate.native()) <= 0) return OpensslFailed("keep an authority");
  return absl::OkStatus();
}

absl::StatusOr<const AuthorityState*> ChainVerifier::State::SignerOf(const RevocationList& list,
                                                                     std::string_view place) const {
  for (const AuthorityState& authority : authorities) {
    const bool signs = std::any_of(
        authority.certificates.begin(), authority.certificates.end(),
        [&](const Certificate& certificate) { return list.VerifyAgainst(certificate).ok(); });
    if (signs) return &authority;
  }
  return Mistake(place,
                 absl::StrCat("the list of ", list.issuer(),
                              " is signed by none of the configured authorities"),
                 "bring the list of a configured authority, unaltered");
}

absl::Status ChainVerifier::State::AddLists(const AuthorityConfig& config) {
  if (config.lists_pem.empty()) return absl::OkStatus();
  const std::string place = absl::StrCat(config.place, ", revocation list");
  SLUICE_ASSIGN_OR_RETURN(const auto lists, RevocationList::AllFromPem(config.lists_pem, place));
  for (const RevocationList& list : lists) {
    SLUICE_ASSIGN_OR_RETURN(const AuthorityState* signer, SignerOf(list, place));
    auto& kept = authorities[static_cast<size_t>(signer - authorities.data())].list;
    if (!kept || list.CheckReplaces(*kept).ok()) kept = list;
  }
  return absl::OkStatus();
}

absl::Status ChainVerifier::State::CheckUnderRoots() const {
  for (const AuthorityState& authority : authorities) {
    for (const Certificate& certificate : authority.certificates) {
      if (certificate.is_self_signed()) continue;
      const bool signer_known =
          std::any_of(authorities.begin(), authorities.end(), [&](const AuthorityState& above) {
            return std::any_of(
                above.certificates.begin(), above.certificates.end(),
                [&](const Certificate& issuer) {
                  return X509_check_issued(issuer.native(), certificate.native()) == X509_V_OK &&
                         X509_verify(certificate.native(), X509_get0_pubkey(issuer.native())) == 1;
                });
          });
      ERR_clear_error();
      if (!signer_known) {
        return Mistake(authority.place,
                       absl::StrCat("the authority above ", certificate.subject(), ", ",
                                    certificate.issuer(), ", is not configured"),
                       "configure it as well, up to the root");
      }
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Certificate>> ChainVerifier::State::BuildChain(const Certificate& leaf,
                                                                          Micros now,
                                                                          PeerRole role) const {
  const OwnedContext context(X509_STORE_CTX_new());
  // No store, which would lock: the roots are given as a stack, which nothing changes.
  if (context == nullptr ||
      X509_STORE_CTX_init(context.get(), nullptr, leaf.native(), intermediates.get()) != 1)
    return OpensslFailed("verify a chain");
  X509_STORE_CTX_set0_trusted_stack(context.get(), roots.get());
  X509_VERIFY_PARAM* param = X509_STORE_CTX_get0_param(context.get());
  const int purpose = role == PeerRole::kClient ? X509_PURPOSE_SSL_CLIENT : X509_PURPOSE_SSL_SERVER;
  X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT);
  X509_VERIFY_PARAM_set_time(param, static_cast<time_t>(now / kSecond));
  X509_VERIFY_PARAM_set_auth_level(param, kSecurityLevel);
  if (X509_VERIFY_PARAM_set_purpose(param, purpose) != 1) return OpensslFailed("verify a chain");
  const int verified = X509_verify_cert(context.get());
  const int error = X509_STORE_CTX_get_error(context.get());
  ERR_clear_error();
  if (verified != 1 || error != X509_V_OK) {
    return ChainError(leaf, error == X509_V_OK ? X509_V_ERR_UNSPECIFIED : error,
                      X509_STORE_CTX_get_error_depth(context.get()));
  }
  std::vector<Certificate> chain = {leaf};
  const STACK_OF(X509)* built = X509_STORE_CTX_get0_chain(context.get());
  for (int i = 1; i < sk_X509_num(built); ++i) {
    const X509* wanted = sk_X509_value(built, i);
    for (const AuthorityState& authority : authorities) {
      for (const Certificate& certificate : authority.certificates)
        if (certificate.native() == wanted) chain.push_back(certificate);
    }
  }
  // Every member above the leaf is one of ours, once: the stacks hold nothing else.
  if (chain.size() != static_cast<size_t>(sk_X509_num(built)) || chain.size() < 2)
    return Invalid(leaf, "does not lead to a configured authority");
  return chain;
}

absl::Status ChainVerifier::State::CheckFresh(const AuthorityState& authority,
                                              const VerifiedPeer& peer, Micros now) const {
  std::string mistake;
  if (!authority.list) {
    mistake = absl::StrCat("there is no revocation list of ", authority.subject);
  } else if (now >= authority.list->next_update() + crl_grace) {
    mistake = absl::StrCat("the revocation list of ", authority.subject, " ran out at ",
                           FormatUtc(authority.list->next_update()));
  } else if (authority.list->this_update() > now + kClockTolerance) {
    mistake = absl::StrCat("the revocation list of ", authority.subject, " begins at ",
                           FormatUtc(authority.list->this_update()), ", later than now");
  } else {
    return absl::OkStatus();
  }
  return Error(v1::REASON_REVOCATION_LIST_STALE,
               absl::StrCat("certificate ", peer.serial, ": ", mistake), {{"serial", peer.serial}});
}

absl::Status ChainVerifier::State::CheckStanding(const VerifiedPeer& peer, Micros now) const {
  // That something is revoked is true however old the list is, so that comes first.
  for (const VerifiedPeer::Link& link : peer.chain) {
    const AuthorityState* issuer = Find(link.issuer_spki_hash);
    if (issuer == nullptr || !issuer->MayName(peer.identity)) {
      const std::string who = issuer == nullptr ? "an authority that is not configured"
                                                : absl::StrCat(issuer->subject, ", which may not");
      return Error(v1::REASON_AUTHORITY_NOT_ALLOWED,
                   absl::StrCat("certificate ", peer.serial, ": ", peer.identity.Path(),
                                " was named under ", who),
                   {{"serial", peer.serial}});
    }
    if (!issuer->list || !issuer->list->Contains(link.serial)) continue;
    const auto revocation = issuer->list->Find(link.serial);
    return Error(v1::REASON_CERTIFICATE_REVOKED,
                 absl::StrCat("certificate ", link.serial, " was revoked at ",
                              FormatUtc(revocation->revoked_at), " (",
                              View(RevocationReasonName(revocation->reason)), ")"),
                 {{"serial", link.serial}});
  }
  for (const VerifiedPeer::Link& link : peer.chain)
    SLUICE_RETURN_IF_ERROR(CheckFresh(*Find(link.issuer_spki_hash), peer, now));
  return absl::OkStatus();
}

ChainVerifier::ChainVerifier(std::unique_ptr<const State> state) : state_(std::move(state)) {}
ChainVerifier::~ChainVerifier() = default;

absl::StatusOr<std::shared_ptr<const ChainVerifier>> ChainVerifier::Build(
    ChainVerifierOptions options) {
  if (!IsTrustDomain(options.trust_domain)) {
    return Mistake("trust_domain", "not of lower-case labels with dots",
                   "write it like gov.example");
  }
  if (options.authorities.empty())
    return Mistake("authorities", "none is configured", "name at least one root");
  if (options.crl_grace < 0) return Mistake("crl_grace", "is negative", "write 0 or more");
  auto state = std::make_unique<State>();
  state->trust_domain = options.trust_domain;
  state->crl_grace = options.crl_grace;
  state->roots.reset(sk_X509_new_null());
  state->intermediates.reset(sk_X509_new_null());
  if (state->roots == nullptr || state->intermediates == nullptr)
    return OpensslFailed("make a verifier");
  for (const AuthorityConfig& config : options.authorities)
    SLUICE_RETURN_IF_ERROR(state->Add(config));
  SLUICE_RETURN_IF_ERROR(state->CheckUnderRoots());
  for (const AuthorityConfig& config : options.authorities)
    SLUICE_RETURN_IF_ERROR(state->AddLists(config));
  return std::shared_ptr<const ChainVerifier>(new ChainVerifier(std::move(state)));
}

absl::StatusOr<VerifiedPeer> ChainVerifier::Verify(std::string_view leaf_pem, Micros now,
                                                   PeerRole role) const {
  if (leaf_pem.size() > kMaxLeafPem) {
    return Error(v1::REASON_CERTIFICATE_INVALID,
                 absl::StrCat(View(kPeerPlace), ": larger than 64 KiB"));
  }
  SLUICE_ASSIGN_OR_RETURN(const Certificate leaf, Certificate::FromPem(leaf_pem, kPeerPlace));
  return Verify(leaf, now, role);
}

absl::StatusOr<VerifiedPeer> ChainVerifier::Verify(const Certificate& leaf, Micros now,
                                                   PeerRole role) const {
  if (leaf.is_authority() || leaf.is_self_signed())
    return Invalid(leaf, "is an authority's or signed by itself, not a party's");
  SLUICE_ASSIGN_OR_RETURN(const auto chain, state_->BuildChain(leaf, now, role));
  // OpenSSL takes a certificate without extended key usage as good for all; we do not.
  const uint32_t wanted = role == PeerRole::kClient ? XKU_SSL_CLIENT : XKU_SSL_SERVER;
  const uint32_t usage = X509_get_extended_key_usage(leaf.native());
  if ((X509_get_extension_flags(leaf.native()) & EXFLAG_XKUSAGE) == 0 || (usage & wanted) == 0) {
    return Invalid(leaf, role == PeerRole::kClient ? "its extended key usage lacks clientAuth"
                                                   : "its extended key usage lacks serverAuth");
  }
  VerifiedPeer peer{.serial = leaf.serial(),
                    .fingerprint = leaf.fingerprint(),
                    .not_before = leaf.not_before(),
                    .not_after = leaf.not_after()};
  SLUICE_ASSIGN_OR_RETURN(peer.identity, leaf.Identity(state_->trust_domain));
  for (size_t i = 0; i < chain.size(); ++i) {
    peer.not_before = std::max(peer.not_before, chain[i].not_before());
    peer.not_after = std::min(peer.not_after, chain[i].not_after());
    const Certificate& issuer = chain[std::min(i + 1, chain.size() - 1)];
    peer.chain.push_back({chain[i].serial(), chain[i].spki_hash(), issuer.spki_hash()});
  }
  SLUICE_RETURN_IF_ERROR(state_->CheckStanding(peer, now));
  return peer;
}

absl::Status ChainVerifier::CheckAgain(const VerifiedPeer& peer, Micros now) const {
  if (peer.chain.size() < 2 || peer.identity.trust_domain != state_->trust_domain) {
    return Error(v1::REASON_CERTIFICATE_IDENTITY_MALFORMED,
                 absl::StrCat("certificate ", peer.serial, ": not of this trust domain"),
                 {{"serial", peer.serial}});
  }
  if (now < peer.not_before || now >= peer.not_after) {
    return Error(v1::REASON_CERTIFICATE_EXPIRED,
                 absl::StrCat("certificate ", peer.serial,
                              now < peer.not_before ? " is not yet valid" : " has expired"),
                 {{"serial", peer.serial}});
  }
  return state_->CheckStanding(peer, now);
}

std::optional<Micros> ChainVerifier::EarliestNextUpdate() const {
  std::optional<Micros> earliest;
  for (const AuthorityState& authority : state_->authorities) {
    if (!authority.list) continue;
    const Micros next = authority.list->next_update();
    earliest = earliest ? std::min(*earliest, next) : next;
  }
  return earliest;
}

std::vector<ListState> ChainVerifier::Lists() const {
  std::vector<ListState> lists;
  for (const AuthorityState& authority : state_->authorities) {
    ListState state{.place = authority.place,
                    .authority = authority.subject,
                    .spki_hash = authority.spki_hash,
                    .present = authority.list.has_value()};
    if (authority.list) {
      state.number = authority.list->number();
      state.this_update = authority.list->this_update();
      state.next_update = authority.list->next_update();
    }
    lists.push_back(std::move(state));
  }
  return lists;
}

const std::string& ChainVerifier::trust_domain() const { return state_->trust_domain; }

absl::StatusOr<ChainVerifier::AcceptedList> ChainVerifier::CheckNewList(std::string_view list_pem,
                                                                        std::string_view place,
                                                                        Micros now) const {
  SLUICE_ASSIGN_OR_RETURN(RevocationList list, RevocationList::FromPem(list_pem, place));
  SLUICE_ASSIGN_OR_RETURN(const AuthorityState* signer, state_->SignerOf(list, place));
  if (signer->list) SLUICE_RETURN_IF_ERROR(list.CheckReplaces(*signer->list));
  if (now >= list.next_update() || list.this_update() > now + kClockTolerance) {
    return Mistake(place,
                   absl::StrCat("serves from ", FormatUtc(list.this_update()), " to ",
                                FormatUtc(list.next_update()), ", and now is ", FormatUtc(now)),
                   "write a new list where the authority is, or set the clock");
  }
  return AcceptedList{std::move(list), signer->spki_hash, signer->place};
}

}  // namespace sluice::certs
