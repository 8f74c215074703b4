// Where the leaves of one record after another lie. Constant where nothing moves; else each record
// is gone through. Allocates nothing per record. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "adapters/copybook/shape.h"

namespace sluice::adapters::copybook {

class Locator {
 public:
  // Which leaves' places, and which tables' counts, will be asked for.
  Locator(std::shared_ptr<const Shape> shape, const std::vector<bool>& leaves,
          const std::vector<bool>& tables);

  // False where a count that other places hang on cannot be read: then trouble() says which. The
  // record may be cut: what lies behind its end is where it would be.
  bool Locate(std::string_view record);
  // Of the record, with what its counts say: behind the record's end where that is cut.
  int64_t size() const { return size_; }
  // An element of a wanted leaf: bytes from the record's first; -1 where it is not there.
  int64_t At(int leaf, int64_t element) const { return offsets_[leaf_base_[leaf] + element]; }
  // How often a wanted table is there within that element of those around it; -1 where that cannot
  // be told.
  int64_t CountOf(int table, int64_t around) const { return counts_[table_base_[table] + around]; }

  struct Trouble {
    const Item* counter = nullptr;
    bool too_many = false;
  };
  const Trouble& trouble() const { return trouble_; }

 private:
  int64_t Walk(int node, int64_t begin);
  int64_t WalkGroup(int node, int64_t begin);
  int64_t ReadCount(const Table& table, int64_t element);
  int64_t ElementOf(const std::vector<int>& tables) const;
  int64_t AroundOf(const Table& table) const;
  void CountTables();

  const std::shared_ptr<const Shape> shape_;
  std::vector<bool> wanted_leaf_, wanted_table_;
  std::vector<bool> visit_;  // nodes with something wanted in them
  std::vector<bool> fixed_;  // nodes in which nothing moves, but for their own count
  std::vector<int64_t> leaf_base_, table_base_;
  std::vector<int64_t> offsets_;
  std::vector<int64_t> counts_;
  std::vector<int64_t> index_;       // of the table, while it is gone through
  std::vector<int64_t> begins_;      // of the node, the last time
  std::vector<int64_t> counter_at_;  // of leaves that count, where they were met last
  std::string_view record_;
  int64_t size_ = 0;
  bool failed_ = false;
  Trouble trouble_;
};

}  // namespace sluice::adapters::copybook
