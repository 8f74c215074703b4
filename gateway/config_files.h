// Files that a configuration names.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gateway/base/file_system.h"

namespace sluice {

// Whether the file is there, no folder, readable; a secret one closed to group and others. Adds
// what is wrong, with the setting's path before it.
void CheckFile(FileSystem& files, std::string_view setting, const std::string& path, bool secret,
               std::vector<std::string>& mistakes);

}  // namespace sluice
