#include "adapters/files/window.h"

#include <algorithm>

#include "gateway/base/error.h"

namespace sluice::adapters::files {

absl::StatusOr<std::string_view> Window::At(int64_t offset, size_t count, const Watch& watch) {
  const int64_t end = offset_ + static_cast<int64_t>(bytes_.size());
  if (offset < offset_ || offset > end) {
    bytes_.clear();
    offset_ = offset;
    read_size_ = kFirstRead;
  }
  auto skipped = static_cast<size_t>(offset - offset_);
  if (bytes_.size() - skipped >= count || offset_ + static_cast<int64_t>(bytes_.size()) >= size())
    return std::string_view(bytes_).substr(skipped);
  SLUICE_RETURN_IF_ERROR(watch.Check());
  bytes_.erase(0, skipped);
  offset_ = offset;
  const size_t kept = bytes_.size();
  const size_t wanted = std::max(read_size_, count - kept);
  bytes_.resize(kept + wanted);
  size_t read = 0;
  const absl::Status status =
      content_->Read(offset_ + static_cast<int64_t>(kept), wanted, bytes_.data() + kept, &read);
  bytes_.resize(kept + read);
  read_size_ = std::min(read_size_ * 2, kMostRead);
  SLUICE_RETURN_IF_ERROR(status);
  return std::string_view(bytes_);
}

}  // namespace sluice::adapters::files
