// The files of a source, and nothing beside them: regular files that stand directly in one folder,
// reached without a symbolic link. A file's stamp tells whether it is still the same; what it was
// when it was digested is what is lent.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/files/content.h"
#include "adapters/files/watch.h"

namespace sluice::adapters::files {

// Two equal stamps mean equal bytes, once the first was settled: the system changes ctime with each
// write, and nobody can set it back. (Writes through a mapping of the file reach it late: such a
// file cannot be lent.)
struct OneStamp {
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t size = 0;
  int64_t modified_ns = 0;
  int64_t changed_ns = 0;
  bool operator==(const OneStamp&) const = default;
};

// Of a file and of its companion.
struct Stamp : OneStamp {
  Stamp() = default;
  explicit Stamp(const OneStamp& one) : OneStamp(one) {}
  std::string companion;  // its name in the folder; empty where there is none
  OneStamp companion_stamp;
  bool operator==(const Stamp&) const = default;
  // When either was written last.
  int64_t last_modified_ns() const {
    return companion.empty() ? modified_ns : std::max(modified_ns, companion_stamp.modified_ns);
  }
};

// The names that a file's companion can have, from the file and its own name: as in Format.
using CompanionNames =
    std::function<absl::StatusOr<std::vector<std::string>>(const Content&, std::string_view)>;

// An open file, as it was stamped. Any thread.
class SourceFile : public Content {
 public:
  SourceFile(int fd, const OneStamp& stamp) : fd_(fd), stamp_(stamp) {}
  ~SourceFile() override;
  SourceFile(const SourceFile&) = delete;
  SourceFile& operator=(const SourceFile&) = delete;

  const Stamp& stamp() const { return stamp_; }
  int64_t size() const override { return stamp_.size; }
  absl::Status Read(int64_t offset, size_t count, char* to, size_t* read) const override;
  const SourceFile* companion() const override { return companion_.get(); }
  // Whether the file itself, by whatever name, is still as it was stamped, and its companion.
  absl::StatusOr<bool> Unchanged() const override;
  // Before anybody else has it.
  void Join(std::string name, std::shared_ptr<const SourceFile> companion);

 private:
  const int fd_;
  Stamp stamp_;
  std::shared_ptr<const SourceFile> companion_;
};

class Folder {
 public:
  // One file, or all files of a folder whose names end in `suffix`. Absolute paths.
  static Folder OfFile(std::string_view file);
  static Folder Of(std::string_view folder, std::string_view suffix);

  // Names of tables, sorted: file names without the suffix. SOURCE_UNAVAILABLE.
  absl::StatusOr<std::vector<std::string>> Tables() const;
  // NOT_FOUND where there is no such table, SOURCE_UNAVAILABLE where it cannot be read, or where
  // two files could be its companion. Waits up to a second for a file that is being written. A
  // companion that is not there is none.
  absl::StatusOr<std::shared_ptr<const SourceFile>> Open(
      std::string_view table, const Watch& watch, const CompanionNames& companions = nullptr) const;
  // OK where the table's file is as it was stamped, and its companion; SOURCE_CHANGED, or
  // SOURCE_UNAVAILABLE where one is not there.
  absl::Status Recheck(std::string_view table, const Stamp& stamp) const;
  // Reachable and readable.
  absl::Status Probe() const;

 private:
  // The file's name; empty where no file can have it.
  std::string NameOf(std::string_view table) const;
  absl::StatusOr<int> OpenFolder() const;
  absl::StatusOr<std::shared_ptr<const SourceFile>> OpenNow(std::string_view table,
                                                            const CompanionNames& companions) const;

  std::string folder_;
  std::string file_;    // the only file's name; empty for all
  std::string table_;   // its table
  std::string suffix_;  // of all
};

}  // namespace sluice::adapters::files
