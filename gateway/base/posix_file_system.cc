#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/base/file_system.h"

namespace sluice {
namespace {

constexpr size_t kDirectAlign = 4096;

absl::Status Errno(int error, std::string_view action, const std::string& path) {
  const std::string message = absl::StrCat(
      path, ": ", absl::string_view(action.data(), action.size()), ": ", strerror(error));
  switch (error) {
    case ENOENT:
      return absl::NotFoundError(message);
    case EEXIST:
      return absl::AlreadyExistsError(message);
    case ENOSPC:
    case EDQUOT:
      return absl::ResourceExhaustedError(message);
    case EACCES:
    case EPERM:
      return absl::PermissionDeniedError(message);
    default:
      return absl::UnknownError(message);
  }
}

template <class Call>
auto Retrying(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

// Owns a descriptor.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

class PosixWritableFile : public WritableFile {
 public:
  PosixWritableFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

  absl::Status WriteAt(uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t n = Retrying([&] {
        return pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      });
      if (n < 0) return Errno(errno, "write", path_);
      bytes.remove_prefix(static_cast<size_t>(n));
      offset += static_cast<uint64_t>(n);
    }
    return absl::OkStatus();
  }
  absl::Status Sync() override {
    return fdatasync(fd_.get()) == 0 ? absl::OkStatus() : Errno(errno, "fdatasync", path_);
  }
  absl::Status Close() override {
    return close(fd_.Release()) == 0 ? absl::OkStatus() : Errno(errno, "close", path_);
  }

 private:
  Descriptor fd_;
  const std::string path_;
};

class PosixReadableFile : public ReadableFile {
 public:
  PosixReadableFile(int fd, bool direct, std::string path)
      : fd_(fd), direct_(direct), path_(std::move(path)) {}

  absl::StatusOr<std::string> ReadAt(uint64_t offset, size_t count) override {
    return direct_ ? ReadDirect(offset, count) : ReadPlain(offset, count);
  }
  absl::StatusOr<uint64_t> Size() override {
    struct stat info;
    if (fstat(fd_.get(), &info) != 0) return Errno(errno, "stat", path_);
    return static_cast<uint64_t>(info.st_size);
  }

 private:
  absl::StatusOr<std::string> ReadPlain(uint64_t offset, size_t count) {
    SLUICE_ASSIGN_OR_RETURN(const uint64_t size, Size());
    std::string out(offset < size ? std::min<uint64_t>(count, size - offset) : 0, '\0');
    size_t done = 0;
    while (done < out.size()) {
      const ssize_t n = Retrying([&] {
        return pread(fd_.get(), out.data() + done, out.size() - done,
                     static_cast<off_t>(offset + done));
      });
      if (n < 0) return Errno(errno, "read", path_);
      if (n == 0) break;
      done += static_cast<size_t>(n);
    }
    out.resize(done);
    return out;
  }

  // O_DIRECT wants the offset, the length and the buffer aligned.
  absl::StatusOr<std::string> ReadDirect(uint64_t offset, size_t count) {
    const uint64_t begin = offset / kDirectAlign * kDirectAlign;
    const size_t length = (offset - begin + count + kDirectAlign - 1) / kDirectAlign * kDirectAlign;
    struct Freer {
      void operator()(char* p) const { std::free(p); }
    };
    std::unique_ptr<char, Freer> buffer(
        static_cast<char*>(std::aligned_alloc(kDirectAlign, std::max(length, kDirectAlign))));
    size_t done = 0;
    while (done < length) {
      const ssize_t n = Retrying([&] {
        return pread(fd_.get(), buffer.get() + done, length - done,
                     static_cast<off_t>(begin + done));
      });
      if (n < 0) return Errno(errno, "read past the cache", path_);
      done += static_cast<size_t>(n);
      if (n == 0 || static_cast<size_t>(n) % kDirectAlign != 0) break;  // the end of the file
    }
    const size_t skip = offset - begin;
    if (done <= skip) return std::string();
    return std::string(buffer.get() + skip, std::min(count, done - skip));
  }

  Descriptor fd_;
  const bool direct_;
  const std::string path_;
};

class PosixFileLock : public FileLock {
 public:
  explicit PosixFileLock(int fd) : fd_(fd) {}

