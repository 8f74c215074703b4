#include "gateway/exchange/request_ids.h"

#include "gateway/base/error.h"

namespace sluice::exchange {
namespace {
constexpr int kMostUses = 10;
}

void RequestIds::Forget(Micros now) {
  while (!by_age_.empty() && (by_age_.size() > most_ || now - by_age_.begin()->first >= kDay)) {
    uses_.erase(by_age_.begin()->second);
    by_age_.erase(by_age_.begin());
  }
}

RequestIds::Use& RequestIds::Begin(const std::string& id, const std::string& request, Micros now) {
  Use& use = uses_[id];
  use.request = request;
  use.time = now;
  by_age_.emplace(now, id);
  return use;
}

RequestIds::Use* RequestIds::Find(const Place& place) {
  const auto found = uses_.find(place.id);
  return found == uses_.end() || found->second.time != place.since ? nullptr : &found->second;
}

absl::StatusOr<RequestIds::Place> RequestIds::Take(const std::string& id,
                                                   const std::string& request, Micros now) {
  MutexLock lock(mutex_);
  Forget(now);
  const auto found = uses_.find(id);
  Use& use = found == uses_.end() ? Begin(id, request, now) : found->second;
  if (use.request != request)
    return Error(v1::REASON_REQUEST_ID_CONFLICT,
                 "this request_id was used for another request in the last 24 hours.");
  if (use.count >= kMostUses)
    return Error(v1::REASON_REQUEST_ID_EXHAUSTED,
                 "this request was answered ten times under one request_id.");
  ++use.count;
  const Place place{id, use.time, use.first, use.rows};
  Forget(now);
  return place;
}

void RequestIds::GiveBack(const Place& place) {
  if (place.id.empty()) return;
  MutexLock lock(mutex_);
  Use* use = Find(place);
  if (use == nullptr || --use->count > 0 || use->first >= 0) return;
  by_age_.erase({use->time, place.id});
  uses_.erase(place.id);
}

void RequestIds::Released(const Place& place, int64_t index, int64_t rows) {
  if (place.id.empty()) return;
  MutexLock lock(mutex_);
  Use* use = Find(place);
  if (use == nullptr || use->first >= 0) return;
  use->first = index;
  use->rows = rows;
}

void RequestIds::Restore(const std::string& id, const std::string& request, int64_t index,
                         int64_t repeats, int64_t rows, Micros time) {
  MutexLock lock(mutex_);
  Forget(time);
  const auto found = uses_.find(id);
  if (found != uses_.end()) {
    ++found->second.count;
    return;
  }
  if (repeats >= 0) return;
  Use& use = Begin(id, request, time);
  use.first = index;
  use.rows = rows;
  use.count = 1;
  Forget(time);
}

}  // namespace sluice::exchange
