// Calls that were sent again under the same request_id (DESIGN, API): the same id with the same
// request within 24 hours is the same access, linked to the first and counted once, at most ten
// times; with another request it is refused. Any thread.
//
// Each call takes one of the ten before its work and either lets its answer go or gives its place
// back, so that calls at the same time get no more than ten either. Those sent before the first is
// answered are linked to nothing yet: each is an access of its own.
//
// Bounded: the newest `most` ids are kept; a repeat of one that was forgotten counts as a new
// access.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "absl/status/statusor.h"
#include "gateway/base/clock.h"
#include "gateway/base/mutex.h"

namespace sluice::exchange {

class RequestIds {
 public:
  explicit RequestIds(size_t most = 1'000'000) : most_(most) {}

  // One place among the ten. A value; empty unless Take gave it.
  struct Place {
    std::string id;
    Micros since = 0;    // when the id was first used
    int64_t first = -1;  // index of the first access; -1 where this is it
    int64_t rows = 0;    // that the first access let go
  };
  // `id` and `request` are keyed digests of 16 bytes, `id` over the caller and its request_id.
  // REQUEST_ID_CONFLICT, REQUEST_ID_EXHAUSTED. GiveBack or Released must follow.
  absl::StatusOr<Place> Take(const std::string& id, const std::string& request, Micros now);
  // Nothing was let go. No effect on an empty place.
  void GiveBack(const Place& place);
  // The answer was let go, with this record.
  void Released(const Place& place, int64_t index, int64_t rows);

  // When the log is read at start, in its order: an access with this index, which repeats another
  // one or (-1) none. A repeat of what is older than a day makes nothing live on.
  void Restore(const std::string& id, const std::string& request, int64_t index, int64_t repeats,
               int64_t rows, Micros time);

 private:
  struct Use {
    std::string request;
    int64_t first = -1;
    int64_t rows = 0;
    Micros time = 0;
    int count = 0;
  };
  void Forget(Micros now) SLUICE_REQUIRES(mutex_);
  Use& Begin(const std::string& id, const std::string& request, Micros now) SLUICE_REQUIRES(mutex_);
  // Null where the id was forgotten since, or is another's use.
  Use* Find(const Place& place) SLUICE_REQUIRES(mutex_);

  const size_t most_;
  Mutex mutex_;
  std::unordered_map<std::string, Use> uses_ SLUICE_GUARDED_BY(mutex_);
  std::set<std::pair<Micros, std::string>> by_age_ SLUICE_GUARDED_BY(mutex_);
};

}  // namespace sluice::exchange
