// The files of a source, wherever they are, and nothing beside them: regular files that stand
// directly in one folder. A file's stamp tells whether it is still the same; what it was when it
// was digested is what is lent. What is a table, and which file of several is served: drops.h.
//
// A folder is used by any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/files/content.h"
#include "adapters/files/watch.h"

namespace sluice::adapters::files {

// Two equal stamps mean equal bytes, once the first was settled: the system changes ctime with each
// write, and nobody can set it back. (Writes through a mapping of the file reach it late: such a
// file cannot be lent.)
struct Stamp {
  uint64_t device = 0;
  uint64_t inode = 0;
  int64_t size = 0;
  int64_t modified_ns = 0;  // of an instant UTC
  int64_t changed_ns = 0;
  std::string tag;  // what else tells two apart: a server's ETag, the stamps of joined files
  bool operator==(const Stamp&) const = default;
  std::string ToString() const;
};

// What became of an open file.
enum class Standing {
  kSame,      // it is what its name names, as it was stamped
  kReplaced,  // another has its name; it is as it was stamped, and nobody can open it any more
  kGone,      // as kReplaced, and nothing has its name
  kMissing,   // nothing has its name
  kChanged,   // all else
};

// An open file, as it was stamped. Any thread.
class SourceFile : public Content {
 public:
  virtual const Stamp& stamp() const = 0;
  // In its folder.
  virtual const std::string& name() const = 0;
  // Whether the bytes, by whatever name, are still those that were stamped.
  absl::StatusOr<bool> Unchanged() const override = 0;
  virtual absl::StatusOr<Standing> Look() const = 0;
  const SourceFile* companion() const override { return nullptr; }
  // The files that it is made of, in order; none where it is one.
  virtual std::vector<std::shared_ptr<const SourceFile>> parts() const { return {}; }
};

class Folder {
 public:
  virtual ~Folder() = default;
  // Of the files in it, sorted; hidden ones are left out. SOURCE_UNAVAILABLE.
  virtual absl::StatusOr<std::vector<std::string>> Names(const Watch& watch) = 0;
  // As the file stands now. NOT_FOUND where there is none, SOURCE_UNAVAILABLE where it cannot be
  // looked at.
  virtual absl::StatusOr<Stamp> Look(const std::string& name, const Watch& watch) = 0;
  // The same failures. Waits for a file that is being written, some seconds at most.
  virtual absl::StatusOr<std::shared_ptr<const SourceFile>> Open(const std::string& name,
                                                                 const Watch& watch) = 0;
  // Up to `most` bytes of a small file. The same failures.
  virtual absl::StatusOr<std::string> ReadSmall(const std::string& name, size_t most,
                                                const Watch& watch) = 0;
  // Reachable and readable.
  virtual absl::Status Probe(const Watch& watch) = 0;
};

// Whether a file in a folder can be called so: one part, so that nothing above or below the folder
// is meant, not hidden, and of no control characters.
bool IsFileName(std::string_view name);

// The key of an error about a file that is a symbolic link, which no folder follows.
inline constexpr char kIsLink[] = "symbolic_link";

// Now, by the clock that file stamps are made from: no other can be compared with them.
int64_t StampClock();

}  // namespace sluice::adapters::files
