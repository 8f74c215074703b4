// Reports over the log: one at a time, by a thread of low priority, so that calls are not slowed.
// Recorded when its figures are there, before they leave.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <thread>

#include "gateway/audit/report.h"
#include "gateway/base/mutex.h"
#include "gateway/exchange/log_tail.h"

namespace sluice::exchange {

// To one reader. Any thread; after a Write no other, and no Finish, before `taken` was called.
class ReportWriter {
 public:
  virtual ~ReportWriter() = default;
  // `taken` is called once, from any thread: true when flow control let the message pass.
  virtual void Write(v1::ReportResponse message, std::function<void(bool)> taken) = 0;
  // Once. The status has not passed PublicStatus yet.
  virtual void Finish(absl::Status status) = 0;
};

class LogReports {
 public:
  static constexpr size_t kWaiting = 8;

  explicit LogReports(const LogReadingParts& parts);
  // Ends all.
  ~LogReports();

  // One that was asked for. Made on gRPC's thread, so that it can be given up.
  class Asked;
  static std::shared_ptr<Asked> Ask(Call call, v1::ReportRequest request,
                                    std::shared_ptr<ReportWriter> writer);
  // The reader went away. Any thread.
  static void GiveUp(Asked& asked);
  // Whatever it ends with goes to the writer: ROLE_REQUIRED, REQUEST_INVALID, OVERLOADED where too
  // many wait, RESULT_TOO_LARGE, SHUTTING_DOWN.
  void Begin(const std::shared_ptr<Asked>& asked);
  // Ends all and takes no more. Returns when the thread has ended.
  void Close();

 private:
  void Run();
  absl::Status Make(const std::shared_ptr<Asked>& asked);
  absl::StatusOr<uint64_t> FirstFrom(Micros time, uint64_t end);
  bool Ended(const Asked& asked);

  const LogReadingParts parts_;
  Mutex mutex_;
  Condition wakes_;
  std::deque<std::shared_ptr<Asked>> waiting_ SLUICE_GUARDED_BY(mutex_);
  std::atomic<bool> closing_{false};
  std::thread thread_;
};

}  // namespace sluice::exchange
