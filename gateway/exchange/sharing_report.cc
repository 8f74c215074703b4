#include "gateway/exchange/sharing_report.h"

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/exchange/log_pace.h"
#include "gateway/sharing/scorecard.h"
#include "google/protobuf/util/json_util.h"

namespace sluice::exchange {
namespace {

constexpr uint64_t kRecordsBetweenLooks = 1'024;  // at the clock
constexpr size_t kMostBytes = 1 << 20;            // of a message

// The owner that it may be of; empty: all.
absl::StatusOr<std::string> OwnerFor(const identity::Principal& principal) {
  if (principal.kind == identity::PrincipalKind::kPerson) {
    if (principal.Has(v1::ROLE_AUDITOR) || principal.Has(v1::ROLE_AUTHORITY)) return std::string();
    if (principal.Has(v1::ROLE_SHARING_OFFICE)) return principal.agency;
  }
  return Error(v1::REASON_ROLE_REQUIRED,
               "this is for auditors, the authority, and sharing offices of their own agency.",
               {{"role", "auditor"}});
}

}  // namespace

absl::StatusOr<v1::ReportSharingResponse> SharingReports::Make(
    const Call& call, const v1::ReportSharingRequest& request, uint64_t end) {
  SLUICE_ASSIGN_OR_RETURN(std::string owner, OwnerFor(*call.principal));
  SLUICE_ASSIGN_OR_RETURN(const sharing::ScorecardSpan span, sharing::Scorecard::SpanOf(request));
  sharing::Scorecard scorecard(span, parts_.clock.Now(), std::move(owner), *rules_);
  absl::Status status;
  LogPace pace(parts_.log, parts_.clock);
  v1::AuditEnvelope envelope;
  // From the first record on: a request, a grant and a dataset are what all their changes made
  // them.
  SLUICE_RETURN_IF_ERROR(parts_.log.Read(0, [&](const audit::Log::Entry& entry) {
    if (entry.index >= end) return false;
    const bool looks = entry.index % kRecordsBetweenLooks == 0;
    if (looks) pace.Breathe();
    if (looks && call.deadline != 0 && parts_.clock.Monotonic() >= call.deadline) {
      status = Error(v1::REASON_CANCELLED, "the report took longer than the call may.");
      return false;
    }
    if (!envelope.ParseFromString(entry.record.envelope)) {
      status = absl::DataLossError(absl::StrCat("record ", entry.index, " does not parse"));
      return false;
    }
    absl::StatusOr<v1::AuditDetail> detail = absl::NotFoundError("not wanted");
    if (sharing::Scorecard::WantsDetail(envelope)) {
      detail = audit::OpenDetail(entry.record, parts_.keys);
      if (!detail.ok() && !absl::IsNotFound(detail.status())) status = detail.status();
    }
    if (status.ok()) status = scorecard.Add(envelope, detail.ok() ? &*detail : nullptr);
    return status.ok();
  }));
  SLUICE_RETURN_IF_ERROR(status);
  return scorecard.Build();
}

void SharingReports::ReportSharing(const Call& call, v1::ReportSharingRequest request, Done done) {
  // Who may not have it hears that first.
  if (const auto owner = OwnerFor(*call.principal); !owner.ok()) return done(owner.status());
  {
    MutexLock lock(mutex_);
    if (busy_) return done(Error(v1::REASON_OVERLOADED, "another such report is being made."));
    busy_ = true;
  }
  const uint64_t end = parts_.log.size();
  auto made = Make(call, request, end);
  {
    MutexLock lock(mutex_);
    busy_ = false;
  }
  if (!made.ok()) return done(made.status());
  made->set_records(static_cast<int64_t>(end));
  if (made->ByteSizeLong() > kMostBytes)
    return done(Error(v1::REASON_RESULT_TOO_LARGE, "ask for fewer months at once."));
  Reading reading;
  if (!google::protobuf::util::MessageToJsonString(request, &reading.request_json).ok())
    reading.request_json.clear();
  reading.to = made->records();
  reading.shown = made->scores_size();
  auto response = std::make_shared<v1::ReportSharingResponse>(*std::move(made));
  RecordReading(parts_, call, reading, [response, done](absl::StatusOr<int64_t> index) {
    if (!index.ok()) return done(index.status());
    response->set_read_index(*index);
    done(std::move(*response));
  });
}

}  // namespace sluice::exchange
