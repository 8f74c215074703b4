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
  // What the gateway finds wrong with itself.
  std::vector<std::string> alarm_names;  // all that there are
  std::vector<v1::Alarm> alarms;         // that are raised
  bool releases_stopped = false;
  std::vector<v1::WitnessStatus> witnesses;
  int64_t cosigned_records = 0;  // under the newest head that enough of them cosigned
  Micros cosigned_time = 0;
  int64_t scrub_passes = 0, scrub_records = 0;
  Micros scrub_time = 0;
};

struct OperationsPageParts {
  // Why no traffic may come, a sentence each; empty where it may.
  std::function<std::vector<std::string>()> not_ready;
  std::function<Measures()> measure;
  std::function<std::vector<v1::Alarm>()> alarms;  // may be null
};

// For HttpServer.
HttpResponse OperationsPage(const OperationsPageParts& parts, const HttpRequest& request);

std::string MetricsPage(const Measures& measures);

}  // namespace sluice::http
