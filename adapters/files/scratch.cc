#include "adapters/files/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "adapters/files/errors.h"
#include "gateway/base/check.h"
#include "gateway/base/crypto.h"
#include "gateway/base/error.h"

namespace sluice::adapters::files {
namespace {

constexpr size_t kTagBytes = 16;
constexpr size_t kKeyBytes = 32;

absl::Status Failed(std::string_view what, int error) {
  return Unavailable(absl::StrCat("the index of the source's file cannot be ",
                                  absl::string_view(what.data(), what.size()),
                                  " in work_folder (errno ", error, ")"));
}

// The block's number: never twice under one key, since a block is written once.
std::string NonceOf(int64_t number) {
  std::string nonce(12, '\0');
  for (int i = 0; i < 8; ++i) nonce[i] = static_cast<char>(number >> (8 * i));
  return nonce;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Scratch>> Scratch::Make(const std::string& folder,
                                                       size_t block_bytes) {
  int fd = open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
    // A file system that knows no files without a name.
    std::string name = folder + "/sluice-index-XXXXXX";
    fd = mkostemp(name.data(), O_CLOEXEC);
    if (fd >= 0) unlink(name.c_str());
  }
  if (fd < 0) return Failed("made", errno);
  return std::unique_ptr<Scratch>(
      new Scratch(fd, block_bytes, MakeSystemRandom()->Bytes(kKeyBytes)));
}

Scratch::~Scratch() { close(fd_); }

size_t Scratch::stored_bytes() const { return block_bytes_ + kTagBytes; }

absl::StatusOr<int64_t> Scratch::Append(std::string_view block) {
  SLUICE_CHECK(block.size() == block_bytes_);
  const std::string sealed = AesGcmSeal(key_, NonceOf(blocks_), block, "");
  const int64_t start = blocks_ * static_cast<int64_t>(stored_bytes());
  for (size_t done = 0; done < sealed.size();) {
    const ssize_t n =
        pwrite(fd_, sealed.data() + done, sealed.size() - done, start + static_cast<int64_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Failed("written", errno);
    done += static_cast<size_t>(n);
  }
  return blocks_++;
}

absl::StatusOr<std::string> Scratch::Read(int64_t number) const {
  std::string sealed(stored_bytes(), '\0');
  const int64_t start = number * static_cast<int64_t>(stored_bytes());
  for (size_t done = 0; done < sealed.size();) {
    const ssize_t n =
        pread(fd_, sealed.data() + done, sealed.size() - done, start + static_cast<int64_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return Failed("read", n == 0 ? EIO : errno);
    done += static_cast<size_t>(n);
  }
  auto block = AesGcmOpen(key_, NonceOf(number), sealed, "");
  if (!block.ok()) return Failed("read", EBADMSG);
  return block;
}

void Scratch::Forget(int64_t first, int64_t count) {
  const auto stored = static_cast<int64_t>(stored_bytes());
  // Where the file system cannot, the space is given back with the file.
  (void)fallocate(fd_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, first * stored, count * stored);
}

}  // namespace sluice::adapters::files
