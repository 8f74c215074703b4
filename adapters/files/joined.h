// Files that belong together: several that are one table, one behind the other, as a file, as
// bytes, and as a format whose rows are those of each file in turn, with the file's name as one
// more column; and a file with its companion. An offset of a Place is over all of them; its number
// counts within the file.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "adapters/files/folder.h"
#include "adapters/files/format.h"

namespace sluice::adapters::files {

// Each is held open.
inline constexpr size_t kMostJoined = 400;

// Any thread.
class JoinedContent : public Content {
 public:
  struct Part {
    std::string name;  // the file's
    std::shared_ptr<const Content> content;
    int64_t begin = 0;  // of it in the whole
  };
  explicit JoinedContent(std::vector<std::pair<std::string, std::shared_ptr<const Content>>> parts);
  int64_t size() const override { return size_; }
  absl::Status Read(int64_t offset, size_t count, char* to, size_t* read) const override;
  absl::StatusOr<bool> Unchanged() const override;
  const std::vector<Part>& parts() const { return parts_; }
  // The part that holds the byte; the last for all behind.
  size_t PartAt(int64_t offset) const;

 private:
  std::vector<Part> parts_;
  int64_t size_ = 0;
};

// Of one file at least.
std::shared_ptr<const SourceFile> JoinFiles(std::vector<std::shared_ptr<const SourceFile>> files);

// What a format reads of the file: a JoinedContent where it is of several.
std::shared_ptr<const Content> AsParts(const std::shared_ptr<const SourceFile>& file);

// The file with its companion, of the same folder, where the format names one and it is there.
// SOURCE_UNAVAILABLE where two files could be it, or where it cannot be read.
absl::StatusOr<std::shared_ptr<const SourceFile>> WithCompanion(
    Folder& folder, const Format& format, std::shared_ptr<const SourceFile> file,
    const Watch& watch);

// `inner` reads each file. Its contents are JoinedContents.
std::shared_ptr<const Format> MakeJoinedFormat(std::shared_ptr<const Format> inner,
                                               std::string name_column);

}  // namespace sluice::adapters::files
