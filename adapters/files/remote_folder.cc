#include "adapters/files/remote_folder.h"
namespace sluice::adapters::files {
std::shared_ptr<Folder> MakeRemoteFolder(RemoteSettings) { return nullptr; }
}  // namespace sluice::adapters::files
