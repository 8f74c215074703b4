#include "gateway/store/sqlite_connection.h"

#include <sqlite3.h>

#include <limits>

#include "absl/strings/str_cat.h"
#include "gateway/base/check.h"
#include "gateway/base/error.h"

namespace sluice::store {
namespace {

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

int Bind(sqlite3_stmt* statement, int index, const SqlValue& value) {
  if (const auto* number = std::get_if<int64_t>(&value))
    return sqlite3_bind_int64(statement, index, *number);
  if (const auto* text = std::get_if<std::string>(&value))
    return sqlite3_bind_text64(statement, index, text->data(), text->size(), SQLITE_TRANSIENT,
                               SQLITE_UTF8);
  return sqlite3_bind_null(statement, index);
}

SqlValue ValueAt(sqlite3_stmt* statement, int column) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_NULL:
      return std::monostate();
    case SQLITE_INTEGER:
      return int64_t{sqlite3_column_int64(statement, column)};
    default: {
      // Blob first, then its size: for text this order converts nothing.
      const void* data = sqlite3_column_blob(statement, column);
      const auto size = static_cast<size_t>(sqlite3_column_bytes(statement, column));
      return size == 0 ? std::string() : std::string(static_cast<const char*>(data), size);
    }
  }
}

}  // namespace

int64_t SqlRow::Int(size_t i) const {
  const auto* number = std::get_if<int64_t>(&values[i]);
  return number == nullptr ? 0 : *number;
}

const std::string& SqlRow::Text(size_t i) const {
  static const std::string empty;
  const auto* text = std::get_if<std::string>(&values[i]);
  return text == nullptr ? empty : *text;
}

absl::StatusOr<std::unique_ptr<SqliteConnection>> SqliteConnection::Open(const std::string& path) {
  std::unique_ptr<SqliteConnection> connection(new SqliteConnection(path));
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX;
  if (sqlite3_open_v2(path.c_str(), &connection->handle_, flags, nullptr) != SQLITE_OK)
    return connection->Failure("opening");
  sqlite3_extended_result_codes(connection->handle_, 1);
  // A reader may meet the writer's checkpoint for a moment.
  sqlite3_busy_timeout(connection->handle_, 5000);
  // What stands in the file is not trusted to run code, and pages are checked as they are read.
  sqlite3_db_config(connection->handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(connection->handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  SLUICE_RETURN_IF_ERROR(connection->Run("PRAGMA foreign_keys = ON; PRAGMA cell_size_check = ON"));
  return connection;
}

SqliteConnection::~SqliteConnection() { sqlite3_close_v2(handle_); }

absl::Status SqliteConnection::Failure(std::string_view action) const {
  const int code = sqlite3_errcode(handle_);
  const std::string message =
      absl::StrCat(path_, ": ", absl::string_view(action.data(), action.size()), ": ",
                   sqlite3_errmsg(handle_), " (", code, ")");
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return absl::DataLossError(message);
    case SQLITE_CONSTRAINT:
      return absl::FailedPreconditionError(message);
    case SQLITE_INTERRUPT:
      return absl::CancelledError(message);
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(message);
    case SQLITE_BUSY:
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
      return absl::UnavailableError(message);
    default:
      return absl::InternalError(message);
  }
}

absl::StatusOr<std::vector<SqlRow>> SqliteConnection::Query(std::string_view sql,
                                                            const std::vector<SqlValue>& values) {
  SLUICE_CHECK(sql.size() < static_cast<size_t>(std::numeric_limits<int>::max()));
  sqlite3_stmt* prepared = nullptr;
  const char* rest = nullptr;
  if (sqlite3_prepare_v2(handle_, sql.data(), static_cast<int>(sql.size()), &prepared, &rest) !=
      SQLITE_OK)
    return Failure(sql);
  const Statement statement(prepared);
  // SQLite would pass over a second statement in silence.
  SLUICE_CHECK(prepared != nullptr && rest == sql.data() + sql.size());
  SLUICE_CHECK(sqlite3_bind_parameter_count(prepared) == static_cast<int>(values.size()));
  for (size_t i = 0; i < values.size(); ++i)
    if (Bind(prepared, static_cast<int>(i) + 1, values[i]) != SQLITE_OK) return Failure(sql);

  std::vector<SqlRow> rows;
  while (true) {
    const int result = sqlite3_step(prepared);
    if (result == SQLITE_DONE) return rows;
    if (result != SQLITE_ROW) return Failure(sql);
    SqlRow row;
    const int columns = sqlite3_column_count(prepared);
    row.values.reserve(static_cast<size_t>(columns));
    for (int i = 0; i < columns; ++i) row.values.push_back(ValueAt(prepared, i));
    rows.push_back(std::move(row));
  }
}

absl::StatusOr<std::unique_ptr<SqliteStatement>> SqliteConnection::Prepare(std::string_view sql) {
  SLUICE_CHECK(sql.size() < static_cast<size_t>(std::numeric_limits<int>::max()));
  sqlite3_stmt* prepared = nullptr;
  if (sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &prepared, nullptr) != SQLITE_OK)
    return Failure(sql);
  return std::unique_ptr<SqliteStatement>(new SqliteStatement(*this, prepared));
}

