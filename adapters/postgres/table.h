// What the server's catalogue says of a table, view or query of the owner's, as far as reading it
// strictly needs: types, collations and indexes decide which comparisons mean the same there and
// here, and which order costs nothing.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "adapters/postgres/types.h"

namespace sluice::adapters::postgres {

struct ColumnInfo {
  std::string name;
  std::string declared;  // as the server writes it: "character varying(18)"
  SourceType type = SourceType::kOther;
  int32_t modifier = -1;
  bool not_null = false;
  bool needs_cast = false;  // its own type is not the one that is decoded
  bool c_order = false;     // of text: its own collation is that of bytes
  bool operator==(const ColumnInfo&) const = default;
};

struct TableInfo {
  std::string name;
  std::string from;  // what stands behind FROM
  std::vector<ColumnInfo> columns;
  std::vector<std::vector<int>> unique_keys;  // column indices; the primary key first
  // Columns of indexes that give rows in our order of them: ascending, text by bytes.
  std::vector<std::vector<int>> ordered_by;
  bool has_primary_key = false;
  bool utf8 = true;  // the database's encoding
  bool operator==(const TableInfo&) const = default;

  // By its name as it stands, or else by the only one that is the same but for ASCII case. -1 where
  // there is none.
  int IndexOf(std::string_view column) const;
};

}  // namespace sluice::adapters::postgres
