// A copy of a log that somebody else keeps: its entries and tiles in files, laid out as C2SP
// tlog-tiles says (checkpoint, tile/L/N, tile/entries/N), so that any reader of that layout takes
// it. Details are not in it.
//
//   newest-head    the newest head that was seen; never an older one, never one that contradicts it
//   checkpoint     the head that the files here are whole for; moved on when they are
//   conflict/      heads that cannot both be true, kept as evidence
//
// Interrupted at any moment, by a kill or a loss of power, it goes on where it stopped: each file
// is written under another name, synced and renamed, and `checkpoint` last.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/audit/merkle.h"
#include "gateway/audit/signed_note.h"
#include "gateway/audit/tiles.h"
#include "gateway/base/file_system.h"

namespace sluice::audit {

struct KeptHead {
  Checkpoint checkpoint;
  std::string note;
};

// Two signed heads of one log, of which at most one can be true; and the files that keep them.
struct HeadConflict {
  std::string what;  // in words
  KeptHead kept, shown;
  std::string kept_file, shown_file;
};

// One thread, one process.
class LogCopy {
 public:
  // Makes the folder where it is absent. FAILED_PRECONDITION where another process works on it;
  // DATA_LOSS, naming the file, where what is there is damaged, or of another key.
  static absl::StatusOr<std::unique_ptr<LogCopy>> Open(const std::string& directory,
                                                       const VerifierKey& key, FileSystem& files);

  // The newest head seen; what a consistency proof begins at.
  const std::optional<KeptHead>& newest() const { return newest_; }
  // The next entry wanted.
  uint64_t next() const { return size_; }

  // Takes the head that is to be copied, and the proof that it continues the newest one.
  // FAILED_PRECONDITION, with `conflict` set, where it does not: both heads are then in files, and
  // nothing else was changed. INVALID_ARGUMENT where it is not signed by the log.
  absl::Status Begin(const std::string& checkpoint, const std::vector<Hash>& consistency,
                     std::optional<HeadConflict>* conflict);
  // INVALID_ARGUMENT for more entries than the head has.
  absl::Status Add(std::string_view entry);
  // All entries are here: the head becomes the checkpoint. UNAVAILABLE where entries are missing:
  // go on with another Begin. DATA_LOSS where they are not those of the head: what came since the
  // last checkpoint is thrown away.
  absl::Status Finish();

 private:
  LogCopy(std::string directory, VerifierKey key, FileSystem& files)
      : directory_(std::move(directory)), key_(std::move(key)), files_(files) {}
  absl::Status Load();
  absl::Status Restore();
  absl::Status TakeStaged();
  absl::StatusOr<std::optional<KeptHead>> ReadHead(const char* name) const;
  absl::StatusOr<std::string> ReadTileFile(const TileId& id) const;
  absl::Status WriteFile(const std::string& name, std::string_view bytes);
  absl::Status EnsureFolder(const std::string& path);
  absl::Status KeepConflict(std::string what, const KeptHead& shown,
                            std::optional<HeadConflict>* conflict);
  absl::Status WritePartials();
  absl::Status RemoveOldPartials(uint64_t old_size);
  absl::Status RemoveStaged();

  const std::string directory_;
  const VerifierKey key_;
  FileSystem& files_;
  std::unique_ptr<FileLock> lock_;
  std::set<std::string> folders_;  // known to be there

  std::optional<KeptHead> newest_, checkpoint_, target_;
  uint64_t size_ = 0;
  std::string bundle_;                       // of the tile that fills up
  std::array<std::vector<Hash>, 8> hashes_;  // of the tiles that fill up, level by level
};

// Files of a copy, below its folder.
inline constexpr char kCopyCheckpoint[] = "checkpoint";
inline constexpr char kCopyNewestHead[] = "newest-head";

// The root over tiles that are not full yet: of level 0, of level 1, …, each with fewer than 256
// hashes.
Hash RootOverPartials(const std::array<std::vector<Hash>, 8>& levels);

}  // namespace sluice::audit
