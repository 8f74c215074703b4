// The thread that signs synced batches and calls back, one after the other in index order, while
// the writer is at the next batch.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "gateway/audit/log.h"
#include "gateway/audit/receipts.h"
#include "gateway/base/mutex.h"

namespace sluice::audit {

// An append on its way.
struct Pending {
  SealedRecord record;
  Hash leaf = {};
  AppendCallback callback;
  size_t bytes() const { return record.envelope.size() + record.sealed_detail.size(); }
};

class ReleaseQueue {
 public:
  // `released` gets the bytes of each batch that was called back.
  ReleaseQueue(std::string origin, const SigningKey& key, std::function<void(size_t)> released);
  // Calls back what is queued, then ends.
  ~ReleaseQueue();

  // Any thread. Synced records from `first_index` on.
  void Release(uint64_t first_index, std::vector<Hash> leaves, std::vector<Pending> records);
  // Records that will never be durable. `counted`: whether `released` is to hear of their bytes.
  void Refuse(const absl::Status& why, std::vector<Pending> records, bool counted);

 private:
  struct Item {
    uint64_t first_index = 0;
    std::vector<Hash> leaves;
    std::vector<Pending> records;
    absl::Status refused;
    bool counted = true;
  };
  void Push(Item item);
  void Run();
  void CallBack(Item& item);

  const std::string origin_;
  const SigningKey& key_;
  const std::function<void(size_t)> released_;
  Mutex mutex_;
  Condition changed_;
  std::vector<Item> items_ SLUICE_GUARDED_BY(mutex_);
  bool ending_ SLUICE_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace sluice::audit
