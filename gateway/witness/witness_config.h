// witness.yaml: what `sluice witness serve` reads. docs/witness.md is the same list for people.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "certs/file_verifier.h"
#include "gateway/audit/signed_note.h"
#include "gateway/base/file_system.h"

namespace sluice::witness {

struct WitnessConfig {
  std::string listen;  // IP address and port; port 0 lets the system choose (it is logged)
  std::string key;     // file: the cosigning key
  std::string state;   // folder
  std::vector<audit::VerifierKey> logs;

  struct Clients {
    std::set<std::string> gateways;  // who may hand in heads, by name
    certs::FileVerifierOptions authorities;
  };
  struct Tls {
    std::string trust_domain;
    std::string witness;  // the certificate is spiffe://<trust domain>/witness/<witness>
    std::string certificate, key;
    std::optional<Clients> clients;  // none: the log's signature is all that is asked for
  };
  std::optional<Tls> tls;  // none: plain HTTP on a loopback address
};

// Paths are made absolute, relative to the file's folder. INVALID_ARGUMENT with all mistakes,
// "file:line: path: mistake" a line each.
absl::StatusOr<WitnessConfig> ParseWitnessConfig(std::string_view text, const std::string& file);
absl::StatusOr<WitnessConfig> LoadWitnessConfig(const std::string& file, FileSystem& files);

}  // namespace sluice::witness
