#include "certs/links.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "gateway/base/file_system.h"

namespace sluice::certs {
namespace {

absl::Status Errno(const char* action, const std::string& path) {
  return absl::UnknownError(absl::StrCat(action, " ", path, ": ", strerror(errno)));
}

}  // namespace

absl::Status SwapLink(const std::string& folder, const std::string& name,
                      const std::string& target) {
  const std::string link = JoinPath(folder, name);
  struct stat info;
  if (lstat(link.c_str(), &info) == 0 && !S_ISLNK(info.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat(link, ": is no link; move it away, so that a link can stand there"));
  }
  const std::string fresh = link + ".new";
  if (unlink(fresh.c_str()) != 0 && errno != ENOENT) return Errno("remove", fresh);
  if (symlink(target.c_str(), fresh.c_str()) != 0) return Errno("link", fresh);
  if (rename(fresh.c_str(), link.c_str()) != 0) return Errno("rename", fresh);
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Errno("open", folder);
  const bool synced = fsync(fd) == 0;
  const absl::Status status = synced ? absl::OkStatus() : Errno("sync", folder);
  close(fd);
  return status;
}

absl::Status RemoveFolder(const std::string& path) {
  return rmdir(path.c_str()) == 0 ? absl::OkStatus() : Errno("remove", path);
}

}  // namespace sluice::certs
