#include "gateway/config_files.h"

#include "absl/strings/str_cat.h"

namespace sluice {

void CheckFile(FileSystem& files, std::string_view setting, const std::string& path, bool secret,
               std::vector<std::string>& mistakes) {
  const auto info = files.Stat(path);
  const absl::string_view name(setting.data(), setting.size());
  if (!info.ok()) {
    mistakes.push_back(absl::StrCat(name, ": ", std::string(info.status().message())));
  } else if (info->is_directory) {
    mistakes.push_back(absl::StrCat(name, ": ", path, ": is a folder, not a file"));
  } else if (secret && (info->mode & 0077) != 0) {
    mistakes.push_back(
        absl::StrCat(name, ": ", path, ": others may read it; run: chmod 600 ", path));
  } else if (const auto file = files.OpenForRead(path); !file.ok()) {
    mistakes.push_back(absl::StrCat(name, ": ", std::string(file.status().message())));
  }
}

}  // namespace sluice
