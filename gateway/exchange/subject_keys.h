// Opens what turns identifiers of one year into pseudonyms, for a court: one person asks, another
// opens. Each step is a record before it is answered. What was asked for is kept in memory: a
// restart forgets it, and it is asked for anew. Blocking; for a pool thread.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "gateway/base/mutex.h"
#include "gateway/exchange/broker.h"
#include "sluice/v1/audit.pb.h"

namespace sluice::exchange {

class SubjectKeys {
 public:
  using Done = std::function<void(absl::StatusOr<v1::OpenSubjectKeyResponse>)>;
  struct Parts {
    audit::Log& log;
    audit::RecordSealer& sealer;
    const audit::Pseudonyms& pseudonyms;
    const Clock& clock;
  };
  explicit SubjectKeys(const Parts& parts) : parts_(parts) {}

  // Without id: asks, by an auditor; case and law are needed. With id: opens, by another person who
  // is an auditor or of the authority. The key is 32 bytes for each of audit::IdTypes, in that
  // order. ROLE_REQUIRED, REQUEST_INVALID, NOT_FOUND (asked for by nobody, a day ago, or before a
  // restart), SAME_HANDS.
  void Open(const Call& call, const v1::OpenSubjectKeyRequest& request, const Done& done);

 private:
  struct Asked {
    int32_t year = 0;
    std::string by;
    int64_t index = 0;  // of the record that it was asked in
    std::string case_reference;
    v1::LegalBasis basis;
    Micros expires = 0;
  };
  absl::StatusOr<v1::OpenSubjectKeyResponse> Ask(const Call& call,
                                                 const v1::OpenSubjectKeyRequest& request);
  absl::StatusOr<v1::OpenSubjectKeyResponse> OpenAsked(const Call& call,
                                                       const v1::OpenSubjectKeyRequest& request);
  // The index of the record.
  absl::StatusOr<int64_t> Record(const Call& call, const Asked& asked, const char* action,
                                 const std::string& why);

  const Parts parts_;
  Mutex mutex_;
  std::map<std::string, Asked> asked_ SLUICE_GUARDED_BY(mutex_);
};

}  // namespace sluice::exchange
