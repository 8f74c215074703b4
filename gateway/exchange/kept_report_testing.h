// Takes a report's messages and keeps them. For tests.
#pragma once

#include <optional>
#include <vector>

#include "gateway/exchange/log_report.h"

namespace sluice::exchange {

class KeptReport : public ReportWriter {
 public:
  void Write(v1::ReportResponse message, std::function<void(bool)> taken) override {
    {
      MutexLock lock(mutex_);
      messages_.push_back(std::move(message));
    }
    taken(true);
  }
  void Finish(absl::Status status) override {
    MutexLock lock(mutex_);
    end_ = std::move(status);
    changed_.NotifyAll();
  }
  // How it ended.
  absl::Status Wait() {
    MutexLock lock(mutex_);
    while (!end_)
      if (!changed_.WaitFor(mutex_, std::chrono::seconds(60)))
        return absl::DeadlineExceededError("no end came");
    return *end_;
  }
  std::vector<v1::ReportResponse> messages() {
    MutexLock lock(mutex_);
    return messages_;
  }

 private:
  Mutex mutex_;
  Condition changed_;
  std::vector<v1::ReportResponse> messages_ SLUICE_GUARDED_BY(mutex_);
  std::optional<absl::Status> end_ SLUICE_GUARDED_BY(mutex_);
};

}  // namespace sluice::exchange
