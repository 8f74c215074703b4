#include "gateway/audit/log_tiles.h"

#include <utility>
#include <vector>

#include "gateway/base/error.h"

namespace sluice::audit {
namespace {

constexpr int kBitsOfATile = 8;

absl::StatusOr<std::string> ReadBundle(Log& log, uint64_t first, uint32_t width) {
  std::vector<std::string> entries;
  entries.reserve(width);
  SLUICE_RETURN_IF_ERROR(log.Read(first, [&](const Log::Entry& entry) {
    if (entries.size() < width) entries.push_back(entry.record.envelope);
    return entries.size() < width;
  }));
  if (entries.size() != width)
    return absl::DataLossError("the log has fewer entries than its head says");
  return EncodeBundle(entries);
}

}  // namespace

absl::StatusOr<std::string> ReadTile(Log& log, uint64_t size, const TileId& id) {
  const int level = id.level < 0 ? 0 : kBitsOfATile * id.level;
  const uint64_t hashes = level < 64 ? size >> level : 0;
  if (id.width == 0 || id.width > kTileWidth || id.width > hashes ||
      id.index > (hashes - id.width) / kTileWidth)
    return Error(v1::REASON_RECORD_NOT_FOUND,
                 "the log's newest head has no such tile; ask for /checkpoint.");
  const uint64_t first = id.index * kTileWidth;
  if (id.level < 0) return ReadBundle(log, first, id.width);
  SLUICE_ASSIGN_OR_RETURN(const std::vector<Hash> row, log.Subtrees(first, level, id.width));
  return EncodeTile(row);
}

SubtreeHash SubtreesOf(Log& log, uint64_t size) {
  return SubtreesFromTiles(size,
                           [&log, size](const TileId& id) { return ReadTile(log, size, id); });
}

}  // namespace sluice::audit
