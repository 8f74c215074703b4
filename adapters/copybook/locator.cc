#include "adapters/copybook/locator.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace sluice::adapters::copybook {

Locator::Locator(std::shared_ptr<const Shape> shape, const std::vector<bool>& leaves,
                 const std::vector<bool>& tables)
    : shape_(std::move(shape)), wanted_leaf_(leaves), wanted_table_(tables) {
  const auto& nodes = shape_->nodes();
  for (const Table& table : shape_->tables())
    if (table.counter >= 0) wanted_leaf_[table.counter] = true;
  int64_t base = 0;
  for (size_t i = 0; i < shape_->leaves().size(); ++i) {
    leaf_base_.push_back(base);
    if (wanted_leaf_[i]) base += shape_->leaves()[i].elements;
  }
  offsets_.assign(static_cast<size_t>(base), -1);
  base = 0;
  for (size_t i = 0; i < shape_->tables().size(); ++i) {
    table_base_.push_back(base);
    if (wanted_table_[i]) base += shape_->tables()[i].around;
  }
  counts_.assign(static_cast<size_t>(base), -1);
  index_.assign(shape_->tables().size(), 0);
  begins_.assign(nodes.size(), 0);
  visit_.assign(nodes.size(), false);
  fixed_.assign(nodes.size(), true);
  for (size_t i = nodes.size(); i-- > 0;) {
    const Node& node = nodes[i];
    if (node.leaf >= 0 && wanted_leaf_[node.leaf]) visit_[i] = true;
    if (node.table >= 0 && wanted_table_[node.table]) visit_[i] = true;
    for (int inner = static_cast<int>(i) + 1; inner < node.end; inner = nodes[inner].end) {
      visit_[i] = visit_[i] || visit_[inner];
      const int table = nodes[inner].table;
      const bool counts = table >= 0 && shape_->tables()[table].counter >= 0;
      fixed_[i] = fixed_[i] && fixed_[inner] && !(counts && shape_->moves());
    }
  }
  if (!shape_->moves()) size_ = Walk(0, 0);
}

bool Locator::Locate(std::string_view record) {
  record_ = record;
  if (!shape_->moves()) {
    if (!counts_.empty()) CountTables();
    return true;
  }
  failed_ = false;
  std::fill(offsets_.begin(), offsets_.end(), -1);
  std::fill(counts_.begin(), counts_.end(), 0);
  size_ = Walk(0, 0);
  return !failed_;
}

int64_t Locator::ElementOf(const std::vector<int>& tables) const {
  int64_t element = 0;
  for (const int table : tables) element = element * shape_->tables()[table].most + index_[table];
  return element;
}

int64_t Locator::AroundOf(const Table& table) const {
  int64_t element = 0, factor = 1;
  for (int outer = table.outer; outer >= 0; outer = shape_->tables()[outer].outer) {
    element += index_[outer] * factor;
    factor *= shape_->tables()[outer].most;
  }
  return element;
}

// What the counter says; 0 where the record ends before it, -1 where it cannot be told.
int64_t Locator::ReadCount(const Table& table, int64_t element) {
  const Leaf& counter = shape_->leaves()[table.counter];
  const int64_t at = At(table.counter, element);
  if (at < 0 || at + counter.size > static_cast<int64_t>(record_.size())) return 0;
  const Number number = ReadNumber(
      counter.form, record_.substr(static_cast<size_t>(at), static_cast<size_t>(counter.size)));
  Decimal128 count = number.value;
  trouble_ = {counter.item, false};
  if (number.found != Found::kNumber || !Rescale(count, number.scale, 0) || count < 0) return -1;
  trouble_.too_many = count > table.most;
  return trouble_.too_many ? -1 : static_cast<int64_t>(count);
}

int64_t Locator::Walk(int at, int64_t begin) {
  const Node& node = shape_->nodes()[at];
  if (failed_) return 0;
  int64_t count = 1;
  if (node.table >= 0) {
    const Table& table = shape_->tables()[node.table];
    count = table.most;
    if (table.counter >= 0 && shape_->moves()) {
      count = ReadCount(table, ElementOf(shape_->leaves()[table.counter].tables));
      failed_ = count < 0;
      if (failed_) return 0;
    }
    if (wanted_table_[node.table]) counts_[table_base_[node.table] + AroundOf(table)] = count;
    if (!visit_[at] && fixed_[at]) return node.most / table.most * count;
  } else if (!visit_[at] && fixed_[at]) {
    return node.most;
  }
  int64_t end = begin;
  const auto limit =
      shape_->moves() ? static_cast<int64_t>(record_.size()) : std::numeric_limits<int64_t>::max();
  for (int64_t i = 0; i < count && !failed_; ++i) {
    if (node.table >= 0) index_[node.table] = i;
    if (node.leaf >= 0 && wanted_leaf_[node.leaf])
      offsets_[leaf_base_[node.leaf] + ElementOf(shape_->leaves()[node.leaf].tables)] = end;
    if (node.item->group()) {
      end += WalkGroup(at, end);
    } else {
      end += shape_->leaves()[node.leaf].size;
    }
    // Nothing behind the record's end can be read; that it lies there is enough.
    if (end > limit) break;
  }
  return end - begin;
}

int64_t Locator::WalkGroup(int group, int64_t begin) {
  const auto& nodes = shape_->nodes();
  int64_t end = begin;
  for (int at = group + 1; at < nodes[group].end; at = nodes[at].end) {
    const int64_t start = nodes[at].redefines >= 0 ? begins_[nodes[at].redefines] : end;
    begins_[at] = start;
    end = std::max(end, start + Walk(at, start));
  }
  return end - begin;
}

// Where nothing moves, counts only say what is there.
void Locator::CountTables() {
  for (size_t i = 0; i < shape_->tables().size(); ++i) {
    const Table& table = shape_->tables()[i];
    if (!wanted_table_[i] || table.counter < 0) continue;
    // The counter stands around the table, or in some of what does: its element is a prefix.
    const int64_t repeated = table.around / shape_->leaves()[table.counter].elements;
    for (int64_t around = 0; around < table.around; ++around)
      counts_[table_base_[i] + around] = ReadCount(table, around / repeated);
  }
}

}  // namespace sluice::adapters::copybook
