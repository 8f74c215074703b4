// The records of one version of a table that are no rows, for the table's owner: a file of CSV in a
// folder that the owner named, with each record's place, what is wrong with it, and its bytes. It
// stands there whole or not at all. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "adapters/files/errors.h"

namespace sluice::adapters::files {

class RejectFile {
 public:
  // More records than this, and the file is probably read with another file's settings.
  static constexpr int64_t kMostRecords = 10'000;
  // Of a record's bytes, as they are kept.
  static constexpr size_t kMostBytes = 4'096;
  static constexpr size_t kMostSize = 16 << 20;

  // `counted` as in Spot; `table` and `version` make the file's name.
  RejectFile(std::string folder, std::string_view table, std::string_view version,
             const char* counted);

  // `why` is the status that the record ended in, and `raw` its bytes. SOURCE_BAD_VALUE where there
  // are too many.
  absl::Status Add(const Place& place, const absl::Status& why, std::string_view raw);
  int64_t count() const { return count_; }
  // Writes it; nothing where there is no record. SOURCE_UNAVAILABLE where it cannot be written:
  // then no record may be left out.
  absl::Status Write() const;
  const std::string& name() const { return name_; }

 private:
  const std::string folder_;
  const std::string table_;
  const std::string name_;
  std::string text_;
  int64_t count_ = 0;
};

}  // namespace sluice::adapters::files
