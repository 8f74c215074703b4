// Running: what happens by the clock, reloading, draining, status.
#include <future>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gateway/base/error.h"
#include "gateway/daemon.h"

namespace sluice {
namespace {

constexpr int64_t kTicksASecond = 10;
constexpr Micros kPoisonedAnswersFor = 10 * kSecond;
constexpr Micros kAfterDrain = 15 * kSecond;
constexpr Micros kEndedCallsTell = 3 * kSecond;
constexpr absl::civil_diff_t kWarnOfCalendarsAhead = 60;  // days
constexpr Micros kWarnOfListsAhead = 2 * kDay;
constexpr int64_t kSaveUsageEverySeconds = 60;
constexpr int64_t kLookAtSourcesEverySeconds = 300;
constexpr int64_t kRecordFreshnessEverySeconds = 5;

void SetTime(Micros time, google::protobuf::Timestamp* out) {
  out->set_seconds(time / kSecond);
  out->set_nanos(static_cast<int32_t>(time % kSecond * 1000));
}

// A change of which the log keeps digests alone.
audit::ChangeOutcome DigestChange(std::string kind, std::string name, std::string_view before,
                                  std::string_view after) {
  const auto json = [](std::string_view digest) {
    return absl::StrCat("{\"sha256\":\"", HexEncode(digest), "\"}");
  };
  audit::ChangeOutcome change;
  change.resource_kind = std::move(kind);
  change.resource_name = std::move(name);
  change.action = "update";
  change.before_json = json(before);
  change.after_json = json(after);
  return change;
}

}  // namespace

// Calls go on being answered, with AUDIT_UNAVAILABLE, for ten seconds; then the process ends, and
// the next one recovers.
void Daemon::Poisoned(const absl::Status& why) {
  poisoned_ = true;
  operations_.Write(Severity::kError, "log_poisoned", std::string(why.message()));
  std::thread([this] {
    if (server_ != nullptr) server_->SetReady(false);
    if (running_ != nullptr)
      running_->EndAll(Error(v1::REASON_AUDIT_UNAVAILABLE,
                             "the access could not be recorded, so nothing was released."));
    if (tail_ != nullptr)
      tail_->EndAll(Error(v1::REASON_AUDIT_UNAVAILABLE, "the log takes no more records."));
    std::this_thread::sleep_for(std::chrono::microseconds(kPoisonedAnswersFor));
    end_(kExitLogPoisoned);
  }).detach();
}

void Daemon::Tick() {
  ++ticks_;
  running_->CheckDeadlines();
  if (const Micros at = end_calls_at_; at != 0 && clock_.Monotonic() >= at)
    running_->EndAll(Error(v1::REASON_SHUTTING_DOWN, "the gateway is draining."));
  denials_->Flush(false);
  // Grants and certificates run out by the clock alone, without a change that would tell.
  if (ticks_ % (kTicksASecond / 2) == 0) running_->Check(*snapshots_.Get(), clock_.Now());
  if (ticks_ % kTicksASecond == 0) EverySecond();
}

void Daemon::EverySecond() {
  const int64_t seconds = ticks_ / kTicksASecond;
  sources_->Reap();
  if (ready_) sources_->ProbeWhereDue();
  RotateKeys();
  WatchSelf();
  if (seconds % 3600 == 1) WarnOfLists();
  // The first look is at the start.
  if (seconds % kLookAtSourcesEverySeconds == 0) drift_->Look(snapshots_.Get());
  // Data become overdue by the clock alone, without a look that would tell.
  if (seconds % kRecordFreshnessEverySeconds == 0 && ready_ && !poisoned_) RecordFreshness();
  if (seconds % kSaveUsageEverySeconds == 0 && !poisoned_) {
    // On the control pool: it reads the log.
    if (!control_pool_->TrySubmit([this] { SaveUsage(); }))
      operations_.Write(Severity::kWarning, "usage_not_saved", "the control pool is busy");
  }
}

void Daemon::SaveUsage() {
  MutexLock lock(usage_mutex_);
  if (absl::Status status = usage_->Save(*log_, *snapshots_.Get()); !status.ok())
    operations_.Write(Severity::kWarning, "usage_not_saved", std::string(status.message()));
}

void Daemon::RotateKeys() {
  MutexLock reloading(reload_mutex_);
  Config config;
  certs::ChainVerifierOptions authorities;
  {
    MutexLock lock(config_mutex_);
    if (!listener_keys_.Changed(ListenerPairOf(config_))) {
      refused_pair_.clear();
      return;
    }
    config = config_;
    authorities = authorities_;
  }
  // Checked before anything is recorded or changed; while it is half written, once a second.
  const auto pair = listener_keys_.Check(ListenerPairOf(config));
  if (!pair.ok()) {
    const std::string why(pair.status().message());
    if (std::exchange(refused_pair_, why) != why)
      operations_.Write(Severity::kWarning, "pair_refused", why);
    return;
  }
  absl::Status status =
      RecordChange(nullptr, DigestChange("gateway_certificate", config.gateway, certificate_digest_,
                                         AsBytes(pair->chain[0].fingerprint())));
  if (status.ok()) status = StageKeys(config, authorities);
  if (!status.ok()) {
    operations_.Write(Severity::kWarning, "pair_refused", std::string(status.message()));
    return;
  }
  operations_.Write(Severity::kInfo, "pair_swapped", "new connections see the new certificate",
                    {{"expires", FormatUtc(certificate_expires_)}});
}

void Daemon::WarnOfLists() {
  const auto next = snapshots_.Get()->verifier->EarliestNextUpdate();
  if (next && *next - clock_.Now() < kWarnOfListsAhead)
    operations_.Write(Severity::kWarning, "revocation_list_due",
                      "a revocation list runs out; then the certificates under it are refused. "
                      "next  sluice certs publish LIST",
                      {{"next_update", FormatUtc(*next)}});
}

// A clock that runs past what its calendar knows cannot say when it is due.
void Daemon::WarnOfCalendars() {
  for (const auto& [name, calendar] : rules_->calendars()) {
    const absl::CivilDay end(calendar.last_year() + 1, 1, 1);
    if (end - calendar.DayOf(clock_.Now()) > kWarnOfCalendarsAhead) continue;
    operations_.Write(Severity::kWarning, "calendar_ends",
                      "a calendar of working days ends soon or has ended; clocks that run past it "
                      "have no due date. next  add the next year to a file of sharing.calendars",
                      {{"calendar", name},
                       {"file", calendar.file()},
                       {"last_year", absl::StrCat(calendar.last_year())}});
  }
}

absl::StatusOr<std::vector<std::string>> Daemon::Reload() {
  SLUICE_ASSIGN_OR_RETURN(const v1::ReloadResponse reloaded, Reload(nullptr));
  return std::vector<std::string>(reloaded.changes().begin(), reloaded.changes().end());
}

absl::StatusOr<v1::ReloadResponse> Daemon::Reload(const exchange::Call* call) {
  MutexLock reloading(reload_mutex_);
  std::string text;
  const auto refuse = [](const absl::Status& status) {
    absl::Status refused = Error(v1::REASON_DEFINITION_INVALID,
                                 "the configuration is bad; the old one stays in force.");
    for (absl::string_view line : absl::StrSplit(status.message(), '\n'))
      AddFieldViolation(refused, "configuration", std::string(line));
    return refused;
  };
  auto config = LoadConfig(config_file_, *files_, &text);
  if (!config.ok()) return refuse(config.status());
  if (const auto pair = listener_keys_.Check(ListenerPairOf(*config)); !pair.ok())
    return refuse(pair.status());
  auto authorities = ReadAuthorities(*config, *files_);
  if (!authorities.ok()) return refuse(authorities.status());
  if (const auto verifier = certs::ChainVerifier::Build(*authorities); !verifier.ok())
    return refuse(verifier.status());
  if (const auto rules = ReadSharingRules(*config, *files_); !rules.ok())
    return refuse(rules.status());

  const std::string digest(AsBytes(Sha256(text)));
  v1::ReloadResponse response;
  if (digest != config_digest_) {
    response.add_changes("settings outside tls and crl_grace take effect at the next start");
  }
  SLUICE_RETURN_IF_ERROR(
      RecordChange(call, DigestChange("configuration", config->gateway, config_digest_, digest)));
  config_digest_ = digest;
  {
    MutexLock lock(config_mutex_);
    config_.tls = config->tls;
    authorities_ = *authorities;
  }
  SLUICE_RETURN_IF_ERROR(StageKeys(*config, *authorities));
  SLUICE_RETURN_IF_ERROR(Publish());
  drift_->Look(snapshots_.Get());
  response.add_changes(absl::StrCat("key pair and ", config->tls.authorities.size(),
                                    " authorities with their revocation lists taken over"));
  return response;
}

Micros Daemon::drain_limit() const {
  MutexLock lock(config_mutex_);
  return config_.limits.drain_notice + config_.limits.drain + kAfterDrain;
}

void Daemon::Drain() {
  Config::Limits limits;
  {
    MutexLock lock(config_mutex_);
    limits = config_.limits;
  }
  operations_.Write(Severity::kInfo, "draining", "no longer ready; running calls go on",
                    {{"running", absl::StrCat(running_->count())}});
  draining_ = true;
  ready_ = false;
  server_->SetReady(false);
  std::this_thread::sleep_for(std::chrono::microseconds(limits.drain_notice));
  running_->Drain();
  tail_->Close();
  reports_->Close();
  if (auditors_http_ != nullptr) auditors_http_->Stop();
  end_calls_at_ = clock_.Monotonic() + limits.drain;
  // Those that are ended then are told why before the connections go.
  server_->Shutdown(limits.drain + kEndedCallsTell);
  running_->EndAll(Error(v1::REASON_SHUTTING_DOWN, "the gateway is draining."));
  ticking_ = false;
  ticker_.join();
  control_pool_->Close();
  index_->Stop();
  StopWatching();
  denials_->Flush(true);
  changes_->Close();
  if (!poisoned_) {
    SaveUsage();
    audit::RecoveryReport none;
    MutexLock lock(config_mutex_);
    if (absl::Status status = AppendRun(v1::RECORD_KIND_STOPPED, none, false); !status.ok())
      operations_.Write(Severity::kError, "stop_not_recorded", std::string(status.message()));
  }
  if (operations_http_ != nullptr) operations_http_->Stop();
  if (absl::Status status = log_->Close(); !status.ok())
    operations_.Write(Severity::kError, "log_not_closed", std::string(status.message()));
  operations_.Write(Severity::kInfo, "stopped", "drained",
                    {{"records", absl::StrCat(log_->size())}});
}

v1::GetStatusResponse Daemon::Status() const {
  v1::GetStatusResponse status;
  {
    MutexLock lock(config_mutex_);
    status.set_gateway(absl::StrCat("gateway/", config_.gateway));
  }
  status.set_version(std::string(Version()));
  SetTime(started_, status.mutable_started());
  status.set_ready(ready_ && !poisoned_ && !gate_.closed());
  if (poisoned_) status.add_problems("the audit log is poisoned: nothing is released");
  if (!ready_) status.add_problems("the gateway is draining");
  status.set_log_origin(signing_key_->name);
  status.set_log_records(static_cast<int64_t>(log_->size()));
  if (const auto head = log_->Head(false); head.ok() && !head->empty()) {
    if (const auto checkpoint = audit::VerifyCheckpoint(*head, signing_key_->verifier);
        checkpoint.ok()) {
      status.set_head_records(static_cast<int64_t>(checkpoint->size));
    }
  }
  status.set_index_records(static_cast<int64_t>(index_->size()));
  status.set_running_exchanges(running_->count());
  for (const std::string& dataset : drift_->Drifted())
    status.add_problems(absl::StrCat("the source of ", dataset,
                                     " no longer fits it, so nothing of it is released: sluice "
                                     "catalogue show ",
                                     dataset));
  for (v1::SourceStatus& source : sources_->Status()) *status.add_sources() = std::move(source);
  AddWatched(status);
  SetTime(certificate_expires_, status.mutable_certificate_expires());
  for (const certs::ListState& list : snapshots_.Get()->verifier->Lists()) {
    if (!list.present || list.next_update - clock_.Now() < kWarnOfListsAhead)
      status.add_problems(absl::StrCat("the revocation list of ", list.authority, " runs out at ",
                                       FormatUtc(list.next_update)));
  }
  return status;
}

}  // namespace sluice
