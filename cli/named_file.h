// Files that a person names on the command line.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "gateway/base/file_system.h"

namespace sluice::cli {

// All of it. FILE_NOT_READ, wrong usage, where it cannot be read or has more than `most` bytes.
absl::StatusOr<std::string> ReadNamedFile(FileSystem& files, const std::string& path,
                                          uint64_t most);

// FILE_NOT_READ, wrong usage: what is at `path` could not be read, and why.
absl::Status NotRead(const std::string& path, const absl::Status& why);

}  // namespace sluice::cli
