// A certificate authority in a folder: what `sluice certs sign|renew|revoke|show` work on. One
// process at a time (a lock file); not for two threads at once.
//
//   ca.pem         its certificate, then those above it (0644)
//   ca.key         its private key, PKCS#8 (0600)
//   issued.jsonl   one JSON object a certificate, in the order of issue (0600)
//   crl.pem        the newest revocation list (0644)
//   lock
//
// Every file is replaced whole. A certificate is in issued.jsonl before it is handed out, and a
// revocation before the list that shows it: a crash in between loses nothing that left the folder.
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
#include "certs/key.h"
#include "certs/request.h"
#include "gateway/base/clock.h"
#include "gateway/base/crypto.h"
#include "gateway/base/file_system.h"

namespace sluice::certs {

struct AuthorityOptions {
  std::string common_name;  // for people
  Micros valid_for = 3650 * kDay;
  // How many authorities may stand below it; 0: signs leaves only.
  std::optional<int> path_length = 0;
  // Where set, a critical name constraint lets it name URIs of this trust domain only.
  std::string trust_domain;
  KeyType key_type = KeyType::kEcdsaP256;
  // How long its revocation lists are good for.
  Micros list_valid_for = 7 * kDay;
};

// What the authority's operator says a certificate shall be; what the request asks for must be the
// same.
struct LeafTemplate {
  Names names;
  Micros valid_for = 90 * kDay;
};

struct IssuedCertificate {
  std::string serial;
  std::string identity;  // SPIFFE ID; for an authority below, its subject
  std::vector<std::string> dns_names, ip_addresses;
  Micros not_before = 0, not_after = 0;
  std::string fingerprint;  // SHA-256, hexadecimal
  std::optional<Revocation> revocation;
};

class Authority {
 public:
  // A new root in `folder` (made 0700), with its first, empty list. ALREADY_EXISTS where the folder
  // has an authority. All three references outlive the authority.
  static absl::StatusOr<std::unique_ptr<Authority>> CreateRoot(FileSystem& files, Clock& clock,
                                                               RandomSource& random,
                                                               const std::string& folder,
                                                               const AuthorityOptions& options);
  // DEFINITION_INVALID where a file is missing, damaged or does not fit the others, or the key can
  // be read by others; FAILED_PRECONDITION where another process has it open.
  static absl::StatusOr<std::unique_ptr<Authority>> Open(FileSystem& files, Clock& clock,
                                                         RandomSource& random,
                                                         const std::string& folder);

  // A new authority below this one, in a folder of its own, which may then be moved elsewhere.
  absl::StatusOr<std::unique_ptr<Authority>> CreateIntermediate(const std::string& folder,
                                                                const AuthorityOptions& options);

  // DEFINITION_INVALID, naming each difference, where the request asks for other names than the
  // template, or its key already serves an authority. Never outlives the authority itself.
  absl::StatusOr<Certificate> Sign(const Request& request, const LeafTemplate& leaf);
  // The same names again, for a new key or the same, where `serial` was issued here, is neither
  // revoked nor expired, and the request asks for the same. The old certificate stays valid.
  absl::StatusOr<Certificate> Renew(std::string_view serial, const Request& request,
                                    Micros valid_for = 90 * kDay);
  // Writes the revocation, then a new list, which it returns: take it to every gateway
  // (`sluice certs publish`). NOT_FOUND for a serial not issued here; a serial already revoked
  // keeps its first time and reason.
  absl::StatusOr<RevocationList> Revoke(std::string_view serial, RevocationReason reason);
  // A new list with the next number and new times, for the day before the old one runs out.
  absl::StatusOr<RevocationList> RenewList();

  const Certificate& certificate() const { return chain_.front(); }
  // Its certificate, then those above it.
  const std::vector<Certificate>& chain() const { return chain_; }
  std::string ChainPem() const;
  const RevocationList& list() const { return *list_; }
  const std::vector<IssuedCertificate>& issued() const { return issued_; }

 private:
  Authority(FileSystem& files, Clock& clock, RandomSource& random, std::string folder)
      : files_(files), clock_(clock), random_(random), folder_(std::move(folder)) {}
  static absl::StatusOr<std::unique_ptr<Authority>> NewFolder(FileSystem& files, Clock& clock,
                                                              RandomSource& random,
                                                              const std::string& folder);
  absl::Status WriteNew(const AuthorityOptions& options);
  absl::Status Load();
  absl::Status CheckTemplate(const Request& request, const LeafTemplate& leaf) const;
  absl::Status WriteIndex(const std::vector<IssuedCertificate>& issued);
  absl::StatusOr<RevocationList> WriteList();
  std::string Path(std::string_view name) const { return JoinPath(folder_, name); }

  FileSystem& files_;
  Clock& clock_;
  RandomSource& random_;
  const std::string folder_;
  std::unique_ptr<FileLock> lock_;
  std::optional<PrivateKey> key_;
  std::vector<Certificate> chain_;
  std::vector<IssuedCertificate> issued_;
  std::optional<RevocationList> list_;
  Micros list_valid_for_ = 7 * kDay;
};

}  // namespace sluice::certs
