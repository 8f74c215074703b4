// Prepared statements of one connection, by shape; the least recently used goes first.
#pragma once

#include <list>
#include <string>
#include <unordered_map>

#include "adapters/sqlite/plan.h"
#include "adapters/sqlite/statement.h"

namespace sluice::adapters::sqlite {

struct PreparedScan {
  Plan plan;
  StatementPtr statement;
};

// Not synchronised: it belongs to its connection.
class StatementCache {
 public:
  explicit StatementCache(size_t capacity) : capacity_(capacity) {}

  // Null where there is none. Valid until the next Insert, Erase or Clear.
  PreparedScan* Find(const std::string& shape);
  PreparedScan* Insert(const std::string& shape, PreparedScan scan);
  void Clear();
  size_t size() const { return entries_.size(); }

 private:
  using Entries = std::list<std::pair<std::string, PreparedScan>>;
  const size_t capacity_;
  Entries entries_;  // the most recently used first
  std::unordered_map<std::string, Entries::iterator> by_shape_;
};

}  // namespace sluice::adapters::sqlite
