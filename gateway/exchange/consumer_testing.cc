#include "gateway/exchange/consumer_testing.h"

#include <gtest/gtest.h>

namespace sluice::exchange {
namespace {

constexpr auto kConsumerPatience = std::chrono::seconds(30);

}  // namespace

void Consumer::Write(v1::ReadResponse message, Pieces payload, std::function<void(bool)> taken) {
  message.set_payload(payload.Joined());
  if (on_write) on_write(message);
  bool now = false, ok = false;
  {
    MutexLock lock(mutex_);
    EXPECT_EQ(finishes_, 0) << "written after the end";
    EXPECT_TRUE(taken_ == nullptr) << "written before the one before was taken";
    messages_.push_back(std::move(message));
    ok = !vanished_ && !aborted_;
    now = eager_ || !ok;
    if (!now) taken_ = std::move(taken);
    changed_.NotifyAll();
  }
  if (now) taken(ok);
}

void Consumer::Finish(absl::Status status, std::optional<v1::ReadResponse> last) {
  MutexLock lock(mutex_);
  EXPECT_TRUE(taken_ == nullptr) << "finished before the last message was taken";
  ++finishes_;
  status_ = std::move(status);
  if (last) messages_.push_back(*std::move(last));
  changed_.NotifyAll();
}

void Consumer::Abort() {
  {
    MutexLock lock(mutex_);
    aborted_ = true;
  }
  TakeOne(false);
}

void Consumer::TakeOne(bool ok) {
  std::function<void(bool)> taken;
  {
    MutexLock lock(mutex_);
    taken = std::exchange(taken_, nullptr);
  }
  if (taken) taken(ok);
}

bool Consumer::Await(const std::function<bool()>& condition) const {
  while (!condition()) {
    if (!changed_.WaitFor(mutex_, kConsumerPatience) && !condition()) return false;
  }
  return true;
}

void Consumer::Take() {
  {
    MutexLock lock(mutex_);
    if (!Await([this]() SLUICE_REQUIRES(mutex_) { return taken_ != nullptr; })) {
      ADD_FAILURE() << "nothing is written";
      return;
    }
  }
  TakeOne(true);
}

void Consumer::TakeAll() {
  {
    MutexLock lock(mutex_);
    eager_ = true;
  }
  TakeOne(true);
}

void Consumer::Vanish() {
  {
    MutexLock lock(mutex_);
    vanished_ = true;
  }
  TakeOne(false);
}

bool Consumer::AwaitMessages(size_t count) {
  MutexLock lock(mutex_);
  return Await([this, count]() SLUICE_REQUIRES(mutex_) { return messages_.size() >= count; });
}

absl::Status Consumer::AwaitEnd() {
  MutexLock lock(mutex_);
  if (!Await([this]() SLUICE_REQUIRES(mutex_) { return finishes_ > 0; }))
    return absl::DeadlineExceededError("the stream does not end");
  return status_;
}

std::vector<v1::ReadResponse> Consumer::messages() const {
  MutexLock lock(mutex_);
  return messages_;
}

std::string Consumer::payload() const {
  std::string all;
  for (const v1::ReadResponse& message : messages()) all += message.payload();
  return all;
}

int64_t Consumer::rows() const {
  int64_t rows = 0;
  for (const v1::ReadResponse& message : messages()) rows += message.rows();
  return rows;
}

int Consumer::finishes() const {
  MutexLock lock(mutex_);
  return finishes_;
}

bool Consumer::aborted() const {
  MutexLock lock(mutex_);
  return aborted_;
}

}  // namespace sluice::exchange
