#include "gateway/exchange/abandoned.h"

#include <future>

#include "absl/strings/str_cat.h"
#include "gateway/audit/merkle.h"
#include "gateway/base/error.h"

namespace sluice::exchange {
namespace {

absl::StatusOr<v1::AuditEnvelope> EnvelopeAt(audit::Log& log, uint64_t index) {
  SLUICE_ASSIGN_OR_RETURN(const audit::Log::Entry entry, log.ReadOne(index));
  v1::AuditEnvelope envelope;
  if (!envelope.ParseFromString(entry.record.envelope))
    return absl::DataLossError(absl::StrCat("record ", index, " does not parse"));
  return envelope;
}

// What the stream's newest record says, as of its end.
audit::Draft DraftAfter(const v1::AuditEnvelope& latest, uint64_t opened) {
  audit::Draft draft = audit::NewDraft(v1::RECORD_KIND_ABANDONED);
  v1::AuditEnvelope& envelope = draft.envelope;
  *envelope.mutable_actor() = latest.actor();
  envelope.set_dataset(latest.dataset());
  envelope.set_dataset_revision(latest.dataset_revision());
  envelope.set_owner_agency(latest.owner_agency());
  envelope.set_grant(latest.grant());
  envelope.set_grant_revision(latest.grant_revision());
  envelope.set_purpose(latest.purpose());
  *envelope.mutable_basis() = latest.basis();
  envelope.set_media_type(latest.media_type());
  envelope.set_source_version(latest.source_version());
  envelope.set_subjects_asked(v1::SUBJECT_SCOPE_NONE);
  envelope.set_subjects_released(v1::SUBJECT_SCOPE_NONE);
  envelope.set_opened(static_cast<int64_t>(opened));
  const bool opening = latest.kind() == v1::RECORD_KIND_OPENED;
  *envelope.mutable_opened_time() = opening ? latest.time() : latest.opened_time();
  envelope.set_count(latest.count());
  envelope.set_payload_bytes(latest.payload_bytes());
  envelope.set_steps(latest.steps());
  envelope.set_batches(latest.batches());
  if (latest.has_continues()) *envelope.mutable_continues() = latest.continues();
  envelope.set_digest(!opening                 ? latest.digest()
                      : latest.has_continues() ? latest.continues().digest()
                                               : std::string(AsBytes(audit::EmptyRoot())));
  envelope.set_bad_values(latest.bad_values());
  return draft;
}

absl::StatusOr<v1::Receipt> AppendAndWait(audit::Log& log, audit::SealedRecord record) {
  std::promise<absl::StatusOr<v1::Receipt>> appended;
  log.Append(std::move(record), [&appended](absl::StatusOr<v1::Receipt> receipt) {
    appended.set_value(std::move(receipt));
  });
  return appended.get_future().get();
}

}  // namespace

absl::Status AbandonStreams(const UsageHistory& usage, audit::Log& log, audit::RecordSealer& sealer,
                            const policy::Snapshot& snapshot, QuotaLedger& quotas,
                            OperationalLog& operations) {
  for (const auto& [opened, latest] : usage.open_streams()) {
    SLUICE_ASSIGN_OR_RETURN(const v1::AuditEnvelope envelope, EnvelopeAt(log, latest));
    audit::Draft draft = DraftAfter(envelope, opened);
    const int64_t rows = draft.envelope.count();
    SLUICE_ASSIGN_OR_RETURN(audit::SealedRecord record, sealer.Seal(std::move(draft)));
    SLUICE_ASSIGN_OR_RETURN(const v1::Receipt receipt, AppendAndWait(log, std::move(record)));
    v1::AuditEnvelope recorded;
    const auto grant = snapshot.grants.find(envelope.grant());
    if (grant != snapshot.grants.end() && recorded.ParseFromString(receipt.envelope()))
      quotas.CountMore(grant->second->definition, rows, recorded.time().seconds() * kSecond);
    operations.Write(Severity::kWarning, "stream_abandoned",
                     "a stream was open when the gateway ended",
                     {{"opened", absl::StrCat(opened)},
                      {"index", absl::StrCat(receipt.index())},
                      {"rows_at_most", absl::StrCat(rows)}});
  }
  return absl::OkStatus();
}

}  // namespace sluice::exchange
