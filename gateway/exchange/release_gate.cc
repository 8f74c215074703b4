#include "gateway/exchange/release_gate.h"

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"

namespace sluice::exchange {

bool ReleaseGate::Close(const std::string& cause, const std::string& sentence) {
  MutexLock lock(mutex_);
  const bool is_new = causes_.emplace(cause, sentence).second;
  closed_.store(true, std::memory_order_release);
  return is_new;
}

bool ReleaseGate::Open(const std::string& cause) {
  MutexLock lock(mutex_);
  const bool was = causes_.erase(cause) > 0;
  closed_.store(!causes_.empty(), std::memory_order_release);
  return was;
}

absl::Status ReleaseGate::Check() const {
  if (!closed()) return absl::OkStatus();
  MutexLock lock(mutex_);
  if (causes_.empty()) return absl::OkStatus();
  const auto& [cause, sentence] = *causes_.begin();
  return Error(v1::REASON_RELEASES_STOPPED, absl::StrCat(sentence, ". Nothing was released."),
               {{"cause", cause}});
}

std::vector<std::string> ReleaseGate::Causes() const {
  MutexLock lock(mutex_);
  std::vector<std::string> sentences;
  for (const auto& [cause, sentence] : causes_) sentences.push_back(sentence);
  return sentences;
}

}  // namespace sluice::exchange
