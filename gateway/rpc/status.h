// absl::Status to grpc::Status: the google.rpc payloads go into grpc-status-details-bin as they
// are.
#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace sluice::rpc {

// Only for statuses made fit for peers (exchange::PublicStatus).
grpc::Status ToGrpc(const absl::Status& status);

}  // namespace sluice::rpc
