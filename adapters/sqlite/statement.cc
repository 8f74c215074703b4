#include "adapters/sqlite/statement.h"

#include "adapters/sqlite/errors.h"

namespace sluice::adapters::sqlite {

absl::StatusOr<StatementPtr> Prepare(sqlite3* db, std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v3(db, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return SqliteError(db, code);
  return StatementPtr(statement);
}

}  // namespace sluice::adapters::sqlite
