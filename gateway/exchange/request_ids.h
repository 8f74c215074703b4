// Calls that were sent again under the same request_id (DESIGN, API): the same id with the same
// request within 24 hours is the same access, linked to the first and counted once, at most ten
// times; with another request it is refused. Any thread.
//
// Bounded: the newest `most` ids are kept; a repeat of one that was forgotten counts as a new
// access.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>

#include "absl/status/statusor.h"
#include "gateway/base/clock.h"
#include "gateway/base/mutex.h"

namespace sluice::exchange {

class RequestIds {
 public:
  explicit RequestIds(size_t most = 1'000'000) : most_(most) {}

  // The index of the first access, or -1 where this is it. `id` and `request` are keyed digests of
  // 16 bytes, `id` over the caller and its request_id. REQUEST_ID_CONFLICT, REQUEST_ID_EXHAUSTED.
  absl::StatusOr<int64_t> Look(const std::string& id, const std::string& request, Micros now);
  // An access under this id was let go, with this index; also when the log is read at start.
  void Released(const std::string& id, const std::string& request, int64_t index, Micros time);

 private:
  struct Use {
    std::string request;
    int64_t first = -1;
    Micros time = 0;
    int count = 0;
  };
  void Forget(Micros now) SLUICE_REQUIRES(mutex_);

  const size_t most_;
  Mutex mutex_;
  std::unordered_map<std::string, Use> uses_ SLUICE_GUARDED_BY(mutex_);
  std::deque<std::pair<Micros, std::string>> by_age_ SLUICE_GUARDED_BY(mutex_);
};

}  // namespace sluice::exchange
