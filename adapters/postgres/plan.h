// One statement of a scan: the rows behind a position in the order of the key, up to a limit.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/adapter.h"
#include "adapters/postgres/push_down.h"
#include "adapters/postgres/table.h"
#include "adapters/postgres/values.h"

namespace sluice::adapters::postgres {

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
  Reading reading;
};

struct Plan {
  std::string sql;
  std::vector<Binding> bindings;  // of the predicate: parameters from 1
  int first_position_parameter = 0;
  int limit_parameter = 0;
  // The request's fields, and behind them what the order needs besides: a scan without a key of its
  // own goes by the table's primary key where it can.
  std::vector<ResultColumn> results;
  std::vector<int> key;        // indices into results; empty where nothing orders the scan
  bool key_is_unique = false;  // by a constraint of the source
  bool order_is_free = false;  // an index gives the rows in order: reading a part costs a part
};

// SCHEMA_DRIFT where a column is not there, cannot be read as its field, or has no order that a key
// needs. The plan borrows from `table`.
absl::StatusOr<Plan> MakePlan(const TableInfo& table, const ScanRequest& request,
                              const PositionShape& position, Passing passing);

// A name for the statement: equal shapes of equal tables need the same statement.
std::string ShapeOf(const ScanRequest& request);
std::string ShapeOf(const PositionShape& position);

}  // namespace sluice::adapters::postgres
