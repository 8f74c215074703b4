// Whether a source on its owner's own server does what datasets stand on: the part of the
// conformance suite that only reads. Nothing is written, nothing of what is read gets out: what is
// found is said in counts, positions and columns' names.
//
// The first rows of the table, in the order of the key, are read and kept; then the same rows are
// asked for in other ways, and must come again. A table that is written to meanwhile is read anew;
// where it does not hold still, that is said and nothing is concluded.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/adapter.h"

namespace sluice::adapters::check {

enum class Outcome { kHolds, kFails, kNotTried };

struct Finding {
  std::string check;  // one of Names()
  Outcome outcome = Outcome::kHolds;
  std::string words;  // what was seen: of a failure what and where, never a value
};

struct Options {
  int64_t rows = 2'000;  // of the table, from its beginning
  int predicates = 60;
  uint32_t seed = 1;
};

struct Report {
  std::vector<Finding> findings;  // in the order of Names()
  int64_t rows = 0;               // that were read and kept
};

// What is checked, in order: "columns", "values", "batches", "projection", "order", "positions",
// "filters", "lookups", "strings", "names", "cancel", "deadline".
const std::vector<std::string>& Names();

// `key`: columns, the order to try; empty: the first unique key that the source states.
// NOT_FOUND where there is no such table; DEFINITION_INVALID where the key names another column
// than the table's; the source's own status where it cannot be described. What fails later is a
// finding. Ends soon behind the context's deadline: the rest was not tried.
absl::StatusOr<Report> CheckTable(Adapter& adapter, const std::string& table,
                                  const std::vector<std::string>& key, const CallContext& context,
                                  const Options& options);

}  // namespace sluice::adapters::check
