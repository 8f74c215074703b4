#include "gateway/audit/file_log.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/audit/wire.h"
#include "gateway/base/error.h"

namespace sluice::audit {
namespace {

// How often the clock is looked at while a head is due later: it may be a test's.
constexpr Micros kLookAgain = 20 * kMillisecond;

absl::Status Unavailable() {
  return Error(v1::REASON_AUDIT_UNAVAILABLE, "the audit log cannot be written");
}

}  // namespace

absl::StatusOr<std::unique_ptr<Log>> FileLog::Start(const LogOptions& options, FileSystem& files,
                                                    const Clock& clock, const SigningKey& key,
                                                    FolderState state,
                                                    std::unique_ptr<FileLock> lock) {
  std::unique_ptr<FileLog> log(new FileLog(options, files, clock, key, state, std::move(lock)));
  SLUICE_RETURN_IF_ERROR(log->Open());
  return log;
}

FileLog::FileLog(const LogOptions& options, FileSystem& files, const Clock& clock,
                 const SigningKey& key, const FolderState& state, std::unique_ptr<FileLock> lock)
    : options_(options),
      clock_(clock),
      lock_(std::move(lock)),
      index_(files, options.directory, state.chain, state.end.tree.size()),
      size_(state.end.tree.size()),
      cursor_(state.end),
      next_(files, options.directory),
      segments_(files, options.directory, RoundUp(options.segment_bytes), state.chain.back(),
                next_),
      keeper_(options_, files, key, index_, state.end, state.chain.back(), state.heads.last_file),
      last_head_time_(clock.Monotonic()),
      synced_(state.end.tree.size()),
      synced_root_(state.end.tree.Root()),
      head_(state.heads.newest),
      release_(options.origin, key, [this](size_t bytes) {
        MutexLock lock(mutex_);
        waiting_bytes_ -= bytes;
      }) {}

absl::Status FileLog::Open() {
  SLUICE_RETURN_IF_ERROR(index_.ReadLastSegment());
  SLUICE_RETURN_IF_ERROR(segments_.Open());
  MutexLock lock(close_mutex_);
  writer_ = std::thread([this] { Write(); });
  background_ = std::thread([this] { KeepHeads(); });
  return absl::OkStatus();
}

FileLog::~FileLog() { Close().IgnoreError(); }

absl::Status FileLog::Refusal(size_t bytes) {
  if (!poison_.ok() || closing_) return Unavailable();
  if (waiting_bytes_ + bytes > options_.waiting_bytes)
    return Error(v1::REASON_OVERLOADED, "too many records wait for the audit log");
  return absl::OkStatus();
}

void FileLog::Append(SealedRecord record, AppendCallback callback) {
  Pending pending{std::move(record), {}, std::move(callback)};
  absl::Status refusal;
  if (pending.record.envelope.size() > kMaxEnvelope ||
      pending.record.sealed_detail.size() > kMaxSealedDetail)
    refusal = Error(v1::REASON_RESULT_TOO_LARGE, "the answer's audit record would be too large");
  else
    pending.leaf = LeafHash(pending.record.envelope);  // here, where callers run side by side
  if (refusal.ok()) {
    const size_t bytes = pending.bytes();
    MutexLock lock(mutex_);
    refusal = Refusal(bytes);
    if (refusal.ok()) {
      waiting_bytes_ += bytes;
      waiting_.push_back(std::move(pending));
      if (waiting_.size() == 1) writer_wakes_.NotifyOne();
      return;
    }
  }
  if (options_.meters != nullptr) ++options_.meters->refused;
  std::vector<Pending> refused;
  refused.push_back(std::move(pending));
  release_.Refuse(refusal, std::move(refused), false);
}

bool FileLog::TakeWaiting(std::vector<Pending>& taken) {
  MutexLock lock(mutex_);
  while (waiting_.empty() && !closing_ && (poison_.ok() || on_poison_ == nullptr))
    writer_wakes_.Wait(mutex_);
  taken.swap(waiting_);
  return !taken.empty() || !closing_;
}

void FileLog::Write() {
  std::vector<Pending> taken;
  while (TakeWaiting(taken)) {
    WriteAll(std::exchange(taken, {}));
    TellPoison();
  }
  TellPoison();
  MutexLock lock(mutex_);
  writer_ended_ = true;
  background_wakes_.NotifyOne();
}

void FileLog::WriteAll(std::vector<Pending> taken) {
  size_t next = 0;
  while (next < taken.size() && !poisoned()) {
    std::vector<Pending> batch;
    size_t bytes = 0;
    while (next < taken.size() && batch.size() < options_.batch_records) {
      const SealedRecord& record = taken[next].record;
      bytes += RecordBytes(record.envelope.size(), record.sealed_detail.size());
      if (!batch.empty() && bytes > options_.batch_bytes) break;
      batch.push_back(std::move(taken[next++]));
    }
    const absl::Status written = WriteBatch(batch);
    if (written.ok()) continue;
    Poison(written);
    if (options_.meters != nullptr) options_.meters->refused += batch.size();
    release_.Refuse(Unavailable(), std::move(batch), true);
  }
  taken.erase(taken.begin(), taken.begin() + static_cast<ptrdiff_t>(next));
  if (options_.meters != nullptr) options_.meters->refused += taken.size();
  release_.Refuse(Unavailable(), std::move(taken), true);
}

absl::Status FileLog::WriteBatch(std::vector<Pending>& batch) {
  views_.clear();
  std::vector<Hash> leaves;
  leaves.reserve(batch.size());
  for (const Pending& pending : batch) {
    views_.push_back({pending.record.envelope, pending.record.sealed_detail});
    leaves.push_back(pending.leaf);
  }
  FrameHeader header;
  header.sequence = cursor_.sequence;
  header.epoch = cursor_.epoch;
  header.first_index = cursor_.tree.size();
  header.time = clock_.Now();
  header.clock = clock_.State();
  header.tree = cursor_.tree.Root();
  EncodeFrame(header, views_, frame_);
  SLUICE_ASSIGN_OR_RETURN(const auto begun, segments_.MakeRoom(frame_.size(), cursor_));
  if (begun) index_.AddSegment(*begun);
  const Micros began = clock_.Monotonic();
  SLUICE_ASSIGN_OR_RETURN(const uint64_t offset, segments_.Write(frame_));
  if (options_.meters != nullptr) options_.meters->syncs.Add(clock_.Monotonic() - began);
  for (const Hash& leaf : leaves) cursor_.tree.Append(leaf);
  ++cursor_.sequence;
  index_.AddBatch(offset, offset + frame_.size(), header.first_index, leaves);
  size_.store(cursor_.tree.size(), std::memory_order_release);
  release_.Release(header.first_index, std::move(leaves), std::move(batch));
  const Hash root = cursor_.tree.Root();
  const bool prepare = segments_.WantsNext();
  std::function<void()> grown;
  {
    MutexLock lock(mutex_);
    const bool was_old = HeadIsOld();
    synced_ = cursor_.tree.size();
    synced_root_ = root;
    grown = on_growth_;
    if (prepare || !was_old) background_wakes_.NotifyOne();
  }
  if (grown) grown();
  return absl::OkStatus();
}

void FileLog::Poison(const absl::Status& why) {
  MutexLock lock(mutex_);
  if (!poison_.ok()) return;
  poison_ = why;
  poisoned_.store(true, std::memory_order_release);
  writer_wakes_.NotifyOne();
  background_wakes_.NotifyOne();
  head_changed_.NotifyAll();
}

void FileLog::TellPoison() {
  std::function<void(const absl::Status&)> tell;
  absl::Status why;
  {
    MutexLock lock(mutex_);
    if (poison_.ok() || on_poison_ == nullptr) return;
    tell = std::exchange(on_poison_, nullptr);
    why = poison_;
  }
  tell(why);
}

void FileLog::OnPoison(std::function<void(const absl::Status&)> callback) {
  MutexLock lock(mutex_);
  on_poison_ = std::move(callback);
  writer_wakes_.NotifyOne();
}

void FileLog::OnGrowth(std::function<void()> callback) {
  MutexLock lock(mutex_);
  on_growth_ = std::move(callback);
}

void FileLog::KeepHeads() {
  for (;;) {
    {
      MutexLock lock(mutex_);
      while (!next_.wanted()) {
        if (writer_ended_) break;
        if (!HeadIsOld()) {
          background_wakes_.Wait(mutex_);
          continue;
        }
        const Micros rest = last_head_time_ + options_.head_interval - clock_.Monotonic();
        if (rest <= 0) break;
        background_wakes_.WaitFor(mutex_, std::chrono::microseconds(std::min(rest, kLookAgain)));
      }
      if (writer_ended_ && !HeadIsOld()) break;
    }
    absl::Status status = next_.wanted() ? next_.Prepare() : SignHead();
    if (!status.ok()) Poison(status);
  }
  MutexLock lock(mutex_);
  background_ended_ = true;
  head_changed_.NotifyAll();
}

absl::Status FileLog::SignHead() {
  uint64_t records = 0;
  Hash root;
  {
    MutexLock lock(mutex_);
    if (!HeadIsOld()) return absl::OkStatus();
    records = synced_;
    root = synced_root_;
  }
  last_head_time_ = clock_.Monotonic();
  SLUICE_ASSIGN_OR_RETURN(StoredHead head, keeper_.Sign(records, root));
  if (options_.meters != nullptr) {
    options_.meters->head_size = records;
    options_.meters->head_time = clock_.Now();
  }
  MutexLock lock(mutex_);
  head_ = std::move(head);
  head_changed_.NotifyAll();
  return absl::OkStatus();
}

absl::StatusOr<StoredHead> FileLog::HeadOver(uint64_t records) {
  MutexLock lock(mutex_);
  while (!head_ || head_->checkpoint.size < records) {
    if (!poison_.ok() || background_ended_) return Unavailable();
    head_changed_.Wait(mutex_);
  }
  return *head_;
}

absl::StatusOr<std::string> FileLog::Head(bool fresh) {
  const uint64_t synced = size();
  if (fresh && synced != 0) {
    SLUICE_ASSIGN_OR_RETURN(const StoredHead head, HeadOver(synced));
    return head.note;
  }
  MutexLock lock(mutex_);
  return head_ ? head_->note : std::string();
}

absl::Status FileLog::Read(uint64_t begin, const std::function<bool(const Entry&)>& each) {
  if (begin >= size()) return absl::OkStatus();
  return index_.EachBatch(begin, [&](const Batch& batch) {
    const uint64_t first = batch.header.first_index;
    for (uint64_t i = begin > first ? begin - first : 0; i < batch.records.size(); ++i) {
      const RecordView& view = batch.records[i];
      if (!each({first + i, {std::string(view.envelope), std::string(view.sealed_detail)}}))
        return false;
    }
    return true;
  });
}

absl::StatusOr<Log::Entry> FileLog::ReadOne(uint64_t index) {
  std::optional<Entry> found;
  SLUICE_RETURN_IF_ERROR(Read(index, [&](const Entry& entry) {
    found = entry;
    return false;
  }));
  if (!found) return Error(v1::REASON_RECORD_NOT_FOUND, "the log has no record of that index");
  return *std::move(found);
}

absl::StatusOr<TlogProof> FileLog::Prove(uint64_t index) {
  if (index >= size())
    return Error(v1::REASON_RECORD_NOT_FOUND, "the log has no record of that index");
  SLUICE_ASSIGN_OR_RETURN(const StoredHead head, HeadOver(index + 1));
  LogIndex::LeafCache cache;
  const SubtreeHash subtree = [&](uint64_t begin, int level) {
    return index_.Subtree(begin, level, cache);
  };
  TlogProof proof{.index = index, .checkpoint = head.note};
  SLUICE_ASSIGN_OR_RETURN(proof.path, InclusionProof(index, head.checkpoint.size, subtree));
  SLUICE_ASSIGN_OR_RETURN(const Hash leaf, index_.Subtree(index, 0, cache));
  const absl::Status holds =
      CheckInclusion(index, head.checkpoint.size, leaf, proof.path, head.checkpoint.root);
  if (!holds.ok())
    return absl::DataLossError(absl::StrCat(
        "#", index, " as read back is not under the head of size ", head.checkpoint.size));
  return proof;
}

absl::StatusOr<std::vector<Hash>> FileLog::Subtrees(uint64_t first, int level, size_t count) {
  const uint64_t most = size() >> level;
  if (count > most || first > most - count)
    return Error(v1::REASON_RECORD_NOT_FOUND, "the log has no such records");
  LogIndex::LeafCache cache;
  std::vector<Hash> hashes;
  hashes.reserve(count);
  for (uint64_t number = first; number < first + count; ++number) {
    SLUICE_ASSIGN_OR_RETURN(const Hash hash, index_.Subtree(number << level, level, cache));
    hashes.push_back(hash);
  }
  return hashes;
}

absl::Status FileLog::Close() {
  {
    MutexLock lock(mutex_);
    closing_ = true;
    writer_wakes_.NotifyOne();
    background_wakes_.NotifyOne();
  }
  MutexLock close_lock(close_mutex_);
  if (writer_.joinable()) writer_.join();
  if (background_.joinable()) background_.join();
  lock_.reset();
  MutexLock lock(mutex_);
  return poison_;
}

}  // namespace sluice::audit
