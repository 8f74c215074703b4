// Whether a server's certificate is the gateway's that a profile names.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace sluice::cli {

struct ExpectedServer {
  std::string server_name;  // a DNS name or an IP address
  std::string trust_domain;
};

// LocalError SERVER_NAME_MISMATCH or SERVER_NOT_A_GATEWAY, naming what the certificate says. The
// chain is the TLS library's to check.
absl::Status CheckServer(std::string_view leaf_pem, const ExpectedServer& expected);

}  // namespace sluice::cli
