#include "gateway/audit/log_copy.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"

namespace sluice::audit {
namespace {

constexpr uint32_t kFileMode = 0600, kFolderMode = 0700;
constexpr uint64_t kMostNote = 1 << 20;
constexpr uint64_t kMostBundle = kTileWidth * (65535 + 2);
constexpr int kCopyLevelBits = 8;

uint64_t HashesOf(int level, uint64_t size) {
  const int bits = level < 0 ? 0 : kCopyLevelBits * level;
  return bits < 64 ? size >> bits : 0;
}

// The tile of this level that is not full yet in a tree of `size`; none where all are.
std::optional<TileId> PartialOf(int level, uint64_t size) {
  const uint64_t hashes = HashesOf(level, size);
  if (hashes % kTileWidth == 0) return std::nullopt;
  return TileId{.level = level,
                .index = hashes / kTileWidth,
                .width = static_cast<uint32_t>(hashes % kTileWidth)};
}

void AppendToBundle(std::string_view entry, std::string& bundle) {
  bundle.push_back(static_cast<char>(entry.size() >> 8));
  bundle.push_back(static_cast<char>(entry.size() & 0xff));
  bundle.append(entry);
}

absl::Status CopyDamaged(const std::string& file, std::string_view why) {
  return absl::DataLossError(absl::StrCat(file, ": ", absl::string_view(why.data(), why.size())));
}

std::string ConflictName(const Checkpoint& head) {
  return absl::StrCat("conflict/", head.size, "-", HexEncode(AsBytes(head.root).substr(0, 4)));
}

}  // namespace

Hash RootOverPartials(const std::array<std::vector<Hash>, 8>& levels) {
  std::optional<Hash> below;
  for (const std::vector<Hash>& level : levels) {
    if (level.empty()) continue;
    std::vector<Hash> row = level;
    if (below) row.push_back(*below);
    below = RootOf(row);
  }
  return below.value_or(EmptyRoot());
}

absl::StatusOr<std::unique_ptr<LogCopy>> LogCopy::Open(const std::string& directory,
                                                       const VerifierKey& key, FileSystem& files) {
  std::unique_ptr<LogCopy> copy(new LogCopy(directory, key, files));
  SLUICE_RETURN_IF_ERROR(copy->Load());
  return copy;
}

absl::Status LogCopy::Load() {
  SLUICE_RETURN_IF_ERROR(EnsureFolder(directory_));
  SLUICE_ASSIGN_OR_RETURN(lock_, files_.Lock(JoinPath(directory_, ".lock")));
  SLUICE_ASSIGN_OR_RETURN(newest_, ReadHead(kCopyNewestHead));
  SLUICE_ASSIGN_OR_RETURN(checkpoint_, ReadHead(kCopyCheckpoint));
  // The newest head is written first: it is never behind.
  if (checkpoint_ && (!newest_ || newest_->checkpoint.size < checkpoint_->checkpoint.size))
    return CopyDamaged(kCopyNewestHead, "is missing, or older than checkpoint");
  SLUICE_RETURN_IF_ERROR(Restore());
  return TakeStaged();
}

absl::StatusOr<std::optional<KeptHead>> LogCopy::ReadHead(const char* name) const {
  auto note = files_.ReadAll(JoinPath(directory_, name), kMostNote);
  if (absl::IsNotFound(note.status())) return std::optional<KeptHead>();
  if (!note.ok()) return note.status();
  auto head = VerifyCheckpoint(*note, key_);
  if (!head.ok()) return CopyDamaged(name, std::string(head.status().message()));
  return std::optional<KeptHead>(KeptHead{*std::move(head), *std::move(note)});
}

absl::StatusOr<std::string> LogCopy::ReadTileFile(const TileId& id) const {
  const std::string name = TilePath(id);
  auto bytes = files_.ReadAll(JoinPath(directory_, name), kMostBundle);
  if (absl::IsNotFound(bytes.status())) return CopyDamaged(name, "is missing");
  return bytes;
}

// What a tree of the checkpoint's size has in tiles that are not full.
absl::Status LogCopy::Restore() {
  size_ = 0;
  bundle_.clear();
  for (std::vector<Hash>& level : hashes_) level.clear();
  if (!checkpoint_) return absl::OkStatus();
  const uint64_t size = checkpoint_->checkpoint.size;
  for (int level = 0; level < static_cast<int>(hashes_.size()); ++level) {
    const std::optional<TileId> id = PartialOf(level, size);
    if (!id) continue;
    SLUICE_ASSIGN_OR_RETURN(const std::string bytes, ReadTileFile(*id));
    auto hashes = DecodeTile(bytes, id->width);
    if (!hashes.ok()) return CopyDamaged(TilePath(*id), std::string(hashes.status().message()));
    hashes_[static_cast<size_t>(level)] = *std::move(hashes);
  }
  if (RootOverPartials(hashes_) != checkpoint_->checkpoint.root)
    return CopyDamaged(kCopyCheckpoint, "its tiles do not have the root that was signed");
  if (const std::optional<TileId> id = PartialOf(-1, size)) {
    SLUICE_ASSIGN_OR_RETURN(bundle_, ReadTileFile(*id));
    const auto entries = DecodeBundle(bundle_);
    std::vector<Hash> leaves;
    if (entries.ok())
      for (const std::string& entry : *entries) leaves.push_back(LeafHash(entry));
    if (leaves != hashes_[0]) return CopyDamaged(TilePath(*id), "not the entries of its tile");
  }
  size_ = size;
  return absl::OkStatus();
}

// Bundles that an interrupted run has finished behind the checkpoint. They are taken as they are;
// the root of the whole shows whether they are right.
absl::Status LogCopy::TakeStaged() {
  for (;;) {
    const TileId id{.level = -1, .index = size_ / kTileWidth};
    const auto bundle = files_.ReadAll(JoinPath(directory_, TilePath(id)), kMostBundle);
    if (absl::IsNotFound(bundle.status())) return absl::OkStatus();
    if (!bundle.ok()) return bundle.status();
    const auto entries = DecodeBundle(*bundle);
    if (!entries.ok() || entries->size() != kTileWidth || !absl::StartsWith(*bundle, bundle_))
      return absl::OkStatus();  // it is fetched again, and written anew
    if (!newest_ || newest_->checkpoint.size < (id.index + 1) * kTileWidth) return absl::OkStatus();
    for (size_t i = size_ % kTileWidth; i < entries->size(); ++i)
      SLUICE_RETURN_IF_ERROR(Add((*entries)[i]));
  }
}

// Once a run: a folder that an interrupted run has made may not be on the storage.
absl::Status LogCopy::EnsureFolder(const std::string& path) {
  if (folders_.contains(path)) return absl::OkStatus();
  const std::string above = DirectoryOf(path);
  const bool ours = path.size() > directory_.size();
  if (above != path && (ours || !files_.Stat(above).ok()))
    SLUICE_RETURN_IF_ERROR(EnsureFolder(above));
  SLUICE_RETURN_IF_ERROR(files_.CreateDirectories(path, kFolderMode));
  SLUICE_RETURN_IF_ERROR(files_.SyncDirectory(above));
  folders_.insert(path);
  return absl::OkStatus();
}

absl::Status LogCopy::WriteFile(const std::string& name, std::string_view bytes) {
  const std::string path = JoinPath(directory_, name);
  SLUICE_RETURN_IF_ERROR(EnsureFolder(DirectoryOf(path)));
  return files_.WriteAtomically(path, bytes, kFileMode);
}

absl::Status LogCopy::KeepConflict(std::string what, const KeptHead& shown,
                                   std::optional<HeadConflict>* conflict) {
  HeadConflict found{.what = std::move(what), .kept = *newest_, .shown = shown};
  found.kept_file = JoinPath(directory_, ConflictName(newest_->checkpoint));
  found.shown_file = JoinPath(directory_, ConflictName(shown.checkpoint));
  SLUICE_RETURN_IF_ERROR(WriteFile(ConflictName(newest_->checkpoint), newest_->note));
  SLUICE_RETURN_IF_ERROR(WriteFile(ConflictName(shown.checkpoint), shown.note));
  const absl::Status status = absl::FailedPreconditionError(found.what);
  if (conflict != nullptr) *conflict = std::move(found);
  return status;
}

absl::Status LogCopy::Begin(const std::string& checkpoint, const std::vector<Hash>& consistency,
                            std::optional<HeadConflict>* conflict) {
  SLUICE_ASSIGN_OR_RETURN(Checkpoint head, VerifyCheckpoint(checkpoint, key_));
  const KeptHead shown{std::move(head), checkpoint};
  const Checkpoint& now = shown.checkpoint;
  if (newest_) {
    const Checkpoint& before = newest_->checkpoint;
    if (now.size < before.size)
      return KeepConflict("the log is shorter than it was", shown, conflict);
    if (now.size == before.size && now.root != before.root)
      return KeepConflict("the log shows two heads of one size", shown, conflict);
    if (before.size > 0 && now.size > before.size) {
      const absl::Status continues =
          CheckConsistency(before.size, now.size, before.root, now.root, consistency);
      if (!continues.ok())
        return KeepConflict("the log does not continue the head that was kept", shown, conflict);
    }
  }
  if (!newest_ || newest_->note != shown.note)
    SLUICE_RETURN_IF_ERROR(WriteFile(kCopyNewestHead, shown.note));
  newest_ = target_ = shown;
  return absl::OkStatus();
}

absl::Status LogCopy::Add(std::string_view entry) {
  const std::optional<KeptHead>& limit = target_ ? target_ : newest_;
  if (!limit || size_ >= limit->checkpoint.size)
    return absl::InvalidArgumentError("more entries than the head has");
  if (entry.size() > 65535) return absl::InvalidArgumentError("an entry is too long");
  AppendToBundle(entry, bundle_);
  const uint64_t index = size_ / kTileWidth;
  ++size_;
  Hash hash = LeafHash(entry);
  for (size_t level = 0; level < hashes_.size(); ++level) {
    std::vector<Hash>& row = hashes_[level];
    row.push_back(hash);
    if (row.size() < kTileWidth) return absl::OkStatus();
    if (level == 0) {
      SLUICE_RETURN_IF_ERROR(WriteFile(TilePath({.level = -1, .index = index}), bundle_));
      bundle_.clear();
    }
    const uint64_t tile = (size_ >> (kCopyLevelBits * level)) / kTileWidth - 1;
    SLUICE_RETURN_IF_ERROR(
        WriteFile(TilePath({.level = static_cast<int>(level), .index = tile}), EncodeTile(row)));
    hash = RootOf(row);
    row.clear();
  }
  return absl::OkStatus();
}

absl::Status LogCopy::WritePartials() {
  if (!bundle_.empty()) SLUICE_RETURN_IF_ERROR(WriteFile(TilePath(*PartialOf(-1, size_)), bundle_));
  for (int level = 0; level < static_cast<int>(hashes_.size()); ++level) {
    const std::vector<Hash>& row = hashes_[static_cast<size_t>(level)];
    if (row.empty()) continue;
    SLUICE_RETURN_IF_ERROR(WriteFile(TilePath(*PartialOf(level, size_)), EncodeTile(row)));
  }
  return absl::OkStatus();
}

// Partial tiles of the checkpoint before are not asked for any more.
absl::Status LogCopy::RemoveOldPartials(uint64_t old_size) {
  for (int level = -1; level < static_cast<int>(hashes_.size()); ++level) {
    const std::optional<TileId> old = PartialOf(level, old_size);
    if (!old || old == PartialOf(level, size_)) continue;
    const absl::Status removed = files_.Remove(JoinPath(directory_, TilePath(*old)));
    if (!removed.ok() && !absl::IsNotFound(removed)) return removed;
  }
  return absl::OkStatus();
}

// Bundles behind the checkpoint, so that they are fetched anew.
absl::Status LogCopy::RemoveStaged() {
  const uint64_t kept = checkpoint_ ? checkpoint_->checkpoint.size : 0;
  for (uint64_t index = size_ / kTileWidth + 1; index-- > kept / kTileWidth;) {
    const absl::Status removed =
        files_.Remove(JoinPath(directory_, TilePath({.level = -1, .index = index})));
    if (!removed.ok() && !absl::IsNotFound(removed)) return removed;
  }
  return Restore();
}

absl::Status LogCopy::Finish() {
  if (!target_ || size_ < target_->checkpoint.size)
    return absl::UnavailableError("the log ended before its head");
  if (RootOverPartials(hashes_) != target_->checkpoint.root) {
    SLUICE_RETURN_IF_ERROR(RemoveStaged());
    return absl::DataLossError("the entries are not those of the head");
  }
  SLUICE_RETURN_IF_ERROR(WritePartials());
  SLUICE_RETURN_IF_ERROR(WriteFile(kCopyCheckpoint, target_->note));
  const uint64_t old_size = checkpoint_ ? checkpoint_->checkpoint.size : 0;
  checkpoint_ = std::exchange(target_, std::nullopt);
  return RemoveOldPartials(old_size);
}

}  // namespace sluice::audit
