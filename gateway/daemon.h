// The gateway as one object: wires the parts by hand, serves, reloads, drains.
//
// Start, in order: keys and authorities checked · store · log recovered, store and heads kept
// elsewhere asked · STARTED recorded · outbox finished · seed taken in · usage counted, streams
// left open abandoned · witnesses, scrub and alarms · listener · ready. Drain, in order: unready ·
// notice to balancers · new calls refused · running calls end, or are ended when their time is over
// · counted denials written · changes closed · usage saved · STOPPED recorded · last head · log
// closed.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "adapters/registry.h"
#include "gateway/alarms.h"
#include "gateway/audit/heads_elsewhere.h"
#include "gateway/audit/scrub.h"
#include "gateway/audit/seal.h"
#include "gateway/audit/search.h"
#include "gateway/audit/signing_key.h"
#include "gateway/catalogue/freshness_record.h"
#include "gateway/config.h"
#include "gateway/control_state.h"
#include "gateway/exchange/broker.h"
#include "gateway/exchange/log_reading.h"
#include "gateway/exchange/log_report.h"
#include "gateway/exchange/source_looks.h"
#include "gateway/exchange/usage_history.h"
#include "gateway/http/auditor_pages.h"
#include "gateway/http/http_server.h"
#include "gateway/http/operations_pages.h"
#include "gateway/listener_keys.h"
#include "gateway/rpc/server.h"
#include "gateway/rpc/services.h"
#include "gateway/self_watch.h"
#include "gateway/served.h"
#include "gateway/sharing/access_requests.h"
#include "gateway/sharing/catalogue_updates.h"
#include "gateway/sharing/corrections.h"
#include "gateway/sharing/inbox.h"
#include "gateway/sharing/touched.h"
#include "gateway/witness/cosigner.h"

namespace sluice {

class Daemon : public Served {
 public:
  // `kinds`: what sources may be of; outlives it. `end` asks the process to end soon with a code;
  // called from any thread.
  Daemon(std::string config_file, const std::vector<adapters::Kind>& kinds,
         OperationalLog& operations, const Clock& clock, std::function<void(ExitCode)> end);
  ~Daemon() override;

  // Reads and checks configuration, keys and files, without starting anything.
  absl::Status Check() override;
  std::unique_ptr<Failure> Start() override;
  absl::StatusOr<std::vector<std::string>> Reload() override;
  // The same; `call` is null for SIGHUP.
  absl::StatusOr<v1::ReloadResponse> Reload(const exchange::Call* call);
  void Drain() override;
  Micros drain_limit() const override;

  const std::string& address() const { return server_->address(); }

 private:
  std::unique_ptr<Failure> OpenLog();
  absl::Status OpenStore();
  absl::Status MakeServices();
  absl::Status MakeControlServices(const Config& config);
  absl::Status AppendRun(v1::RecordKind kind, const audit::RecoveryReport& report,
                         bool heads_unconfirmed) SLUICE_REQUIRES(config_mutex_);
  absl::Status AppendAndWait(audit::Draft draft);
  // The seal in the log's folder, where there is one (daemon_seal.cc). Refuses a log that was
  // ended.
  absl::StatusOr<std::optional<audit::Seal>> ReadSeal() const SLUICE_REQUIRES(config_mutex_);
  // Begins the successor of a log that was ended with its record.
  absl::Status ContinueSealed(const std::optional<audit::Seal>& seal)
      SLUICE_REQUIRES(config_mutex_);
  absl::Status AppendSeal(const audit::Seal& seal) SLUICE_REQUIRES(config_mutex_);
  // The listeners beside gRPC's.
  absl::Status StartHttp(const Config& config);
  absl::Status StartAuditorsHttp(const Config& config);
  std::vector<std::string> NotReady() const;
  http::Measures Measure(const std::string& log_folder) const;
  // What the gateway sees of itself (daemon_watch.cc).
  static HttpTls WitnessTls(const Config& config);
  absl::Status StartWatching(const Config& config);
  void StopWatching();
  void WatchSelf();
  void RecordClockStep(Micros step);
  void RecordFreshness();
  std::vector<v1::WitnessStatus> WitnessStates() const;
  void AddWatched(http::Measures& measures) const;
  void AddWatched(v1::GetStatusResponse& status) const;
  absl::Status Publish();
  void Poisoned(const absl::Status& why);
  void Tick();
  void EverySecond();
  void RotateKeys();
  void WarnOfLists();
  void WarnOfCalendars();
  void SaveUsage();
  absl::Status CheckSource(const v1::Source& source) const;
  absl::Status StageKeys(const Config& config, const certs::ChainVerifierOptions& authorities);
  absl::StatusOr<adapters::TableDescription> DescribeSource(const v1::Source& source,
                                                            const std::string& table);
  // A change of what is not in the store, or an act of the operator's: recorded before it takes
  // effect. `call` null: the gateway's own.
  absl::Status RecordChange(const exchange::Call* call, const audit::ChangeOutcome& change);
  v1::ListExchangesResponse ListExchanges(const v1::ListExchangesRequest& request) const;
  absl::StatusOr<v1::CancelExchangeResponse> CancelExchange(
      const exchange::Call& call, const v1::CancelExchangeRequest& request);
  absl::StatusOr<v1::DrainResponse> AskToDrain(const exchange::Call& call,
                                               const v1::DrainRequest& request);
  absl::StatusOr<v1::BackupResponse> Backup(const exchange::Call& call);
  v1::GetStatusResponse Status() const;

