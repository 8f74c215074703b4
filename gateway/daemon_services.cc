// Starting, second part: the services and the listener.
#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/daemon.h"
#include "gateway/sharing/grant_table.h"

namespace sluice {
namespace {

constexpr int kControlThreads = 4;
constexpr size_t kControlQueue = 256;

rpc::ServerOptions ServerOptionsFor(const Config& config) {
  rpc::ServerOptions options;
  options.listen = config.listen;
  options.pair_folder = ListenerPairOf(config).PairFolder();
  options.authorities_file = ListenerPairOf(config).AuthoritiesFile();
  options.limits.handshake = config.tls.handshake;
  options.limits.streams_per_connection = config.limits.streams_per_connection;
  options.limits.connection_age = config.limits.connection_age;
  // An aged connection takes no new calls, but a stream on it may last as long as any.
  options.limits.connection_age_grace = config.limits.max_read + kMinute;
  return options;
}

std::string AllAuthorities(const certs::ChainVerifierOptions& options) {
  std::string pem;
  for (const certs::AuthorityConfig& authority : options.authorities)
    absl::StrAppend(&pem, authority.certificates_pem, "\n");
  return pem;
}

}  // namespace

absl::Status Daemon::CheckSource(const v1::Source& source) const {
  const adapters::Kind* kind = adapters::FindKind(kinds_, source.kind());
  if (kind == nullptr) {
    std::string known;
    for (const adapters::Kind& one : kinds_) absl::StrAppend(&known, " ", one.name);
    absl::Status status =
        Error(v1::REASON_DEFINITION_INVALID,
              absl::StrCat("there is no adapter of kind \"", source.kind(), "\"."));
    AddFieldViolation(status, "kind", absl::StrCat("must be one of:", known));
    return status;
  }
  return kind->check(adapters::Settings(source.settings().begin(), source.settings().end()));
}

absl::StatusOr<adapters::TableDescription> Daemon::DescribeSource(const v1::Source& source,
                                                                  const std::string& table) {
  const adapters::Kind* kind = adapters::FindKind(kinds_, source.kind());
  if (kind == nullptr) return absl::InternalError("no adapter of kind " + source.kind());
  SLUICE_ASSIGN_OR_RETURN(auto adapter, kind->open(adapters::Settings(source.settings().begin(),
                                                                      source.settings().end())));
  adapters::CallContext context;
  context.clock = &clock_;
  context.deadline = clock_.Monotonic() + 10 * kSecond;
  context.stop = std::make_shared<adapters::StopToken>();
  SLUICE_ASSIGN_OR_RETURN(auto tables, adapter->Describe(table, context));
  if (tables.size() != 1)
    return absl::NotFoundError(absl::StrCat("source ", source.id(), " has no table ", table));
  return std::move(tables[0]);
}

absl::Status Daemon::MakeControlServices(const Config& config) {
  registry_ = std::make_unique<identity::Registry>(
      *store_, *changes_, clock_, [this] { return snapshots_.Get()->verifier; },
      [this](const v1::Source& source) { return CheckSource(source); });
  grants_touched_ = std::make_unique<sharing::GrantsTouched>(clock_);
  catalogue_ = std::make_unique<catalogue::Catalogue>(
      *store_, *changes_, clock_,
      [this](const v1::Source& source, const std::string& table) {
        return DescribeSource(source, table);
      },
      *grants_touched_,
      catalogue::SourceFindings{
          [this](const std::string& dataset) { return drift_->Of(dataset); },
          [this](const std::string& dataset) { return drift_->FreshnessOf(dataset); }},
      config.catalogue.publication);
  freshness_record_ = std::make_unique<catalogue::FreshnessRecord>(
      *store_, *changes_, clock_,
      [this](const std::string& dataset) { return drift_->FreshnessOf(dataset); },
      [this](const absl::Status& why) {
        operations_.Write(Severity::kWarning, "freshness_not_recorded", std::string(why.message()));
      });
  grants_ = std::make_unique<sharing::Grants>(
      *store_, *changes_, clock_, *random_,
      [this](const v1::Grant& grant) { return quotas_.Left(grant, clock_.Now()); });

  requests_ =
      std::make_unique<sharing::AccessRequests>(*store_, *changes_, clock_, *random_, rules_);
  corrections_ =
      std::make_unique<sharing::Corrections>(*store_, *changes_, clock_, *random_, rules_);
  updates_ =
      std::make_unique<sharing::CatalogueUpdates>(*store_, *changes_, clock_, *random_, rules_);
  inbox_ = std::make_unique<sharing::Inbox>(*store_, clock_, rules_);

  authenticator_ = std::make_unique<rpc::Authenticator>(snapshots_, *denials_, clock_, *random_);
  control_pool_ = std::make_unique<ThreadPool>(kControlThreads, kControlQueue);
  service_parts_ = std::unique_ptr<rpc::ServiceParts>(new rpc::ServiceParts{
      *authenticator_, *control_pool_, operations_, clock_, config.limits.default_deadline,
      config.limits.max_deadline, config.limits.max_read});
  looks_ = std::make_unique<exchange::SourceLooks>(exchange::SourceLookParts{
      *sources_, clock_, exchange::OpenByKind(kinds_),
      [this](const v1::Source& source) { return CheckSource(source); },
      [this](const exchange::Call& call, const audit::ChangeOutcome& act) {
        return RecordChange(&call, act);
      }});
  operations_parts_.status = [this] { return Status(); };
  operations_parts_.reload = [this](const exchange::Call& call) { return Reload(&call); };
  operations_parts_.list_exchanges = [this](const v1::ListExchangesRequest& request) {
    return ListExchanges(request);
  };
  operations_parts_.cancel_exchange = [this](const exchange::Call& call,
                                             const v1::CancelExchangeRequest& request) {
    return CancelExchange(call, request);
  };
  operations_parts_.drain = [this](const exchange::Call& call, const v1::DrainRequest& request) {
    return AskToDrain(call, request);
  };
  operations_parts_.backup = [this](const exchange::Call& call) { return Backup(call); };
  operations_parts_.gateway = absl::StrCat("gateway/", config.gateway);
  operations_parts_.version = std::string(Version());
  services_.push_back(rpc::MakeExchangeService(*service_parts_, *broker_, *requests_));
  services_.push_back(rpc::MakeFlightService(*service_parts_, *broker_));
  services_.push_back(
      rpc::MakeAuditService(*service_parts_, *reading_, *reports_, *sharing_reports_));
  services_.push_back(rpc::MakeRegistryService(*service_parts_, *registry_, *looks_, snapshots_,
                                               operations_parts_));
  services_.push_back(rpc::MakeCatalogueService(*service_parts_, *catalogue_));
  services_.push_back(rpc::MakeSharingService(
      *service_parts_, rpc::SharingParts{*grants_, *requests_, *corrections_, *updates_, *inbox_}));
  services_.push_back(rpc::MakeOperationsService(*service_parts_, operations_parts_));

  {
    MutexLock lock(config_mutex_);
    SLUICE_RETURN_IF_ERROR(StageKeys(config, authorities_));
  }
  SLUICE_RETURN_IF_ERROR(StartAuditorsHttp(config));
  std::vector<grpc::Service*> services;
  for (const auto& service : services_) services.push_back(service.get());
  SLUICE_ASSIGN_OR_RETURN(
      server_, rpc::Server::Start(ServerOptionsFor(config), authenticator_.get(), services, [this] {
        operations_.Write(Severity::kError, "listener_lost",
                          "the listener accepts no more connections");
        end_(kExitListenerLost);
      }));
  return absl::OkStatus();
}

absl::Status Daemon::StageKeys(const Config& config,
                               const certs::ChainVerifierOptions& authorities) {
  SLUICE_ASSIGN_OR_RETURN(
      const certs::Pair pair,
      listener_keys_.Stage(ListenerPairOf(config), AllAuthorities(authorities)));
  SLUICE_ASSIGN_OR_RETURN(auto tls, http::TlsContext::Make(pair.certificate_pem, pair.key_pem));
  tls_.Set(std::move(tls));
  certificate_expires_ = pair.chain[0].not_after();
  certificate_digest_ = std::string(AsBytes(pair.chain[0].fingerprint()));
  return absl::OkStatus();
}

}  // namespace sluice
