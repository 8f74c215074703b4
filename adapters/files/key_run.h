// Ascending keys with the places of their rows, in blocks of a Scratch. One thread; several may
// read the same run.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "adapters/files/errors.h"
#include "adapters/files/marks.h"
#include "adapters/files/scratch.h"

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

// Reads a run from any of its blocks on.
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

// Writes one.
class KeyRunWriter {
 public:
  // `table` and `counted` (as in Spot) are for error texts. `marks`, which may be null, gets the
  // blocks' first keys. All outlive it.
  KeyRunWriter(Scratch& scratch, std::string_view table, const char* counted, Marks* marks);

  // Keys ascend. SCHEMA_DRIFT, naming both rows, where one comes twice.
  absl::Status Add(const KeyEntry& entry);
  absl::StatusOr<KeyRun> Close();

 private:
  void Begin();
  absl::Status Flush();

  Scratch& scratch_;
  const std::string_view table_;
  const char* const counted_;
  Marks* const marks_;
  KeyRun run_;
  std::string block_;
  uint32_t count_ = 0;
  bool any_ = false;
  std::string last_key_;
  Place last_place_;
};

}  // namespace sluice::adapters::files
