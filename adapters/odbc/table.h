// What the source's catalogue and its driver say of a table, view or query of the owner's, as far
// as reading it strictly needs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "adapters/odbc/types.h"

namespace sluice::adapters::odbc {

struct ColumnInfo {
  std::string name;
  std::string quoted;    // as it stands in a statement: "t.`name`"
  std::string declared;  // as the source writes it: "varchar(18)"
  SourceType type = SourceType::kOther;
  uint64_t size = 0;  // as SQLDescribeCol gives it
  int digits = 0;
  bool not_null = false;
  bool code_point_order = false;  // of text: it is compared so as it stands
  bool every_character = false;   // of text: it can hold every character
  std::string affinity;           // of kDynamic: SQLite's, or "view"
  bool operator==(const ColumnInfo&) const = default;
};

struct TableInfo {
  std::string name;
  std::string from;  // what stands behind FROM
  std::vector<ColumnInfo> columns;
  std::vector<std::vector<int>> unique_keys;  // column indices; the primary key first
  bool has_primary_key = false;
  bool operator==(const TableInfo&) const = default;

  // By its name as it stands, or else by the only one that is the same but for ASCII case. -1 where
  // there is none.
  int IndexOf(std::string_view column) const;
};

}  // namespace sluice::adapters::odbc
