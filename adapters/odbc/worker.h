// A thread that makes one session's calls to its driver. Drivers block, and some for as long as a
// server hangs; so whoever asks waits for the worker, never for the driver, and can leave it
// behind. One job at a time; Do and Leave are for one thread at a time.
#pragma once

#include <functional>
#include <memory>

#include "absl/status/status.h"
#include "adapters/odbc/watch.h"

namespace sluice::adapters::odbc {

class Worker {
 public:
  Worker();
  // Leaves, where nobody did.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Runs the job and gives its status. The watch's status, where it says that the wait is over, or
  // `late` after `most`: then the job goes on without us, and only Leave may follow. What a job
  // touches must be its own.
  absl::Status Do(std::function<absl::Status()> job, const Watch& watch, Micros most,
                  const absl::Status& late);
  // A job goes on without us.
  bool left_behind() const { return left_behind_; }
  // Runs `last` behind what runs now, and ends the thread. Waits for neither.
  void Leave(std::function<void()> last);

  // Whether the thread has ended; waits for that so long at most. May outlive the worker.
  class Ended {
   public:
    bool Wait(Micros most) const;

   private:
    friend class Worker;
    struct State;
    std::shared_ptr<State> state_;
  };
  Ended ended() const;

 private:
  struct State;
  const std::shared_ptr<State> state_;
  bool left_behind_ = false;
  bool left_ = false;
};

}  // namespace sluice::adapters::odbc
