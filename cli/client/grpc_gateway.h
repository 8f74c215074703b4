// A gateway over gRPC and mutual TLS. Verifies more than gRPC does: the server's certificate leads
// to the profile's authorities, bears the profile's host name, and its SPIFFE ID is a gateway of
// the profile's trust domain, so that no other party that the same authority signed can pose as
// one.
#pragma once

#include "cli/gateway.h"
#include "gateway/base/clock.h"
#include "gateway/base/file_system.h"

namespace sluice::cli {

// Both outlive the connector and the gateways it makes.
Connector MakeGrpcConnector(FileSystem& files, Clock& clock);

}  // namespace sluice::cli
