// The lookup of the bare server: one row of a SQLite table by its key, as a RowBatch.
#pragma once

#include <sqlite3.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "sluice/v1/values.pb.h"

namespace sluice::bench {

struct LookupTable {
  std::string database, table, key;
  std::vector<std::string> columns;  // all of them text
};

// One connection and its statement; each thread has its own, so nobody waits for a lock.
class Lookups {
 public:
  explicit Lookups(const LookupTable& table);
  ~Lookups();
  Lookups(const Lookups&) = delete;
  Lookups& operator=(const Lookups&) = delete;

  absl::Status Find(const std::string& key, v1::RowBatch& reply);

 private:
  void AddRow(v1::RowBatch& reply);
  absl::Status Failed() const;

  const std::vector<std::string> columns_;
  sqlite3* database_ = nullptr;
  sqlite3_stmt* statement_ = nullptr;  // null where it could not be prepared
};

}  // namespace sluice::bench
