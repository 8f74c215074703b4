#include "gateway/adapter_daemon.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/remote/messages.h"
#include "gateway/base/error.h"

namespace sluice {
namespace {

constexpr Micros kLookEvery = kSecond;
constexpr Micros kEnoughAfterDrain = 15 * kSecond;
constexpr char kReady[] = "sluice.v1.Adapter";

rpc::ServerOptions OptionsFor(const AdapterConfig& config) {
  rpc::ServerOptions options;
  options.listen = config.listen;
  options.pair_folder = config.pair.PairFolder();
  options.authorities_file = config.pair.AuthoritiesFile();
  options.ready_service = kReady;
  options.limits.receive_bytes = adapters::remote::kMostRequestBytes;
  options.limits.send_bytes = adapters::remote::kMostMessageBytes;
  options.limits.streams_per_connection = config.limits.streams_per_connection;
  options.limits.connection_age = config.limits.connection_age;
  // An aged connection takes no new calls, but a scan on it may last as long as any.
  options.limits.connection_age_grace = config.limits.max_scan + kMinute;
  return options;
}

}  // namespace

AdapterDaemon::AdapterDaemon(std::string config_file, const std::vector<adapters::Kind>& kinds,
                             OperationalLog& operations, const Clock& clock,
                             std::function<void(ExitCode)> end)
    : config_file_(std::move(config_file)),
      kinds_(kinds),
      operations_(operations),
      clock_(clock),
      end_(std::move(end)),
      files_(MakePosixFileSystem()),
      listener_keys_(*files_, clock) {}

AdapterDaemon::~AdapterDaemon() {
  {
    MutexLock lock(mutex_);
    ended_ = true;
  }
  changed_.NotifyAll();
  if (ticker_.joinable()) ticker_.join();
}

absl::StatusOr<AdapterDaemon::Loaded> AdapterDaemon::Load() const {
  Loaded loaded;
  SLUICE_ASSIGN_OR_RETURN(loaded.config, LoadAdapterConfig(config_file_, *files_, kinds_));
  SLUICE_RETURN_IF_ERROR(ListenerKeys(*files_, clock_).Check(loaded.config.pair).status());
  SLUICE_RETURN_IF_ERROR(
      certs::FileVerifier::Open(loaded.config.authorities, *files_, clock_).status());
  for (const auto& authority : loaded.config.authorities.authorities) {
    SLUICE_ASSIGN_OR_RETURN(const std::string pem, files_->ReadAll(authority.certificates));
    absl::StrAppend(&loaded.authorities_pem, pem, "\n");
  }
  return loaded;
}

absl::Status AdapterDaemon::Check() { return Load().status(); }

std::unique_ptr<Served::Failure> AdapterDaemon::Start() {
  const auto fail = [](const absl::Status& status) {
    return std::make_unique<Failure>(Failure{kExitConfiguration, std::string(status.message())});
  };
  auto loaded = Load();
  if (!loaded.ok()) return fail(loaded.status());
  {
    MutexLock lock(mutex_);
    loaded_ = *std::move(loaded);
  }
  if (absl::Status status = Serve(); !status.ok()) return fail(status);
  server_->SetReady(true);
  ticker_ = std::thread([this] {
    for (;;) {
      {
        MutexLock lock(mutex_);
        if (!ended_) changed_.WaitFor(mutex_, std::chrono::microseconds(kLookEvery));
        if (ended_) return;
      }
      Tick();
    }
  });
  operations_.Write(Severity::kInfo, "ready", "serving sources to gateways",
                    {{"address", server_->address()}});
  return nullptr;
}

absl::Status AdapterDaemon::Serve() {
  MutexLock lock(mutex_);
  const AdapterConfig& config = loaded_.config;
  SLUICE_RETURN_IF_ERROR(listener_keys_.Stage(config.pair, loaded_.authorities_pem).status());
  SLUICE_ASSIGN_OR_RETURN(verifier_,
                          certs::FileVerifier::Open(config.authorities, *files_, clock_));
  callers_ =
      std::make_unique<rpc::AdapterCallers>(*verifier_, config.gateways, clock_, operations_);
  sources_ = std::make_unique<exchange::Sources>(clock_, exchange::OpenByKind(kinds_),
                                                 exchange::NotesInto(operations_));
  sources_->Update(config.sources);
  rpc::AdapterServiceParts parts{*callers_, *sources_, operations_, clock_};
  parts.default_deadline = config.limits.default_deadline;
  parts.max_scan = config.limits.max_scan;
  service_ = rpc::MakeAdapterService(parts);
  SLUICE_ASSIGN_OR_RETURN(server_,
                          rpc::Server::Start(OptionsFor(config), callers_.get(), {service_.get()},
                                             [this] { end_(kExitListenerLost); }));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> AdapterDaemon::Reload() {
  SLUICE_ASSIGN_OR_RETURN(Loaded loaded, Load());
  MutexLock lock(mutex_);
  SLUICE_RETURN_IF_ERROR(
      listener_keys_.Stage(loaded_.config.pair, loaded_.authorities_pem).status());
  sources_->Update(loaded.config.sources);
  loaded_.config.sources = std::move(loaded.config.sources);
  return std::vector<std::string>{
      absl::StrCat("key pair and ", loaded_.config.sources.size(), " sources taken over"),
      "other settings take effect at the next start"};
}

void AdapterDaemon::Tick() {
  sources_->Reap();
  MutexLock lock(mutex_);
  if (!listener_keys_.Changed(loaded_.config.pair)) return refused_pair_.clear();
  const auto staged = listener_keys_.Stage(loaded_.config.pair, loaded_.authorities_pem);
  if (staged.ok()) {
    operations_.Write(Severity::kInfo, "pair_swapped", "new connections see the new certificate",
                      {{"expires", FormatUtc(staged->chain[0].not_after())}});
    return;
  }
  // While it is half written, once a second; said once.
  const std::string why(staged.status().message());
  if (std::exchange(refused_pair_, why) != why)
    operations_.Write(Severity::kWarning, "pair_refused", why);
}

Micros AdapterDaemon::drain_limit() const {
  MutexLock lock(mutex_);
  return loaded_.config.limits.drain_notice + loaded_.config.limits.drain + kEnoughAfterDrain;
}

void AdapterDaemon::Drain() {
  AdapterConfig::Limits limits;
  {
    MutexLock lock(mutex_);
    limits = loaded_.config.limits;
    ended_ = true;
  }
  changed_.NotifyAll();
  ticker_.join();
  operations_.Write(Severity::kInfo, "draining", "no longer ready; running calls go on");
  server_->SetReady(false);
  std::this_thread::sleep_for(std::chrono::microseconds(limits.drain_notice));
  server_->Shutdown(limits.drain);
  sources_.reset();
  operations_.Write(Severity::kInfo, "stopped", "drained");
}

}  // namespace sluice
