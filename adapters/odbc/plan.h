// One statement of a scan: the rows behind a position in the order of the key, up to a limit.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/adapter.h"
#include "adapters/odbc/push_down.h"
#include "adapters/odbc/statement.h"
#include "adapters/odbc/table.h"
#include "adapters/odbc/values.h"

namespace sluice::adapters::odbc {

// What a statement depends on of the position that it goes on from.
struct PositionShape {
  bool present = false;
  bool inclusive = false;   // from the position on, not behind it
  std::vector<bool> nulls;  // which of its values are null
};

// A column of a statement's rows.
struct ResultColumn {
  const ColumnInfo* column = nullptr;
  records::Field field;
  ValueReading reading;
};

struct Plan {
  std::string sql;  // without its limit
  // What all its rows are together, in bytes; empty where that cannot be asked. Of a plan
  // without a position.
  std::string size_sql;
  std::vector<Binding> bindings;
  // The request's fields, and behind them what the order needs besides: a scan without a key of its
  // own goes by the table's primary key where it can.
  std::vector<ResultColumn> results;
  std::vector<Reading> readings;  // of each result
  std::vector<int> key;           // indices into results; empty where nothing orders the scan
  bool key_is_unique = false;     // by a constraint of the source
};

// SCHEMA_DRIFT where a column is not there, cannot be read as its field, or has no order that a key
// needs. The plan borrows from `table`.
absl::StatusOr<Plan> MakePlan(const Dialect& dialect, const Driver& driver, const TableInfo& table,
                              const ScanRequest& request, const PositionShape& position,
                              bool zone_is_utc);

}  // namespace sluice::adapters::odbc
