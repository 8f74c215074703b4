#include "adapters/odbc/statement.h"

#include <sqlucode.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/ascii.h"
#include "adapters/odbc/utf16.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"

namespace sluice::adapters::odbc {
namespace {

constexpr size_t kMostBlockRows = 1'024;
constexpr size_t kBlockBytes = 1 << 20;
constexpr size_t kMostRowsAtOnce = 256;
constexpr size_t kChunk = 2 << 10;
constexpr int kMostDiagnostics = 8;
constexpr size_t kMostName = 1'024;

SQLWCHAR* Wide(std::u16string& text) { return reinterpret_cast<SQLWCHAR*>(text.data()); }

SQLSMALLINT CType(Fetch fetch, const Driver& driver) {
  switch (fetch) {
    case Fetch::kInteger:
      return SQL_C_SBIGINT;
    case Fetch::kDouble:
      return SQL_C_DOUBLE;
    case Fetch::kAscii:
      return SQL_C_CHAR;
    case Fetch::kText:
      return driver.wide ? SQL_C_WCHAR : SQL_C_CHAR;
    case Fetch::kBinary:
      return SQL_C_BINARY;
  }
  return SQL_C_CHAR;
}

// What the driver writes behind a value.
size_t EndBytes(SQLSMALLINT c_type) {
  return c_type == SQL_C_WCHAR ? 2 : c_type == SQL_C_CHAR ? 1 : 0;
}

bool IsNumber(int16_t type) {
  switch (type) {
    case SQL_BIT:
    case SQL_TINYINT:
    case SQL_SMALLINT:
    case SQL_INTEGER:
    case SQL_BIGINT:
      return true;
    default:
      return false;
  }
}
bool IsReal(int16_t type) {
  return type == SQL_REAL || type == SQL_FLOAT || type == SQL_DOUBLE || IsNumber(type);
}

}  // namespace

Handles::~Handles() {
  if (connection != SQL_NULL_HANDLE) SQLFreeHandle(SQL_HANDLE_DBC, connection);
  if (environment != SQL_NULL_HANDLE) SQLFreeHandle(SQL_HANDLE_ENV, environment);
}

Diagnostics DiagnosticsOf(SQLSMALLINT kind, SQLHANDLE handle) {
  Diagnostics found;
  std::u16string text(kMostName, u'\0');
  for (SQLSMALLINT i = 1; i <= kMostDiagnostics; ++i) {
    std::array<SQLWCHAR, 6> state = {};
    SQLINTEGER native = 0;
    SQLSMALLINT size = 0;
    const SQLRETURN code = SQLGetDiagRecW(kind, handle, i, state.data(), &native, Wide(text),
                                          static_cast<SQLSMALLINT>(text.size()), &size);
    if (!Succeeded(code)) break;
    Diagnostic one;
    for (size_t k = 0; k < 5; ++k) one.state.push_back(static_cast<char>(state[k]));
    one.native = native;
    const size_t kept = std::min<size_t>(std::max<SQLSMALLINT>(size, 0), text.size() - 1);
    one.text = FromUtf16(std::u16string_view(text).substr(0, kept));
    found.push_back(std::move(one));
  }
  return found;
}

Statement::~Statement() { Close(); }

void Statement::Close() {
  if (handle_ == SQL_NULL_HANDLE) return;
  {
    MutexLock lock(handles_->mutex);
    handles_->running = SQL_NULL_HANDLE;
  }
  SQLFreeHandle(SQL_HANDLE_STMT, handle_);
  handle_ = SQL_NULL_HANDLE;
}

absl::Status Statement::Failed() const {
  return StatementError(DiagnosticsOf(SQL_HANDLE_STMT, handle_));
}

absl::Status Statement::Run(const std::string& sql, std::vector<Parameter> parameters) {
  parameters_ = std::move(parameters);
  if (!Succeeded(SQLAllocHandle(SQL_HANDLE_STMT, handles_->connection, &handle_)))
    return StatementError(DiagnosticsOf(SQL_HANDLE_DBC, handles_->connection));
  {
    MutexLock lock(handles_->mutex);
    handles_->running = handle_;
  }
  // A brace in a name is no escape.
  SQLSetStmtAttr(handle_, SQL_ATTR_NOSCAN, reinterpret_cast<SQLPOINTER>(SQL_NOSCAN_ON), 0);
  std::u16string text = ToUtf16(sql);
  if (!Succeeded(SQLPrepareW(handle_, Wide(text), static_cast<SQLINTEGER>(text.size()))))
    return Failed();
  SLUICE_RETURN_IF_ERROR(BindParameters());
  const SQLRETURN code = SQLExecute(handle_);
  if (!Succeeded(code) && code != SQL_NO_DATA) return Failed();
  return absl::OkStatus();
}

absl::Status Statement::BindParameters() {
  const size_t count = parameters_.size();
  parameter_sizes_.resize(count);
  wide_.resize(count);
  for (size_t i = 0; i < count; ++i) {
    Parameter& parameter = parameters_[i];
    SQLSMALLINT c_type = SQL_C_CHAR, type = SQL_VARCHAR;
    SQLPOINTER data = parameter.bytes.data();
    size_t bytes = parameter.bytes.size(), size = bytes;
    switch (parameter.form) {
      case Form::kInteger:
        c_type = SQL_C_SBIGINT;
        type = SQL_BIGINT;
        data = &parameter.integer;
        bytes = sizeof(parameter.integer);
        size = 19;
        break;
      case Form::kDouble:
        c_type = SQL_C_DOUBLE;
        type = SQL_DOUBLE;
        data = &parameter.real;
        bytes = sizeof(parameter.real);
        size = 15;
        break;
      case Form::kBytes:
        c_type = SQL_C_BINARY;
        type = SQL_VARBINARY;
        break;
      case Form::kText:
        if (!driver_.wide) break;
        wide_[i] = ToUtf16(parameter.bytes);
        c_type = SQL_C_WCHAR;
        type = SQL_WVARCHAR;
        data = wide_[i].data();
        size = wide_[i].size();
        bytes = 2 * size;
        break;
      default:
        break;
    }
    parameter_sizes_[i] = parameter.null ? SQL_NULL_DATA : static_cast<SQLLEN>(bytes);
    const SQLRETURN code = SQLBindParameter(
        handle_, static_cast<SQLUSMALLINT>(i + 1), SQL_PARAM_INPUT, c_type, type,
        std::max<size_t>(size, 1), 0, data, static_cast<SQLLEN>(bytes), &parameter_sizes_[i]);
    if (!Succeeded(code)) return Failed();
  }
  return absl::OkStatus();
}

absl::Status Statement::Columns(std::vector<ColumnFacts>& columns) {
  SQLSMALLINT count = 0;
  if (!Succeeded(SQLNumResultCols(handle_, &count))) return Failed();
  std::u16string text(kMostName, u'\0');
  for (SQLUSMALLINT i = 1; i <= count; ++i) {
    ColumnFacts facts;
    SQLSMALLINT length = 0, type = 0, digits = 0, nullable = 0;
    SQLULEN size = 0;
    if (!Succeeded(SQLDescribeColW(handle_, i, Wide(text), static_cast<SQLSMALLINT>(text.size()),
                                   &length, &type, &size, &digits, &nullable)))
      return Failed();
    const size_t kept = std::min<size_t>(std::max<SQLSMALLINT>(length, 0), text.size() - 1);
    facts.name = FromUtf16(std::u16string_view(text).substr(0, kept));
    facts.sql_type = type;
    facts.size = size;
    facts.digits = digits;
    facts.nullable = nullable != SQL_NO_NULLS;
    SQLLEN is_unsigned = SQL_FALSE;
    if (Succeeded(
            SQLColAttributeW(handle_, i, SQL_DESC_UNSIGNED, nullptr, 0, nullptr, &is_unsigned)))
      facts.is_unsigned = is_unsigned == SQL_TRUE;
    length = 0;
    if (Succeeded(SQLColAttributeW(handle_, i, SQL_DESC_TYPE_NAME, text.data(),
                                   static_cast<SQLSMALLINT>(2 * text.size()), &length, nullptr))) {
      // Here sizes are in bytes.
      const size_t units = std::min<size_t>(std::max<SQLSMALLINT>(length, 0) / 2, text.size() - 1);
      facts.type_name =
          absl::AsciiStrToLower(View(FromUtf16(std::u16string_view(text).substr(0, units))));
    }
    columns.push_back(std::move(facts));
  }
  return absl::OkStatus();
}

absl::Status Statement::Bind(std::vector<Reading> readings, bool streaming) {
  readings_ = std::move(readings);
  SQLSMALLINT count = 0;
  if (!Succeeded(SQLNumResultCols(handle_, &count))) return Failed();
  if (static_cast<size_t>(count) != readings_.size())
    return Drift("the source's schema changed while it was read");
  for (size_t i = 0; i < readings_.size(); ++i) {
    if (readings_[i].fetch != Fetch::kInteger && readings_[i].fetch != Fetch::kDouble) continue;
    SQLWCHAR name[2];
    SQLSMALLINT length = 0, type = 0, digits = 0, nullable = 0;
    SQLULEN size = 0;
    if (SQLDescribeColW(handle_, static_cast<SQLUSMALLINT>(i + 1), name, 2, &length, &type, &size,
                        &digits, &nullable) == SQL_ERROR)
      return Failed();
    if (readings_[i].fetch == Fetch::kInteger ? !IsNumber(type) : !IsReal(type))
      return Drift("the source's schema changed while it was read");
  }
  (void)streaming;
  block_ = driver_.block && std::all_of(readings_.begin(), readings_.end(), [](const Reading& one) {
             return one.most_bytes != kNoBound;
           });
  return block_ ? BindBlock() : absl::OkStatus();
}

absl::Status Statement::BindBlock() {
  size_t row_bytes = 0;
  for (const Reading& reading : readings_) {
    const SQLSMALLINT c_type = CType(reading.fetch, driver_);
    widths_.push_back((reading.most_bytes + EndBytes(c_type) + 7) / 8 * 8);
    row_bytes += widths_.back();
  }
  block_rows_ = std::clamp<size_t>(kBlockBytes / std::max<size_t>(row_bytes, 1), 1, kMostBlockRows);
  const auto pointer = [](size_t number) { return reinterpret_cast<SQLPOINTER>(number); };
  SQLSetStmtAttr(handle_, SQL_ATTR_ROW_BIND_TYPE, pointer(SQL_BIND_BY_COLUMN), 0);
  if (!Succeeded(SQLSetStmtAttr(handle_, SQL_ATTR_ROW_ARRAY_SIZE, pointer(block_rows_), 0)))
    return Failed();
  row_states_.resize(block_rows_);
  SQLSetStmtAttr(handle_, SQL_ATTR_ROW_STATUS_PTR, row_states_.data(), 0);
  SQLSetStmtAttr(handle_, SQL_ATTR_ROWS_FETCHED_PTR, &fetched_, 0);
  arena_.resize(row_bytes * block_rows_);
  indicators_.resize(readings_.size() * block_rows_);
  size_t offset = 0;
  for (size_t i = 0; i < readings_.size(); ++i) {
    column_offsets_.push_back(offset);
    const SQLSMALLINT c_type = CType(readings_[i].fetch, driver_);
    if (!Succeeded(SQLBindCol(handle_, static_cast<SQLUSMALLINT>(i + 1), c_type,
                              arena_.data() + offset, static_cast<SQLLEN>(widths_[i]),
                              indicators_.data() + i * block_rows_)))
      return Failed();
    offset += widths_[i] * block_rows_;
  }
  return absl::OkStatus();
}

absl::Status Statement::Fetch() {
  rows_ = 0;
  cells_.clear();
  SLUICE_RETURN_IF_ERROR(broken_);
  if (at_end_) return absl::OkStatus();
  return block_ ? FetchBlock() : FetchRows();
}

absl::Status Statement::FetchBlock() {
  fetched_ = 0;
  const SQLRETURN code = SQLFetch(handle_);
  if (code == SQL_NO_DATA) {
    at_end_ = true;
    return absl::OkStatus();
  }
  const bool broken = !Succeeded(code);
  absl::Status failure = broken ? Failed() : absl::OkStatus();
  if (broken && fetched_ == 0) return failure;
  const size_t columns = readings_.size();
  cells_.resize(fetched_ * columns);
  for (size_t row = 0; row < fetched_; ++row) {
    if (row_states_[row] == SQL_ROW_ERROR) {
      broken_ = broken ? failure : Failed();
      break;
    }
    for (size_t i = 0; i < columns; ++i) {
      CellPlace& cell = cells_[row * columns + i];
      const SQLLEN size = indicators_[i * block_rows_ + row];
      if (size == SQL_NULL_DATA) continue;
      const size_t room = widths_[i] - EndBytes(CType(readings_[i].fetch, driver_));
      cell.offset = column_offsets_[i] + row * widths_[i];
      cell.size = size < 0 || static_cast<size_t>(size) > room ? kCut : size;
      if (readings_[i].fetch == Fetch::kInteger || readings_[i].fetch == Fetch::kDouble)
        cell.size = sizeof(int64_t);
    }
    ++rows_;
  }
  if (broken && broken_.ok()) broken_ = failure;
  return rows_ == 0 ? broken_ : absl::OkStatus();
}

absl::Status Statement::FetchRows() {
  arena_.clear();
  while (rows_ < kMostRowsAtOnce && arena_.size() < kBlockBytes) {
    const SQLRETURN code = SQLFetch(handle_);
    if (code == SQL_NO_DATA) {
      at_end_ = true;
      break;
    }
    absl::Status status = Succeeded(code) ? absl::OkStatus() : Failed();
    cells_.resize((rows_ + 1) * readings_.size());
    for (size_t i = 0; i < readings_.size() && status.ok(); ++i)
      status = GetCell(i, cells_[rows_ * readings_.size() + i]);
    if (!status.ok()) {
      broken_ = std::move(status);
      break;
    }
    ++rows_;
  }
  return rows_ == 0 ? broken_ : absl::OkStatus();
}

absl::Status Statement::GetCell(size_t column, CellPlace& cell) {
  const SQLSMALLINT c_type = CType(readings_[column].fetch, driver_);
  const bool number = c_type == SQL_C_SBIGINT || c_type == SQL_C_DOUBLE;
  const size_t end = EndBytes(c_type);
  // Numbers are read where they can be looked at.
  if (number) arena_.resize((arena_.size() + 7) / 8 * 8);
  cell.offset = arena_.size();
  cell.size = 0;
  for (size_t chunk = number ? sizeof(int64_t) : kChunk;;
       chunk = std::min(4 * chunk, kBlockBytes)) {
    const size_t at = arena_.size();
    arena_.resize(at + chunk);
    SQLLEN left = 0;  // before this call
    const SQLRETURN code = SQLGetData(handle_, static_cast<SQLUSMALLINT>(column + 1), c_type,
                                      arena_.data() + at, static_cast<SQLLEN>(chunk), &left);
    if (code == SQL_NO_DATA) {
      arena_.resize(at);
      break;
    }
    if (!Succeeded(code)) return Failed();
    if (left == SQL_NULL_DATA) {
      arena_.resize(at);
      cell.size = kNull;
      return absl::OkStatus();
    }
    if (number) break;
    const size_t room = (chunk - end) / std::max<size_t>(end, 1) * std::max<size_t>(end, 1);
    const bool whole = left >= 0 && static_cast<size_t>(left) <= room;
    arena_.resize(at + (whole ? static_cast<size_t>(left) : room));
    if (whole) break;
  }
  cell.size = static_cast<int64_t>(arena_.size() - cell.offset);
  return absl::OkStatus();
}

}  // namespace sluice::adapters::odbc
