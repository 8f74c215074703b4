// How a search walks: from the newest record down, over cursors that leap.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/store/sqlite_connection.h"

namespace sluice::audit {

// The records that have one term. What it reads must not change while it lives. One thread at a
// time.
class PostingCursor {
 public:
  virtual ~PostingCursor() = default;
  // The newest index at or below `index`; -1 for none. Calls come with falling indices. What is
  // looked up for it is added to `steps`. DATA_LOSS where what it reads is damaged.
  virtual absl::StatusOr<int64_t> AtOrBelow(int64_t index, uint64_t& steps) = 0;
};

// Over the rows that a statement gives, newest first: its first column is an index, and its last
// parameter the greatest that it may have; whoever makes the cursor has bound the others. The
// statement is reset at the cursor's end.
class RowCursor : public PostingCursor {
 public:
  RowCursor(store::SqliteStatement& rows, int last_parameter)
      : rows_(rows), last_parameter_(last_parameter) {}
  ~RowCursor() override { rows_.Reset(); }
  absl::StatusOr<int64_t> AtOrBelow(int64_t index, uint64_t& steps) override;

 private:
  absl::Status Next(uint64_t& steps);

  store::SqliteStatement& rows_;
  const int last_parameter_;
  bool begun_ = false;
  int64_t at_ = 0;
};

// Tells `each` the indices from `high` down to `low` that all cursors have, at least one of them,
// until it returns false. Takes at most a few steps a cursor for each index that is told and each
// that the rarest of the terms has.
absl::Status WalkTogether(const std::vector<std::unique_ptr<PostingCursor>>& cursors, int64_t low,
                          int64_t high, uint64_t& steps,
                          const std::function<absl::StatusOr<bool>(int64_t)>& each);

}  // namespace sluice::audit
