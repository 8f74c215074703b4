// Every limit of the gRPC server, in one table. What Debian's gRPC leaves open by default is closed
// here (docs/threat-model.md).
#pragma once

#include <grpcpp/server_builder.h>

#include "gateway/base/clock.h"

namespace sluice::rpc {

struct ServerLimits {
  int receive_bytes = 1 << 20;              // a request
  int send_bytes = (1 << 20) + (64 << 10);  // a reply: 1 MiB and its frame
  int metadata_bytes = 8 << 10;
  int streams_per_connection = 512;
  Micros handshake = 10 * kSecond;
  Micros connection_age = 30 * kMinute;
  Micros connection_age_grace = 5 * kMinute;
  Micros least_ping_interval = 30 * kSecond;  // of a client without data; published in docs
  int ping_strikes = 2;
  Micros keepalive = 2 * kMinute;  // our own pings, to find dead peers
  Micros keepalive_timeout = 20 * kSecond;
  size_t memory_bytes = size_t{512} << 20;  // of gRPC's own buffers
};

void Apply(const ServerLimits& limits, grpc::ServerBuilder& builder);

}  // namespace sluice::rpc
