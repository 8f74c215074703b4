#include <algorithm>
#include <array>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gateway/audit/tiles.h"
#include "gateway/base/error.h"

namespace sluice::audit {
namespace {

using ReadTile = std::function<absl::StatusOr<std::string>(const TileId&)>;

absl::Status Wrong(const TileId& id, const char* why) {
  return absl::InvalidArgumentError(absl::StrCat(TilePath(id), ": ", why));
}

// Grows the tiles anew from leaf hashes, and compares each with the one that is read.
class TileChecker {
 public:
  explicit TileChecker(const ReadTile& read) : read_(read) {}

  absl::Status Add(const Hash& leaf) {
    range_.Append(leaf);
    Hash hash = leaf;
    for (Level& level : levels_) {
      level.hashes.push_back(hash);
      if (level.hashes.size() < kTileWidth) return absl::OkStatus();
      SLUICE_RETURN_IF_ERROR(Compare(level));
      hash = RootOf(level.hashes);
      level.hashes.clear();
      ++level.index;
    }
    return absl::OkStatus();
  }

  // The partial tiles, then the root.
  absl::Status Finish(const Hash& root) {
    for (const Level& level : levels_) {
      if (!level.hashes.empty()) SLUICE_RETURN_IF_ERROR(Compare(level));
    }
    if (range_.Root() != root) {
      return absl::InvalidArgumentError("the entries do not have the root that was signed");
    }
    return absl::OkStatus();
  }

 private:
  struct Level {
    uint64_t index = 0;  // of the tile that fills up
    std::vector<Hash> hashes;
  };

  absl::Status Compare(const Level& level) const {
    const TileId id{.level = static_cast<int>(&level - levels_.data()),
                    .index = level.index,
                    .width = static_cast<uint32_t>(level.hashes.size())};
    SLUICE_ASSIGN_OR_RETURN(const std::string bytes, read_(id));
    const absl::StatusOr<std::vector<Hash>> hashes = DecodeTile(bytes, id.width);
    if (!hashes.ok()) return Wrong(id, "wrong length");
    if (*hashes != level.hashes) return Wrong(id, "not the hashes of what lies below");
    return absl::OkStatus();
  }

  const ReadTile& read_;
  CompactRange range_;
  std::array<Level, 8> levels_;  // of 64-bit sizes
};

}  // namespace

absl::Status CheckTiles(uint64_t size, const Hash& root, const ReadTile& read) {
  TileChecker checker(read);
  for (uint64_t begin = 0; begin < size;) {
    const uint64_t width = std::min(kTileWidth, size - begin);
    const TileId id{
        .level = -1, .index = begin / kTileWidth, .width = static_cast<uint32_t>(width)};
    SLUICE_ASSIGN_OR_RETURN(const std::string bytes, read(id));
    const absl::StatusOr<std::vector<std::string>> entries = DecodeBundle(bytes);
    if (!entries.ok()) return Wrong(id, "not an entry bundle");
    if (entries->size() != width && entries->size() != kTileWidth) {
      return Wrong(id, "wrong number of entries");
    }
    for (uint64_t i = 0; i < width; ++i) {
      SLUICE_RETURN_IF_ERROR(checker.Add(LeafHash((*entries)[i])));
    }
    begin += width;
  }
  return checker.Finish(root);
}

}  // namespace sluice::audit