  const std::string config_file_;
  const std::vector<adapters::Kind>& kinds_;
  OperationalLog& operations_;
  const Clock& clock_;
  const std::function<void(ExitCode)> end_;
  const std::unique_ptr<FileSystem> files_;
  const std::unique_ptr<RandomSource> random_;

  mutable Mutex config_mutex_;
  Config config_ SLUICE_GUARDED_BY(config_mutex_);
  certs::ChainVerifierOptions authorities_ SLUICE_GUARDED_BY(config_mutex_);
  std::string config_digest_;
  std::shared_ptr<const sharing::Rules> rules_;  // as at the start
  Micros started_ = 0;
  std::atomic<bool> ready_{false};
  std::atomic<bool> poisoned_{false};
  std::atomic<bool> draining_{false};
  std::atomic<bool> ticking_{false};
  std::atomic<Micros> end_calls_at_{0};  // on the monotonic clock; 0: not draining

  Mutex reload_mutex_;
  ListenerKeys listener_keys_;
  std::string refused_pair_;
  std::unique_ptr<audit::NamedSigningKey> signing_key_;
  std::atomic<Micros> certificate_expires_{0};
  std::string certificate_digest_;

  // In the order of what stands on what; destroyed in reverse.
  std::unique_ptr<audit::Pseudonyms> pseudonyms_;
  std::unique_ptr<audit::DetailKeys> detail_keys_;
  std::unique_ptr<audit::RecordSealer> sealer_;
  std::unique_ptr<store::Store> store_;
  audit::LogMeters log_meters_;
  std::unique_ptr<audit::Log> log_;
  audit::RecoveryReport recovery_;
  SnapshotCell<audit::CosignedHead> cosigned_;
  std::unique_ptr<witness::Cosigner> cosigner_;
  std::unique_ptr<audit::Scrub> scrub_;
  Alarms alarms_;
  exchange::ReleaseGate gate_;
  std::unique_ptr<SelfWatch> watch_;
  std::unique_ptr<audit::SearchIndex> index_;
  SnapshotCell<policy::Snapshot> snapshots_;
  std::unique_ptr<catalogue::FreshnessRecord> freshness_record_;  // outlives what changes_ runs
  std::unique_ptr<audit::Changes> changes_;
  std::unique_ptr<exchange::DriftWatch> drift_;  // outlives the looks that run on sources
  std::unique_ptr<exchange::Sources> sources_;
  std::unique_ptr<exchange::RunningExchanges> running_;
  exchange::QuotaLedger quotas_;
  exchange::RequestIds request_ids_;
  Mutex usage_mutex_;
  std::unique_ptr<exchange::UsageHistory> usage_;
  std::unique_ptr<exchange::Tokens> tokens_;
  std::unique_ptr<exchange::Denials> denials_;
  std::unique_ptr<exchange::Broker> broker_;
  std::unique_ptr<exchange::LogTail> tail_;
  std::unique_ptr<exchange::LogReading> reading_;
  std::unique_ptr<exchange::LogReports> reports_;
  std::unique_ptr<exchange::SharingReports> sharing_reports_;
  std::unique_ptr<exchange::SourceLooks> looks_;
  std::unique_ptr<identity::Registry> registry_;
  std::unique_ptr<sharing::GrantsTouched> grants_touched_;
  std::unique_ptr<catalogue::Catalogue> catalogue_;
  std::unique_ptr<sharing::Grants> grants_;
  std::unique_ptr<sharing::AccessRequests> requests_;
  std::unique_ptr<sharing::Corrections> corrections_;
  std::unique_ptr<sharing::CatalogueUpdates> updates_;
  std::unique_ptr<sharing::Inbox> inbox_;
  std::unique_ptr<rpc::Authenticator> authenticator_;
  std::unique_ptr<ThreadPool> control_pool_;
  std::unique_ptr<rpc::ServiceParts> service_parts_;
  rpc::OperationsParts operations_parts_;
  std::vector<std::unique_ptr<grpc::Service>> services_;
  std::unique_ptr<rpc::Server> server_;
  SnapshotCell<http::TlsContext> tls_;
  std::unique_ptr<http::AuditorPages> auditor_pages_;
  std::unique_ptr<http::HttpServer> operations_http_, auditors_http_;
  std::thread ticker_;
  int64_t ticks_ = 0;
};

std::string_view Version();

// The policy that audit.witnesses names, which must be one that can be kept to.
absl::StatusOr<audit::TlogPolicy> ReadWitnessPolicy(const Config& config, FileSystem& files);

}  // namespace sluice
