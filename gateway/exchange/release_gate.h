// Whether data may leave at all. The gateway closes it on finding something wrong with itself, for
// one cause or several, and opens it when the last is gone. Any thread; the question costs an
// atomic load where it is open.
#pragma once

#include <atomic>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gateway/base/mutex.h"

namespace sluice::exchange {

class ReleaseGate {
 public:
  // `cause`: the alarm's name, told to callers as "cause". `sentence`: what callers may read,
  // without a full stop. True where it is new.
  bool Close(const std::string& cause, const std::string& sentence);
  // True where the cause was there.
  bool Open(const std::string& cause);
  // OK, or RELEASES_STOPPED with the first cause.
  absl::Status Check() const;
  // The sentences of all causes.
  std::vector<std::string> Causes() const;
  bool closed() const { return closed_.load(std::memory_order_acquire); }

 private:
  std::atomic<bool> closed_{false};
  mutable Mutex mutex_;
  std::map<std::string, std::string> causes_ SLUICE_GUARDED_BY(mutex_);
};

}  // namespace sluice::exchange
