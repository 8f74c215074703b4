// The scorecard of sharing: who may have it, and its reading of the log, which is recorded before
// it is answered. Blocking; for a pool thread, one at a time.
#pragma once

#include <functional>
#include <memory>

#include "gateway/base/mutex.h"
#include "gateway/exchange/log_feed.h"
#include "gateway/sharing/rules.h"

namespace sluice::exchange {

class SharingReports {
 public:
  using Done = std::function<void(absl::StatusOr<v1::ReportSharingResponse>)>;

  // What the parts refer to outlives it.
  SharingReports(const LogReadingParts& parts, std::shared_ptr<const sharing::Rules> rules)
      : parts_(parts), rules_(std::move(rules)) {}

  // Of all agencies for a person with the role auditor or authority, of his own for one with the
  // role sharing_office. ROLE_REQUIRED, REQUEST_INVALID; OVERLOADED while another one is made;
  // CANCELLED where it takes longer than the caller waits; RESULT_TOO_LARGE.
  void ReportSharing(const Call& call, v1::ReportSharingRequest request, Done done);

 private:
  absl::StatusOr<v1::ReportSharingResponse> Make(const Call& call,
                                                 const v1::ReportSharingRequest& request,
                                                 uint64_t end);

  const LogReadingParts parts_;
  const std::shared_ptr<const sharing::Rules> rules_;
  Mutex mutex_;
  bool busy_ SLUICE_GUARDED_BY(mutex_) = false;
};

}  // namespace sluice::exchange
