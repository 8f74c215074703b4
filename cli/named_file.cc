#include "cli/named_file.h"

#include "absl/strings/str_cat.h"
#include "cli/failure.h"
#include "cli/words.h"

namespace sluice::cli {

absl::StatusOr<std::string> ReadNamedFile(FileSystem& files, const std::string& path,
                                          uint64_t most) {
  auto text = files.ReadAll(path, most);
  if (text.ok()) return text;
  return NotRead(path, text.status());
}

absl::Status NotRead(const std::string& path, const absl::Status& why) {
  return LocalError(
      "FILE_NOT_READ", absl::StrCat(std::string(why.message()), "."), {},
      absl::StrCat("ls -l ", ShellQuoted(path), "      paths begin in the folder that you are in"),
      kWrongUsage);
}

}  // namespace sluice::cli
