// One connection to SQLite, closed with its owner. One thread at a time. For this room.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/store/store.h"

struct sqlite3;

namespace sluice::store {

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
  // Several statements without values.
  absl::Status Run(const std::string& sql);
  // The first value of the first row, as a number.
  absl::StatusOr<int64_t> Number(std::string_view sql);
  bool in_transaction() const;

 private:
  explicit SqliteConnection(std::string path) : path_(std::move(path)) {}
  absl::Status Failure(std::string_view action) const;

  const std::string path_;
  sqlite3* handle_ = nullptr;
};

}  // namespace sluice::store
