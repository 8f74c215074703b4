// How to reach a gateway and as whom: a small YAML file.
//
//   gateway: gw1.gov.example:8443
//   server_name: gw1.gov.example   # only where it differs from the host above
//   trust_domain: gov.example
//   certificate: relief/certificate.pem
//   key: relief/key.pem
//   authorities: ../ca/ca.pem      # that signed the gateway's certificate
//   log_key: ../log.vkey           # to check receipts with: a file, or the key itself
//
// Paths are relative to the file.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/audit/signed_note.h"
#include "gateway/base/file_system.h"

namespace sluice::cli {

struct Profile {
  std::string place;  // the file, for messages
  std::string gateway;
  std::string server_name;  // the host of `gateway` where not given
  std::string trust_domain;
  std::string certificate, key, authorities;  // files
  audit::VerifierKey log_key;
};

using Variable = std::function<std::optional<std::string>(const std::string& name)>;

// What --profile, or else SLUICE_PROFILE, names: a file, or a name looked for as NAME.yaml in
// ./profiles and then in ~/.config/sluice/profiles. LocalError where there is none.
absl::StatusOr<Profile> LoadProfile(FileSystem& files, const Variable& variable,
                                    std::string_view name_or_file);

// A verifier key, or the file that holds one (--key takes both).
absl::StatusOr<audit::VerifierKey> ReadVerifierKey(FileSystem& files,
                                                   const std::string& key_or_file);

// $XDG_CONFIG_HOME/sluice or ~/.config/sluice; likewise for state. Empty without a home.
std::string ConfigFolder(const Variable& variable);
std::string StateFolder(const Variable& variable);

}  // namespace sluice::cli
