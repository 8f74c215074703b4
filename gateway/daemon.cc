// Starting: what stands on what.
#include "gateway/daemon.h"

#include <sys/resource.h>

#include <future>

#include "absl/strings/str_cat.h"
#include "gateway/audit/changes.h"
#include "gateway/base/error.h"
#include "gateway/exchange/abandoned.h"
#include "gateway/identity/seed.h"

namespace sluice {
namespace {

// Descriptors beside those of connections: log, store, sources, watches.
constexpr rlim_t kOtherDescriptors = 512;

absl::Status EnoughDescriptors(const Config& config) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t needed = static_cast<rlim_t>(config.limits.connections) + kOtherDescriptors;
  if (limit.rlim_max < needed) {
    return absl::InvalidArgumentError(
        absl::StrCat("limits.connections: ", config.limits.connections, " connections need ",
                     needed, " open files, but this process may have ", limit.rlim_max,
                     ". Raise it (ulimit -Hn, LimitNOFILE=) or lower limits.connections"));
  }
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  return absl::OkStatus();
}

std::unique_ptr<Daemon::Failure> Fail(ExitCode code, const absl::Status& status) {
  return std::make_unique<Daemon::Failure>(Daemon::Failure{code, std::string(status.message())});
}

absl::Status PrepareFolders(const Config& config, FileSystem& files) {
  for (const std::string& folder :
       {config.audit.directory, config.audit.derived, config.audit.detail_keys,
        DirectoryOf(config.audit.kept_head), DirectoryOf(config.store), config.run_directory}) {
    SLUICE_RETURN_IF_ERROR(files.CreateDirectories(folder));
  }
  return absl::OkStatus();
}

}  // namespace

std::string_view Version() { return "0.1.0"; }

Daemon::Daemon(std::string config_file, const std::vector<adapters::Kind>& kinds,
               OperationalLog& operations, const Clock& clock, std::function<void(ExitCode)> end)
    : config_file_(std::move(config_file)),
      kinds_(kinds),
      operations_(operations),
      clock_(clock),
      end_(std::move(end)),
      files_(MakePosixFileSystem()),
      random_(MakeSystemRandom()),
      listener_keys_(*files_, clock),
      alarms_(clock, operations) {}

Daemon::~Daemon() {
  ticking_ = false;
  if (ticker_.joinable()) ticker_.join();
}

absl::Status Daemon::Check() {
  std::string text;
  SLUICE_ASSIGN_OR_RETURN(Config config, LoadConfig(config_file_, *files_, &text));
  SLUICE_RETURN_IF_ERROR(EnoughDescriptors(config));
  SLUICE_ASSIGN_OR_RETURN(const std::string key_text,
                          files_->ReadAll(config.audit.signing_key, 4096));
  auto key = audit::ParseSigningKey(key_text);
  if (!key.ok()) return Annotate(key.status(), config.audit.signing_key);
  if (key->name != config.audit.origin) {
    return absl::InvalidArgumentError(absl::StrCat(config.audit.signing_key, ": is the key of ",
                                                   key->name, ", but audit.origin is ",
                                                   config.audit.origin));
  }
  SLUICE_ASSIGN_OR_RETURN(auto pseudonyms,
                          audit::Pseudonyms::FromFile(config.audit.subject_key, *files_));
  SLUICE_ASSIGN_OR_RETURN(const certs::Pair pair, listener_keys_.Check(ListenerPairOf(config)));
  SLUICE_ASSIGN_OR_RETURN(auto authorities, ReadAuthorities(config, *files_));
  SLUICE_RETURN_IF_ERROR(certs::ChainVerifier::Build(authorities).status());
  if (!config.seed.empty()) {
    SLUICE_ASSIGN_OR_RETURN(const std::string seed, files_->ReadAll(config.seed));
    SLUICE_RETURN_IF_ERROR(identity::ParseSeed(seed, config.seed).status());
  }
  SLUICE_ASSIGN_OR_RETURN(auto rules, ReadSharingRules(config, *files_));
  if (!config.audit.witnesses.policy.empty())
    SLUICE_RETURN_IF_ERROR(ReadWitnessPolicy(config, *files_).status());
  MutexLock lock(config_mutex_);
  rules_ = std::move(rules);
  config_ = std::move(config);
  authorities_ = std::move(authorities);
  config_digest_ = std::string(AsBytes(Sha256(text)));
  signing_key_ = std::make_unique<audit::NamedSigningKey>(*std::move(key));
  pseudonyms_ = std::move(pseudonyms);
  certificate_expires_ = pair.chain[0].not_after();
  certificate_digest_ = std::string(AsBytes(pair.chain[0].fingerprint()));
  return absl::OkStatus();
}

