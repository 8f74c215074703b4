// Bytes that can be read from any place on: a file as it was left, or what was unpacked of one. Any
// thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/status/status.h"

namespace sluice::adapters::files {

class Content {
 public:
  virtual ~Content() = default;
  virtual int64_t size() const = 0;
  // The bytes from `offset` on, `count` of them or up to the end. SOURCE_CHANGED where there are
  // fewer than there were, SOURCE_UNAVAILABLE where they cannot be read.
  virtual absl::Status Read(int64_t offset, size_t count, char* to, size_t* read) const = 0;
};

// Bytes in memory.
class MemoryContent : public Content {
 public:
  explicit MemoryContent(std::string bytes) : bytes_(std::move(bytes)) {}
  int64_t size() const override { return static_cast<int64_t>(bytes_.size()); }
  absl::Status Read(int64_t offset, size_t count, char* to, size_t* read) const override {
    const auto from = static_cast<size_t>(std::clamp<int64_t>(offset, 0, size()));
    *read = bytes_.copy(to, count, from);
    return absl::OkStatus();
  }

 private:
  const std::string bytes_;
};

}  // namespace sluice::adapters::files
