// The seal of a log that cannot go on (docs/formats/seal.md): a statement of what of it verifies,
// signed by two persons with the keys of their certificates. Its successor, a log of another origin
// with another key, begins with a SEALED record that holds all of it.
//
// Who may sign: any two persons whose certificates hold when the seal is put on. Texts are strict:
// what is read would be written the same.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "certs/certificate.h"
#include "certs/chain_verifier.h"
#include "certs/key.h"
#include "gateway/audit/log_verifier.h"
#include "gateway/audit/signed_note.h"
#include "sluice/v1/audit_record.pb.h"

namespace sluice::audit {

// In the folder of a log: why it ended, or what it continues.
inline constexpr char kSealFile[] = "seal";
inline constexpr uint64_t kMostSealBytes = 64 << 10;
inline constexpr size_t kMostSealReason = 1024;

struct SealStatement {
  std::string origin;
  Hash key_digest = {};  // SHA-256 of the log's public key
  uint64_t size = 0;     // records that verify
  Hash root = {};        // over them
  uint64_t head_size = 0;
  Hash head_root = {};  // of the newest head that is known
  uint64_t bytes_behind = 0;
  std::string reason;  // one line
  Micros time = 0;     // whole seconds
};
std::string FormatSealStatement(const SealStatement& statement);
// INVALID_ARGUMENT saying which line.
absl::StatusOr<SealStatement> ParseSealStatement(std::string_view text);

// What a log amounts to, whether it verifies as a whole or not, and which of the heads is newest.
// `heads` are notes beside those in its folder. INVALID_ARGUMENT where one is not of this log;
// DATA_LOSS where one is of as many records as verify, but of others: then the log is a fork, and
// is not to be sealed but to be shown. Other errors are about reading.
absl::StatusOr<SealStatement> ExamineForSeal(const std::string& directory, const VerifierKey& key,
                                             FileSystem& files,
                                             const std::vector<std::string>& heads);

struct SealSignature {
  certs::Certificate certificate;
  std::string signature;
};
std::string FormatSealSignature(const SealSignature& signature);
absl::StatusOr<SealSignature> ParseSealSignature(std::string_view text, std::string_view place);

struct Seal {
  std::string statement;  // as signed
  std::vector<SealSignature> signatures;
};
std::string FormatSeal(const Seal& seal);
absl::StatusOr<Seal> ParseSeal(std::string_view text, std::string_view place);

// The statement, and signatures by two persons of two keys, that hold by the certificates beside
// them; whether those hold is not looked at. INVALID_ARGUMENT in words.
absl::StatusOr<v1::SealInfo> SealInfoOf(const Seal& seal);
// Also that both certificates hold now. Errors of the verifier as they are.
absl::StatusOr<v1::SealInfo> CheckSeal(const Seal& seal, const certs::ChainVerifier& verifier,
                                       Micros now);
// What a SEALED record says follows from the statement and the signatures in it.
absl::Status CheckSealInfo(const v1::SealInfo& info);

// "gw1.gov.example/log" → "gw1.gov.example/log/2" → "gw1.gov.example/log/3".
std::string SuccessorOrigin(std::string_view origin);

// "gw1.gov.example/log, sealed with 120 records on … by … and …: reason".
std::string SealWords(const v1::SealInfo& info);

}  // namespace sluice::audit
