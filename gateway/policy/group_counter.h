// Rows counted by groups, and which of the numbers may be told (docs/match.md). One thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>

#include "absl/status/status.h"
#include "gateway/records/types.h"

namespace sluice::policy {

inline constexpr int64_t kMostGroups = 10'000;
inline constexpr int64_t kLeastGroup = 10;  // of a grant that sets none

// Rows of each group, by the group's values as bytes, in their order. Bytes hold what a consumer
// may see, but are not for keeping.
using GroupRows = std::map<std::string, int64_t>;

class GroupCounter {
 public:
  // `schema`: of the fields grouped by, as they are seen; may have none.
  explicit GroupCounter(records::SchemaPtr schema) : schema_(std::move(schema)) {}

  // RESULT_TOO_LARGE beyond kMostGroups.
  absl::Status Take(const records::RecordBatch& rows);
  GroupRows rows() const;

  struct Told {
    // The fields grouped by, then an int64 "rows" (with as many _ behind as make it a name of its
    // own), in the groups' order. Null: large enough, but it would tell of a smaller one.
    records::RecordBatch batch;
    // Groups that are not in the batch, being too small, and those that have no number there.
    int64_t suppressed = 0;
  };
  // Of numbers that were agreed on: `rows` has the keys of rows().
  Told Tell(const GroupRows& rows, int64_t least) const;

 private:
  struct Group {
    int64_t count = 0;
    records::RecordBatch values;  // one row
  };
  const records::SchemaPtr schema_;
  std::unordered_map<std::string, Group> groups_;
};

// Groups whose number is not told: those of fewer rows than `least`, and as many of the next larger
// as it takes that those without a number have together at least as many, and are two at least,
// where there are others: else the number of all, less the numbers told, were that of a small one.
std::map<std::string, bool> Suppressed(const GroupRows& rows, int64_t least);

}  // namespace sluice::policy
