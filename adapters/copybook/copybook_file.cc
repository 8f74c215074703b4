#include "adapters/copybook/copybook_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/copybook/parser.h"
#include "adapters/files/errors.h"
#include "gateway/base/crypto.h"
#include "gateway/base/error.h"
#include "gateway/base/pieces.h"

namespace sluice::adapters::copybook {
namespace {

class OpenCopybookFile {
 public:
  explicit OpenCopybookFile(const std::string& path)
      : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)) {}
  ~OpenCopybookFile() {
    if (fd_ >= 0) close(fd_);
  }
  OpenCopybookFile(const OpenCopybookFile&) = delete;
  OpenCopybookFile& operator=(const OpenCopybookFile&) = delete;

  bool Look(files::Stamp& stamp) const {
    struct stat now;
    if (fd_ < 0 || fstat(fd_, &now) != 0 || !S_ISREG(now.st_mode)) return false;
    stamp = {now.st_dev, now.st_ino, now.st_size,
             now.st_mtim.tv_sec * 1'000'000'000 + now.st_mtim.tv_nsec,
             now.st_ctim.tv_sec * 1'000'000'000 + now.st_ctim.tv_nsec};
    return true;
  }

  bool ReadAll(std::string& text) const {
    char bytes[16 << 10];
    for (;;) {
      const ssize_t got = read(fd_, bytes, sizeof(bytes));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return false;
      if (got == 0) return true;
      text.append(bytes, static_cast<size_t>(got));
      if (static_cast<int64_t>(text.size()) > kMostCopybookBytes) return true;
    }
  }

 private:
  const int fd_;
};

}  // namespace

absl::StatusOr<std::shared_ptr<const Copybook>> ReadCopybook(std::string_view text,
                                                             ReferenceFormat format,
                                                             const ShapeOptions& options) {
  if (static_cast<int64_t>(text.size()) > kMostCopybookBytes)
    return absl::InvalidArgumentError("is larger than 4 MiB");
  SLUICE_ASSIGN_OR_RETURN(auto root, ParseCopybook(text, format));
  auto copybook = std::make_shared<Copybook>();
  SLUICE_ASSIGN_OR_RETURN(copybook->shape,
                          Shape::Make(std::shared_ptr<const Item>(std::move(root)), options));
  Sha256Stream hash;
  hash.Update(text);
  copybook->digest = HexEncode(AsBytes(hash.Finish())).substr(0, 16);
  return copybook;
}

absl::StatusOr<std::shared_ptr<const Copybook>> CopybookFile::Current() {
  const absl::Status unavailable =
      files::Unavailable("the source's copybook (setting 'copybook') cannot be read");
  const OpenCopybookFile file(path_);
  files::Stamp stamp;
  if (!file.Look(stamp)) return unavailable;
  MutexLock lock(mutex_);
  if (known_ != nullptr && stamp == stamp_) return known_;
  std::string text;
  files::Stamp after;
  if (!file.ReadAll(text) || !file.Look(after)) return unavailable;
  SLUICE_ASSIGN_OR_RETURN(auto copybook, ReadCopybook(text, format_, options_));
  // One that is being written is read again the next time.
  known_ = stamp == after ? copybook : nullptr;
  stamp_ = stamp;
  return copybook;
}

}  // namespace sluice::adapters::copybook
