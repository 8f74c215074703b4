#include "adapters/files/scratch_content.h"

#include <algorithm>
#include <utility>

#include "gateway/base/check.h"
#include "gateway/base/error.h"

namespace sluice::adapters::files {
namespace {

constexpr size_t kUnpackedBlock = 16 << 10;

// Any thread; the block read last is kept, for who reads on.
class ScratchContent : public Content {
 public:
  ScratchContent(std::unique_ptr<Scratch> scratch, int64_t size)
      : scratch_(std::move(scratch)), size_(size) {}

  int64_t size() const override { return size_; }

  absl::Status Read(int64_t offset, size_t count, char* to, size_t* read) const override {
    const int64_t left = std::max<int64_t>(size_ - offset, 0);
    count = static_cast<size_t>(std::min<int64_t>(left, static_cast<int64_t>(count)));
    for (*read = 0; *read < count;) {
      const auto at = static_cast<uint64_t>(offset) + *read;
      SLUICE_ASSIGN_OR_RETURN(const auto block, BlockOf(static_cast<int64_t>(at / kUnpackedBlock)));
      *read += block->copy(to + *read, count - *read, at % kUnpackedBlock);
    }
    return absl::OkStatus();
  }

 private:
  absl::StatusOr<std::shared_ptr<const std::string>> BlockOf(int64_t number) const {
    {
      MutexLock lock(mutex_);
      if (last_ != nullptr && last_number_ == number) return last_;
    }
    SLUICE_ASSIGN_OR_RETURN(std::string bytes, scratch_->Read(number));
    auto block = std::make_shared<const std::string>(std::move(bytes));
    MutexLock lock(mutex_);
    last_ = block;
    last_number_ = number;
    return block;
  }

  const std::unique_ptr<Scratch> scratch_;
  const int64_t size_;
  mutable Mutex mutex_;
  mutable std::shared_ptr<const std::string> last_ SLUICE_GUARDED_BY(mutex_);
  mutable int64_t last_number_ SLUICE_GUARDED_BY(mutex_) = -1;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ScratchBytes>> ScratchBytes::Make(const std::string& folder) {
  SLUICE_ASSIGN_OR_RETURN(auto scratch, Scratch::Make(folder, kUnpackedBlock));
  return std::unique_ptr<ScratchBytes>(new ScratchBytes(std::move(scratch)));
}

absl::Status ScratchBytes::Append(std::string_view bytes) {
  size_ += static_cast<int64_t>(bytes.size());
  while (!bytes.empty()) {
    const size_t room = std::min(kUnpackedBlock - last_.size(), bytes.size());
    last_.append(bytes.substr(0, room));
    bytes.remove_prefix(room);
    if (last_.size() < kUnpackedBlock) break;
    SLUICE_RETURN_IF_ERROR(scratch_->Append(last_).status());
    last_.clear();
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string_view> ScratchBytes::Block(int64_t number) {
  if (number == scratch_->blocks()) return std::string_view(last_);
  Kept& kept = kept_[static_cast<size_t>(number) % kBlocksKept];
  if (kept.number != number) {
    SLUICE_ASSIGN_OR_RETURN(kept.bytes, scratch_->Read(number));
    kept.number = number;
  }
  return std::string_view(kept.bytes);
}

absl::Status ScratchBytes::Read(int64_t offset, size_t count, std::string& bytes) {
  SLUICE_CHECK(offset >= 0 && offset + static_cast<int64_t>(count) <= size_);
  bytes.clear();
  while (bytes.size() < count) {
    const uint64_t at = static_cast<uint64_t>(offset) + bytes.size();
    SLUICE_ASSIGN_OR_RETURN(const std::string_view block,
                            Block(static_cast<int64_t>(at / kUnpackedBlock)));
    bytes.append(block.substr(at % kUnpackedBlock, count - bytes.size()));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const Content>> ScratchBytes::Finish() {
  if (!last_.empty()) {
    last_.resize(kUnpackedBlock, '\0');
    SLUICE_RETURN_IF_ERROR(scratch_->Append(last_).status());
    last_.clear();
  }
  return std::make_shared<const ScratchContent>(std::move(scratch_), size_);
}

}  // namespace sluice::adapters::files
