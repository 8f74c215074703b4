#include "adapters/files/local_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "absl/strings/str_cat.h"
#include "adapters/files/errors.h"
#include "gateway/base/error.h"

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

Stamp StampOf(const struct stat& info) {
  return {
      info.st_dev, info.st_ino, info.st_size, Nanoseconds(info.st_mtim), Nanoseconds(info.st_ctim),
      ""};
}

// Whether any later write would be stamped differently. A stamp from the future (the clock was set
// back) is: no write can get it again soon.
bool Settled(const Stamp& stamp) {
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
    case ELOOP: {
      absl::Status status =
          Unavailable("the source's file is a symbolic link, which is not followed");
      AddKey(status, kIsLink, "true");
      return status;
    }
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

absl::Status NoSuchFile() { return absl::NotFoundError("the source has no file of that name"); }

bool SameBytes(const Stamp& a, const Stamp& b) {
  return a.device == b.device && a.inode == b.inode && a.size == b.size &&
         a.modified_ns == b.modified_ns;
}

// Opened by its folder, which may be another by the time that its name is looked up again.
class LocalFile : public SourceFile {
 public:
  LocalFile(int fd, Stamp stamp, std::string folder, std::string name)
      : fd_(fd), stamp_(std::move(stamp)), folder_(std::move(folder)), name_(std::move(name)) {}
  ~LocalFile() override { close(fd_); }
  LocalFile(const LocalFile&) = delete;
  LocalFile& operator=(const LocalFile&) = delete;

  const Stamp& stamp() const override { return stamp_; }
  const std::string& name() const override { return name_; }
  int64_t size() const override { return stamp_.size; }
  absl::Status Read(int64_t offset, size_t count, char* to, size_t* read) const override;
  absl::StatusOr<bool> Unchanged() const override;
  absl::StatusOr<Standing> Look() const override;

 private:
  const int fd_;
  const Stamp stamp_;
  const std::string folder_;
  const std::string name_;
};

absl::StatusOr<int> OpenFolder(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) return fd;
  if (errno == EMFILE || errno == ENFILE) return CannotBeRead(errno);
  return Unavailable(absl::StrCat("the source's folder cannot be opened (errno ", errno, ")"));
}