std::unique_ptr<Daemon::Failure> Daemon::Start() {
  started_ = clock_.Now();
  if (absl::Status status = Check(); !status.ok()) return Fail(kExitConfiguration, status);
  if (absl::Status status = OpenStore(); !status.ok()) return Fail(kExitConfiguration, status);
  if (auto failure = OpenLog()) return failure;
  if (absl::Status status = MakeServices(); !status.ok()) return Fail(kExitConfiguration, status);
  drift_->Look(snapshots_.Get());
  WarnOfCalendars();
  ready_ = true;
  server_->SetReady(!gate_.closed());
  ticking_ = true;
  ticker_ = std::thread([this] {
    while (ticking_) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      Tick();
    }
  });
  operations_.Write(Severity::kInfo, "ready", "serving",
                    {{"address", server_->address()},
                     {"version", Version()},
                     {"log", signing_key_->name},
                     {"records", absl::StrCat(log_->size())}});
  return nullptr;
}

absl::Status Daemon::OpenStore() {
  MutexLock lock(config_mutex_);
  SLUICE_RETURN_IF_ERROR(PrepareFolders(config_, *files_));
  SLUICE_ASSIGN_OR_RETURN(detail_keys_,
                          audit::DetailKeys::Open(config_.audit.detail_keys, *files_, *random_));
  sealer_ = std::make_unique<audit::RecordSealer>(*detail_keys_, clock_, *random_);
  SLUICE_ASSIGN_OR_RETURN(store_, OpenControlStore(config_.store));
  return absl::OkStatus();
}

std::unique_ptr<Daemon::Failure> Daemon::OpenLog() {
  MutexLock lock(config_mutex_);
  const Config::Audit& audit = config_.audit;
  audit::LogOptions options;
  options.directory = audit.directory;
  options.kept_head = audit.kept_head;
  options.origin = audit.origin;
  options.segment_bytes = static_cast<uint64_t>(audit.segment_bytes);
  options.head_interval = audit.head_interval;
  options.meters = &log_meters_;
  const auto seal = ReadSeal();  // before recovery writes anything
  if (!seal.ok()) return Fail(kExitLogRefused, seal.status());
  auto log = audit::OpenLog(options, *files_, clock_, signing_key_->key, &recovery_);
  if (!log.ok()) return Fail(kExitLogRefused, log.status());
  log_ = *std::move(log);
  log_->OnPoison([this](const absl::Status& why) { Poisoned(why); });
  if (absl::Status status = ContinueSealed(*seal); !status.ok())
    return Fail(kExitLogRefused, status);
  if (absl::Status status = audit::CheckLogIsWhole(*store_, *log_); !status.ok())
    return Fail(kExitLogRefused, status);
  const auto heads = audit::CheckHeadsElsewhere(audit.heads_at, signing_key_->verifier, *log_,
                                                *files_, WitnessTls(config_));
  if (!heads.ok()) return Fail(kExitLogRefused, heads.status());
  if (!heads->silent.empty() && !audit.start_without_heads) {
    return Fail(kExitLogRefused,
                absl::UnavailableError(absl::StrCat(
                    "audit.heads_at: no head from ", heads->silent[0],
                    ". Start it there, or allow one start with audit.start_without_heads: true, "
                    "which is recorded")));
  }
  auto index = audit::SearchIndex::Open(
      JoinPath(audit.derived, "index"),
      {*detail_keys_, pseudonyms_->DeriveKey("sluice/search-index/v1"),
       [this](const absl::Status& why) {
         operations_.Write(Severity::kWarning, "index_trouble", std::string(why.message()));
       }});
  if (!index.ok()) return Fail(kExitConfiguration, index.status());
  index_ = *std::move(index);
  if (absl::Status status = AppendRun(v1::RECORD_KIND_STARTED, recovery_, !heads->silent.empty());
      !status.ok()) {
    return Fail(kExitLogPoisoned, status);
  }
  index_->Keep(*log_);
  return nullptr;
}

// Appends a STARTED or STOPPED record and waits for it.
absl::Status Daemon::AppendRun(v1::RecordKind kind, const audit::RecoveryReport& report,
                               bool heads_unconfirmed) {
  audit::Draft draft = audit::NewDraft(kind);
  draft.envelope.set_subjects_asked(v1::SUBJECT_SCOPE_NONE);
  draft.envelope.set_subjects_released(v1::SUBJECT_SCOPE_NONE);
  v1::RunInfo& run = *draft.envelope.mutable_run();
  run.set_version(std::string(Version()));
  run.set_configuration_digest(config_digest_);
  run.add_key_digests(std::string(AsBytes(Sha256(signing_key_->verifier.public_key))));
  run.add_key_digests(certificate_digest_);
  for (const certs::AuthorityConfig& authority : authorities_.authorities)
    run.add_key_digests(std::string(AsBytes(Sha256(authority.certificates_pem))));
  run.set_clean(report.clean);
  run.set_torn_bytes(static_cast<int64_t>(report.torn_bytes));
  run.set_heads_unconfirmed(heads_unconfirmed);
  return AppendAndWait(std::move(draft));
}

