// The settings of a source of kind `remote`.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "adapters/adapter.h"
#include "certs/spiffe.h"
#include "gateway/base/clock.h"

namespace sluice::adapters::remote {

struct RemoteSettings {
  std::string address;      // "adapter.example:9443"
  certs::SpiffeId adapter;  // that the process must prove to be
  std::string authorities;  // files, PEM
  std::string revocation_lists;
  std::string certificate;
  std::string key;
  std::string source;  // which of the process's sources
  // How long the process may take for what it was asked, where the call's own deadline is no
  // earlier.
  Micros timeout = 30 * kSecond;
  // How long a scan that has a key is kept open while nobody asks for more of it.
  Micros idle = 5 * kSecond;
};

// DEFINITION_INVALID naming every wrong setting at once.
absl::StatusOr<RemoteSettings> ParseSettings(const Settings& settings);

}  // namespace sluice::adapters::remote
