#include "gateway/exchange/gated_log_testing.h"

#include <gtest/gtest.h>

#include "gateway/base/error.h"

namespace sluice::exchange {
namespace {

constexpr auto kGatePatience = std::chrono::seconds(30);

}  // namespace

void GatedLog::Hold() {
  MutexLock lock(mutex_);
  hold_ = true;
}

bool GatedLog::Await(size_t count) {
  while (held_.size() < count) {
    if (!changed_.WaitFor(mutex_, kGatePatience) && held_.size() < count) {
      ADD_FAILURE() << "only " << held_.size() << " of " << count << " records are held";
      return false;
    }
  }
  return true;
}

void GatedLog::AwaitHeld(size_t count) {
  MutexLock lock(mutex_);
  Await(count);
}

void GatedLog::PassOne() {
  std::pair<audit::SealedRecord, audit::AppendCallback> first;
  {
    MutexLock lock(mutex_);
    if (!Await(1)) return;
    first = std::move(held_.front());
    held_.pop_front();
  }
  log_.Append(std::move(first.first), std::move(first.second));
}

void GatedLog::PassAll() {
  std::deque<std::pair<audit::SealedRecord, audit::AppendCallback>> all;
  {
    MutexLock lock(mutex_);
    hold_ = false;
    all.swap(held_);
  }
  for (auto& [record, callback] : all) log_.Append(std::move(record), std::move(callback));
}

void GatedLog::Append(audit::SealedRecord record, audit::AppendCallback callback) {
  if (overloaded_) return callback(Error(v1::REASON_OVERLOADED, "the log has too much to do."));
  {
    MutexLock lock(mutex_);
    if (hold_) {
      held_.emplace_back(std::move(record), std::move(callback));
      changed_.NotifyAll();
      return;
    }
  }
  log_.Append(std::move(record), std::move(callback));
}

}  // namespace sluice::exchange
