// A window into a content, for who reads it from front to back with a jump now and then. What it
// holds is not read again. One thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "adapters/files/content.h"
#include "adapters/files/watch.h"

namespace sluice::adapters::files {

class Window {
 public:
  explicit Window(std::shared_ptr<const Content> content) : content_(std::move(content)) {}

  // The bytes from `offset` on: at least `count`, or all up to the end. Valid until the next call.
  absl::StatusOr<std::string_view> At(int64_t offset, size_t count, const Watch& watch);
  int64_t size() const { return content_->size(); }

 private:
  // The first read behind a jump is short, for who wants one row; reads that go on grow.
  static constexpr size_t kFirstRead = 2 << 10;
  static constexpr size_t kMostRead = 128 << 10;

  const std::shared_ptr<const Content> content_;
  std::string bytes_;
  int64_t offset_ = 0;  // of the first byte
  size_t read_size_ = kFirstRead;
};

}  // namespace sluice::adapters::files
