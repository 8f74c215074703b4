// One connection to SQLite, closed with its owner. One thread at a time. For this room and for the
// search index (gateway/audit/index_month.h).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/attributes.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/store/store.h"

struct sqlite3;
struct sqlite3_stmt;

namespace sluice::store {

class SqliteConnection;

// A statement that is used again and again. It goes before its connection does, and before what it
// reads is detached. While it stands at a row it holds a read transaction: Reset ends it.
class SqliteStatement {
 public:
  ~SqliteStatement();
  SqliteStatement(const SqliteStatement&) = delete;
  SqliteStatement& operator=(const SqliteStatement&) = delete;

  // Parameters count from 1. Bytes are borrowed until the statement is bound anew.
  void Bind(int parameter, int64_t value);
  void BindBytes(int parameter, std::string_view bytes ABSL_ATTRIBUTE_LIFETIME_BOUND);
  // Whether there is a row; if not, it is reset. Errors are as SqliteConnection's.
  absl::StatusOr<bool> Step();
  // For statements without rows.
  absl::Status Run();
  // Columns count from 0. Bytes are good until the next Step or Reset.
  int64_t Int(int column) const;
  std::string_view Bytes(int column) const ABSL_ATTRIBUTE_LIFETIME_BOUND;
  void Reset();

 private:
  friend class SqliteConnection;
  SqliteStatement(const SqliteConnection& connection, sqlite3_stmt* handle)
      : connection_(connection), handle_(handle) {}

  const SqliteConnection& connection_;
  sqlite3_stmt* const handle_;
};

class SqliteConnection {
 public:
  // Opens an existing file. DATA_LOSS where SQLite calls it damaged or no database, UNAVAILABLE or
  // INTERNAL otherwise; the path and SQLite's own words are in the message, never a bound value.
  static absl::StatusOr<std::unique_ptr<SqliteConnection>> Open(const std::string& path);
  ~SqliteConnection();
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  // One statement, its rows.
  absl::StatusOr<std::vector<SqlRow>> Query(std::string_view sql,
                                            const std::vector<SqlValue>& values = {});
  absl::StatusOr<std::unique_ptr<SqliteStatement>> Prepare(std::string_view sql);
  // Several statements without values.
  absl::Status Run(const std::string& sql);
  // The first value of the first row, as a number.
  absl::StatusOr<int64_t> Number(std::string_view sql);
  bool in_transaction() const;
  // While a statement runs, it is asked now and then; where it says so, the statement ends with
  // CANCELLED. Null: never.
  void SetInterrupt(std::function<bool()> interrupt);

 private:
  friend class SqliteStatement;
  explicit SqliteConnection(std::string path) : path_(std::move(path)) {}
  absl::Status Failure(std::string_view action) const;

  const std::string path_;
  sqlite3* handle_ = nullptr;
  std::function<bool()> interrupt_;
};

}  // namespace sluice::store