absl::Status SqliteConnection::Run(const std::string& sql) {
  if (sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    return Failure(sql);
  return absl::OkStatus();
}

absl::StatusOr<int64_t> SqliteConnection::Number(std::string_view sql) {
  SLUICE_ASSIGN_OR_RETURN(const auto rows, Query(sql));
  return rows.empty() ? 0 : rows[0].Int(0);
}

bool SqliteConnection::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }

void SqliteConnection::SetInterrupt(std::function<bool()> interrupt) {
  constexpr int kInstructions = 10'000;
  interrupt_ = std::move(interrupt);
  const auto ask = [](void* self) {
    return static_cast<SqliteConnection*>(self)->interrupt_() ? 1 : 0;
  };
  if (interrupt_) {
    sqlite3_progress_handler(handle_, kInstructions, ask, this);
  } else {
    sqlite3_progress_handler(handle_, 0, nullptr, nullptr);
  }
}

SqliteStatement::~SqliteStatement() { sqlite3_finalize(handle_); }

void SqliteStatement::Bind(int parameter, int64_t value) {
  SLUICE_CHECK(sqlite3_bind_int64(handle_, parameter, value) == SQLITE_OK);
}

void SqliteStatement::BindBytes(int parameter, std::string_view bytes) {
  SLUICE_CHECK(sqlite3_bind_blob64(handle_, parameter, bytes.data(), bytes.size(), SQLITE_STATIC) ==
               SQLITE_OK);
}

absl::StatusOr<bool> SqliteStatement::Step() {
  const int result = sqlite3_step(handle_);
  if (result == SQLITE_ROW) return true;
  absl::StatusOr<bool> end = false;
  if (result != SQLITE_DONE) end = connection_.Failure(sqlite3_sql(handle_));
  Reset();
  return end;
}

absl::Status SqliteStatement::Run() {
  SLUICE_ASSIGN_OR_RETURN(const bool row, Step());
  SLUICE_CHECK(!row);
  return absl::OkStatus();
}

int64_t SqliteStatement::Int(int column) const { return sqlite3_column_int64(handle_, column); }

std::string_view SqliteStatement::Bytes(int column) const {
  // Blob first, then its size: this order converts nothing.
  const void* data = sqlite3_column_blob(handle_, column);
  const auto size = static_cast<size_t>(sqlite3_column_bytes(handle_, column));
  return size == 0 ? std::string_view() : std::string_view(static_cast<const char*>(data), size);
}

void SqliteStatement::Reset() { sqlite3_reset(handle_); }

}  // namespace sluice::store
