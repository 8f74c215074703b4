// Symbolic links, which FileSystem has not: used for one thing, the swap of a checked pair.
// Internal to certs/; the real file system only.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace sluice::certs {

// Makes `folder`/`name` a link to `target` (a name in the same folder) in one rename, whatever link
// stood there before, and syncs the folder. Fails where it is something else than a link.
absl::Status SwapLink(const std::string& folder, const std::string& name,
                      const std::string& target);
// Removes an empty folder.
absl::Status RemoveFolder(const std::string& path);

}  // namespace sluice::certs
