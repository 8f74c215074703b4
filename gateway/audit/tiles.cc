#include "gateway/audit/tiles.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gateway/audit/text_lines.h"
#include "gateway/base/check.h"
#include "gateway/base/error.h"

namespace sluice::audit {
namespace {

constexpr std::string_view kPrefix = "tile/";
constexpr std::string_view kEntries = "entries";
constexpr std::string_view kPartial = ".p/";
constexpr int kMaxLevel = 63;   // that a name may state
constexpr int kLevelBits = 8;   // 256 hashes a tile
constexpr int kTreeLevels = 8;  // of 64-bit sizes
constexpr size_t kMaxEntry = 65535;

absl::Status RefuseTile(std::string_view why) {
  return absl::InvalidArgumentError(absl::string_view(why.data(), why.size()));
}

absl::Status NotATile() { return RefuseTile("not the path of a tile"); }

// "x001/x234/067"; the index as 3-digit groups, all but the last marked.
std::string IndexPath(uint64_t index) {
  std::string path = absl::StrFormat("%03d", index % 1000);
  while ((index /= 1000) != 0) path = absl::StrFormat("x%03d/", index % 1000) + path;
  return path;
}

std::optional<uint64_t> ParseIndexPath(std::string_view path) {
  uint64_t index = 0;
  for (bool last = false; !last;) {
    const size_t slash = path.find('/');
    last = slash == std::string_view::npos;
    std::string_view group = path.substr(0, slash);
    if (!last && !group.starts_with('x')) return std::nullopt;
    if (!last) group.remove_prefix(1);
    unsigned value = 0;
    const auto [stopped, error] = std::from_chars(group.data(), group.data() + group.size(), value);
    if (group.size() != 3 || error != std::errc() || stopped != group.data() + 3) {
      return std::nullopt;
    }
    if (__builtin_mul_overflow(index, uint64_t{1000}, &index) ||
        __builtin_add_overflow(index, uint64_t{value}, &index)) {
      return std::nullopt;
    }
    if (!last) path.remove_prefix(slash + 1);
  }
  return index;
}

// How many hashes a tree of `size` leaves has at a tile level.
uint64_t HashesAt(int level, uint64_t size) {
  return level < kTreeLevels ? size >> (kLevelBits * level) : 0;
}

// Hashes in tile `index` of a level that has `hashes`; 0 where there is no such tile.
uint32_t WidthOf(uint64_t index, uint64_t hashes) {
  if (index > hashes / kTileWidth) return 0;
  return static_cast<uint32_t>(std::min(kTileWidth, hashes - index * kTileWidth));
}

// Reads tiles for subtree hashes, keeping the last one of each level: a proof goes back to it.
class TileReader {
 public:
  TileReader(uint64_t size, std::function<absl::StatusOr<std::string>(const TileId&)> read)
      : size_(size), read_(std::move(read)) {}

  absl::StatusOr<Hash> Subtree(uint64_t begin, int level) {
    if (level < 0 || level > kMaxLevel || (begin & ((uint64_t{1} << level) - 1)) != 0) {
      return RefuseTile("no complete subtree begins there");
    }
    const int tile_level = level / kLevelBits;
    const uint64_t first = begin >> (kLevelBits * tile_level);
    const uint64_t count = uint64_t{1} << (level % kLevelBits);
    TileId id{.level = tile_level, .index = first / kTileWidth};
    id.width = WidthOf(id.index, HashesAt(tile_level, size_));
    const uint64_t offset = first % kTileWidth;
    if (offset + count > id.width) return RefuseTile("the subtree is not complete in this tree");
    SLUICE_ASSIGN_OR_RETURN(const std::vector<Hash>* tile, Tile(id));
    const auto from = tile->begin() + static_cast<ptrdiff_t>(offset);
    return RootOf(std::vector<Hash>(from, from + static_cast<ptrdiff_t>(count)));
  }

 private:
  struct Kept {
    TileId id{.level = -1};
    std::vector<Hash> hashes;
  };

  absl::StatusOr<const std::vector<Hash>*> Tile(const TileId& id) {
    Kept& kept = kept_[static_cast<size_t>(id.level)];
    if (kept.id == id) return &kept.hashes;
    SLUICE_ASSIGN_OR_RETURN(const std::string bytes, read_(id));
    SLUICE_ASSIGN_OR_RETURN(kept.hashes, DecodeTile(bytes, id.width));
    kept.id = id;
    return &kept.hashes;
  }

