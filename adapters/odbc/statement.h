// One statement at the driver: prepared, its values bound, its rows fetched in blocks. Every
// function that calls the driver is for the session's worker; what a fetch gave may be read by
// whoever waited for it.
//
// Columns whose values have a bounded size are bound, many rows at once, where the driver can. One
// that has not makes the statement go row by row, by SQLGetData.
#pragma once

#include <sql.h>
#include <sqlext.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "adapters/odbc/dialect.h"
#include "adapters/odbc/errors.h"
#include "gateway/base/mutex.h"

namespace sluice::adapters::odbc {

inline constexpr size_t kNoBound = 0;

// A column of the rows that come.
struct Reading {
  Fetch fetch = Fetch::kText;
  size_t most_bytes = kNoBound;  // of a value, as the driver writes it, without a NUL at its end
};

// A value bound.
struct Parameter {
  Form form = Form::kAscii;
  bool null = false;
  int64_t integer = 0;
  double real = 0;
  std::string bytes;  // of all other forms
};

// What the driver says of a column.
struct ColumnFacts {
  std::string name;
  int16_t sql_type = 0;
  uint64_t size = 0;
  int digits = 0;
  bool nullable = true;
  bool is_unsigned = false;
  std::string type_name;
};

// The handles of a session. `running` is what SQLCancel may be called on, under the mutex.
struct Handles {
  SQLHENV environment = SQL_NULL_HANDLE;
  SQLHDBC connection = SQL_NULL_HANDLE;
  Mutex mutex;
  SQLHSTMT running SLUICE_GUARDED_BY(mutex) = SQL_NULL_HANDLE;
  ~Handles();
};

inline bool Succeeded(SQLRETURN code) {
  return code == SQL_SUCCESS || code == SQL_SUCCESS_WITH_INFO;
}
Diagnostics DiagnosticsOf(SQLSMALLINT kind, SQLHANDLE handle);

class Statement {
 public:
  Statement(std::shared_ptr<Handles> handles, const Driver& driver)
      : handles_(std::move(handles)), driver_(driver) {}
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  absl::Status Run(const std::string& sql, std::vector<Parameter> parameters);
  // Of the rows that a statement gives that was run.
  absl::Status Columns(std::vector<ColumnFacts>& columns);
  // Prepares to fetch; once, behind Run. SCHEMA_DRIFT where a number is read of what is none.
  absl::Status Bind(std::vector<Reading> readings, bool streaming);
  // The next rows; none at the end.
  absl::Status Fetch();
  // Frees the handle.
  void Close();

  size_t rows() const { return rows_; }
  bool IsNull(size_t row, size_t column) const { return Cell(row, column).size == kNull; }
  // Of bounded columns: it is longer than it may be.
  bool IsCut(size_t row, size_t column) const { return Cell(row, column).size == kCut; }
  // As the driver wrote them: eight bytes of a number, or characters without an end.
  std::string_view Bytes(size_t row, size_t column) const {
    const CellPlace& cell = Cell(row, column);
    return {arena_.data() + cell.offset, static_cast<size_t>(cell.size)};
  }
  // What stands behind the last row, where the driver could not give the next one.
  const absl::Status& broken() const { return broken_; }

 private:
  static constexpr int64_t kNull = -1, kCut = -2;
  struct CellPlace {
    size_t offset = 0;
    int64_t size = kNull;
  };
  const CellPlace& Cell(size_t row, size_t column) const {
    return cells_[row * readings_.size() + column];
  }
  absl::Status Failed() const;
  absl::Status BindParameters();
  absl::Status BindBlock();
  absl::Status FetchBlock();
  absl::Status FetchRows();
  absl::Status GetCell(size_t column, CellPlace& cell);

  const std::shared_ptr<Handles> handles_;
  const Driver& driver_;
  SQLHSTMT handle_ = SQL_NULL_HANDLE;
  std::vector<Parameter> parameters_;
  std::vector<std::u16string> wide_;
  std::vector<SQLLEN> parameter_sizes_;

  std::vector<Reading> readings_;
  bool block_ = false;
  bool at_end_ = false;
  size_t block_rows_ = 0;
  std::vector<size_t> column_offsets_, widths_;
  std::vector<SQLLEN> indicators_;
  std::vector<SQLUSMALLINT> row_states_;
  SQLULEN fetched_ = 0;

  size_t rows_ = 0;
  std::string arena_;
  std::vector<CellPlace> cells_;
  absl::Status broken_;
};

}  // namespace sluice::adapters::odbc
