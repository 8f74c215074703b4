#include "adapters/files/marks.h"

#include <cstring>

namespace sluice::adapters::files {

std::string_view Marks::KeyOf(size_t i) const {
  const size_t end = i + 1 < entries_.size() ? entries_[i + 1].key : keys_.size();
  return std::string_view(keys_).substr(entries_[i].key, end - entries_[i].key);
}

void Marks::Offer(std::string_view key, Mark mark) {
  if (!entries_.empty() && mark.at - entries_.back().mark.at < step_) return;
  entries_.push_back({keys_.size(), mark});
  keys_ += key;
  if (bytes() > most_bytes_ && entries_.size() > 2) Thin();
}

// In place: what is kept moves down.
void Marks::Thin() {
  size_t kept = 0, bytes = 0;
  for (size_t i = 0; i < entries_.size(); i += 2, ++kept) {
    const std::string_view key = KeyOf(i);
    const Entry entry{bytes, entries_[i].mark};
    std::memmove(keys_.data() + bytes, key.data(), key.size());
    bytes += key.size();
    entries_[kept] = entry;
  }
  entries_.resize(kept);
  keys_.resize(bytes);
  step_ *= 2;
}

std::optional<Marks::Mark> Marks::Find(std::string_view key) const {
  size_t low = 0, high = entries_.size();
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (KeyOf(middle) <= key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (low == 0) return std::nullopt;
  return entries_[low - 1].mark;
}

}  // namespace sluice::adapters::files
