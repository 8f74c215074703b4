#include "gateway/audit/index_cursor.h"

#include "gateway/base/check.h"
#include "gateway/base/error.h"

namespace sluice::audit {
namespace {

// So many rows are stepped over before the statement is begun anew further down: a row on costs a
// fraction of a look from the root.
constexpr int kStrides = 4;

}  // namespace

absl::Status RowCursor::Next(uint64_t& steps) {
  ++steps;
  SLUICE_ASSIGN_OR_RETURN(const bool row, rows_.Step());
  at_ = row ? rows_.Int(0) : -1;
  return absl::OkStatus();
}

absl::StatusOr<int64_t> RowCursor::AtOrBelow(int64_t index, uint64_t& steps) {
  if (begun_) {
    for (int stride = 0; at_ > index && stride < kStrides; ++stride)
      SLUICE_RETURN_IF_ERROR(Next(steps));
  }
  if (!begun_ || at_ > index) {
    begun_ = true;
    rows_.Reset();
    rows_.Bind(last_parameter_, index);
    SLUICE_RETURN_IF_ERROR(Next(steps));
  }
  return at_;
}

absl::Status WalkTogether(const std::vector<std::unique_ptr<PostingCursor>>& cursors, int64_t low,
                          int64_t high, uint64_t& steps,
                          const std::function<absl::StatusOr<bool>(int64_t)>& each) {
  SLUICE_CHECK(!cursors.empty());
  size_t next = 0, agreed = 0;
  for (int64_t at = high; at >= low;) {
    SLUICE_ASSIGN_OR_RETURN(const int64_t found, cursors[next]->AtOrBelow(at, steps));
    next = (next + 1) % cursors.size();
    agreed = found == at ? agreed + 1 : 1;
    at = found;
    if (agreed < cursors.size() || at < low) continue;
    SLUICE_ASSIGN_OR_RETURN(const bool more, each(at));
    if (!more) break;
    --at;
    agreed = 0;
  }
  return absl::OkStatus();
}

}  // namespace sluice::audit
