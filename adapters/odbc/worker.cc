#include "adapters/odbc/worker.h"

#include <optional>
#include <thread>
#include <utility>

#include "gateway/base/mutex.h"

namespace sluice::adapters::odbc {
namespace {

constexpr Micros kSlice = 10 * kMillisecond;  // how soon somebody who gives up is heard

}  // namespace

struct Worker::Ended::State {
  Mutex mutex;
  Condition ended;
  bool has_ended SLUICE_GUARDED_BY(mutex) = false;
};

struct Worker::State {
  Mutex mutex;
  Condition changed;
  std::function<absl::Status()> job SLUICE_GUARDED_BY(mutex);
  std::optional<absl::Status> result SLUICE_GUARDED_BY(mutex);
  std::function<void()> last SLUICE_GUARDED_BY(mutex);
  const std::shared_ptr<Ended::State> end = std::make_shared<Ended::State>();

  // Empty: it is time for `last`.
  std::function<absl::Status()> Take() {
    MutexLock lock(mutex);
    while (job == nullptr && last == nullptr) changed.Wait(mutex);
    return std::exchange(job, nullptr);
  }

  void Run() {
    for (;;) {
      std::function<absl::Status()> next = Take();
      if (next == nullptr) break;
      absl::Status done = next();
      next = nullptr;
      MutexLock lock(mutex);
      result = std::move(done);
      changed.NotifyAll();
    }
    std::function<void()> ending;
    {
      MutexLock lock(mutex);
      ending = std::exchange(last, nullptr);
    }
    ending();
    ending = nullptr;
    MutexLock lock(end->mutex);
    end->has_ended = true;
    end->ended.NotifyAll();
  }
};

Worker::Worker() : state_(std::make_shared<State>()) {
  std::thread([state = state_] { state->Run(); }).detach();
}

Worker::~Worker() {
  if (!left_) Leave([] {});
}

absl::Status Worker::Do(std::function<absl::Status()> job, const Watch& watch, Micros most,
                        const absl::Status& late) {
  if (left_behind_) return late;
  MutexLock lock(state_->mutex);
  state_->result.reset();
  state_->job = std::move(job);
  state_->changed.NotifyAll();
  for (Micros waited = 0;;) {
    if (state_->result) return *std::exchange(state_->result, std::nullopt);
    if (state_->changed.WaitFor(state_->mutex, std::chrono::microseconds(kSlice))) continue;
    if (state_->result) continue;
    waited += kSlice;
    absl::Status over = watch.Check();
    if (over.ok() && waited >= most) over = late;
    if (over.ok()) continue;
    left_behind_ = true;
    return over;
  }
}

void Worker::Leave(std::function<void()> last) {
  left_ = true;
  MutexLock lock(state_->mutex);
  state_->last = std::move(last);
  state_->changed.NotifyAll();
}

bool Worker::Ended::Wait(Micros most) const {
  MutexLock lock(state_->mutex);
  for (Micros waited = 0; !state_->has_ended && waited < most;)
    if (!state_->ended.WaitFor(state_->mutex, std::chrono::microseconds(kSlice))) waited += kSlice;
  return state_->has_ended;
}

Worker::Ended Worker::ended() const {
  Ended ended;
  ended.state_ = state_->end;
  return ended;
}

}  // namespace sluice::adapters::odbc
