// Readings of the log that prove themselves: an export, whose records each come with their proof
// under one head, and a copy of all entries.
#pragma once

#include <memory>
#include <vector>

#include "gateway/audit/merkle.h"
#include "gateway/audit/signed_note.h"
#include "gateway/exchange/log_feed.h"

namespace sluice::exchange {

// Records of one export. More belong into a copy of the log.
inline constexpr size_t kMostExported = 20'000;

// The head that the proofs are under: the note, and what it says.
struct ProvingHead {
  std::string note;
  audit::Checkpoint checkpoint;
};
// A head over at least `records`; where witnesses cosign, theirs, for which it waits a round.
// Blocks for as long as that, or the log, takes.
absl::StatusOr<ProvingHead> HeadOver(const LogReadingParts& parts, uint64_t records);

struct ExportPlan {
  LogQuestion question;
  std::vector<uint64_t> records;  // ascending
  bool without_details = false;
  v1::ExportStart start;  // all but `reading`, whose index is here
  uint64_t read_index = 0;
  ProvingHead head;
};
std::unique_ptr<LogFeed> MakeExportFeed(const LogReadingParts& parts, ExportPlan plan);

// Entries from `from` on up to the head. `old_size` as CopyEntriesRequest says.
std::unique_ptr<LogFeed> MakeCopyFeed(const LogReadingParts& parts, ProvingHead head, uint64_t from,
                                      uint64_t old_size);

}  // namespace sluice::exchange
