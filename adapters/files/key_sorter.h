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
#include "adapters/files/key_run.h"
#include "adapters/files/watch.h"

namespace sluice::adapters::files {

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
