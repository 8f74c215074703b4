// A file system in memory for crash tests. It keeps apart what a real one keeps apart:
//
//   storage   what a loss of power leaves: synced file bytes, directory entries of synced
//   directories units     what was written or renamed since, and may or may not get there: each
//   write is cut at
//             512-byte borders of its file, each directory change is one unit
//   cache     what readers see who do not ask for the storage
//
// A file's bytes become durable by its Sync, its name by SyncDirectory of its folder; one does not
// imply the other. After a failed Sync the cache keeps the bytes, and a later Sync returns OK
// without writing them, as ext4, XFS and Btrfs do.
//
//   FakeFileSystem files;
//   files.Inject({.at = 17, .kind = Fault::Kind::kCrash});
//   ... run until everything fails ...
//   auto after = files.AfterCrash(std::vector<bool>(files.Units().size(), true));
//
// Any thread may call any function.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "gateway/base/file_system.h"
#include "gateway/base/mutex.h"

namespace sluice {

struct Fault {
  enum class Kind {
    kFail,      // the operation fails with EIO; a sync loses its units from what later syncs write
    kNoSpace,   // it fails with ENOSPC and does nothing
    kCutShort,  // a write does its first `keep` bytes, then fails with ENOSPC; others as kNoSpace
    kCrash,     // what it does stays a unit, and everything after it fails: the power is off
  };
  uint64_t at = 0;  // number of the operation, from 0
  Kind kind = Kind::kFail;
  size_t keep = 0;
  // For kFail of a sync: which of the file's units reach the storage all the same.
  std::function<bool(size_t unit)> reaches;
};

class FakeFileSystem : public FileSystem {
 public:
  enum class Operation {
    kWrite,
    kSync,
    kCreate,
    kRename,
    kRemove,
    kSyncDirectory,
    kMakeDirectory,
    kRead
  };
  struct Done {
    Operation operation;
    std::string path;
  };

  FakeFileSystem();
  // Files with these contents, all on storage.
  explicit FakeFileSystem(const std::map<std::string, std::string>& files);
  ~FakeFileSystem() override;

  absl::StatusOr<std::unique_ptr<WritableFile>> OpenForWrite(const std::string& path,
                                                             uint32_t mode = 0600) override;
  absl::StatusOr<std::unique_ptr<WritableFile>> CreateNew(const std::string& path,
                                                          uint32_t mode = 0600) override;
  absl::StatusOr<std::unique_ptr<ReadableFile>> OpenForRead(
      const std::string& path, ReadFrom from = ReadFrom::kCacheAllowed) override;
  absl::Status Rename(const std::string& from, const std::string& to) override;
  absl::Status Remove(const std::string& path) override;
  absl::Status SyncDirectory(const std::string& path) override;
  absl::Status CreateDirectories(const std::string& path, uint32_t mode = 0700) override;
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) override;
  absl::StatusOr<FileInfo> Stat(const std::string& path) override;
  absl::StatusOr<std::unique_ptr<FileLock>> Lock(const std::string& path) override;

  // One fault at a time; replaces the one before.
  void Inject(Fault fault);
  bool fault_happened() const;
  // After kCrash: the machine never lost power, it was the process that died. The cache lives on,
  // and what was not synced still is not.
  void PowerOn();
  // What was done so far; the index is the number that Inject takes.
  std::vector<Done> Operations() const;

  // What is not durable yet, in the order in which it was done; in words, for messages.
  std::vector<std::string> Units() const;
  // The storage as a loss of power leaves it, with the units for which `keep` is true.
  std::unique_ptr<FakeFileSystem> AfterCrash(const std::vector<bool>& keep) const;
  // The worst case: with none of them. May be asked while others write.
  std::unique_ptr<FakeFileSystem> AfterCrash() const;

  // Every file as the storage would be read now, with its content.
  std::map<std::string, std::string> Files() const;

 private:
  struct State;
  class Writer;
  class Reader;
  class Locked;
  // As AfterCrash; nothing is kept where `keep` is null.
  std::unique_ptr<FakeFileSystem> Surviving(const std::vector<bool>* keep) const;
  const std::shared_ptr<State> state_;
};

}  // namespace sluice
