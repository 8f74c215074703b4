// The log in a folder. Three threads: the writer encodes, writes and syncs batches; the release
// queue's signs and calls back; the background one prepares segments and signs heads.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gateway/audit/frame.h"
#include "gateway/audit/head_keeper.h"
#include "gateway/audit/log.h"
#include "gateway/audit/log_index.h"
#include "gateway/audit/release_queue.h"
#include "gateway/audit/segment_writer.h"

namespace sluice::audit {

class FileLog : public Log {
 public:
  // `state` was made ready. The lock keeps other processes away.
  static absl::StatusOr<std::unique_ptr<Log>> Start(const LogOptions& options, FileSystem& files,
                                                    const Clock& clock, const SigningKey& key,
                                                    FolderState state,
                                                    std::unique_ptr<FileLock> lock);
  ~FileLog() override;

  void Append(SealedRecord record, AppendCallback callback) override;
  uint64_t size() const override { return size_.load(std::memory_order_acquire); }
  bool poisoned() const override { return poisoned_.load(std::memory_order_acquire); }
  void OnPoison(std::function<void(const absl::Status&)> callback) override;
  void OnGrowth(std::function<void()> callback) override;
  absl::StatusOr<std::string> Head(bool fresh) override;
  absl::Status Read(uint64_t begin, const std::function<bool(const Entry&)>& each) override;
  absl::StatusOr<Entry> ReadOne(uint64_t index) override;
  absl::StatusOr<TlogProof> Prove(uint64_t index) override;
  absl::StatusOr<std::vector<Hash>> Subtrees(uint64_t first, int level, size_t count) override;
  absl::Status Close() override;

 private:
  FileLog(const LogOptions& options, FileSystem& files, const Clock& clock, const SigningKey& key,
          const FolderState& state, std::unique_ptr<FileLock> lock);
  absl::Status Open();

  // The writer's thread.
  void Write();
  bool TakeWaiting(std::vector<Pending>& taken);
  void WriteAll(std::vector<Pending> taken);
  absl::Status WriteBatch(std::vector<Pending>& batch);
  void TellPoison();

  // The background thread.
  void KeepHeads();
  absl::Status SignHead();

  void Poison(const absl::Status& why);
  absl::Status Refusal(size_t bytes) SLUICE_REQUIRES(mutex_);
  bool HeadIsOld() const SLUICE_REQUIRES(mutex_) {
    return poison_.ok() && synced_ > (head_ ? head_->checkpoint.size : 0);
  }
  absl::StatusOr<StoredHead> HeadOver(uint64_t records);

  // Constant after construction.
  const LogOptions options_;
  const Clock& clock_;
  std::unique_ptr<FileLock> lock_;

  // Any thread.
  LogIndex index_;
  std::atomic<uint64_t> size_;
  std::atomic<bool> poisoned_ = false;

  // The writer's thread alone.
  LogCursor cursor_;
  NextSegment next_;
  SegmentWriter segments_;
  std::string frame_;
  std::vector<RecordView> views_;

  // The background thread alone.
  HeadKeeper keeper_;
  Micros last_head_time_;

  Mutex mutex_;
  Condition writer_wakes_, background_wakes_, head_changed_;
  std::vector<Pending> waiting_ SLUICE_GUARDED_BY(mutex_);
  size_t waiting_bytes_ SLUICE_GUARDED_BY(mutex_) = 0;
  uint64_t synced_ SLUICE_GUARDED_BY(mutex_);
  Hash synced_root_ SLUICE_GUARDED_BY(mutex_);
  std::optional<StoredHead> head_ SLUICE_GUARDED_BY(mutex_);
  absl::Status poison_ SLUICE_GUARDED_BY(mutex_);
  std::function<void(const absl::Status&)> on_poison_ SLUICE_GUARDED_BY(mutex_);
  std::function<void()> on_growth_ SLUICE_GUARDED_BY(mutex_);
  bool closing_ SLUICE_GUARDED_BY(mutex_) = false;
  bool writer_ended_ SLUICE_GUARDED_BY(mutex_) = false;
  bool background_ended_ SLUICE_GUARDED_BY(mutex_) = false;

  Mutex close_mutex_;
  ReleaseQueue release_;
  std::thread writer_ SLUICE_GUARDED_BY(close_mutex_);
  std::thread background_ SLUICE_GUARDED_BY(close_mutex_);
};

}  // namespace sluice::audit
