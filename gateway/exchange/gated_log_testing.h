// A log before which records can be held.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <string>
#include <utility>

#include "gateway/audit/log.h"
#include "gateway/base/mutex.h"

namespace sluice::exchange {

class GatedLog : public audit::Log {
 public:
  explicit GatedLog(audit::Log& log) : log_(log) {}
  // Holds what comes from now on.
  void Hold();
  // Returns when this many are held; fails the test after half a minute.
  void AwaitHeld(size_t count = 1);
  // Lets the first that is held go; waits for it.
  void PassOne();
  // Passes on what is held, in order, and holds no more.
  void PassAll();
  // Refuses appends, as a log does that has too much to do.
  void Overload(bool on) { overloaded_ = on; }

  void Append(audit::SealedRecord record, audit::AppendCallback callback) override;
  uint64_t size() const override { return log_.size(); }
  bool poisoned() const override { return log_.poisoned(); }
  void OnPoison(std::function<void(const absl::Status&)> callback) override {
    log_.OnPoison(std::move(callback));
  }
  void OnGrowth(std::function<void()> callback) override { log_.OnGrowth(std::move(callback)); }
  absl::StatusOr<std::string> Head(bool fresh) override { return log_.Head(fresh); }
  absl::Status Read(uint64_t begin, const std::function<bool(const Entry&)>& each) override {
    return log_.Read(begin, each);
  }
  absl::StatusOr<Entry> ReadOne(uint64_t index) override { return log_.ReadOne(index); }
  absl::StatusOr<audit::TlogProof> Prove(uint64_t index) override { return log_.Prove(index); }
  absl::StatusOr<std::vector<Hash>> Subtrees(uint64_t first, int level, size_t count) override {
    return log_.Subtrees(first, level, count);
  }
  absl::Status Close() override { return log_.Close(); }

 private:
  bool Await(size_t count) SLUICE_REQUIRES(mutex_);

  audit::Log& log_;
  std::atomic<bool> overloaded_{false};
  Mutex mutex_;
  Condition changed_;
  bool hold_ SLUICE_GUARDED_BY(mutex_) = false;
  std::deque<std::pair<audit::SealedRecord, audit::AppendCallback>> held_ SLUICE_GUARDED_BY(mutex_);
};

}  // namespace sluice::exchange
