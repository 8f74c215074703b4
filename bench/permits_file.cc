#include "bench/permits_file.h"

#include <sqlite3.h>

#include "absl/strings/str_cat.h"
#include "bench/permits.h"
#include "gateway/base/error.h"
#include "gateway/records/text_writers.h"

namespace sluice::bench {
namespace {

absl::Status Failed(sqlite3* database, const char* doing) {
  return absl::InternalError(absl::StrCat(doing, ": ", sqlite3_errmsg(database)));
}

absl::Status Execute(sqlite3* database, const char* sql) {
  return sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK
             ? absl::OkStatus()
             : Failed(database, sql);
}

absl::Status Insert(sqlite3_stmt* statement, const records::RecordBatch& batch, int64_t row) {
  for (size_t c = 0; c < batch.columns().size(); ++c) {
    const records::Column& column = batch.column(c);
    const int parameter = static_cast<int>(c) + 1;
    if (column.IsNull(row)) {
      sqlite3_bind_null(statement, parameter);
    } else if (column.type().id == records::TypeId::kInt64) {
      sqlite3_bind_int64(statement, parameter, column.Int64(row));
    } else {
      const std::string text = records::DisplayValue(column, row);
      sqlite3_bind_text(statement, parameter, text.data(), static_cast<int>(text.size()),
                        SQLITE_TRANSIENT);
    }
  }
  const int result = sqlite3_step(statement);
  sqlite3_reset(statement);
  return result == SQLITE_DONE ? absl::OkStatus() : Failed(sqlite3_db_handle(statement), "insert");
}

absl::Status Fill(sqlite3_stmt* statement, int64_t rows) {
  const Permits permits(64);
  for (int64_t number = 0; number * Permits::kBatchRows < rows; ++number) {
    const records::RecordBatch batch = permits.Batch(number);
    for (int64_t row = 0; row < batch.rows(); ++row)
      SLUICE_RETURN_IF_ERROR(Insert(statement, batch, row));
  }
  return absl::OkStatus();
}

absl::Status Write(sqlite3* database, int64_t rows) {
  SLUICE_RETURN_IF_ERROR(Execute(database, "PRAGMA journal_mode = WAL"));
  SLUICE_RETURN_IF_ERROR(Execute(
      database,
      "CREATE TABLE permit (permit_no INTEGER PRIMARY KEY NOT NULL, holder TEXT, premises TEXT, "
      "district TEXT, kind TEXT, issued DATE, expires DATE, fee TEXT, capital TEXT, inspected "
      "TEXT, "
      "remark TEXT)"));
  SLUICE_RETURN_IF_ERROR(Execute(database, "BEGIN"));
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(database, "INSERT INTO permit VALUES (?,?,?,?,?,?,?,?,?,?,?)", -1,
                         &statement, nullptr) != SQLITE_OK)
    return Failed(database, "prepare");
  const absl::Status filled = Fill(statement, rows);
  sqlite3_finalize(statement);
  SLUICE_RETURN_IF_ERROR(filled);
  SLUICE_RETURN_IF_ERROR(Execute(database, "COMMIT"));
  return Execute(database, "PRAGMA wal_checkpoint(TRUNCATE)");
}

}  // namespace

absl::Status WritePermits(const std::string& path, int64_t rows) {
  sqlite3* database = nullptr;
  const absl::Status written = sqlite3_open(path.c_str(), &database) == SQLITE_OK
                                   ? Write(database, rows)
                                   : Failed(database, "open");
  sqlite3_close(database);
  return written;
}

}  // namespace sluice::bench
