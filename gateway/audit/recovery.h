// What a log folder holds when the log is opened, and the step from there to a log that can be
// written to. docs/formats/audit-log.md, "Opening", has the rules and why they are safe.
//
// Everything is read past the page cache: after a failed sync the cache may show what the storage
// does not have.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/audit/heads.h"
#include "gateway/audit/log.h"
#include "gateway/audit/segment_reader.h"

namespace sluice::audit {

struct FolderState {
  std::vector<SegmentExtent> chain;  // empty: no log yet
  LogCursor end;                     // behind the last batch
  LogCursor before_last;             // before it
  uint64_t last_batch = 0;           // its offset in the last segment; 0 where that has none
  uint64_t highest_epoch = 0;
  std::vector<uint64_t> headless;    // files that never became part of the log
  std::vector<uint64_t> superseded;  // and that no longer are
  NewestHeads heads;
  RecoveryReport report;
  // The last segment holds a batch that was written after its header was synced. Otherwise the
  // header may be in the page cache alone, and nothing may rest on it.
  bool last_header_durable = false;
  // Nothing can have been written behind the end, so that writing may go on there.
  bool untouched_behind = false;
};

// Follows the headers, reads the batches from the oldest head that must hold onwards, decides about
// the end. Changes nothing. DATA_LOSS says what, where and what to do next.
absl::StatusOr<FolderState> InspectFolder(const LogOptions& options, FileSystem& files,
                                          const VerifierKey& key);

// Makes the folder ready: afterwards the last segment of the chain may be written to at its end, by
// the epoch returned in `state.end.epoch`. Crash-safe at every step, and idempotent.
absl::Status MakeReady(const LogOptions& options, FileSystem& files, FolderState& state);

// The chain alone: headers from the last segment back to the first. Used by the verifier as well.
struct Chain {
  std::vector<SegmentHeader> headers;  // in reading order
  // Files that have no header yet, with what is wrong with it (NOT_FOUND: it is all zero).
  std::vector<std::pair<uint64_t, absl::Status>> headless;
  std::vector<uint64_t> superseded;
};
// `where` says the place of what is DATA_LOSS.
absl::StatusOr<Chain> ReadChain(FileSystem& files, const std::string& directory,
                                const std::string& origin, std::string& where);

}  // namespace sluice::audit
