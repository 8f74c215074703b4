// The first record of a log that continues one that was sealed (docs/formats/seal.md).
#include "absl/strings/str_cat.h"
#include "gateway/audit/changes.h"
#include "gateway/audit/seal.h"
#include "gateway/base/error.h"
#include "gateway/control_state.h"
#include "gateway/daemon.h"

namespace sluice {

absl::StatusOr<std::optional<audit::Seal>> Daemon::ReadSeal() const {
  const std::string path = JoinPath(config_.audit.directory, audit::kSealFile);
  const auto text = files_->ReadAll(path, audit::kMostSealBytes);
  if (absl::IsNotFound(text.status())) return std::nullopt;
  if (!text.ok()) return text.status();
  SLUICE_ASSIGN_OR_RETURN(audit::Seal seal, audit::ParseSeal(*text, path));
  const auto said = audit::SealInfoOf(seal);
  if (!said.ok()) return Annotate(said.status(), path);
  const std::string successor = audit::SuccessorOrigin(said->origin());
  if (said->origin() == config_.audit.origin)
    return absl::DataLossError(absl::StrCat(path, ": this log was ended: ", audit::SealWords(*said),
                                            ". Its successor is ", successor,
                                            ": set audit.origin, audit.signing_key and "
                                            "audit.kept_head as sluice audit seal finish said"));
  if (successor != config_.audit.origin)
    return absl::InvalidArgumentError(absl::StrCat(path, ": the successor of ", said->origin(),
                                                   " is ", successor, ", but audit.origin is ",
                                                   config_.audit.origin));
  return seal;
}

absl::Status Daemon::ContinueSealed(const std::optional<audit::Seal>& seal) {
  if (seal && log_->size() == 0) SLUICE_RETURN_IF_ERROR(AppendSeal(*seal));
  if (log_->size() == 0) return absl::OkStatus();
  SLUICE_ASSIGN_OR_RETURN(const audit::Log::Entry first, log_->ReadOne(0));
  v1::AuditEnvelope envelope;
  if (!envelope.ParseFromString(first.record.envelope))
    return absl::DataLossError("record #0 does not parse");
  if (envelope.kind() != v1::RECORD_KIND_SEALED) return absl::OkStatus();
  return audit::BeginSuccessor(*store_, config_.audit.origin);
}

absl::Status Daemon::AppendSeal(const audit::Seal& seal) {
  // With the revocation lists that were published.
  SLUICE_ASSIGN_OR_RETURN(const policy::SnapshotPtr snapshot, BuildSnapshot(*store_, authorities_));
  auto info = audit::CheckSeal(seal, *snapshot->verifier, clock_.Now());
  if (!info.ok()) return Annotate(info.status(), "the log's seal");
  audit::Draft draft = audit::NewDraft(v1::RECORD_KIND_SEALED);
  draft.envelope.set_subjects_asked(v1::SUBJECT_SCOPE_NONE);
  draft.envelope.set_subjects_released(v1::SUBJECT_SCOPE_NONE);
  draft.envelope.set_retention(v1::RETENTION_CLASS_PERMANENT);
  *draft.envelope.mutable_seal() = *std::move(info);
  return AppendAndWait(std::move(draft));
}

}  // namespace sluice
