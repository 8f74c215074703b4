// The parts of a workbook: a zip archive, read by minizip (docs/decisions/0030) as a stream, in
// bounded memory. Names are names of parts and nothing else: none becomes a path. One thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "adapters/files/content.h"

namespace sluice::adapters::xlsx {

inline constexpr size_t kMostParts = 4'096;

class Archive {
 public:
  // SOURCE_BAD_VALUE for what is no archive, or one whose parts are encrypted, come twice or have
  // names that lead elsewhere. `most_bytes`: of all parts that are read, unpacked.
  static absl::StatusOr<std::unique_ptr<Archive>> Open(
      std::shared_ptr<const files::Content> content, std::string table, int64_t most_bytes);
  ~Archive();
  Archive(const Archive&) = delete;
  Archive& operator=(const Archive&) = delete;

  // Letters' case does not count, as the format says.
  bool Has(std::string_view part) const;
  // From its start; the part that was read before is left. SOURCE_BAD_VALUE where it is not there.
  absl::Status OpenPart(std::string_view part);
  // How many bytes came; 0 at the part's end. SOURCE_BAD_VALUE for damage, and for more bytes than
  // may come.
  absl::StatusOr<size_t> Read(char* to, size_t count);

 private:
  struct Input;
  struct Entry {
    uint64_t directory_offset = 0;
    uint64_t number = 0;
    int64_t packed_bytes = 0;
  };

  Archive(std::string table, int64_t most_bytes);
  absl::Status List();
  absl::Status Bad(std::string_view what) const;

  const std::string table_;
  const int64_t most_bytes_;
  std::unique_ptr<Input> input_;
  void* zip_ = nullptr;
  std::map<std::string, Entry, std::less<>> parts_;
  bool open_ = false;
  int64_t packed_bytes_ = 0;  // of the open part
  int64_t part_bytes_ = 0;    // of it, read so far
  int64_t all_bytes_ = 0;
};

}  // namespace sluice::adapters::xlsx
