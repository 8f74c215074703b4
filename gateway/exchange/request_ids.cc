#include "gateway/exchange/request_ids.h"

#include "gateway/base/error.h"

namespace sluice::exchange {
namespace {
constexpr int kMostUses = 10;
}

void RequestIds::Forget(Micros now) {
  while (!by_age_.empty() && (by_age_.size() > most_ || now - by_age_.front().first >= kDay)) {
    uses_.erase(by_age_.front().second);
    by_age_.pop_front();
  }
}

absl::StatusOr<int64_t> RequestIds::Look(const std::string& id, const std::string& request,
                                         Micros now) {
  MutexLock lock(mutex_);
  Forget(now);
  const auto found = uses_.find(id);
  if (found == uses_.end()) return -1;
  if (found->second.request != request)
    return Error(v1::REASON_REQUEST_ID_CONFLICT,
                 "this request_id was used for another request in the last 24 hours.");
  if (found->second.count >= kMostUses)
    return Error(v1::REASON_REQUEST_ID_EXHAUSTED,
                 "this request was answered ten times under one request_id.");
  return found->second.first;
}

void RequestIds::Released(const std::string& id, const std::string& request, int64_t index,
                          Micros time) {
  MutexLock lock(mutex_);
  Use& use = uses_[id];
  if (use.count++ > 0) return;
  use.request = request;
  use.first = index;
  use.time = time;
  by_age_.emplace_back(time, id);
  Forget(time);
}

}  // namespace sluice::exchange
