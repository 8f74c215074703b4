// Keys of details as files.
#include <algorithm>
#include <array>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gateway/audit/record.h"
#include "gateway/base/error.h"

namespace sluice::audit {
namespace {

constexpr size_t kKeyBytes = 32;
constexpr std::string_view kSuffix = ".key";
constexpr size_t kMonthBytes = std::string_view("2026-11").size();

// "2026-11/three-years". Names come from the log as well, and become file names: nothing else
// passes.
bool IsDetailKeyName(std::string_view name) {
  constexpr std::array<std::string_view, 3> kClasses = {"three-years", "six-months", "permanent"};
  if (name.size() < 8 || name[4] != '-' || name[7] != '/') return false;
  const auto digit = [&](size_t at) { return name[at] >= '0' && name[at] <= '9'; };
  if (!digit(0) || !digit(1) || !digit(2) || !digit(3) || !digit(5) || !digit(6)) return false;
  const int month = (name[5] - '0') * 10 + (name[6] - '0');
  return month >= 1 && month <= 12 &&
         std::find(kClasses.begin(), kClasses.end(), name.substr(8)) != kClasses.end();
}

std::string FileName(std::string_view name) {
  std::string file(name);
  std::replace(file.begin(), file.end(), '/', '-');
  return file.append(kSuffix);
}

absl::Status CheckKeyFile(const std::string& path, FileSystem& files) {
  SLUICE_ASSIGN_OR_RETURN(const FileInfo info, files.Stat(path));
  if (info.is_directory)
    return absl::FailedPreconditionError(absl::StrCat(path, ": is a directory, not a key"));
  if ((info.mode & 077) != 0)
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": others may read this key; allow its owner alone: chmod 600 ", path));
  if (info.size != kKeyBytes)
    return absl::DataLossError(absl::StrCat(path, ": a key has 32 bytes, this file has ", info.size,
                                            "; restore it from the backup of detail keys"));
  return absl::OkStatus();
}

absl::Status CheckDirectory(const std::string& directory, FileSystem& files) {
  SLUICE_ASSIGN_OR_RETURN(const FileInfo info, files.Stat(directory));
  if (!info.is_directory)
    return absl::FailedPreconditionError(absl::StrCat(directory, ": is no directory"));
  if ((info.mode & 022) != 0)
    return absl::FailedPreconditionError(
        absl::StrCat(directory, ": others may change this folder of keys; chmod 700 ", directory));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::unique_ptr<DetailKeys>> DetailKeys::Open(const std::string& directory,
                                                             FileSystem& files,
                                                             RandomSource& random) {
  if (!files.Stat(directory).ok()) {
    SLUICE_RETURN_IF_ERROR(files.CreateDirectories(directory, 0700));
    SLUICE_RETURN_IF_ERROR(files.SyncDirectory(DirectoryOf(directory)));
  }
  SLUICE_RETURN_IF_ERROR(CheckDirectory(directory, files));
  SLUICE_ASSIGN_OR_RETURN(const auto names, files.List(directory));
  for (const std::string& name : names) {
    if (name.size() >= kSuffix.size() && name.ends_with(kSuffix))
      SLUICE_RETURN_IF_ERROR(CheckKeyFile(JoinPath(directory, name), files));
  }
  return std::unique_ptr<DetailKeys>(new DetailKeys(directory, files, random));
}

DetailKeys::DetailKeys(std::string directory, FileSystem& files, RandomSource& random)
    : directory_(std::move(directory)), files_(files), random_(random) {}

absl::StatusOr<std::string> DetailKeys::Load(const std::string& name) const {
  const std::string path = JoinPath(directory_, FileName(name));
  SLUICE_RETURN_IF_ERROR(CheckKeyFile(path, files_));
  SLUICE_ASSIGN_OR_RETURN(std::string key, files_.ReadAll(path, kKeyBytes));
  if (key.size() != kKeyBytes)
    return absl::DataLossError(absl::StrCat(path, ": changed while it was read"));
  return key;
}

absl::StatusOr<std::string> DetailKeys::Make(const std::string& name) {
  // A key that is replaced after its first use erases what it sealed: one maker at a time, of all
  // processes, and never over a file.
  SLUICE_ASSIGN_OR_RETURN(const auto lock, files_.Lock(JoinPath(directory_, ".lock")));
  auto present = Load(name);
  if (!absl::IsNotFound(present.status())) return present;
  std::string key = random_.Bytes(kKeyBytes);
  SLUICE_RETURN_IF_ERROR(files_.WriteAtomically(JoinPath(directory_, FileName(name)), key, 0600));
  return key;
}

absl::StatusOr<std::string> DetailKeys::ForSealing(const std::string& name) {
  if (!IsDetailKeyName(name))
    return absl::InvalidArgumentError(absl::StrCat("\"", name, "\" names no detail key"));
  MutexLock lock(mutex_);
  if (const auto found = keys_.find(name); found != keys_.end()) return found->second;
  auto key = Load(name);
  if (absl::IsNotFound(key.status())) key = Make(name);
  SLUICE_RETURN_IF_ERROR(key.status());
  // Found after a crash, the file's name may not be on stable storage yet.
  SLUICE_RETURN_IF_ERROR(files_.SyncDirectory(directory_));
  keys_.emplace(name, *key);
  return key;
}

absl::StatusOr<std::string> DetailKeys::ForOpening(const std::string& name) const {
  if (!IsDetailKeyName(name))
    return absl::InvalidArgumentError(absl::StrCat("\"", name, "\" names no detail key"));
  auto key = Load(name);
  if (absl::IsNotFound(key.status()))
    return absl::NotFoundError(absl::StrCat("the detail is erased: its key ", name,
                                            " was dropped; the envelope still verifies"));
  return key;
}

bool DetailKeys::Dropped(const std::string& name) const {
  return IsDetailKeyName(name) &&
         absl::IsNotFound(files_.Stat(JoinPath(directory_, FileName(name))).status());
}

absl::StatusOr<std::vector<std::string>> DetailKeys::Names() const {
  SLUICE_ASSIGN_OR_RETURN(const auto files, files_.List(directory_));
  std::vector<std::string> names;
  for (std::string name : files) {
    if (!name.ends_with(kSuffix) || name.size() < kMonthBytes + kSuffix.size()) continue;
    name.resize(name.size() - kSuffix.size());
    name[kMonthBytes] = '/';  // as FileName writes it
    if (IsDetailKeyName(name)) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<Micros> DetailKeys::LastChanged() const {
  const auto folder = files_.Stat(directory_);
  if (!folder.ok() || folder->modified_us == 0) return std::nullopt;
  return folder->modified_us;
}

}  // namespace sluice::audit
