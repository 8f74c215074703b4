// A folder of this machine. No symbolic link in it is followed, no pipe or device opened.
#pragma once

#include <memory>
#include <string>

#include "adapters/files/folder.h"

namespace sluice::adapters::files {

// `path` is absolute.
std::shared_ptr<Folder> MakeLocalFolder(std::string path);

}  // namespace sluice::adapters::files