  const uint64_t size_;
  const std::function<absl::StatusOr<std::string>(const TileId&)> read_;
  std::array<Kept, kTreeLevels> kept_;
};

void AddNew(int level, uint64_t old_hashes, uint64_t hashes, std::vector<TileId>& tiles) {
  if (old_hashes == hashes) return;
  for (uint64_t index = old_hashes / kTileWidth; index < hashes / kTileWidth; ++index) {
    tiles.push_back({.level = level, .index = index});
  }
  if (const uint64_t rest = hashes % kTileWidth; rest != 0) {
    tiles.push_back(
        {.level = level, .index = hashes / kTileWidth, .width = static_cast<uint32_t>(rest)});
  }
}

}  // namespace

std::string TilePath(const TileId& id) {
  SLUICE_CHECK(id.level >= -1 && id.level <= kMaxLevel && id.width >= 1 && id.width <= kTileWidth);
  std::string path = id.level < 0 ? absl::StrCat("tile/entries/", IndexPath(id.index))
                                  : absl::StrCat("tile/", id.level, "/", IndexPath(id.index));
  if (id.width < kTileWidth) absl::StrAppend(&path, ".p/", id.width);
  return path;
}

absl::StatusOr<TileId> ParseTilePath(std::string_view path) {
  const std::string_view whole = path;
  if (!path.starts_with(kPrefix)) return NotATile();
  path.remove_prefix(kPrefix.size());

  TileId id;
  if (const size_t partial = path.find(kPartial); partial != std::string_view::npos) {
    const auto width = ParseDecimal(path.substr(partial + kPartial.size()));
    if (!width.has_value() || *width == 0 || *width >= kTileWidth) return NotATile();
    id.width = static_cast<uint32_t>(*width);
    path = path.substr(0, partial);
  }
  const size_t slash = path.find('/');
  if (slash == std::string_view::npos) return NotATile();
  if (const std::string_view level = path.substr(0, slash); level == kEntries) {
    id.level = -1;
  } else {
    const auto number = ParseDecimal(level);
    if (!number.has_value() || *number > kMaxLevel) return NotATile();
    id.level = static_cast<int>(*number);
  }
  const auto index = ParseIndexPath(path.substr(slash + 1));
  if (!index.has_value()) return NotATile();
  id.index = *index;
  // Each tile has one name: no empty leading groups.
  if (TilePath(id) != whole) return NotATile();
  return id;
}

std::vector<TileId> NewTiles(uint64_t old_size, uint64_t size) {
  std::vector<TileId> tiles;
  if (old_size >= size) return tiles;
  AddNew(-1, old_size, size, tiles);
  for (int level = 0; level < kTreeLevels; ++level) {
    AddNew(level, HashesAt(level, old_size), HashesAt(level, size), tiles);
  }
  return tiles;
}

std::string EncodeTile(const std::vector<Hash>& hashes) {
  SLUICE_CHECK(!hashes.empty() && hashes.size() <= kTileWidth);
  std::string bytes;
  bytes.reserve(hashes.size() * kHashSize);
  for (const Hash& hash : hashes) bytes.append(AsBytes(hash));
  return bytes;
}

absl::StatusOr<std::vector<Hash>> DecodeTile(std::string_view bytes, uint32_t width) {
  if (bytes.size() != width * kHashSize && bytes.size() != kTileWidth * kHashSize) {
    return RefuseTile("a tile of the wrong length");
  }
  std::vector<Hash> hashes;
  hashes.reserve(width);
  for (size_t i = 0; i < width; ++i) {
    hashes.push_back(HashFromBytes(bytes.substr(i * kHashSize, kHashSize)));
  }
  return hashes;
}

std::string EncodeBundle(const std::vector<std::string>& entries) {
  SLUICE_CHECK(entries.size() <= kTileWidth);
  std::string bundle;
  for (const std::string& entry : entries) {
    SLUICE_CHECK(entry.size() <= kMaxEntry);
    bundle.push_back(static_cast<char>(entry.size() >> 8));
    bundle.push_back(static_cast<char>(entry.size() & 0xff));
    bundle.append(entry);
  }
  return bundle;
}

absl::StatusOr<std::vector<std::string>> DecodeBundle(std::string_view bundle) {
  std::vector<std::string> entries;
  while (!bundle.empty()) {
    if (entries.size() == kTileWidth) return RefuseTile("an entry bundle of more than 256 entries");
    if (bundle.size() < 2) return RefuseTile("an entry bundle is cut in a length");
    const size_t size =
        static_cast<size_t>(static_cast<uint8_t>(bundle[0])) << 8 | static_cast<uint8_t>(bundle[1]);
    bundle.remove_prefix(2);
    if (bundle.size() < size) return RefuseTile("an entry bundle is cut in an entry");
    entries.emplace_back(bundle.substr(0, size));
    bundle.remove_prefix(size);
  }
  return entries;
}

SubtreeHash SubtreesFromTiles(uint64_t size,
                              std::function<absl::StatusOr<std::string>(const TileId&)> read) {
  auto reader = std::make_shared<TileReader>(size, std::move(read));
  return [reader](uint64_t begin, int level) { return reader->Subtree(begin, level); };
}

}  // namespace sluice::audit
