// Bytes in a Scratch, read from any place on: what was unpacked of a file, however much.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "adapters/files/content.h"
#include "adapters/files/scratch.h"
#include "gateway/base/mutex.h"

namespace sluice::adapters::files {

// Writes them one behind the other; what was written can be read meanwhile, by the same thread.
class ScratchBytes {
 public:
  static absl::StatusOr<std::unique_ptr<ScratchBytes>> Make(const std::string& folder);
  absl::Status Append(std::string_view bytes);
  int64_t size() const { return size_; }
  // Exactly `count` bytes that were written. Keeps the last blocks read, in 1 MiB at most.
  absl::Status Read(int64_t offset, size_t count, std::string& bytes);
  // No more is written.
  absl::StatusOr<std::shared_ptr<const Content>> Finish();

 private:
  static constexpr size_t kBlocksKept = 64;
  struct Kept {
    int64_t number = -1;
    std::string bytes;
  };

  explicit ScratchBytes(std::unique_ptr<Scratch> scratch) : scratch_(std::move(scratch)) {}
  absl::StatusOr<std::string_view> Block(int64_t number);

  std::unique_ptr<Scratch> scratch_;
  std::string last_;  // of the bytes, not yet a block
  int64_t size_ = 0;
  std::array<Kept, kBlocksKept> kept_;
};

}  // namespace sluice::adapters::files
