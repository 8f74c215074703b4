// Blocks of bytes in a file that has no name and whose content nobody can read but the process: it
// is unlinked before it is written, and each block is encrypted with a key that is nowhere but in
// memory. So an index with people's identifiers leaves none behind, however the process ends
// (docs/decisions/0021).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace sluice::adapters::files {

class Scratch {
 public:
  // In `folder`, with blocks of that size. SOURCE_UNAVAILABLE where it cannot be made.
  static absl::StatusOr<std::unique_ptr<Scratch>> Make(const std::string& folder,
                                                       size_t block_bytes);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  size_t block_bytes() const { return block_bytes_; }
  int64_t blocks() const { return blocks_; }
  // `block` has the block's size. Its number, counted from 0. One thread at a time.
  absl::StatusOr<int64_t> Append(std::string_view block);
  // Any thread. SOURCE_UNAVAILABLE where it cannot be read or is not what was written.
  absl::StatusOr<std::string> Read(int64_t number) const;
  // Gives the space back; they are not read again.
  void Forget(int64_t first, int64_t count);

 private:
  Scratch(int fd, size_t block_bytes, std::string key)
      : fd_(fd), block_bytes_(block_bytes), key_(std::move(key)) {}
  size_t stored_bytes() const;

  const int fd_;
  const size_t block_bytes_;
  const std::string key_;
  int64_t blocks_ = 0;
};

}  // namespace sluice::adapters::files
