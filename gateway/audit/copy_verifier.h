// Verifies a log by its tiles, with the verifier key alone: a copy in a folder (log_copy.h), or
// what the log's own listener gives. Reads each entry and each tile of hashes once, in bounded
// memory.
#pragma once

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "gateway/audit/log_verifier.h"

namespace sluice::audit {

// The resource of that name: "checkpoint", "tile/0/000". NOT_FOUND where there is none; statuses
// other than that are about reading.
using ReadResource = std::function<absl::StatusOr<std::string>(const std::string& name)>;

// Told each entry in order, before it is known whether all holds.
using EachEntry = std::function<void(uint64_t index, const v1::AuditEnvelope& envelope)>;

// Either it all holds, or `broken` says what does not. Progress gets records done and of all.
absl::StatusOr<VerifyReport> VerifyTiles(const VerifierKey& key, const ReadResource& read,
                                         LogBroken* broken,
                                         const std::function<void(uint64_t, uint64_t)>& progress,
                                         const EachEntry& each = nullptr);

}  // namespace sluice::audit
