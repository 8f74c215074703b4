// Bytes that can be read from any place on: a file as it was left, or what was unpacked of one. Any
// thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"

namespace sluice::adapters::files {

class Content {
 public:
  virtual ~Content() = default;
  virtual int64_t size() const = 0;
  // The bytes from `offset` on, `count` of them or up to the end. SOURCE_CHANGED where there are
  // fewer than there were, SOURCE_UNAVAILABLE where they cannot be read.
  virtual absl::Status Read(int64_t offset, size_t count, char* to, size_t* read) const = 0;
  // Whether reads still give what they gave at first.
  virtual absl::StatusOr<bool> Unchanged() const { return true; }
  // The file that its format reads it with (Format::Companions); null where there is none. Lives as
  // long as this.
  virtual const Content* companion() const { return nullptr; }
};

// Bytes in memory.
class MemoryContent : public Content {
 public:
  explicit MemoryContent(std::string bytes, std::shared_ptr<const Content> companion = nullptr)
      : bytes_(std::move(bytes)), companion_(std::move(companion)) {}
  int64_t size() const override { return static_cast<int64_t>(bytes_.size()); }
  absl::Status Read(int64_t offset, size_t count, char* to, size_t* read) const override {
    const auto from = static_cast<size_t>(std::clamp<int64_t>(offset, 0, size()));
    *read = bytes_.copy(to, count, from);
    return absl::OkStatus();
  }
  const Content* companion() const override { return companion_.get(); }

 private:
  const std::string bytes_;
  const std::shared_ptr<const Content> companion_;
};

}  // namespace sluice::adapters::files
