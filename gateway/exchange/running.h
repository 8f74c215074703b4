// The exchanges that run now. A change of the snapshot (revocation, suspension, expiry), a
// deadline, the caller giving up, or a poisoned log ends them.
//
// Each is in one of three states: running (may be ended), releasing (its record is being written;
// it will be answered by that), done. Whoever moves it on first decides.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "adapters/adapter.h"
#include "gateway/base/clock.h"
#include "gateway/base/mutex.h"
#include "gateway/base/snapshot_cell.h"
#include "gateway/identity/principal.h"
#include "gateway/policy/snapshot.h"
#include "sluice/v1/operations.pb.h"

namespace sluice::exchange {

class RunningExchange {
 public:
  enum class State { kRunning, kReleasing, kDone };

  RunningExchange(std::shared_ptr<const identity::Principal> principal,
                  std::shared_ptr<const certs::VerifiedPeer> peer, policy::GrantPtr grant,
                  Micros deadline)
      : principal(std::move(principal)),
        peer(std::move(peer)),
        grant(std::move(grant)),
        deadline(deadline) {}

  // True for the one caller that may go on to `next`.
  bool Advance(State from, State next) { return state_.compare_exchange_strong(from, next); }
  State state() const { return state_; }

  // What ends the call when somebody else than its task does; set before it is added.
  std::function<void(absl::Status)> end;
  const std::shared_ptr<adapters::StopToken> stop = std::make_shared<adapters::StopToken>();

  // Of a stream, which lasts: it ends also where its grant or dataset was amended, since what it
  // was permitted may no longer be. Set before it is added.
  bool stream = false;
  // Called several times a second until it is removed, in every state; may be null. Set before it
  // is added.
  std::function<void(Micros monotonic)> watch;

  // Set by the task while it reads, so that a Cancel reaches the source.
  void SetReader(adapters::RecordReader* reader);
  void CancelReader();
  // The reason found by a watch while it was releasing: the answer must not leave.
  void Withdraw(absl::Status why);
  absl::Status withdrawn() const;

  // For the operator's list: by whom else but the call's id it can be told. Set before it is added.
  std::string call_id, method;
  Micros started = 0;  // wall clock
  // Of a stream: what it let go so far. May be null; set before it is added.
  struct Progress {
    int64_t rows = 0, bytes = 0;
    Micros waits_since = 0;  // monotonic; 0: its consumer is not waited for
  };
  std::function<Progress()> progress;

  const std::shared_ptr<const identity::Principal> principal;
  const std::shared_ptr<const certs::VerifiedPeer> peer;
  const policy::GrantPtr grant;
  const Micros deadline;  // on the monotonic clock

 private:
  std::atomic<State> state_{State::kRunning};
  mutable Mutex mutex_;
  adapters::RecordReader* reader_ SLUICE_GUARDED_BY(mutex_) = nullptr;
  absl::Status withdrawn_ SLUICE_GUARDED_BY(mutex_);
};

// Any thread. Ends are called without a lock held.
class RunningExchanges {
 public:
  struct Limits {
    int all = 2048;
    int per_system = 512;
    int streams = 64;  // each holds some batches
  };
  RunningExchanges(Limits limits, const Clock& clock) : limits_(limits), clock_(clock) {}

  // TOO_MANY_CALLS, OVERLOADED or SHUTTING_DOWN; on success Remove must follow once. `decided` is
  // the snapshot that permitted the exchange: what was withdrawn between it and that of `snapshots`
  // is the answer too, since the Check that told the others came too early for this one.
  absl::Status Add(const std::shared_ptr<RunningExchange>& exchange,
                   const policy::SnapshotPtr& decided,
                   const SnapshotCell<policy::Snapshot>& snapshots);
  void Remove(const std::shared_ptr<RunningExchange>& exchange);
  // Takes no lock.
  int count() const { return count_.load(std::memory_order_relaxed); }

  // Ends those whose identity, grant or dataset is no longer good in `snapshot` at `now` (wall
  // clock).
  void Check(const policy::Snapshot& snapshot, Micros now);
  // Ends those past their deadline, and lets the others watch themselves.
  void CheckDeadlines();
  // Takes no more. Those that run go on.
  void Drain() { draining_ = true; }
  // Ends all.
  void EndAll(const absl::Status& why);
  // What runs, oldest first.
  std::vector<v1::RunningExchange> List() const;
  // The exchange of that call; nothing where none runs.
  std::optional<v1::RunningExchange> Find(std::string_view call_id) const;
  // Ends it; false where none runs.
  bool End(std::string_view call_id, const absl::Status& why);

 private:
  using Reason = std::function<absl::Status(const RunningExchange&)>;
  absl::Status Admit(const std::shared_ptr<RunningExchange>& exchange);
  void EndWhere(const Reason& reason);
  std::vector<std::shared_ptr<RunningExchange>> All() const;
  v1::RunningExchange Describe(const RunningExchange& exchange) const;

  const Limits limits_;
  const Clock& clock_;
  std::atomic<bool> draining_{false};
  std::atomic<int> count_{0};
  mutable Mutex mutex_;
  std::set<std::shared_ptr<RunningExchange>> running_ SLUICE_GUARDED_BY(mutex_);
  std::map<std::string, int> by_system_ SLUICE_GUARDED_BY(mutex_);
  int streams_ SLUICE_GUARDED_BY(mutex_) = 0;
};

}  // namespace sluice::exchange
