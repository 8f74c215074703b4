// The tiles of a log that runs, made when they are asked for: hashes from what it keeps of them in
// memory, entries from its segments. Nothing is published ahead, so nothing can be out of step.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "gateway/audit/log.h"
#include "gateway/audit/tiles.h"

namespace sluice::audit {

// A tile of hashes or an entry bundle, of the tree of `size` records, all of them synced. Any width
// that the tree has of it. Envelopes only: no detail, sealed or not, is in a bundle.
// RECORD_NOT_FOUND where that tree has no such tile. Blocking.
absl::StatusOr<std::string> ReadTile(Log& log, uint64_t size, const TileId& id);

// Subtree hashes for proofs in the tree of `size` records, all of them synced. Keeps the last tile
// of each level: of records in their order, each is read once however many proofs are made.
// Blocking; one thread at a time.
SubtreeHash SubtreesOf(Log& log, uint64_t size);

}  // namespace sluice::audit
