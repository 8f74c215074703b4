// A private key and its certificate, read and checked together: at start, and before a new pair is
// swapped in. A half-written or mixed pair closes gRPC's whole door while the process looks
// healthy, so no pair gets there unchecked.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "certs/certificate.h"
#include "certs/key.h"
#include "certs/spiffe.h"
#include "gateway/base/clock.h"
#include "gateway/base/file_system.h"

namespace sluice::certs {

inline constexpr std::string_view kCertificateFile = "certificate.pem";
inline constexpr std::string_view kKeyFile = "key.pem";

struct Pair {
  PrivateKey key;
  std::vector<Certificate> chain;  // the certificate itself, then those above it
  SpiffeId identity;
  std::string key_pem;          // as gRPC wants them
  std::string certificate_pem;  // the whole chain
};

struct PairExpectation {
  std::string trust_domain;
  std::optional<Kind> kind;  // kGateway demands a DNS name or IP address as well
  // Every one of these must be among the certificate's DNS names or IP addresses.
  std::vector<std::string> server_names;
};

// Checks text that is in memory already. The places begin errors. DEFINITION_INVALID where one
// cannot be read, they do not match, a certificate of the chain did not sign the one before it, the
// identity or names are not as expected; CERTIFICATE_EXPIRED where it is outside its period.
absl::StatusOr<Pair> CheckPairText(std::string_view certificate_pem,
                                   std::string_view certificate_place, std::string_view key_pem,
                                   std::string_view key_place, const PairExpectation& expected,
                                   Micros now);

// Reads and checks. The key's file must not be readable by others than its owner and group.
absl::StatusOr<Pair> LoadPair(FileSystem& files, const std::string& certificate_path,
                              const std::string& key_path, const PairExpectation& expected,
                              Micros now);

// Checks the pair, writes it into a new folder `folder`/vN and then makes `folder`/current a link
// to it in one rename, so that a reader sees the old pair or the new, never a mixture. Keeps the
// last two. Works on the real file system only (links). Returns "vN".
absl::StatusOr<std::string> StagePair(FileSystem& files, const std::string& folder,
                                      std::string_view certificate_pem, std::string_view key_pem,
                                      const PairExpectation& expected, Micros now);

}  // namespace sluice::certs
