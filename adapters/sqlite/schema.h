// What SQLite knows of a table or view, as far as reading it strictly needs: affinities and
// collations decide which comparisons mean the same there and here
// (https://www.sqlite.org/datatype3.html).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/adapter.h"
#include "sqlite3.h"

namespace sluice::adapters::sqlite {

enum class Affinity { kInteger, kText, kBlob, kReal, kNumeric };

struct ColumnInfo {
  std::string name;
  std::string declared;  // "" for a column without type and for a view's expression
  Affinity affinity = Affinity::kBlob;
  bool not_null = false;
  int primary_key = 0;  // its place in the primary key, from 1; 0 for none
  // BINARY, NOCASE or RTRIM: there, equal bytes are equal. Not known for views.
  bool plain_collation = false;
};

struct TableInfo {
  std::string name;
  bool view = false;
  bool strict = false;
  bool without_rowid = false;
  // How to say rowid where no column hides it; empty where there is none.
  std::string rowid;
  std::vector<ColumnInfo> columns;
  std::vector<std::vector<int>> unique_keys;  // column indices; the primary key first
  // The affinity of each column holds for each of its values. Not so in a view with UNION and its
  // like, whose columns have the affinity of one part and the values of all.
  bool affinity_holds = true;
  // Text is stored as UTF-8, so that SQLite's order of bytes is the order of code points.
  bool utf8_order = true;

  // By SQLite's rule: without regard to ASCII case. Null where there is none.
  const ColumnInfo* Find(std::string_view column) const;
  int IndexOf(std::string_view column) const;  // -1 where there is none
};

// By the rules of datatype3.html, 3.1.
Affinity AffinityOf(std::string_view declared, bool strict);
// What a declared type is described as; docs/adapters/sqlite.md has the table.
records::DataType DescribedType(std::string_view declared, Affinity affinity);

// Tables and views of the main database, without SQLite's own and without virtual ones, whose code
// would run on the owner's word.
absl::StatusOr<std::vector<std::string>> ReadTableNames(sqlite3* db);
// Null where there is no such table.
absl::StatusOr<std::shared_ptr<const TableInfo>> ReadTable(sqlite3* db, std::string_view table);
absl::StatusOr<int64_t> ReadSchemaCookie(sqlite3* db);

TableDescription Describe(const TableInfo& table);

// A quoted identifier. With backticks: a double-quoted name that is not there would silently be
// taken as a string.
std::string Quoted(std::string_view name);

}  // namespace sluice::adapters::sqlite
