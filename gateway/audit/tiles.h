// C2SP tlog-tiles: names, contents, and reading proofs out of them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gateway/audit/merkle.h"

namespace sluice::audit {

inline constexpr uint64_t kTileWidth = 256;

struct TileId {
  int level = 0;  // -1: entry bundle
  uint64_t index = 0;
  uint32_t width = 256;  // less: partial
  bool operator==(const TileId&) const = default;
};
// "tile/0/x001/x234/067", "tile/0/000.p/12", "tile/entries/000".
std::string TilePath(const TileId& id);
absl::StatusOr<TileId> ParseTilePath(std::string_view path);

// The tiles (of hashes and entries) that a tree of `size` has and one of `old_size` had not,
// partial ones included; all of them for old_size 0.
std::vector<TileId> NewTiles(uint64_t old_size, uint64_t size);

// A tile's bytes are its hashes, one behind the other. 1 to 256 of them.
std::string EncodeTile(const std::vector<Hash>& hashes);
// The first `width` hashes. INVALID_ARGUMENT unless the tile holds exactly these, or is a full one.
absl::StatusOr<std::vector<Hash>> DecodeTile(std::string_view bytes, uint32_t width);

// An entry bundle: each entry behind its length, 16 bits big-endian. At most 256.
std::string EncodeBundle(const std::vector<std::string>& entries);
absl::StatusOr<std::vector<std::string>> DecodeBundle(std::string_view bundle);

// Subtree hashes for proofs in a tree of `size`, from a function that reads tiles. Each tile's
// bytes are checked for length; a partial tile may be answered by the full one. Keeps the last tile
// of each level; one thread at a time. What it gives is as true as the tiles: check proofs against
// a root.
SubtreeHash SubtreesFromTiles(uint64_t size,
                              std::function<absl::StatusOr<std::string>(const TileId&)> read);

// Reads every bundle and tile of a tree of `size` once, in bounded memory. OK where the entries
// have this root and each tile holds exactly their hashes; INVALID_ARGUMENT naming the first
// resource that does not fit; what `read` fails with, otherwise.
absl::Status CheckTiles(uint64_t size, const Hash& root,
                        const std::function<absl::StatusOr<std::string>(const TileId&)>& read);

}  // namespace sluice::audit
