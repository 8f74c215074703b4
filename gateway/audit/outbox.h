// The outbox: drafts of change records, committed with the change itself, until the log has them.
// For this room.
//
// A row stays when its record is in the log, as id and index alone: the draft is erased, because
// details must end when their key is dropped, and because the highest index tells a log that was
// replaced by an older copy.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/audit/record.h"
#include "gateway/store/store.h"

namespace sluice::audit {

struct OutboxEntry {
  int64_t change_id = 0;
  Draft draft;
  uint64_t log_size_before = 0;  // its record, if there is one, stands at this index or behind
};

// Gives the change its id, and sets it in the draft.
absl::StatusOr<int64_t> InsertOutbox(store::Transaction& transaction, Draft& draft,
                                     uint64_t log_size);
absl::Status MarkAppended(store::Transaction& transaction, int64_t change_id, uint64_t index);
// In the order of the changes.
absl::StatusOr<std::vector<OutboxEntry>> PendingOutbox(store::Reader& reader);
// Records that the log must have at least.
absl::StatusOr<uint64_t> LeastLogSize(store::Reader& reader);

}  // namespace sluice::audit
