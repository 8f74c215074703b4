// Makes the log's heads: reads back from the storage what was synced since the last one, derives
// its leaves again, and signs only what it has read. One thread.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "gateway/audit/heads.h"
#include "gateway/audit/log.h"
#include "gateway/audit/log_index.h"

namespace sluice::audit {

class HeadKeeper {
 public:
  // `begin`: the log's end when it was opened; `last`: the segment that is written to, with that
  // end.
  HeadKeeper(const LogOptions& options, FileSystem& files, const SigningKey& key,
             const LogIndex& index, LogCursor begin, SegmentExtent last, uint64_t last_heads_file)
      : options_(options),
        files_(files),
        key_(key),
        index_(index),
        cursor_(std::move(begin)),
        segment_(last.header.number),
        offset_(last.end),
        heads_(files, options.directory, last_heads_file) {}

  // Signs and keeps a head over the first `records` records, all synced, more than the last head
  // had. `root` is what the writer thinks that their tree is. DATA_LOSS where the storage says
  // otherwise; then, as after any failure, nothing is signed, and this is not called again.
  absl::StatusOr<StoredHead> Sign(uint64_t records, const Hash& root);

 private:
  absl::Status ReadUpTo(uint64_t records);

  const LogOptions& options_;
  FileSystem& files_;
  const SigningKey& key_;
  const LogIndex& index_;
  LogCursor cursor_;
  uint64_t segment_;
  uint64_t offset_;
  HeadsWriter heads_;
};

}  // namespace sluice::audit
