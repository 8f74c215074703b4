#include "adapters/sqlite/errors.h"

#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"

namespace sluice::adapters::sqlite {
namespace {

// SQLite says "no such table", "no such column" and the like with the general code.
bool SaysMissing(sqlite3* db) {
  const absl::string_view text = db == nullptr ? "" : sqlite3_errmsg(db);
  return absl::StrContains(text, "no such ") || absl::StrContains(text, "has no column") ||
         absl::StrContains(text, "ambiguous column");
}

absl::Status Internal(sqlite3* db, int code) {
  return absl::InternalError(absl::StrCat(
      "sqlite: ", db == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(db), " (code ", code, ")"));
}

}  // namespace

absl::Status Unavailable(std::string_view sentence) {
  return Error(v1::REASON_SOURCE_UNAVAILABLE, sentence);
}

absl::Status Drift(std::string_view sentence) { return Error(v1::REASON_SCHEMA_DRIFT, sentence); }

absl::Status SqliteError(sqlite3* db, int code) {
  if (code == SQLITE_READONLY_ROLLBACK || code == SQLITE_READONLY_RECOVERY) {
    return Unavailable(
        "the source was left in the middle of a change: its owner's application has to open it "
        "once to recover it");
  }
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return Unavailable("the source is locked by its owner's application");
    case SQLITE_CORRUPT:
      return Unavailable("the source's file is damaged");
    case SQLITE_NOTADB:
      return Unavailable("the source's file is not an SQLite database");
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
      return Unavailable(
          "the source's file cannot be opened: the gateway's account must be able to read it and, "
          "in write-ahead mode, to write the -shm file in its folder");
    case SQLITE_IOERR:
    case SQLITE_FULL:
    case SQLITE_NOLFS:
      return Unavailable(absl::StrCat("reading the source's file failed (code ", code, ")"));
    case SQLITE_NOMEM:
      return Unavailable("the source could not be read for want of memory");
    case SQLITE_TOOBIG:
      return Error(v1::REASON_SOURCE_BAD_VALUE, "a value is over 64 MiB");
    case SQLITE_SCHEMA:
      return Drift("the source's schema is changing");
    case SQLITE_ERROR:
      if (SaysMissing(db)) {
        return Drift("a table or column that the dataset reads is not in the source");
      }
      return Error(v1::REASON_SOURCE_BAD_VALUE, "an expression of a view cannot be computed");
    default:
      return Internal(db, code);
  }
}

bool SpoilsConnection(int code) {
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
    case SQLITE_NOMEM:
    case SQLITE_READONLY:
      return true;
    default:
      return false;
  }
}

}  // namespace sluice::adapters::sqlite