absl::Status LocalFile::Read(int64_t offset, size_t count, char* to, size_t* read) const {
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

// Taking a file's last name away changes its time of change, and nothing else: then size and time
// of writing are what is left to compare, and nobody can open it to write any more.
absl::StatusOr<bool> LocalFile::Unchanged() const {
  struct stat info;
  if (fstat(fd_, &info) != 0) return CannotBeRead(errno);
  const Stamp now = StampOf(info);
  return now == stamp_ || (info.st_nlink == 0 && SameBytes(now, stamp_));
}

absl::StatusOr<Standing> LocalFile::Look() const {
  SLUICE_ASSIGN_OR_RETURN(const int folder, OpenFolder(folder_));
  const Closer closer(folder);
  struct stat named;
  const bool any = fstatat(folder, name_.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0;
  if (any && StampOf(named) == stamp_) return Standing::kSame;
  struct stat own;
  if (fstat(fd_, &own) != 0) return CannotBeRead(errno);
  const bool nameless = own.st_nlink == 0 && SameBytes(StampOf(own), stamp_);
  if (!any) return nameless ? Standing::kGone : Standing::kMissing;
  return nameless && S_ISREG(named.st_mode) ? Standing::kReplaced : Standing::kChanged;
}

class LocalFolder : public Folder {
 public:
  explicit LocalFolder(std::string path) : path_(std::move(path)) {}

  absl::StatusOr<std::vector<std::string>> Names(const Watch& watch) override;
  absl::StatusOr<Stamp> Look(const std::string& name, const Watch& watch) override;
  absl::StatusOr<std::shared_ptr<const SourceFile>> Open(const std::string& name,
                                                         const Watch& watch) override;
  absl::StatusOr<std::string> ReadSmall(const std::string& name, size_t most,
                                        const Watch& watch) override;
  absl::Status Probe(const Watch& watch) override;

 private:
  absl::StatusOr<std::shared_ptr<const SourceFile>> OpenNow(const std::string& name) const;

  const std::string path_;
};

absl::StatusOr<std::vector<std::string>> LocalFolder::Names(const Watch&) {
  SLUICE_ASSIGN_OR_RETURN(const int fd, OpenFolder(path_));
  DIR* const stream = fdopendir(fd);
  if (stream == nullptr) {
    const Closer closer(fd);
    return CannotBeRead(errno);
  }
  std::vector<std::string> names;
  errno = 0;
  for (const dirent* entry = readdir(stream); entry != nullptr; entry = readdir(stream)) {
    // Of a link it is said that it is none when it is opened.
    const bool may_be_file =
        entry->d_type == DT_REG || entry->d_type == DT_UNKNOWN || entry->d_type == DT_LNK;
    if (may_be_file && IsFileName(entry->d_name)) names.emplace_back(entry->d_name);
  }
  const int error = errno;
  closedir(stream);
  if (error != 0) return CannotBeRead(error);
  std::sort(names.begin(), names.end());
  return names;
}

absl::StatusOr<std::shared_ptr<const SourceFile>> LocalFolder::OpenNow(
    const std::string& name) const {
  if (!IsFileName(name)) return NoSuchFile();
  SLUICE_ASSIGN_OR_RETURN(const int folder, OpenFolder(path_));
  const Closer closer(folder);
  // Not blocking: a pipe of that name must not hold the thread.
  const int fd =
      openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0 && (errno == ENOENT || errno == ENAMETOOLONG)) return NoSuchFile();
  if (fd < 0) return CannotBeRead(errno);
  struct stat info;
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    const Closer spare(fd);
    return Unavailable("the source's file is a folder or a device, and no file");
  }
  return std::make_shared<const LocalFile>(fd, StampOf(info), path_, name);
}

absl::StatusOr<std::shared_ptr<const SourceFile>> LocalFolder::Open(const std::string& name,
                                                                    const Watch& watch) {
  const int64_t started = StampClock();
  for (;;) {
    SLUICE_ASSIGN_OR_RETURN(auto file, OpenNow(name));
    if (Settled(file->stamp())) return file;
    if (std::abs(StampClock() - started) > kMostWaitNs)
      return Unavailable("the source's file is being written");
    SLUICE_RETURN_IF_ERROR(watch.Check());
    std::this_thread::sleep_for(kWaitStep);
  }
}

absl::StatusOr<Stamp> LocalFolder::Look(const std::string& name, const Watch&) {
  SLUICE_ASSIGN_OR_RETURN(const auto file, OpenNow(name));
  return file->stamp();
}

absl::StatusOr<std::string> LocalFolder::ReadSmall(const std::string& name, size_t most,
                                                   const Watch& watch) {
  SLUICE_ASSIGN_OR_RETURN(const auto file, Open(name, watch));
  std::string bytes(std::min(most, static_cast<size_t>(file->size())), '\0');
  size_t read = 0;
  SLUICE_RETURN_IF_ERROR(file->Read(0, bytes.size(), bytes.data(), &read));
  bytes.resize(read);
  return bytes;
}

absl::Status LocalFolder::Probe(const Watch&) {
  SLUICE_ASSIGN_OR_RETURN(const int folder, OpenFolder(path_));
  close(folder);
  return absl::OkStatus();
}

}  // namespace

std::string Stamp::ToString() const {
  return absl::StrCat(device, " ", inode, " ", size, " ", modified_ns, " ", changed_ns, " ", tag);
}

int64_t StampClock() {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return Nanoseconds(now);
}

bool IsFileName(std::string_view name) {
  return !name.empty() && name[0] != '.' && name.find('/') == name.npos &&
         std::none_of(name.begin(), name.end(),
                      [](unsigned char c) { return c < ' ' || c == '\x7f'; });
}

std::shared_ptr<Folder> MakeLocalFolder(std::string path) {
  return std::make_shared<LocalFolder>(std::move(path));
}

}  // namespace sluice::adapters::files
