// One statement of a scan: reads one short range of rows in the order of the key, behind a
// position.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/adapter.h"
#include "adapters/sqlite/push_down.h"
#include "adapters/sqlite/schema.h"

namespace sluice::adapters::sqlite {

// Where the pushed-down predicate stands. In WHERE an index can serve, but a statement may look at
// any number of rows before it finds one. As a result column each statement looks at a bounded
// number, found or not.
enum class FilterPlace { kWhere, kColumn };

// What a statement depends on of the position that it goes on from.
struct PositionShape {
  bool present = false;
  bool inclusive = false;   // from the position on, not behind it
  std::vector<bool> nulls;  // which of its values are null
};

struct Plan {
  std::string sql;
  std::vector<Binding> bindings;  // of the predicate: parameters from 1
  int first_position_parameter = 0;
  int limit_parameter = 0;
  // Result columns that make a row's position: the key's, or the rowid or primary key that orders a
  // scan without key. Empty where the scan cannot go on in a second statement.
  std::vector<int> position_columns;
  int keep_column = -1;        // the predicate as a result column, or -1
  bool filtered = false;       // the predicate is in WHERE
  bool key_is_unique = false;  // by a constraint of the source
};

// SCHEMA_DRIFT where a column is not there, or the key is of a type whose order is not SQLite's.
absl::StatusOr<Plan> MakePlan(const TableInfo& table, const ScanRequest& request, FilterPlace place,
                              const PositionShape& position);

// A name for the statement: equal shapes need the same statement.
std::string ShapeOf(const ScanRequest& request);
std::string ShapeOf(FilterPlace place, const PositionShape& position);

// What orders text by code point where the database's own encoding would not; registered on each
// connection.
inline constexpr char kCodePointCollation[] = "SLUICE_CODE_POINT";

}  // namespace sluice::adapters::sqlite
