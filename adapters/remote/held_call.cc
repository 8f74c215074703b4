#include "adapters/remote/held_call.h"

#include <utility>
#include <vector>

namespace sluice::adapters::remote {

std::shared_ptr<ScanCall> HeldCall::Take() {
  MutexLock lock(mutex_);
  in_use_ = true;
  return call_;
}

void HeldCall::Use(std::shared_ptr<ScanCall> call) {
  std::shared_ptr<ScanCall> before;  // ends without the lock
  MutexLock lock(mutex_);
  before = std::exchange(call_, std::move(call));
  if (cancelled_ && call_ != nullptr) call_->Cancel();
}

void HeldCall::Put(Micros now) {
  MutexLock lock(mutex_);
  in_use_ = false;
  since_ = now;
}

void HeldCall::Cancel() {
  MutexLock lock(mutex_);
  cancelled_ = true;
  if (call_ != nullptr) call_->Cancel();
}

void HeldCall::LetGo(Micros before) {
  std::shared_ptr<ScanCall> call;
  MutexLock lock(mutex_);
  if (!in_use_ && since_ <= before) call = std::exchange(call_, nullptr);
}

IdleWatch::~IdleWatch() {
  std::thread thread;
  {
    MutexLock lock(mutex_);
    stopped_ = true;
    thread = std::move(thread_);
  }
  changed_.NotifyAll();
  if (thread.joinable()) thread.join();
}

void IdleWatch::Add(const std::shared_ptr<HeldCall>& held) {
  MutexLock lock(mutex_);
  held_.emplace(held.get(), held);
  if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
}

void IdleWatch::Remove(const HeldCall* held) {
  MutexLock lock(mutex_);
  held_.erase(held);
}

void IdleWatch::Run() {
  for (;;) {
    std::vector<std::shared_ptr<HeldCall>> held;
    {
      MutexLock lock(mutex_);
      if (!stopped_) changed_.WaitFor(mutex_, std::chrono::microseconds(idle_ / 4 + 1));
      if (stopped_) return;
      for (const auto& [address, one] : held_)
        if (auto alive = one.lock()) held.push_back(std::move(alive));
    }
    const Micros before = clock_.Monotonic() - idle_;
    for (const auto& one : held) one->LetGo(before);
  }
}

}  // namespace sluice::adapters::remote
