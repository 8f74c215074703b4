// Small owners for SQLite's C handles.
#pragma once

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "sqlite3.h"

namespace sluice::adapters::sqlite {

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using StatementPtr = std::unique_ptr<sqlite3_stmt, Finalize>;

struct FreeValue {
  void operator()(sqlite3_value* value) const { sqlite3_value_free(value); }
};
using ValuePtr = std::unique_ptr<sqlite3_value, FreeValue>;

// Kept for long: SQLite is told that it will be used again.
absl::StatusOr<StatementPtr> Prepare(sqlite3* db, std::string_view sql);

// Valid until the next step, reset or conversion. Only for a column that is not null.
inline std::string_view ColumnText(sqlite3_stmt* row, int column) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(row, column));
  return {text == nullptr ? "" : text, static_cast<size_t>(sqlite3_column_bytes(row, column))};
}

}  // namespace sluice::adapters::sqlite
