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

absl::StatusOr<std::shared_ptr<const Copybook>> ReadCopybooks(const std::vector<std::string>& texts,
                                                              ReferenceFormat format,
                                                              const ShapeOptions& options) {
  auto all = std::make_shared<Item>();
  Sha256Stream hash;
  for (size_t i = 0; i < texts.size(); ++i) {
    if (static_cast<int64_t>(texts[i].size()) > kMostCopybookBytes)
      return absl::InvalidArgumentError("is larger than 4 MiB");
    auto root = ParseCopybook(texts[i], format);
    if (!root.ok() && texts.size() == 1) return root.status();
    if (!root.ok())
      return absl::InvalidArgumentError(
          absl::StrCat("number ", i + 1, ", ", root.status().message()));
    for (auto& item : (*root)->items) {
      item->parent = all.get();
      all->items.push_back(std::move(item));
    }
    hash.Update(absl::StrCat(texts[i].size(), ":"));
    hash.Update(texts[i]);
  }
  auto copybook = std::make_shared<Copybook>();
  SLUICE_ASSIGN_OR_RETURN(copybook->shape, Shape::Make(std::move(all), options));
  copybook->digest = HexEncode(AsBytes(hash.Finish())).substr(0, 16);
  return copybook;
}

absl::StatusOr<std::shared_ptr<const Copybook>> CopybookFile::Current() {
  const absl::Status unavailable =
      files::Unavailable("the source's copybook (setting 'copybook') cannot be read");
  std::vector<std::unique_ptr<OpenCopybookFile>> files;
  std::vector<files::Stamp> stamps(paths_.size()), after(paths_.size());
  for (size_t i = 0; i < paths_.size(); ++i) {
    files.push_back(std::make_unique<OpenCopybookFile>(paths_[i]));
    if (!files[i]->Look(stamps[i])) return unavailable;
  }
  MutexLock lock(mutex_);
  if (known_ != nullptr && stamps == stamps_) return known_;
  std::vector<std::string> texts(paths_.size());
  for (size_t i = 0; i < paths_.size(); ++i)
    if (!files[i]->ReadAll(texts[i]) || !files[i]->Look(after[i])) return unavailable;
  SLUICE_ASSIGN_OR_RETURN(auto copybook, ReadCopybooks(texts, format_, options_));
  // One that is being written is read again the next time.
  known_ = stamps == after ? copybook : nullptr;
  stamps_ = std::move(stamps);
  return copybook;
}

}  // namespace sluice::adapters::copybook
