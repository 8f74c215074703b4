// Keys with the places of their rows, in order, however many: runs sorted in memory are written to
// a Scratch, and merged there. Memory is the budget's. One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "adapters/files/budgets.h"
#include "adapters/files/errors.h"
#include "adapters/files/marks.h"
#include "adapters/files/scratch.h"
#include "adapters/files/watch.h"

namespace sluice::adapters::files {

struct KeyEntry {
  std::string_view key;
  Place place;
};

// Consecutive blocks of ascending entries.
struct KeyRun {
  int64_t first = 0;
  int64_t blocks = 0;
};

// Reads a run from any of its blocks on. One thread; several may read the same run.
class KeyRunReader {
 public:
  KeyRunReader(const Scratch& scratch, const KeyRun& run, int64_t from_block)
      : scratch_(&scratch), next_(from_block), end_(run.first + run.blocks) {}
  // The next entry; false at the end. It borrows from the reader, until the next call.
  absl::StatusOr<bool> Next();
  const KeyEntry& entry() const { return entry_; }

 private:
  const Scratch* scratch_;
  int64_t next_;
  int64_t end_;
  std::string block_;
  std::string_view rest_;
  uint32_t left_ = 0;  // entries in rest_
  KeyEntry entry_;
};

class KeySorter {
 public:
  KeySorter(Scratch& scratch, const Budgets& budgets, std::string table, const char* counted);
  ~KeySorter();

  // SCHEMA_DRIFT, naming both rows, where a key comes twice: here or in Finish.
  absl::Status Add(std::string_view key, const Place& place);
  // Once all are added. What a watch ended goes on with the next call. Then `run` is all entries,
  // and `marks` has its blocks' first keys.
  absl::Status Finish(const Watch& watch, Marks& marks, KeyRun& run);

 private:
  struct Pending {
    size_t key = 0;
    size_t size = 0;
    Place place;
  };
  class Writer;
  struct Merge;

  absl::Status WriteRun();
  absl::Status Merged(Merge& merge, const Watch& watch);

  Scratch& scratch_;
  const Budgets budgets_;
  const std::string table_;
  const char* const counted_;
  std::string keys_;
  std::vector<Pending> pending_;
  std::vector<KeyRun> runs_;
  std::unique_ptr<Merge> merge_;  // under way
};

}  // namespace sluice::adapters::files