absl::Status Daemon::AppendAndWait(audit::Draft draft) {
  SLUICE_ASSIGN_OR_RETURN(audit::SealedRecord record, sealer_->Seal(std::move(draft)));
  std::promise<absl::Status> appended;
  log_->Append(std::move(record), [&appended](absl::StatusOr<v1::Receipt> receipt) {
    appended.set_value(receipt.status());
  });
  return appended.get_future().get();
}

// Makes the snapshot anew and lets everything that depends on it know.
absl::Status Daemon::Publish() {
  certs::ChainVerifierOptions authorities;
  {
    MutexLock lock(config_mutex_);
    authorities = authorities_;
  }
  SLUICE_ASSIGN_OR_RETURN(policy::SnapshotPtr snapshot,
                          BuildSnapshot(*store_, std::move(authorities)));
  sources_->Update(snapshot->directory->sources);
  snapshots_.Set(snapshot);
  running_->Check(*snapshot, clock_.Now());
  return absl::OkStatus();
}

absl::Status Daemon::MakeServices() {
  Config config;
  {
    MutexLock lock(config_mutex_);
    config = config_;
  }
  sources_ = std::make_unique<exchange::Sources>(clock_, exchange::OpenByKind(kinds_),
                                                 exchange::NotesInto(operations_));
  drift_ = std::make_unique<exchange::DriftWatch>(*sources_, clock_, operations_);
  running_ = std::make_unique<exchange::RunningExchanges>(
      exchange::RunningExchanges::Limits{config.limits.running_calls,
                                         config.limits.running_calls_per_system,
                                         config.limits.streams},
      clock_);
  changes_ = audit::MakeChanges(*store_, *log_, *sealer_, [this] { return Publish(); });
  SLUICE_RETURN_IF_ERROR(changes_->Recover());
  SLUICE_RETURN_IF_ERROR(Publish());
  if (!config.seed.empty()) {
    SLUICE_ASSIGN_OR_RETURN(const std::string text, files_->ReadAll(config.seed));
    SLUICE_ASSIGN_OR_RETURN(const identity::Seed seed, identity::ParseSeed(text, config.seed));
    SLUICE_RETURN_IF_ERROR(identity::ApplySeed(*store_, *changes_, seed));
  }
  usage_ = std::make_unique<exchange::UsageHistory>(JoinPath(config.run_directory, "usage.json"),
                                                    *files_);
  SLUICE_RETURN_IF_ERROR(
      usage_->Restore(*log_, *snapshots_.Get(), clock_.Now(), quotas_, request_ids_));
  SLUICE_RETURN_IF_ERROR(
      exchange::AbandonStreams(*usage_, *log_, *sealer_, *snapshots_.Get(), quotas_, operations_));

  tokens_ =
      std::make_unique<exchange::Tokens>(pseudonyms_->DeriveKey("sluice/page-token/v1"), *random_);
  denials_ = std::make_unique<exchange::Denials>(*log_, *sealer_, clock_);
  exchange::BrokerLimits limits;
  limits.decide.max_page_rows = config.limits.max_page_rows;
  limits.token_life = config.limits.token_life;
  limits.stall = config.limits.stall;
  broker_ = std::make_unique<exchange::Broker>(
      exchange::BrokerParts{snapshots_, *sources_, *running_, quotas_, request_ids_, *tokens_,
                            *denials_, *log_, *sealer_, *pseudonyms_, clock_, operations_, *drift_,
                            &gate_},
      limits);
  const exchange::LogReadingParts reading{*log_,      *index_,      *detail_keys_,
                                          *sealer_,   *pseudonyms_, *tokens_,
                                          snapshots_, clock_,       &cosigned_};
  exchange::LogTailLimits tail_limits;
  tail_limits.stall = config.limits.stall;
  tail_ = std::make_unique<exchange::LogTail>(reading, tail_limits);
  reading_ = std::make_unique<exchange::LogReading>(
      reading, *tail_, audit::FormatVerifierKey(signing_key_->verifier));
  reports_ = std::make_unique<exchange::LogReports>(reading);
  sharing_reports_ = std::make_unique<exchange::SharingReports>(reading, rules_);
  SLUICE_RETURN_IF_ERROR(StartWatching(config));
  SLUICE_RETURN_IF_ERROR(StartHttp(config));
  return MakeControlServices(config);
}

}  // namespace sluice
