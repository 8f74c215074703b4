// The gateway watching itself: witnesses of its log, the scrub, alarms, and the gate for releases.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/base/process_usage.h"
#include "gateway/daemon.h"

namespace sluice {
namespace {

constexpr uint64_t kMostPolicy = 1 << 20;

void SetStamp(Micros time, google::protobuf::Timestamp* out) {
  out->set_seconds(time / kSecond);
  out->set_nanos(static_cast<int32_t>(time % kSecond * 1000));
}

// When cosignatures are late, though nothing stops yet.
Micros LateAfter(const Config::Audit::Witnesses& witnesses) {
  return std::max(kMinute, 3 * (witnesses.interval + witnesses.timeout));
}

}  // namespace

HttpTls Daemon::WitnessTls(const Config& config) {
  return {config.audit.witnesses.authorities, config.tls.certificate, config.tls.key};
}

absl::StatusOr<audit::TlogPolicy> ReadWitnessPolicy(const Config& config, FileSystem& files) {
  const std::string& path = config.audit.witnesses.policy;
  const auto text = files.ReadAll(path, kMostPolicy);
  if (!text.ok()) return Annotate(text.status(), "audit.witnesses.policy");
  SLUICE_ASSIGN_OR_RETURN(audit::TlogPolicy policy, audit::ParseTlogPolicy(*text, path));
  if (policy.quorum.empty() && config.audit.witnesses.releases_stop_after > 0)
    return absl::InvalidArgumentError(
        absl::StrCat("audit.witnesses.releases_stop_after: ", path,
                     " has \"quorum none\", so no cosignature is ever needed: name a quorum, or "
                     "set it to 0s"));
  return policy;
}

absl::Status Daemon::StartWatching(const Config& config) {
  const Config::Audit::Witnesses& witnesses = config.audit.witnesses;
  SelfWatchOptions options;
  options.disk_low = config.audit.disk_low;
  options.head_interval = config.audit.head_interval;
  if (!witnesses.policy.empty()) {
    witness::CosignerOptions cosigning;
    SLUICE_ASSIGN_OR_RETURN(cosigning.policy, ReadWitnessPolicy(config, *files_));
    cosigning.file = JoinPath(config.audit.derived, "cosigned-head");
    cosigning.interval = witnesses.interval;
    cosigning.timeout = witnesses.timeout;
    cosigning.late = options.cosign_late = LateAfter(witnesses);
    cosigning.tls = WitnessTls(config);
    options.cosign_stop = witnesses.releases_stop_after;
    if (options.cosign_stop > 0) cosigning.refresh = std::min(kMinute, options.cosign_stop / 3);
    SLUICE_ASSIGN_OR_RETURN(
        cosigner_, witness::Cosigner::Make(std::move(cosigning), *log_, signing_key_->verifier,
                                           *files_, clock_, operations_, cosigned_));
  }
  watch_ = std::make_unique<SelfWatch>(options, clock_, alarms_, gate_);
  // What stood in the way before stands in the way now.
  WatchSelf();
  if (cosigner_ != nullptr) cosigner_->Start();
  if (config.audit.scrub_rate > 0) {
    audit::ScrubOptions scrub;
    scrub.directory = config.audit.directory;
    scrub.bytes_a_second = static_cast<uint64_t>(config.audit.scrub_rate);
    scrub.rest = config.audit.scrub_rest;
    scrub_ = std::make_unique<audit::Scrub>(scrub, *log_, signing_key_->verifier, *files_, clock_);
    scrub_->Start();
  }
  return absl::OkStatus();
}

void Daemon::StopWatching() {
  if (cosigner_ != nullptr) cosigner_->Stop();
  if (scrub_ != nullptr) scrub_->Stop();
}

void Daemon::WatchSelf() {
  Observed observed;
  observed.poisoned = poisoned_;
  observed.log_records = log_->size();
  // Before the first head of this run, that which was found at start.
  observed.head_records =
      std::max<uint64_t>(log_meters_.head_size.load(), recovery_.head ? recovery_.head->size : 0);
  observed.index_records = static_cast<uint64_t>(index_->size());
  std::string log_folder;
  {
    MutexLock lock(config_mutex_);
    log_folder = config_.audit.directory;
  }
  if (const DiskSpace disk = ReadDiskSpace(log_folder); disk.size_bytes > 0)
    observed.disk_free = disk.free_bytes;
  if (cosigner_ != nullptr) observed.cosign_age = cosigner_->Age();
  if (scrub_ != nullptr) {
    if (const absl::Status found = scrub_->State().found; !found.ok())
      observed.mismatch = std::string(found.message());
  }
  observed.certificate_expires = certificate_expires_;
  observed.list_due = snapshots_.Get()->verifier->EarliestNextUpdate();
  const bool was_closed = gate_.closed();
  const Micros step = watch_->Look(observed);
  // Also those that were begun while it was being closed.
  if (gate_.closed()) running_->EndAll(gate_.Check());
  if (gate_.closed() != was_closed && server_ != nullptr && ready_)
    server_->SetReady(!gate_.closed());
  if (step != 0 && !poisoned_) RecordClockStep(step);
}

void Daemon::RecordClockStep(Micros step) {
  audit::Draft draft = audit::NewDraft(v1::RECORD_KIND_CHANGED);
  draft.envelope.set_subjects_asked(v1::SUBJECT_SCOPE_NONE);
  draft.envelope.set_subjects_released(v1::SUBJECT_SCOPE_NONE);
  draft.envelope.set_resource_kind("clock");
  draft.envelope.set_resource_name("system");
  draft.envelope.set_action("step");
  draft.envelope.set_clock_step(step);
  auto record = sealer_->Seal(std::move(draft));
  absl::Status sealed = record.status();
  if (sealed.ok())
    log_->Append(*std::move(record), [this](const absl::StatusOr<v1::Receipt>& receipt) {
      if (!receipt.ok())
        operations_.Write(Severity::kWarning, "clock_step_not_recorded",
                          std::string(receipt.status().message()));
    });
  else
    operations_.Write(Severity::kWarning, "clock_step_not_recorded", std::string(sealed.message()));
}

void Daemon::RecordFreshness() {
  if (const absl::Status status = freshness_record_->Look(snapshots_.Get()->datasets); !status.ok())
    operations_.Write(Severity::kWarning, "freshness_not_recorded", std::string(status.message()));
}

void Daemon::AddWatched(http::Measures& measures) const {
  measures.alarm_names = AlarmNames();
  measures.alarms = alarms_.Raised();
  measures.releases_stopped = gate_.closed();
  if (cosigner_ != nullptr) {
    measures.witnesses = WitnessStates();
    measures.cosigned_time = cosigner_->Time();
    if (const auto newest = cosigner_->Newest())
      measures.cosigned_records = static_cast<int64_t>(newest->checkpoint.size);
  }
  if (scrub_ != nullptr) {
    const audit::ScrubState state = scrub_->State();
    measures.scrub_passes = static_cast<int64_t>(state.passes);
    measures.scrub_records = static_cast<int64_t>(state.records);
    measures.scrub_time = state.ended;
  }
}

std::vector<v1::WitnessStatus> Daemon::WitnessStates() const {
  std::vector<v1::WitnessStatus> states;
  for (const witness::WitnessState& state : cosigner_->Witnesses()) {
    v1::WitnessStatus& one = states.emplace_back();
    one.set_witness(state.name);
    one.set_key(state.key);
    one.set_records(static_cast<int64_t>(state.records));
    if (state.cosigned != 0) SetStamp(state.cosigned, one.mutable_cosigned());
    one.set_failure(state.failure);
  }
  return states;
}

void Daemon::AddWatched(v1::GetStatusResponse& status) const {
  for (v1::Alarm& alarm : alarms_.Raised()) *status.add_alarms() = std::move(alarm);
  for (const std::string& cause : gate_.Causes())
    status.add_problems(absl::StrCat("nothing is released: ", cause));
  if (cosigner_ == nullptr) return;
  for (v1::WitnessStatus& state : WitnessStates()) *status.add_witnesses() = std::move(state);
  if (const auto newest = cosigner_->Newest()) {
    status.set_cosigned_records(static_cast<int64_t>(newest->checkpoint.size));
    SetStamp(cosigner_->Time(), status.mutable_cosigned());
  }
}

}  // namespace sluice
