// The listeners beside gRPC's, and what they tell.
#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/daemon.h"

namespace sluice {

absl::Status Daemon::StartHttp(const Config& config) {
  const std::string& listen = config.operations.http_listen;
  if (listen.empty()) return absl::OkStatus();
  http::OperationsPageParts parts{[this] { return NotReady(); },
                                  [this, log = config.audit.directory] { return Measure(log); },
                                  [this] { return alarms_.Raised(); }};
  auto server = http::HttpServer::Start(
      listen, http::HttpLimits{}, [parts = std::move(parts)](const http::HttpRequest& request) {
        return http::OperationsPage(parts, request);
      });
  if (!server.ok()) return Annotate(server.status(), "operations.http.listen");
  operations_http_ = *std::move(server);
  operations_.Write(Severity::kInfo, "http_listening", "health and metrics",
                    {{"listener", "operations"}, {"address", operations_http_->address()}});
  return absl::OkStatus();
}

absl::Status Daemon::StartAuditorsHttp(const Config& config) {
  const std::string& listen = config.audit.http_listen;
  if (listen.empty()) return absl::OkStatus();
  auditor_pages_ = std::make_unique<http::AuditorPages>(
      http::AuditorPageParts{{*log_, *index_, *detail_keys_, *sealer_, *pseudonyms_, *tokens_,
                              snapshots_, clock_, &cosigned_},
                             *denials_,
                             *random_,
                             operations_,
                             signing_key_->verifier});
  http::HttpLimits limits;
  // A bundle has 16 MiB at most.
  limits.connections = 32;
  limits.connections_per_address = 8;
  limits.handshake = config.tls.handshake;
  limits.response = kMinute;
  limits.requests_per_connection = 10'000;
  auto server = http::HttpServer::Start(
      listen, limits,
      [this](const http::HttpRequest& request) { return auditor_pages_->Answer(request); },
      [this] { return tls_.Get(); });
  if (!server.ok()) return Annotate(server.status(), "audit.http.listen");
  auditors_http_ = *std::move(server);
  operations_.Write(Severity::kInfo, "http_listening", "heads and tiles for auditors",
                    {{"listener", "auditors"}, {"address", auditors_http_->address()}});
  return absl::OkStatus();
}

std::vector<std::string> Daemon::NotReady() const {
  std::vector<std::string> reasons;
  if (poisoned_) reasons.emplace_back("the audit log is poisoned: nothing is released");
  if (draining_)
    reasons.emplace_back("the gateway is draining");
  else if (!ready_)
    reasons.emplace_back("the gateway is starting");
  for (const std::string& cause : gate_.Causes())
    reasons.push_back(absl::StrCat("nothing is released: ", cause));
  if (certificate_expires_ <= clock_.Now())
    reasons.push_back(
        absl::StrCat("the gateway's certificate ended at ", FormatUtc(certificate_expires_)));
  return reasons;
}

http::Measures Daemon::Measure(const std::string& log_folder) const {
  http::Measures measures;
  measures.version = std::string(Version());
  measures.started = started_;
  measures.ready = NotReady().empty();
  measures.exchanges = &broker_->counts();
  measures.running = running_->count();
  measures.log = &log_meters_;
  measures.log_records = static_cast<int64_t>(log_->size());
  measures.log_poisoned = log_->poisoned();
  measures.index_records = static_cast<int64_t>(index_->size());
  measures.sources = sources_->Status();
  measures.drifted_datasets = static_cast<int64_t>(drift_->Drifted().size());
  measures.certificate_expires = certificate_expires_;
  measures.list_due = snapshots_.Get()->verifier->EarliestNextUpdate();
  measures.log_disk = ReadDiskSpace(log_folder);
  measures.process = ReadProcessUsage();
  AddWatched(measures);
  return measures;
}

}  // namespace sluice
