// Prepared statements of one connection, by shape; the least recently used goes first.
#pragma once

#include <list>
#include <memory>
#include <string>
#include <unordered_map>

#include "adapters/postgres/plan.h"

namespace sluice::adapters::postgres {

struct PreparedScan {
  std::shared_ptr<const TableInfo> table;  // as it was when it was planned
  Plan plan;
  std::string name;  // on the server
};

// Not synchronised: it belongs to its connection.
class StatementCache {
 public:
  explicit StatementCache(size_t capacity) : capacity_(capacity) {}

  // Null where there is none. Valid until the next Insert or Erase.
  PreparedScan* Find(const std::string& shape);
  PreparedScan* Insert(const std::string& shape, PreparedScan scan);
  // A name that no statement has had.
  std::string NewName();
  // Takes out the one of that shape, or where it is null, the one that is to give room to the next:
  // its name, empty where there is none. The server is to be told.
  std::string Evict(const std::string* shape);

 private:
  using Entries = std::list<std::pair<std::string, PreparedScan>>;
  const size_t capacity_;
  int64_t named_ = 0;
  Entries entries_;  // the most recently used first
  std::unordered_map<std::string, Entries::iterator> by_shape_;
};

}  // namespace sluice::adapters::postgres
