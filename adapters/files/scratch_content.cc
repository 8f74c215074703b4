#include "adapters/files/scratch_content.h"

#include <algorithm>

#include "gateway/base/error.h"

namespace sluice::adapters::files {
namespace {

constexpr size_t kContentBlock = 64 << 10;

}  // namespace

absl::StatusOr<std::shared_ptr<const std::string>> ScratchContent::BlockOf(int64_t number) const {
  {
    MutexLock lock(mutex_);
    for (const Cached& one : cached_)
      if (one.number == number) return one.block;
  }
  SLUICE_ASSIGN_OR_RETURN(std::string bytes, scratch_->Read(number));
  auto block = std::make_shared<const std::string>(std::move(bytes));
  MutexLock lock(mutex_);
  cached_[next_] = {number, block};
  next_ = (next_ + 1) % cached_.size();
  return block;
}

absl::Status ScratchContent::Read(int64_t offset, size_t count, char* to, size_t* read) const {
  const auto block_bytes = static_cast<int64_t>(scratch_->block_bytes());
  const int64_t left = std::max<int64_t>(size_ - offset, 0);
  count = static_cast<size_t>(std::min<int64_t>(left, static_cast<int64_t>(count)));
  for (*read = 0; *read < count;) {
    const int64_t at = offset + static_cast<int64_t>(*read);
    SLUICE_ASSIGN_OR_RETURN(const auto block, BlockOf(at / block_bytes));
    *read += block->copy(to + *read, count - *read, static_cast<size_t>(at % block_bytes));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<ScratchWriter>> ScratchWriter::Make(const std::string& folder) {
  SLUICE_ASSIGN_OR_RETURN(auto scratch, Scratch::Make(folder, kContentBlock));
  return std::unique_ptr<ScratchWriter>(new ScratchWriter(std::move(scratch)));
}

absl::Status ScratchWriter::Append(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t part = std::min(bytes.size(), scratch_->block_bytes() - block_.size());
    block_.append(bytes.substr(0, part));
    size_ += static_cast<int64_t>(part);
    bytes.remove_prefix(part);
    if (block_.size() < scratch_->block_bytes()) continue;
    SLUICE_RETURN_IF_ERROR(scratch_->Append(block_).status());
    block_.clear();
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const ScratchContent>> ScratchWriter::Finish() {
  if (!block_.empty()) {
    block_.resize(scratch_->block_bytes());
    SLUICE_RETURN_IF_ERROR(scratch_->Append(block_).status());
  }
  return std::make_shared<const ScratchContent>(std::move(scratch_), size_);
}

}  // namespace sluice::adapters::files
