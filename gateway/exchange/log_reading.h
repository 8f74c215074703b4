// Reading the audit log, by role, each reading recorded before its answer leaves. Blocking; for a
// pool thread.
//
// Who sees which records: a consumer's systems and persons those of their own agency's acts; a
// person with the role owner also those on the agency's datasets; an auditor all; an operator none,
// unless another role gives more.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "gateway/exchange/log_export.h"
#include "gateway/exchange/log_tail.h"
#include "gateway/exchange/subject_keys.h"

namespace sluice::exchange {

class LogReading {
 public:
  template <class Response>
  using Done = std::function<void(absl::StatusOr<Response>)>;

  LogReading(const LogReadingParts& parts, LogTail& tail, std::string verifier_key);

  // `done` is called once, from this thread or the log's. ROLE_REQUIRED where the caller's roles
  // show nothing, RECORD_NOT_FOUND for what it may not see as for what does not exist. A page token
  // serves the same caller's same search, for an hour.
  void ListRecords(const Call& call, v1::ListRecordsRequest request,
                   Done<v1::ListRecordsResponse> done);
  void GetRecord(const Call& call, v1::GetRecordRequest request, Done<v1::GetRecordResponse> done);
  void ProveRecord(const Call& call, v1::ProveRecordRequest request,
                   Done<v1::ProveRecordResponse> done);
  absl::StatusOr<v1::GetHeadResponse> GetHead();
  // For operators and auditors; recorded as a change.
  void RebuildIndex(const Call& call, v1::RebuildIndexRequest request,
                    Done<v1::RebuildIndexResponse> done);
  // For a court, by two persons: SubjectKeys::Open.
  void OpenSubjectKey(const Call& call, const v1::OpenSubjectKeyRequest& request,
                      const Done<v1::OpenSubjectKeyResponse>& done) {
    subject_keys_.Open(call, request, done);
  }
  // Whatever it ends with goes to the follower's writer.
  void Tail(const std::shared_ptr<LogTail::Follower>& follower, const Call& call,
            v1::TailRequest request);
  // REQUEST_INVALID where more records are found than one export may have.
  void Export(const std::shared_ptr<LogTail::Follower>& follower, const Call& call,
              v1::ExportRequest request);
  // For auditors: envelopes of all.
  void CopyEntries(const std::shared_ptr<LogTail::Follower>& follower, const Call& call,
                   const v1::CopyEntriesRequest& request);
  LogTail& tail() { return tail_; }

 private:
  absl::StatusOr<audit::Log::Entry> Find(const Call& call, int64_t index,
                                         v1::AuditEnvelope* envelope);
  absl::Status AddLatest(v1::ListRecordsResponse& response);
  absl::StatusOr<audit::SearchResult> SearchAndRead(const LogQuestion& question,
                                                    const audit::SearchPage& page,
                                                    v1::ListRecordsResponse& response);
  absl::StatusOr<ExportPlan> PlanExport(const Call& call, v1::ExportRequest request);
  absl::Status FindAll(ExportPlan& plan);
  // False where the index named a record that is no answer.
  absl::StatusOr<bool> Add(const LogQuestion& question, uint64_t index,
                           v1::ListRecordsResponse& response);

  const LogReadingParts parts_;
  LogTail& tail_;
  const std::string verifier_key_;
  SubjectKeys subject_keys_;
};

}  // namespace sluice::exchange
