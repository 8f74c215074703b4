// Goes over the rows of a table: as they stand in it, or in the order of a key and within ranges of
// it. One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/files/format.h"
#include "adapters/files/key.h"
#include "adapters/files/key_index.h"

namespace sluice::adapters::files {

class Cursor {
 public:
  // Without an index, all rows. `rows` and `keys` outlive it.
  Cursor(Rows& rows, KeyReader& keys, const Place& first, std::shared_ptr<const KeyIndex> index,
         std::vector<KeyRange> ranges)
      : rows_(rows),
        keys_(keys),
        first_(first),
        index_(std::move(index)),
        ranges_(std::move(ranges)) {}

  // Puts the rows at the next one; false behind the last.
  absl::StatusOr<bool> Next(const Watch& watch);

 private:
  absl::StatusOr<bool> NextInFile(const Watch& watch);
  absl::StatusOr<bool> NextOfIndex(const Watch& watch);
  absl::StatusOr<Place> MarkBefore(std::string_view key) const;
  absl::Status BeginRange();

  Rows& rows_;
  KeyReader& keys_;
  const Place first_;
  const std::shared_ptr<const KeyIndex> index_;
  const std::vector<KeyRange> ranges_;
  size_t range_ = 0;
  bool begun_ = false;     // the range
  bool reached_ = false;   // its first row
  bool any_read_ = false;  // the rows stand at one whose key is not before the range
  std::string key_;
  std::optional<KeyRunReader> entries_;
};

}  // namespace sluice::adapters::files
