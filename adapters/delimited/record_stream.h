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
#include "adapters/delimited/folder.h"
#include "adapters/delimited/splitter.h"
#include "adapters/delimited/watch.h"

namespace sluice::adapters::delimited {

// Where a record begins.
struct Place {
  int64_t offset = 0;
  int64_t line = 1;  // physical, from 1
};

class RecordStream {
 public:
  // `table` is for error texts.
  RecordStream(std::shared_ptr<const SourceFile> file, const Dialect& dialect, std::string table);

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
    return window_offset_ + static_cast<int64_t>(window_.size()) >= file_->stamp().size;
  }
  void Take(size_t bytes, int64_t lines);

  const std::shared_ptr<const SourceFile> file_;
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
