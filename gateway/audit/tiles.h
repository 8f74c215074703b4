// C2SP tlog-tiles: names, contents, and reading proofs out of them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/audit/merkle.h"

namespace sluice::audit {

inline constexpr uint64_t kTileWidth = 256;

struct TileId {
  int level = 0;        // -1: entry bundle
  uint64_t index = 0;
  uint32_t width = 256;  // less: partial
  bool operator==(const TileId&) const = default;
};
// "tile/0/x001/x234/067", "tile/0/000.p/12", "tile/entries/000".
std::string TilePath(const TileId& id);
absl::StatusOr<TileId> ParseTilePath(std::string_view path);

// The tiles (of hashes and entries) that a tree of `size` has and one of `old_size` had not, partial
// ones included; all of them for old_size 0.
std::vector<TileId> NewTiles(uint64_t old_size, uint64_t size);

// An entry bundle: each entry behind its length, 16 bits big-endian.
std::string EncodeBundle(const std::vector<std::string>& entries);
absl::StatusOr<std::vector<std::string>> DecodeBundle(std::string_view bundle);

// Subtree hashes for proofs in a tree of `size`, from a function that reads tiles. Each tile's bytes
// are checked for length; a partial tile may be answered by the full one.
SubtreeHash SubtreesFromTiles(uint64_t size,
                              std::function<absl::StatusOr<std::string>(const TileId&)> read);

}  // namespace sluice::audit
