// Bytes of any number in a Scratch, which is encrypted and has no name: written from front to back,
// then read from any place on.
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

// Any thread. Holds a few blocks, decrypted.
class ScratchContent : public Content {
 public:
  // `size` bytes of the scratch's blocks from the first on.
  ScratchContent(std::unique_ptr<Scratch> scratch, int64_t size)
      : scratch_(std::move(scratch)), size_(size) {}
  int64_t size() const override { return size_; }
  absl::Status Read(int64_t offset, size_t count, char* to, size_t* read) const override;

 private:
  struct Cached {
    int64_t number = -1;
    std::shared_ptr<const std::string> block;
  };
  absl::StatusOr<std::shared_ptr<const std::string>> BlockOf(int64_t number) const;

  const std::unique_ptr<Scratch> scratch_;
  const int64_t size_;
  mutable Mutex mutex_;
  mutable std::array<Cached, 8> cached_ SLUICE_GUARDED_BY(mutex_);
  mutable size_t next_ SLUICE_GUARDED_BY(mutex_) = 0;  // to be given up
};

// One thread at a time.
class ScratchWriter {
 public:
  // In `folder`. SOURCE_UNAVAILABLE where it cannot be made.
  static absl::StatusOr<std::unique_ptr<ScratchWriter>> Make(const std::string& folder);
  // SOURCE_UNAVAILABLE where it cannot be written: the writer is of no use then.
  absl::Status Append(std::string_view bytes);
  int64_t size() const { return size_; }
  // What was written. The writer is of no use any more.
  absl::StatusOr<std::shared_ptr<const ScratchContent>> Finish();

 private:
  explicit ScratchWriter(std::unique_ptr<Scratch> scratch) : scratch_(std::move(scratch)) {}

  std::unique_ptr<Scratch> scratch_;
  std::string block_;
  int64_t size_ = 0;
};

}  // namespace sluice::adapters::files
