#include "adapters/files/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/files/errors.h"
#include "gateway/base/error.h"
#include "gateway/base/file_system.h"

namespace sluice::adapters::files {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;
// The system stamps files by the tick of its clock (10 ms at most); a file system that keeps no
// fractions, by the second or two.
constexpr int64_t kTickNs = 15'000'000;
constexpr int64_t kCoarseTickNs = 2 * kSecondNs;
constexpr int64_t kMostWaitNs = 3 * kSecondNs;
constexpr auto kWaitStep = std::chrono::milliseconds(2);

int64_t Nanoseconds(const struct timespec& time) { return time.tv_sec * kSecondNs + time.tv_nsec; }

OneStamp StampOf(const struct stat& info) {
  return {info.st_dev, info.st_ino, info.st_size, Nanoseconds(info.st_mtim),
          Nanoseconds(info.st_ctim)};
}

// The clock that file stamps are made from: no other can be compared with them.
int64_t StampClock() {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return Nanoseconds(now);
}

// Whether any later write would be stamped differently. A stamp from the future (the clock was set
// back) is: no write can get it again soon.
bool Settled(const OneStamp& stamp) {
  const int64_t age = StampClock() - stamp.changed_ns;
  const int64_t tick = stamp.changed_ns % kSecondNs == 0 ? kCoarseTickNs : kTickNs;
  return age > tick || age < -kSecondNs;
}

class Closer {
 public:
  explicit Closer(int fd) : fd_(fd) {}
  ~Closer() { close(fd_); }
  Closer(const Closer&) = delete;
  Closer& operator=(const Closer&) = delete;

 private:
  const int fd_;
};

absl::Status CannotBeRead(int error) {
  switch (error) {
    case ELOOP:
      return Unavailable("the source's file is a symbolic link, which is not followed");
    case EACCES:
    case EPERM:
      return Unavailable("the gateway's account may not read the source's file");
    case EMFILE:
    case ENFILE:
      return Unavailable("the gateway has no file descriptor left to read the source with");
    default:
      return Unavailable(absl::StrCat("the source's file cannot be read (errno ", error, ")"));
  }
}

// NOT_FOUND where there is none of that name.
absl::StatusOr<std::shared_ptr<SourceFile>> OpenRegular(int folder, const std::string& name) {
  // Not blocking: a pipe of that name must not hold the thread.
  const int fd =
      openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0 && (errno == ENOENT || errno == ENAMETOOLONG))
    return absl::NotFoundError("the source has no table of that name");
  if (fd < 0) return CannotBeRead(errno);
  struct stat info;
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    const Closer spare(fd);
    return Unavailable("the source's file is a folder or a device, and no file");
  }
  return std::make_shared<SourceFile>(fd, StampOf(info));
}

// The one entry that has the first of the names that any has, but for the case of its letters;
// empty where there is none.
absl::StatusOr<std::string> FindAnyCase(int folder, const std::vector<std::string>& names) {
  const int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* const stream = fd < 0 ? nullptr : fdopendir(fd);
  if (stream == nullptr) {
    const int error = errno;
    if (fd >= 0) close(fd);
    return CannotBeRead(error);
  }
  std::vector<std::vector<std::string>> found(names.size());
  errno = 0;
  for (const dirent* entry = readdir(stream); entry != nullptr; entry = readdir(stream))
    for (size_t i = 0; i < names.size(); ++i)
      if (absl::EqualsIgnoreCase(entry->d_name, names[i])) found[i].emplace_back(entry->d_name);
  const int error = errno;
  closedir(stream);
  if (error != 0) return CannotBeRead(error);
  for (const auto& alike : found) {
    if (alike.size() > 1)
      return Unavailable(
          "two files beside the source's could be the one that belongs to it: their names differ "
          "in the case of letters only");
    if (!alike.empty()) return alike[0];
  }
  return std::string();
}

bool EndsIn(std::string_view text, std::string_view end) {
  return text.size() > end.size() && text.ends_with(end);
}

}  // namespace

SourceFile::~SourceFile() { close(fd_); }

