// The archive of an evidence pack: a zip whose every byte follows from the names and contents of
// its members, one way only (docs/formats/pack.md). Nothing is compressed, so nothing can burst;
// names are plain. Any program for zip files opens one; ours opens no other.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/base/file_system.h"

namespace sluice::cli {

struct ArchiveMember {
  std::string name;
  uint32_t at = 0;  // of its header
  uint32_t size = 0;
  uint32_t crc = 0;
};

// At most 65,535 members and 4 GiB together: RESOURCE_EXHAUSTED beyond. One thread.
class ArchiveWriter {
 public:
  using Sink = std::function<absl::Status(std::string_view bytes)>;
  explicit ArchiveWriter(Sink sink) : sink_(std::move(sink)) {}
  absl::Status Add(std::string_view name, std::string_view bytes);
  absl::Status Finish();

 private:
  absl::Status Put(std::string_view bytes);
  const Sink sink_;
  uint64_t written_ = 0;
  std::vector<ArchiveMember> members_;
};

// One thread.
class ArchiveReader {
 public:
  // INVALID_ARGUMENT where it is no archive as the writer makes it: names, order, headers, places
  // are all checked here, contents when they are read. Memory for the list of members, at most
  // 16 MiB.
  static absl::StatusOr<ArchiveReader> Open(FileSystem& files, const std::string& path);
  const std::vector<ArchiveMember>& members() const { return members_; }
  // Its bytes. INVALID_ARGUMENT where their checksum is another, or there are more than `most`.
  absl::StatusOr<std::string> Read(const ArchiveMember& member, size_t most);

 private:
  std::unique_ptr<ReadableFile> file_;
  std::vector<ArchiveMember> members_;
};

// Whether the bytes begin as such an archive does.
bool LooksLikeArchive(std::string_view begin);

}  // namespace sluice::cli
