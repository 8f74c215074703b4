// SQLite's result codes as our reasons. Its own error text may hold names from the owner's schema,
// so that it goes into internal statuses only; what a foreign agency may read is written here.
#pragma once

#include <string_view>

#include "absl/status/status.h"
#include "sqlite3.h"

namespace sluice::adapters::sqlite {

// For an extended result code that is not OK, ROW, DONE or INTERRUPT: SOURCE_UNAVAILABLE for a file
// that cannot be read now (locked, damaged, no database, no rights), SCHEMA_DRIFT where a table or
// column is not there, SOURCE_BAD_VALUE for a value too large or a view's expression that fails, an
// internal status for the rest. `db` may be null.
absl::Status SqliteError(sqlite3* db, int code);

// True where a connection that met it should not be used again.
bool SpoilsConnection(int code);

absl::Status Unavailable(std::string_view sentence);
absl::Status Drift(std::string_view sentence);

}  // namespace sluice::adapters::sqlite
