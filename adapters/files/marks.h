// Some of the keys of a long ascending sequence, with where each stands: a place to begin from.
// Bounded: once full, every other mark goes, and from then on half as many are set.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::adapters::files {

class Marks {
 public:
  struct Mark {
    int64_t at = 0;      // what the sequence is counted in: bytes of the file, or blocks
    int64_t number = 0;  // where it is a file: as in Place
    int32_t part = 0;
  };

  // `step`: marks are at least so far apart.
  Marks(size_t most_bytes, int64_t step) : most_bytes_(most_bytes), step_(step) {
    // Twice as much for a moment, whenever it grows, would be more than `most_bytes`.
    keys_.reserve(most_bytes);
    entries_.reserve(most_bytes / sizeof(Entry));
  }

  // Keys and places ascend; the first is always kept.
  void Offer(std::string_view key, Mark mark);
  // The last whose key is not greater; nothing where all are.
  std::optional<Mark> Find(std::string_view key) const;
  // Whether another one with a key of that size would have others go.
  bool Full(size_t key_size) const {
    return bytes() + key_size + sizeof(Entry) > most_bytes_ && entries_.size() > 1;
  }
  std::string_view KeyOf(size_t i) const;
  const Mark& MarkOf(size_t i) const { return entries_[i].mark; }
  int64_t step() const { return step_; }
  size_t bytes() const { return keys_.size() + entries_.size() * sizeof(Entry); }
  size_t count() const { return entries_.size(); }

 private:
  struct Entry {
    size_t key = 0;  // where it begins in keys_
    Mark mark;
  };
  void Thin();

  size_t most_bytes_;
  int64_t step_;
  std::string keys_;
  std::vector<Entry> entries_;
};

}  // namespace sluice::adapters::files
