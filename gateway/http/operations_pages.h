// What the operator's machines ask: /healthz, /readyz, /metrics. No identifier, case or person is
// in any of it. Nothing here waits for an exchange, nor does an exchange wait for it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "gateway/audit/log.h"
#include "gateway/base/process_usage.h"
#include "gateway/exchange/exchange_counts.h"
#include "gateway/http/http_server.h"
#include "sluice/v1/operations.pb.h"

namespace sluice::http {

// The gateway at one moment.
struct Measures {
  std::string version;
  Micros started = 0;
  bool ready = false;
  const exchange::ExchangeCounts* exchanges = nullptr;
  int running = 0;
  const audit::LogMeters* log = nullptr;
  int64_t log_records = 0;
  bool log_poisoned = false;
  int64_t index_records = 0;
  std::vector<v1::SourceStatus> sources;
  int64_t drifted_datasets = 0;
  Micros certificate_expires = 0;
  std::optional<Micros> list_due;  // the first revocation list that runs out
  DiskSpace log_disk;
  ProcessUsage process;
};

struct OperationsPageParts {
  // Why no traffic may come, a sentence each; empty where it may.
  std::function<std::vector<std::string>()> not_ready;
  std::function<Measures()> measure;
};

// For HttpServer.
HttpResponse OperationsPage(const OperationsPageParts& parts, const HttpRequest& request);

std::string MetricsPage(const Measures& measures);

}  // namespace sluice::http
