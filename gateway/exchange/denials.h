// Records denials. Up to ten a second for one caller and reason each become a record of their own,
// and the answer waits until it is durable; those beyond are counted, into one record a second
// whose detail lists the subjects asked about ('population' where they overflow). Any thread.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/audit/log.h"
#include "gateway/audit/record.h"
#include "gateway/base/clock.h"
#include "gateway/base/mutex.h"

namespace sluice::exchange {

class Denials {
 public:
  Denials(audit::Log& log, audit::RecordSealer& sealer, const Clock& clock)
      : log_(log), sealer_(sealer), clock_(clock) {}

  // `draft` is a DENIED record with reason and actor. `done` gets the index, or -1 where it was
  // only counted, or AUDIT_UNAVAILABLE.
  void Record(audit::Draft draft, std::function<void(absl::StatusOr<int64_t>)> done);
  // Writes the counted records of seconds that are over. Called several times a second, and with
  // `all` at the end.
  void Flush(bool all);

 private:
  struct Window {
    int64_t second = 0;
    int recorded = 0;
    audit::Draft counted;  // a DENIALS draft, where count > 0
  };
  void Append(audit::Draft draft, std::function<void(absl::StatusOr<int64_t>)> done);
  static void Count(const audit::Draft& denied, Window& window);

  audit::Log& log_;
  audit::RecordSealer& sealer_;
  const Clock& clock_;
  Mutex mutex_;
  std::map<std::string, Window> windows_ SLUICE_GUARDED_BY(mutex_);
};

}  // namespace sluice::exchange
