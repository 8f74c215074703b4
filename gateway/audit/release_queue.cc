#include "gateway/audit/release_queue.h"

#include <utility>

namespace sluice::audit {

ReleaseQueue::ReleaseQueue(std::string origin, const SigningKey& key,
                           std::function<void(size_t)> released)
    : origin_(std::move(origin)),
      key_(key),
      released_(std::move(released)),
      thread_([this] { Run(); }) {}

ReleaseQueue::~ReleaseQueue() {
  {
    MutexLock lock(mutex_);
    ending_ = true;
    changed_.NotifyOne();
  }
  thread_.join();
}

void ReleaseQueue::Release(uint64_t first_index, std::vector<Hash> leaves,
                           std::vector<Pending> records) {
  Push({first_index, std::move(leaves), std::move(records), absl::OkStatus(), true});
}

void ReleaseQueue::Refuse(const absl::Status& why, std::vector<Pending> records, bool counted) {
  if (!records.empty()) Push({0, {}, std::move(records), why, counted});
}

void ReleaseQueue::Push(Item item) {
  MutexLock lock(mutex_);
  items_.push_back(std::move(item));
  if (items_.size() == 1) changed_.NotifyOne();
}

void ReleaseQueue::Run() {
  for (;;) {
    std::vector<Item> items;
    {
      MutexLock lock(mutex_);
      if (items_.empty() && !ending_) {
        // As a pool does: what is synced next may be about to come.
        mutex_.Unlock();
        std::this_thread::yield();
        mutex_.Lock();
      }
      while (items_.empty() && !ending_) changed_.Wait(mutex_);
      if (items_.empty()) return;
      items.swap(items_);
    }
    for (Item& item : items) CallBack(item);
  }
}

void ReleaseQueue::CallBack(Item& item) {
  size_t bytes = 0;
  for (const Pending& pending : item.records) bytes += pending.bytes();
  if (item.refused.ok()) {
    const SignedBatch batch(origin_, item.first_index, std::move(item.leaves), key_);
    for (size_t i = 0; i < item.records.size(); ++i)
      item.records[i].callback(batch.ReceiptFor(i, std::move(item.records[i].record.envelope)));
  } else {
    for (Pending& pending : item.records) pending.callback(item.refused);
  }
  if (item.counted) released_(bytes);
}

}  // namespace sluice::audit
