// How often each record was asked about in vain today, under each grant: whoever tries one value of
// a record after the other runs into the grant's limit. Kept in memory alone: a restart forgets it,
// while the misses of the whole grant are counted from the log. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gateway/base/clock.h"
#include "gateway/base/mutex.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::exchange {

class MatchTries {
 public:
  // Of a grant that sets none.
  static constexpr int64_t kTries = 10;

  // Takes a try of each record; one that stands there twice takes two. `records` are keyed digests.
  // QUOTA_EXCEEDED with the place of the first item that has none left; then none is taken.
  absl::Status Take(const v1::Grant& grant, const std::vector<std::string>& records, Micros now);
  // Those that were not in vain, or came to nothing.
  void GiveBack(const v1::Grant& grant, const std::vector<std::string>& records, Micros taken);

 private:
  struct Day {
    int64_t day = -1;
    std::map<std::string, int64_t> tries;
  };
  mutable Mutex mutex_;
  std::map<std::string, Day> grants_ SLUICE_GUARDED_BY(mutex_);
};

}  // namespace sluice::exchange
