#include "adapters/sqlite/statement_cache.h"

namespace sluice::adapters::sqlite {

PreparedScan* StatementCache::Find(const std::string& shape) {
  const auto found = by_shape_.find(shape);
  if (found == by_shape_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return &found->second->second;
}

PreparedScan* StatementCache::Insert(const std::string& shape, PreparedScan scan) {
  if (const auto found = by_shape_.find(shape); found != by_shape_.end()) {
    entries_.erase(found->second);
    by_shape_.erase(found);
  }
  entries_.emplace_front(shape, std::move(scan));
  by_shape_[shape] = entries_.begin();
  if (entries_.size() > capacity_) {
    by_shape_.erase(entries_.back().first);
    entries_.pop_back();
  }
  return &entries_.front().second;
}

void StatementCache::Clear() {
  by_shape_.clear();
  entries_.clear();
}

}  // namespace sluice::adapters::sqlite