absl::Status SourceFile::Read(int64_t offset, size_t count, char* to, size_t* read) const {
  const int64_t left = std::max<int64_t>(stamp_.size - offset, 0);
  count = static_cast<size_t>(std::min<int64_t>(left, static_cast<int64_t>(count)));
  for (*read = 0; *read < count;) {
    const ssize_t n = pread(fd_, to + *read, count - *read, offset + static_cast<int64_t>(*read));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return CannotBeRead(errno);
    if (n == 0) return Changed();
    *read += static_cast<size_t>(n);
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> SourceFile::Unchanged() const {
  struct stat info;
  if (fstat(fd_, &info) != 0) return CannotBeRead(errno);
  if (StampOf(info) != stamp_) return false;
  if (companion_ == nullptr) return true;
  return companion_->Unchanged();
}

void SourceFile::Join(std::string name, std::shared_ptr<const SourceFile> companion) {
  stamp_.companion = std::move(name);
  stamp_.companion_stamp = companion->stamp();
  companion_ = std::move(companion);
}

Folder Folder::OfFile(std::string_view file) {
  Folder folder;
  folder.folder_ = DirectoryOf(file);
  folder.file_ = std::string(file.substr(file.rfind('/') + 1));
  const size_t dot = folder.file_.rfind('.');
  folder.table_ = folder.file_.substr(0, dot == 0 ? std::string::npos : dot);
  return folder;
}

Folder Folder::Of(std::string_view path, std::string_view suffix) {
  Folder folder;
  folder.folder_ = std::string(path);
  folder.suffix_ = std::string(suffix);
  return folder;
}

// A name of one part, so that nothing above or below the folder can be meant.
std::string Folder::NameOf(std::string_view table) const {
  if (!file_.empty()) return table == table_ ? file_ : std::string();
  if (table.empty() || table[0] == '.' || table.find('/') != table.npos ||
      table.find('\0') != table.npos) {
    return {};
  }
  return std::string(table) + suffix_;
}

absl::StatusOr<int> Folder::OpenFolder() const {
  const int fd = open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) return fd;
  if (errno == EMFILE || errno == ENFILE) return CannotBeRead(errno);
  return Unavailable(absl::StrCat("the source's folder cannot be opened (errno ", errno, ")"));
}

absl::StatusOr<std::vector<std::string>> Folder::Tables() const {
  if (!file_.empty()) return std::vector<std::string>{table_};
  SLUICE_ASSIGN_OR_RETURN(const int fd, OpenFolder());
  DIR* const stream = fdopendir(fd);
  if (stream == nullptr) {
    const Closer closer(fd);
    return CannotBeRead(errno);
  }
  std::vector<std::string> tables;
  errno = 0;
  for (const dirent* entry = readdir(stream); entry != nullptr; entry = readdir(stream)) {
    const std::string_view name = entry->d_name;
    const bool may_be_file = entry->d_type == DT_REG || entry->d_type == DT_UNKNOWN;
    if (may_be_file && name[0] != '.' && EndsIn(name, suffix_))
      tables.emplace_back(name.substr(0, name.size() - suffix_.size()));
  }
  const int error = errno;
  closedir(stream);
  if (error != 0) return CannotBeRead(error);
  std::sort(tables.begin(), tables.end());
  return tables;
}

absl::StatusOr<std::shared_ptr<const SourceFile>> Folder::OpenNow(
    std::string_view table, const CompanionNames& companions) const {
  const std::string name = NameOf(table);
  if (name.empty()) return absl::NotFoundError("the source has no table of that name");
  SLUICE_ASSIGN_OR_RETURN(const int folder, OpenFolder());
  const Closer closer(folder);
  auto file = OpenRegular(folder, name);
  if (absl::IsNotFound(file.status()) && !file_.empty())
    return Unavailable("the source's file is not there");
  SLUICE_RETURN_IF_ERROR(file.status());
  if (companions == nullptr) return *file;
  SLUICE_ASSIGN_OR_RETURN(const auto names, companions(**file, name));
  if (names.empty()) return *file;
  SLUICE_ASSIGN_OR_RETURN(std::string beside, FindAnyCase(folder, names));
  if (beside.empty()) return *file;
  auto companion = OpenRegular(folder, beside);
  if (absl::IsNotFound(companion.status())) return *file;
  SLUICE_RETURN_IF_ERROR(companion.status());
  (*file)->Join(std::move(beside), *std::move(companion));
  return *file;
}

absl::StatusOr<std::shared_ptr<const SourceFile>> Folder::Open(
    std::string_view table, const Watch& watch, const CompanionNames& companions) const {
  const int64_t started = StampClock();
  for (;;) {
    SLUICE_ASSIGN_OR_RETURN(auto file, OpenNow(table, companions));
    const Stamp& stamp = file->stamp();
    if (Settled(stamp) && (stamp.companion.empty() || Settled(stamp.companion_stamp))) return file;
    if (std::abs(StampClock() - started) > kMostWaitNs)
      return Unavailable("the source's file is being written");
    SLUICE_RETURN_IF_ERROR(watch.Check());
    std::this_thread::sleep_for(kWaitStep);
  }
}

absl::Status Folder::Recheck(std::string_view table, const Stamp& stamp) const {
  SLUICE_ASSIGN_OR_RETURN(const int folder, OpenFolder());
  const Closer closer(folder);
  const auto recheck = [&](const std::string& name, const OneStamp& was) -> absl::Status {
    struct stat info;
    if (fstatat(folder, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0)
      return Unavailable("the source's file is not there any more");
    return StampOf(info) == was ? absl::OkStatus() : Changed();
  };
  SLUICE_RETURN_IF_ERROR(recheck(NameOf(table), stamp));
  return stamp.companion.empty() ? absl::OkStatus()
                                 : recheck(stamp.companion, stamp.companion_stamp);
}

absl::Status Folder::Probe() const {
  if (!file_.empty()) return OpenNow(table_, nullptr).status();
  SLUICE_ASSIGN_OR_RETURN(const int folder, OpenFolder());
  close(folder);
  return absl::OkStatus();
}

}  // namespace sluice::adapters::files
