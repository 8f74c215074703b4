#include "adapters/files/served_before.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "adapters/files/errors.h"
#include "gateway/base/crypto.h"
#include "gateway/base/error.h"
#include "gateway/base/file_system.h"

namespace sluice::adapters::files {
namespace {

constexpr uint64_t kMostStateBytes = 4'096;

}  // namespace

// No name of a table in it: a name may be anybody's.
std::string ServedBefore::PathOf(const std::string& table) const {
  const Hash hash = Sha256({place_, std::string_view("\0", 1), table});
  return JoinPath(folder_,
                  absl::StrCat("served-", HexEncode(AsBytes(hash)).substr(0, 32), ".json"));
}

absl::StatusOr<std::optional<ServedDrop>> ServedBefore::Of(const std::string& table) {
  MutexLock lock(mutex_);
  if (const auto known = known_.find(table); known != known_.end()) return known->second;
  if (folder_.empty()) return std::optional<ServedDrop>();
  const auto text = MakePosixFileSystem()->ReadAll(PathOf(table), kMostStateBytes);
  if (absl::IsNotFound(text.status())) return std::optional<ServedDrop>();
  if (!text.ok()) return Unavailable("what was served before cannot be read from state_folder");
  const auto json = nlohmann::json::parse(*text, nullptr, false);
  ServedDrop drop;
  if (json.is_object() && json.contains("sha256") && json["sha256"].is_string() &&
      json.contains("rows") && json["rows"].is_number_integer() && json.contains("bytes") &&
      json["bytes"].is_number_integer()) {
    drop = {json["sha256"], json["rows"], json["bytes"]};
    known_[table] = drop;
    return drop;
  }
  return Unavailable(absl::StrCat("the file of table '", table,
                                  "' in state_folder holds something else: take it away, and the "
                                  "next drop is served whatever its size"));
}

absl::Status ServedBefore::Set(const std::string& table, const ServedDrop& drop) {
  MutexLock lock(mutex_);
  if (!folder_.empty()) {
    const nlohmann::json json = {
        {"sha256", drop.digest}, {"rows", drop.rows}, {"bytes", drop.bytes}};
    const absl::Status status =
        MakePosixFileSystem()->WriteAtomically(PathOf(table), json.dump() + "\n");
    if (!status.ok()) return Unavailable("what is served cannot be written into state_folder");
  }
  known_[table] = drop;
  return absl::OkStatus();
}

}  // namespace sluice::adapters::files
