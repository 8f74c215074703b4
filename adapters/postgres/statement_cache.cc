#include "adapters/postgres/statement_cache.h"

#include "absl/strings/str_cat.h"

namespace sluice::adapters::postgres {

PreparedScan* StatementCache::Find(const std::string& shape) {
  const auto found = by_shape_.find(shape);
  if (found == by_shape_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return &entries_.front().second;
}

PreparedScan* StatementCache::Insert(const std::string& shape, PreparedScan scan) {
  entries_.emplace_front(shape, std::move(scan));
  by_shape_[shape] = entries_.begin();
  return &entries_.front().second;
}

std::string StatementCache::NewName() { return absl::StrCat("sluice_", ++named_); }

std::string StatementCache::Evict(const std::string* shape) {
  auto found = by_shape_.end();
  if (shape != nullptr) {
    found = by_shape_.find(*shape);
  } else if (entries_.size() >= capacity_) {
    found = by_shape_.find(entries_.back().first);
  }
  if (found == by_shape_.end()) return {};
  std::string name = found->second->second.name;
  entries_.erase(found->second);
  by_shape_.erase(found);
  return name;
}

}  // namespace sluice::adapters::postgres
