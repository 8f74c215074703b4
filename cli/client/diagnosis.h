// Why no connection came about, in words that say what to do. gRPC says "failed to connect to all
// addresses" for most causes; so the way is walked once more, step by step: name, TCP, TLS.
#pragma once

#include <string>

#include "absl/status/status.h"
#include "cli/client/server_check.h"
#include "cli/profile.h"
#include "gateway/base/clock.h"

namespace sluice::cli {

struct Credentials {
  std::string authorities_pem, certificate_pem, key_pem;
};

// A LocalError. `grpc_message` is told where no step fails by itself. Takes a few seconds at most;
// sends nothing but the handshake.
absl::Status Diagnose(const Profile& profile, const Credentials& credentials,
                      const std::string& grpc_message);

}  // namespace sluice::cli
