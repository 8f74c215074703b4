// What a kind of file says to be lent from: its columns, and its rows as values. All else is the
// same for every kind and lies in this room: folders, versions, the order of keys, ranges, batches,
// bad values.
//
// A format is used by any thread; Rows by one at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/adapter.h"
#include "adapters/files/content.h"
#include "adapters/files/errors.h"
#include "adapters/files/unpacking.h"
#include "adapters/files/values.h"
#include "adapters/files/watch.h"

namespace sluice::adapters::files {

// A file, and a table in it where its format knows several: those are called FILE/PART.
struct TableName {
  std::string file;
  std::string part;  // empty for the file's only table
  static TableName Of(std::string_view name);
  std::string Full() const { return part.empty() ? file : file + "/" + part; }
};

// Which columns a table has, and where its rows begin. A format keeps what else it found out in a
// layout of its own. Immutable.
struct Layout {
  virtual ~Layout() = default;
  std::vector<ColumnDescription> columns;
  Place rows;  // where Seek goes for the first row
  // What else than the file's bytes says what its rows are, such as the digest of a description
  // that lies beside it; then it is part of the version. Empty where nothing does.
  std::string reading;
  std::string VersionOf(const std::string& digest) const {
    return digest.empty() || reading.empty() ? digest : digest + "-" + reading;
  }

  // The place of the column, as the catalogue compares names: exactly, else without regard to ASCII
  // case. SCHEMA_DRIFT where there is none, or where it could be either of two.
  absl::StatusOr<size_t> Find(const TableName& table, std::string_view column) const;
};

// A column that is asked for, as a value of that type.
struct ColumnRequest {
  size_t column = 0;  // in the layout
  std::string name;   // in the layout
  records::DataType type;
};

// The rows of a table, one after the other, from any row's place on. Holds one record and a window
// around it, whatever the file's size.
class Rows {
 public:
  virtual ~Rows() = default;
  // The next row is the one that begins there.
  virtual void Seek(const Place& place) = 0;
  // False at the end. SOURCE_BAD_VALUE for bytes that are no row of the table, SOURCE_CHANGED,
  // SOURCE_UNAVAILABLE, or the watch's.
  virtual absl::StatusOr<bool> Next(const Watch& watch) = 0;
  // Of the row that Next found or stumbled at.
  virtual const Place& place() const = 0;
  // The i-th column asked for; nothing where it is not of its type: then why() may say more. The
  // value borrows from the rows, until the next call.
  virtual std::optional<Value> Read(size_t i) = 0;
  virtual const char* why() const { return ""; }
  // After Next ended with SOURCE_BAD_VALUE: whether another Next goes on behind that record.
  virtual bool can_go_on() const { return false; }
  // The bytes of the record that Next found or stumbled at, or their beginning.
  virtual std::string_view raw() const { return {}; }
  // Of the row: no more bytes than the columns asked for will take in a batch.
  virtual int64_t MostBytes() const = 0;
};

class Format {
 public:
  virtual ~Format() = default;
  // What people count rows by, in the singular: "line", "record", "row".
  virtual const char* counted() const = 0;
  // Names of files of the same folder, any of which may hold the rest of this one, whatever the
  // case of their letters: its memos. None where it stands alone. `file_name` is its own.
  virtual absl::StatusOr<std::vector<std::string>> Companions(const Content&,
                                                              std::string_view file_name) const {
    (void)file_name;
    return std::vector<std::string>();
  }
  // The tables in a file that holds several, by name; none for a file that is one table.
  virtual absl::StatusOr<std::vector<std::string>> Parts(const Content&, const TableName&,
                                                         const Watch&) const {
    return std::vector<std::string>();
  }
  // What is to be read in the file's place; null for the file itself. What it leaves on a disk lies
  // in `work_folder`, unreadable for others.
  virtual std::shared_ptr<Unpacking> Unpack(const std::shared_ptr<const Content>& file,
                                            const TableName& table,
                                            const std::string& work_folder) const {
    (void)file, (void)table, (void)work_folder;
    return nullptr;
  }
  // Of the file, or of what Unpack made of it. From the content's start: quick. SOURCE_BAD_VALUE
  // where it cannot be read as this format, NOT_FOUND (status) where the file has no such part.
  virtual absl::StatusOr<std::shared_ptr<const Layout>> ReadLayout(
      const std::shared_ptr<const Content>& content, const TableName& table,
      const Watch& watch) const = 0;
  // Settings of the source, and types, that would fit the file's beginning (TableDescription).
  virtual std::vector<std::string> Proposals(const Content&) const { return {}; }
  // `content` is what Unpack made of the file, where it makes something. `layout` is one that
  // ReadLayout gave for this content, or for one with the same bytes.
  virtual absl::StatusOr<std::unique_ptr<Rows>> Open(std::shared_ptr<const Content> content,
                                                     std::shared_ptr<const Layout> layout,
                                                     const TableName& table,
                                                     std::vector<ColumnRequest> columns) const = 0;
};

}  // namespace sluice::adapters::files
