// Goes over the rows of a file: as they stand in it, or in the order of a key and within ranges of
// it. One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/delimited/key.h"
#include "adapters/delimited/key_index.h"
#include "adapters/delimited/row.h"

namespace sluice::adapters::delimited {

class Cursor {
 public:
  // Without an index, all rows. `stream` and `row` outlive it.
  Cursor(RecordStream& stream, Row& row, const Place& first, std::shared_ptr<const KeyIndex> index,
         std::vector<KeyRange> ranges)
      : stream_(stream),
        row_(row),
        first_(first),
        index_(std::move(index)),
        ranges_(std::move(ranges)) {}

  // Puts the stream at the next row; false behind the last. A row that was checked has as many
  // fields as there are columns.
  absl::StatusOr<bool> Next(const Watch& watch);

 private:
  absl::StatusOr<bool> NextInFile(const Watch& watch);
  absl::StatusOr<bool> NextOfIndex(const Watch& watch);
  absl::StatusOr<bool> NextRow(const Watch& watch);
  void BeginRange();

  RecordStream& stream_;
  Row& row_;
  const Place first_;
  const std::shared_ptr<const KeyIndex> index_;
  const std::vector<KeyRange> ranges_;
  size_t range_ = 0;
  bool begun_ = false;     // the range
  bool reached_ = false;   // its first row
  bool any_read_ = false;  // the stream stands at a row whose key is not before the range
  std::string key_;
  std::optional<KeyRunReader> entries_;
};

}  // namespace sluice::adapters::delimited
