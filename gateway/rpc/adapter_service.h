// The Adapter service: sources of any kind in this build, served to gateways elsewhere
// (proto/sluice/v1/adapter.proto).
#pragma once

#include <memory>

#include "gateway/base/operational_log.h"
#include "gateway/exchange/sources.h"
#include "gateway/rpc/adapter_callers.h"

namespace grpc {
class Service;
}

namespace sluice::rpc {

struct AdapterServiceParts {
  AdapterCallers& callers;
  exchange::Sources& sources;
  OperationalLog& operations;
  const Clock& clock;
  Micros default_deadline = 30 * kSecond;
  Micros max_scan = 6 * kHour;  // of a scan; also where the gateway names no deadline
};

// What the parts name outlives it.
std::unique_ptr<grpc::Service> MakeAdapterService(const AdapterServiceParts& parts);

}  // namespace sluice::rpc
