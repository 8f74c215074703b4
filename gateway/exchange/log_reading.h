// Reading the audit log, by role, each reading recorded before its answer leaves. Blocking; for a
// pool thread.
//
// Who sees which records: a consumer's systems and persons those of their own agency's acts; a
// person with the role owner also those on the agency's datasets; an auditor all; an operator none,
// unless another role gives more.
#pragma once

#include <functional>
#include <memory>

#include "gateway/audit/search.h"
#include "gateway/exchange/broker.h"
#include "sluice/v1/audit.pb.h"

namespace sluice::exchange {

class LogReading {
 public:
  template <class Response>
  using Done = std::function<void(absl::StatusOr<Response>)>;

  LogReading(audit::Log& log, audit::SearchIndex& index, const audit::DetailKeys& keys,
             audit::RecordSealer& sealer, const Tokens& tokens, const Clock& clock,
             std::string verifier_key);

  // `done` is called once, from this thread or the log's. ROLE_REQUIRED where the caller's roles
  // show nothing, RECORD_NOT_FOUND for what it may not see as for what does not exist. A page token
  // serves the same caller's same search, for an hour.
  void ListRecords(const Call& call, v1::ListRecordsRequest request,
                   Done<v1::ListRecordsResponse> done);
  void GetRecord(const Call& call, v1::GetRecordRequest request, Done<v1::GetRecordResponse> done);
  void ProveRecord(const Call& call, v1::ProveRecordRequest request,
                   Done<v1::ProveRecordResponse> done);
  absl::StatusOr<v1::GetHeadResponse> GetHead();

 private:
  absl::StatusOr<audit::Log::Entry> Find(const Call& call, int64_t index,
                                         v1::AuditEnvelope* envelope);
  absl::Status AddLatest(v1::Record& record);
  // Appends the record of a reading; then `answer` with its index.
  void Record(const Call& call, const google::protobuf::Message& request, int64_t from, int64_t to,
              std::function<void(absl::StatusOr<int64_t>)> answer);

  audit::Log& log_;
  audit::SearchIndex& index_;
  const audit::DetailKeys& keys_;
  audit::RecordSealer& sealer_;
  const Tokens& tokens_;
  const Clock& clock_;
  const std::string verifier_key_;
};

}  // namespace sluice::exchange
