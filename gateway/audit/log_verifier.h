// Verifies a log folder offline, with the verifier key alone. Reads once, front to back, in bounded
// memory.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/audit/signed_note.h"
#include "gateway/base/file_system.h"

namespace sluice::audit {

struct VerifyLine {
  std::string name;     // "batches", "tree", "heads", "runs", "streams", "time"
  std::string finding;  // in words
  bool ok = true;
};

struct VerifyReport {
  std::vector<VerifyLine> lines;
  uint64_t records = 0;
  Hash root = {};
};

// What is wrong with a log: what, where, what still holds, what to do next.
struct LogBroken {
  std::string what;   // "entry #12207 does not hash to its leaf"
  std::string where;  // "segments/000002, byte 1048576"
  std::string holds;  // "#0 to #12031, under the head of size 12032, 2026-11-19 03:10:00Z"
  std::string next;
  // What holds: records under the last head that does, the root over them, and where they end.
  uint64_t records = 0;
  Hash root = {};
  uint64_t segment = 0, offset = 0;
};

// Either it all holds, or `broken` says what does not. Progress gets bytes done and of all.
absl::StatusOr<VerifyReport> VerifyLog(const std::string& directory, const VerifierKey& key,
                                       FileSystem& files, LogBroken* broken,
                                       const std::function<void(uint64_t, uint64_t)>& progress);

}  // namespace sluice::audit
