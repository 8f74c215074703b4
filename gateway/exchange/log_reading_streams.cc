// The readings that prove themselves.
#include <algorithm>
#include <future>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/exchange/log_reading.h"
#include "google/protobuf/util/json_util.h"

namespace sluice::exchange {
namespace {

constexpr int kFoundAtOnce = 1000;

std::string RecordedForm(const google::protobuf::Message& request) {
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(request, &json).ok()) json.clear();
  return json;
}

// Waits for the record: its own index is part of the answer.
absl::StatusOr<int64_t> RecordNow(const LogReadingParts& parts, const Call& call,
                                  const Reading& reading) {
  auto recorded = std::make_shared<std::promise<absl::StatusOr<int64_t>>>();
  RecordReading(parts, call, reading,
                [recorded](absl::StatusOr<int64_t> index) { recorded->set_value(index); });
  return recorded->get_future().get();
}

}  // namespace

absl::Status LogReading::FindAll(ExportPlan& plan) {
  audit::SearchPage page{kFoundAtOnce, -1};
  for (;;) {
    v1::ListRecordsResponse found;  // checked against the records themselves, and dropped
    SLUICE_ASSIGN_OR_RETURN(const audit::SearchResult result,
                            SearchAndRead(plan.question, page, found));
    if (page.before < 0) {
      plan.start.set_searched_to(static_cast<int64_t>(result.searched_to));
      plan.start.set_erased(static_cast<int64_t>(result.erased));
    }
    for (const v1::Record& record : found.records())
      plan.records.push_back(static_cast<uint64_t>(record.index()));
    if (plan.records.size() > kMostExported)
      return InvalidField("filter", absl::StrCat("is met by more than ", kMostExported,
                                                 " records, which is what one export may have; "
                                                 "narrow it by since and until"));
    if (!result.more || result.hits.empty()) break;
    page.before = static_cast<int64_t>(result.hits.back());
  }
  std::reverse(plan.records.begin(), plan.records.end());
  return absl::OkStatus();
}

absl::StatusOr<ExportPlan> LogReading::PlanExport(const Call& call, v1::ExportRequest request) {
  ExportPlan plan;
  SLUICE_ASSIGN_OR_RETURN(plan.question,
                          PrepareQuestion(*call.principal, request.filter(), parts_.pseudonyms,
                                          parts_.log, parts_.index, parts_.clock.Now()));
  plan.without_details = request.without_details();
  SLUICE_RETURN_IF_ERROR(FindAll(plan));
  *request.mutable_filter() = plan.question.recorded;
  Reading reading;
  reading.request_json = RecordedForm(request);
  reading.asked = plan.question.query.subjects;
  reading.to = plan.start.searched_to();
  reading.shown = static_cast<int64_t>(plan.records.size());
  SLUICE_ASSIGN_OR_RETURN(const int64_t index, RecordNow(parts_, call, reading));
  plan.read_index = static_cast<uint64_t>(index);
  SLUICE_ASSIGN_OR_RETURN(plan.head, HeadOver(parts_, plan.read_index + 1));
  plan.start.set_checkpoint(plan.head.note);
  plan.start.set_verifier_key(verifier_key_);
  plan.start.set_count(reading.shown);
  *plan.start.mutable_asked() = plan.question.recorded;
  return plan;
}

void LogReading::Export(const std::shared_ptr<LogTail::Follower>& follower, const Call& call,
                        v1::ExportRequest request) {
  auto plan = PlanExport(call, std::move(request));
  if (!plan.ok()) return LogTail::Refuse(follower, plan.status());
  const audit::Scope scope = plan->question.scope;
  tail_.ServeRecorded(follower, scope, MakeExportFeed(parts_, *std::move(plan)));
}

void LogReading::CopyEntries(const std::shared_ptr<LogTail::Follower>& follower, const Call& call,
                             const v1::CopyEntriesRequest& request) {
  absl::StatusOr<audit::Scope> scope = ScopeOf(*call.principal);
  if (scope.ok() && !scope->all)
    scope = Error(v1::REASON_ROLE_REQUIRED, "a copy of the log is for auditors.",
                  {{"role", "auditor"}});
  if (scope.ok() && request.from() < 0) scope = InvalidField("from", "must be 0 or more");
  if (scope.ok() && request.old_size() < 0) scope = InvalidField("old_size", "must be 0 or more");
  if (!scope.ok()) return LogTail::Refuse(follower, scope.status());
  // All that is in the log by now.
  auto head = HeadOver(parts_, std::max<uint64_t>(parts_.log.size(), 1));
  if (!head.ok()) return LogTail::Refuse(follower, head.status());
  Reading reading;
  reading.request_json = RecordedForm(request);
  reading.to = static_cast<int64_t>(head->checkpoint.size);
  reading.from = std::min(request.from(), reading.to);
  reading.shown = reading.to - reading.from;
  tail_.Serve(follower, *scope,
              MakeCopyFeed(parts_, *std::move(head), static_cast<uint64_t>(request.from()),
                           static_cast<uint64_t>(request.old_size())),
              reading);
}

}  // namespace sluice::exchange
