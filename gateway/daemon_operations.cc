// What the operator does to a running gateway. Each act is recorded before it takes effect.
#include <filesystem>
#include <future>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gateway/base/error.h"
#include "gateway/daemon.h"
#include "gateway/records/utf8.h"

namespace sluice {
namespace {

constexpr size_t kMostReason = 1000;

absl::Status CheckReason(const std::string& reason) {
  std::string mistake;
  if (records::IsBlank(reason)) mistake = "needed: it is recorded";
  if (reason.size() > kMostReason) mistake = "at most 1,000 bytes";
  if (mistake.empty()) return absl::OkStatus();
  absl::Status status = Error(v1::REASON_REQUEST_INVALID, absl::StrCat("reason: ", mistake));
  AddFieldViolation(status, "reason", mistake);
  return status;
}

audit::ChangeOutcome Act(std::string kind, std::string name, std::string action,
                         std::string reason) {
  audit::ChangeOutcome act;
  act.resource_kind = std::move(kind);
  act.resource_name = std::move(name);
  act.action = std::move(action);
  act.reason = std::move(reason);
  return act;
}

}  // namespace

absl::Status Daemon::RecordChange(const exchange::Call* call, const audit::ChangeOutcome& change) {
  audit::Draft draft = call != nullptr ? exchange::DraftFor(v1::RECORD_KIND_CHANGED, *call)
                                       : audit::NewDraft(v1::RECORD_KIND_CHANGED);
  draft.envelope.set_subjects_asked(v1::SUBJECT_SCOPE_NONE);
  draft.envelope.set_subjects_released(v1::SUBJECT_SCOPE_NONE);
  draft.envelope.set_resource_kind(change.resource_kind);
  draft.envelope.set_resource_name(change.resource_name);
  draft.envelope.set_action(change.action);
  draft.envelope.set_dataset(change.dataset);
  draft.envelope.set_owner_agency(change.owner_agency);
  draft.detail.set_before_json(change.before_json);
  draft.detail.set_after_json(change.after_json);
  draft.detail.set_change_reason(change.reason);
  SLUICE_ASSIGN_OR_RETURN(audit::SealedRecord record, sealer_->Seal(std::move(draft)));
  auto appended = std::make_shared<std::promise<absl::Status>>();
  log_->Append(std::move(record), [appended](absl::StatusOr<v1::Receipt> receipt) {
    appended->set_value(receipt.status());
  });
  return appended->get_future().get();
}

v1::ListExchangesResponse Daemon::ListExchanges(const v1::ListExchangesRequest& request) const {
  v1::ListExchangesResponse response;
  for (v1::RunningExchange& exchange : running_->List())
    if (exchange.stream() || !request.streams_only())
      *response.add_exchanges() = std::move(exchange);
  return response;
}

absl::StatusOr<v1::CancelExchangeResponse> Daemon::CancelExchange(
    const exchange::Call& call, const v1::CancelExchangeRequest& request) {
  SLUICE_RETURN_IF_ERROR(CheckReason(request.reason()));
  const auto found = running_->Find(request.call_id());
  const absl::Status gone =
      Error(v1::REASON_NOT_FOUND, "No exchange of this call runs; it may have ended by itself.",
            {{"exchange", request.call_id()}});
  if (!found) return gone;
  audit::ChangeOutcome act = Act("exchange", found->call_id(), "cancel", request.reason());
  act.dataset = found->dataset();
  act.owner_agency = found->dataset().substr(0, found->dataset().find('/'));
  SLUICE_RETURN_IF_ERROR(RecordChange(&call, act));
  if (!running_->End(found->call_id(), Error(v1::REASON_ENDED_BY_OPERATOR,
                                             absl::StrCat("the gateway's operator ended the call: ",
                                                          request.reason()),
                                             {{"dataset", found->dataset()}})))
    return gone;
  v1::CancelExchangeResponse response;
  *response.mutable_exchange() = *found;
  return response;
}

absl::StatusOr<v1::DrainResponse> Daemon::AskToDrain(const exchange::Call& call,
                                                     const v1::DrainRequest& request) {
  SLUICE_RETURN_IF_ERROR(CheckReason(request.reason()));
  v1::DrainResponse response;
  std::string gateway;
  {
    MutexLock lock(config_mutex_);
    gateway = config_.gateway;
    response.set_limit_seconds((config_.limits.drain_notice + config_.limits.drain) / kSecond);
  }
  SLUICE_RETURN_IF_ERROR(RecordChange(&call, Act("gateway", gateway, "drain", request.reason())));
  response.set_running(running_->count());
  end_(kExitDrained);
  return response;
}

absl::StatusOr<v1::BackupResponse> Daemon::Backup(const exchange::Call& call) {
  std::string folder, gateway;
  {
    MutexLock lock(config_mutex_);
    gateway = config_.gateway;
    // "2026-11-26T05:09:17.123456Z" is no name for a folder everywhere.
    const std::string time = absl::StrReplaceAll(FormatUtc(clock_.Now()), {{":", ""}});
    // The configuration may have been named from where the gateway was started.
    const std::string store = std::filesystem::absolute(config_.store).lexically_normal().string();
    folder = JoinPath(JoinPath(DirectoryOf(store), "backups"), time);
  }
  SLUICE_RETURN_IF_ERROR(RecordChange(&call, Act("gateway", gateway, "backup", "")));
  v1::BackupResponse response;
  SLUICE_RETURN_IF_ERROR(files_->CreateDirectories(folder));
  const std::string file = JoinPath(folder, "control.db");
  SLUICE_RETURN_IF_ERROR(store_->CopyTo(file));
  // Not before: the log must have all that the copy knows of.
  response.set_log_records(static_cast<int64_t>(log_->size()));
  SLUICE_RETURN_IF_ERROR(files_->SyncDirectory(folder));
  SLUICE_ASSIGN_OR_RETURN(const std::string bytes, files_->ReadAll(file, uint64_t{4} << 30));
  response.set_folder(folder);
  v1::BackedUpFile& copied = *response.add_files();
  copied.set_name("control.db");
  copied.set_bytes(static_cast<int64_t>(bytes.size()));
  copied.set_sha256(std::string(AsBytes(Sha256(bytes))));
  return response;
}

}  // namespace sluice