 private:
  Descriptor fd_;
};

class PosixFileSystem : public FileSystem {
 public:
  absl::StatusOr<std::unique_ptr<WritableFile>> OpenForWrite(const std::string& path,
                                                             uint32_t mode) override {
    return Open(path, O_WRONLY | O_CREAT, mode);
  }
  absl::StatusOr<std::unique_ptr<WritableFile>> CreateNew(const std::string& path,
                                                          uint32_t mode) override {
    return Open(path, O_WRONLY | O_CREAT | O_EXCL, mode);
  }
  absl::StatusOr<std::unique_ptr<ReadableFile>> OpenForRead(const std::string& path,
                                                            ReadFrom from) override {
    if (from == ReadFrom::kStorage) {
      const int fd = Retrying([&] { return open(path.c_str(), O_RDONLY | O_CLOEXEC | O_DIRECT); });
      if (fd >= 0) return std::make_unique<PosixReadableFile>(fd, true, path);
      if (errno != EINVAL) return Errno(errno, "open", path);
    }
    const int fd = Retrying([&] { return open(path.c_str(), O_RDONLY | O_CLOEXEC); });
    if (fd < 0) return Errno(errno, "open", path);
    if (from == ReadFrom::kStorage) posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    return std::make_unique<PosixReadableFile>(fd, false, path);
  }
  absl::Status Rename(const std::string& from, const std::string& to) override {
    return rename(from.c_str(), to.c_str()) == 0 ? absl::OkStatus() : Errno(errno, "rename", from);
  }
  absl::Status Remove(const std::string& path) override {
    return unlink(path.c_str()) == 0 ? absl::OkStatus() : Errno(errno, "remove", path);
  }
  absl::Status SyncDirectory(const std::string& path) override {
    Descriptor fd(Retrying([&] { return open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (fd.get() < 0) return Errno(errno, "open", path);
    return fsync(fd.get()) == 0 ? absl::OkStatus() : Errno(errno, "fsync", path);
  }
  absl::Status CreateDirectories(const std::string& path, uint32_t mode) override {
    for (size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
      const std::string part = path.substr(0, slash);
      if (mkdir(part.c_str(), mode) != 0 && errno != EEXIST) return Errno(errno, "mkdir", part);
      if (slash == std::string::npos) return absl::OkStatus();
    }
  }
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) override {
    struct Closer {
      void operator()(DIR* directory) const { closedir(directory); }
    };
    std::unique_ptr<DIR, Closer> directory(opendir(path.c_str()));
    if (directory == nullptr) return Errno(errno, "list", path);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = readdir(directory.get())) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    if (errno != 0) return Errno(errno, "list", path);
    std::sort(names.begin(), names.end());
    return names;
  }
  absl::StatusOr<FileInfo> Stat(const std::string& path) override {
    struct stat info;
    if (stat(path.c_str(), &info) != 0) return Errno(errno, "stat", path);
    return FileInfo{static_cast<uint64_t>(info.st_size), S_ISDIR(info.st_mode),
                    info.st_mode & 07777u,
                    info.st_mtim.tv_sec * int64_t{1000000} + info.st_mtim.tv_nsec / 1000};
  }
  absl::StatusOr<std::unique_ptr<FileLock>> Lock(const std::string& path) override {
    Descriptor fd(Retrying([&] { return open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600); }));
    if (fd.get() < 0) return Errno(errno, "open", path);
    if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0)
      return absl::FailedPreconditionError(absl::StrCat(path, ": held by another process"));
    return std::make_unique<PosixFileLock>(fd.Release());
  }

 private:
  static absl::StatusOr<std::unique_ptr<WritableFile>> Open(const std::string& path, int flags,
                                                            uint32_t mode) {
    const int fd = Retrying([&] { return open(path.c_str(), flags | O_CLOEXEC, mode); });
    if (fd < 0) return Errno(errno, "open for writing", path);
    return std::make_unique<PosixWritableFile>(fd, path);
  }
};

}  // namespace

std::unique_ptr<FileSystem> MakePosixFileSystem() { return std::make_unique<PosixFileSystem>(); }

}  // namespace sluice
