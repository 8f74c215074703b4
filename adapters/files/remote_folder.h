// A folder of another machine, by SFTP, FTPS or HTTPS. What is read of it is fetched first, into a
// Scratch: encrypted, without a name, and gone with the process (docs/decisions/0031).
#pragma once

#include <memory>

#include "adapters/files/folder.h"
#include "adapters/files/remote_settings.h"

namespace sluice::adapters::files {

// `settings.url` ends in a slash.
std::shared_ptr<Folder> MakeRemoteFolder(RemoteSettings settings);

}  // namespace sluice::adapters::files
