// The records of a file, one after the other, from any record's first byte on. Holds one record and
// a window around it, whatever the file's size.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/delimited/dialect.h"
#include "adapters/delimited/splitter.h"
#include "adapters/files/content.h"
#include "adapters/files/errors.h"
#include "adapters/files/watch.h"

namespace sluice::adapters::delimited {

using files::Content;
using files::Place;  // its number is the physical line
using files::Watch;

class RecordStream {
 public:
  // `table` is for error texts.
  RecordStream(std::shared_ptr<const Content> content, const Dialect& dialect, std::string table);

  // The next record is the one that begins there. What the window holds is not read again.
  void Seek(const Place& place);
  // False at the end. SOURCE_BAD_VALUE for bytes that are no record, SOURCE_CHANGED,
  // SOURCE_UNAVAILABLE, or the watch's. Blank lines are left out where the dialect says so.
  absl::StatusOr<bool> Next(const Watch& watch);
  // Takes one physical line, whatever it holds; false at the end.
  absl::StatusOr<bool> SkipLine(const Watch& watch);

  // Of the record, until the next call.
  const Place& place() const { return place_; }
  const std::vector<FieldSpan>& fields() const { return splitter_.fields(); }
  std::string_view Raw(const FieldSpan& field) const {
    return std::string_view(window_).substr(begin_ + field.begin, field.end - field.begin);
  }
  // As it stands, with its end.
  std::string_view record() const {
    return std::string_view(window_).substr(begin_,
                                            static_cast<size_t>(next_.offset - place_.offset));
  }
  // The place behind it.
  Place NextPlace() const { return next_; }

  // What the names of the columns are, for mistakes inside a field; may be empty.
  void SetColumns(std::vector<std::string> columns) { columns_ = std::move(columns); }
  const std::string& table() const { return table_; }

 private:
  absl::Status Refill(const Watch& watch);
  absl::Status Mistake() const;
  std::string_view Left() const { return std::string_view(window_).substr(begin_); }
  bool AtLast() const {
    return window_offset_ + static_cast<int64_t>(window_.size()) >= content_->size();
  }
  files::Spot spot() const { return {table_, "line", place_}; }
  void Take(size_t bytes, int64_t lines);

  const std::shared_ptr<const Content> content_;
  const Dialect dialect_;
  const std::string table_;
  std::vector<std::string> columns_;
  Splitter splitter_;

  std::string window_;
  int64_t window_offset_ = 0;  // of its first byte in the file
  size_t begin_ = 0;           // of the record in the window
  size_t read_size_;
  Place place_;
  Place next_;
};

}  // namespace sluice::adapters::delimited
