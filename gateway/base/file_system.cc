#include "gateway/base/file_system.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"

namespace sluice {

absl::StatusOr<std::string> FileSystem::ReadAll(const std::string& path, uint64_t limit) {
  SLUICE_ASSIGN_OR_RETURN(auto file, OpenForRead(path));
  SLUICE_ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  if (size > limit)
    return absl::ResourceExhaustedError(absl::StrCat(path, ": larger than ", limit, " bytes"));
  return file->ReadAt(0, size);
}

absl::Status FileSystem::WriteAtomically(const std::string& path, std::string_view bytes,
                                         uint32_t mode) {
  const std::string temporary = absl::StrCat(path, ".tmp");
  if (Stat(temporary).ok()) SLUICE_RETURN_IF_ERROR(Remove(temporary));
  {
    SLUICE_ASSIGN_OR_RETURN(auto file, CreateNew(temporary, mode));
    SLUICE_RETURN_IF_ERROR(file->WriteAt(0, bytes));
    SLUICE_RETURN_IF_ERROR(file->Sync());
    SLUICE_RETURN_IF_ERROR(file->Close());
  }
  SLUICE_RETURN_IF_ERROR(Rename(temporary, path));
  return SyncDirectory(DirectoryOf(path));
}

std::string JoinPath(std::string_view directory, std::string_view name) {
  if (directory.empty() || (!name.empty() && name.front() == '/')) return std::string(name);
  std::string path(directory);
  if (path.back() != '/') path += '/';
  return path.append(name);
}

std::string DirectoryOf(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return std::string(path.substr(0, std::max<size_t>(slash, 1)));
}

}  // namespace sluice
