#include "adapters/sqlite/version.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gateway/base/crypto.h"
#include "gateway/base/error.h"

namespace sluice::adapters::sqlite {

absl::StatusOr<SourceVersion> ReadVersion(const Lease& lease, const std::string& path) {
  SLUICE_ASSIGN_OR_RETURN(const std::string state, lease->ReadState());
  const FileState& file = lease.file();
  SourceVersion version;
  version.as_of = file.modified_us;
  if (lease->write_ahead()) {
    const auto log = ModifiedAt(path + "-wal");
    if (log) version.as_of = std::max(*version.as_of, *log);
  }
  const std::string outside = absl::StrCat(file.device, "/", file.inode, "/", file.size, "/",
                                           file.modified_us, "/", file.modified_ns, "/");
  const Hash hash = Sha256({outside, state});
  version.version = HexEncode(AsBytes(hash).substr(0, 12));
  return version;
}

}  // namespace sluice::adapters::sqlite
