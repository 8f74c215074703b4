// The records of a file, one after the other, from any record's first byte on. Holds one record and
// a window around it, whatever the file's size.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "adapters/copybook/locator.h"
#include "adapters/copybook/settings.h"
#include "adapters/files/content.h"
#include "adapters/files/errors.h"
#include "adapters/files/watch.h"

namespace sluice::adapters::copybook {

using files::Content;
using files::Place;  // its number is the record's
using files::Watch;

class RecordStream {
 public:
  // `table` is for error texts. The settings outlive the stream.
  RecordStream(std::shared_ptr<const Content> content, const RecordSettings& settings,
               std::shared_ptr<const Shape> shape, std::string table);

  // The next record is the one that begins there; where records stand in blocks, the first of the
  // block that begins there. What the window holds is not read again.
  void Seek(const Place& place);
  // False at the end. SOURCE_BAD_VALUE for bytes that are no record, SOURCE_CHANGED,
  // SOURCE_UNAVAILABLE, or the watch's.
  absl::StatusOr<bool> Next(const Watch& watch);

  // Of the record, until the next call. Its place is that of its block, where it stands in one.
  const Place& place() const { return place_; }
  std::string_view record() const { return record_; }
  Place NextPlace() const { return next_; }
  // Where a record that Next stumbled at ends is known: the next one is the one behind it.
  bool can_go_on() const { return at_ > begin_; }
  // The records are counted anew: this one has the number.
  void Renumber(int64_t number);
  // Of this record, with its own place.
  absl::Status Bad(std::string_view what) const;

 private:
  enum class Ending { kRecord, kEnd };

  absl::StatusOr<size_t> Ensure(size_t bytes, const Watch& watch);
  absl::StatusOr<int64_t> ReadWord(const DescriptorWord& word, bool blocks, const Watch& watch);
  absl::StatusOr<bool> NextFixed(const Watch& watch);
  absl::StatusOr<bool> NextCounted(const Watch& watch);
  absl::StatusOr<bool> NextRdw(const Watch& watch);
  absl::StatusOr<bool> NextByField(const Watch& watch);
  absl::StatusOr<bool> NextLine(const Watch& watch);
  absl::StatusOr<bool> NextBlock(const Watch& watch);
  absl::StatusOr<bool> EndOfLine(size_t most, const Watch& watch);
  absl::StatusOr<bool> TooLong(int64_t whole, std::string why, const Watch& watch);
  absl::StatusOr<bool> Take(size_t header, int64_t length, size_t behind, const Watch& watch);
  int64_t Left() const { return end_ - at_; }

  const std::shared_ptr<const Content> content_;
  const RecordSettings& settings_;
  const std::shared_ptr<const Shape> shape_;
  const std::string table_;
  const bool blocked_;
  const int64_t most_;            // bytes of a record, with what is not the copybook's
  int64_t length_;                // of a fixed record, with what is not the copybook's
  int64_t file_end_;              // behind the last record
  int64_t end_;                   // the same; behind the block's last record where there is one
  std::optional<Locator> sizes_;  // of counted records, and where a length field lies
  int length_leaf_ = -1;

  std::string window_;
  int64_t window_offset_ = 0;  // of its first byte in the file
  int64_t at_ = 0;             // of the next record in the file
  size_t read_size_;
  Place place_, next_;
  int64_t begin_ = 0;  // of this record in the file
  std::string_view record_;
};

}  // namespace sluice::adapters::copybook
