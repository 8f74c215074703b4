#include "gateway/audit/copy_verifier.h"

#include <array>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/audit/log_copy.h"
#include "gateway/audit/tiles.h"
#include "gateway/audit/verifier_parts.h"
#include "gateway/base/error.h"

namespace sluice::audit {
namespace {

constexpr char kKeepCopy[] =
    "keep it, and compare it with another copy; a sound log is copied anew into another folder: "
    "sluice audit pull DIR";

class TilesVerification {
 public:
  TilesVerification(const VerifierKey& key, const ReadResource& read, LogBroken& broken,
                    const std::function<void(uint64_t, uint64_t)>& progress, const EachEntry& each)
      : key_(key), read_(read), broken_(broken), progress_(progress), each_(each) {}

  absl::StatusOr<VerifyReport> Run() {
    SLUICE_RETURN_IF_ERROR(TakeHead());
    while (done_ < head_.size) {
      SLUICE_RETURN_IF_ERROR(TakeBundle());
      if (progress_) progress_(done_, head_.size);
    }
    for (size_t level = 0; level < hashes_.size(); ++level) {
      const uint64_t index = (done_ >> (8 * level)) / kTileWidth;
      if (!hashes_[level].empty()) SLUICE_RETURN_IF_ERROR(CheckTile(level, index));
    }
    if (RootOverPartials(hashes_) != head_.root)
      return Broken(absl::DataLossError("the entries do not hash to the head that was signed"),
                    kCopyCheckpoint);
    return Report();
  }

 private:
  absl::Status Broken(const absl::Status& status, const std::string& where) {
    broken_.what = std::string(status.message());
    broken_.where = where;
    broken_.holds = "nothing by itself: the one head is over all entries";
    broken_.next = kKeepCopy;
    if (absl::IsNotFound(status)) {
      broken_.what = "is missing";
    } else if (!absl::IsDataLoss(status)) {
      broken_.what = absl::StrCat("cannot be read: ", broken_.what);
      broken_.next = "mend what keeps it from being read; then verify again";
    }
    return status;
  }

  absl::Status TakeHead() {
    const auto note = read_(kCopyCheckpoint);
    if (!note.ok()) return Broken(note.status(), kCopyCheckpoint);
    const auto head = VerifyCheckpoint(*note, key_);
    const auto parsed = ParseNote(*note);
    if (!head.ok() || !parsed.ok())
      return Broken(absl::DataLossError(head.status().message()), kCopyCheckpoint);
    head_ = *head;
    signatures_ = parsed->signatures.size();
    return absl::OkStatus();
  }

  absl::Status TakeBundle() {
    const auto width = static_cast<uint32_t>(std::min(kTileWidth, head_.size - done_));
    const TileId id{.level = -1, .index = done_ / kTileWidth, .width = width};
    const std::string name = TilePath(id);
    const auto bundle = read_(name);
    if (!bundle.ok()) return Broken(bundle.status(), name);
    const auto bad = [&](const std::string& why) { return Broken(absl::DataLossError(why), name); };
    std::string_view rest = *bundle;
    for (uint32_t i = 0; i < width; ++i) {
      if (rest.size() < 2) return bad("an entry bundle that is cut");
      const size_t size =
          static_cast<size_t>(static_cast<uint8_t>(rest[0])) << 8 | static_cast<uint8_t>(rest[1]);
      rest.remove_prefix(2);
      if (rest.size() < size) return bad("an entry bundle that is cut");
      SLUICE_RETURN_IF_ERROR(TakeEntry(rest.substr(0, size), name));
      rest.remove_prefix(size);
    }
    // A reader of part of a bundle may be given all of it.
    if (!rest.empty() && width == kTileWidth)
      return bad("an entry bundle with more than its entries");
    return absl::OkStatus();
  }

  absl::Status TakeEntry(std::string_view entry, const std::string& name) {
    envelope_.Clear();
    if (!envelope_.ParseFromArray(entry.data(), static_cast<int>(entry.size())))
      return Broken(
          absl::DataLossError(absl::StrCat("the envelope of #", done_, " cannot be parsed")), name);
    if (each_) each_(done_, envelope_);
    runs_.Take(done_, envelope_.kind());
    streams_.Take(done_, envelope_);
    ++done_;
    Hash hash = LeafHash(entry);
    for (size_t level = 0; level < hashes_.size(); ++level) {
      std::vector<Hash>& row = hashes_[level];
      row.push_back(hash);
      if (row.size() < kTileWidth) return absl::OkStatus();
      SLUICE_RETURN_IF_ERROR(CheckTile(level, (done_ >> (8 * level)) / kTileWidth - 1));
      hash = RootOf(row);
      row.clear();
    }
    return absl::OkStatus();
  }

  absl::Status CheckTile(size_t level, uint64_t index) {
    const std::vector<Hash>& row = hashes_[level];
    const std::string name = TilePath({.level = static_cast<int>(level),
                                       .index = index,
                                       .width = static_cast<uint32_t>(row.size())});
    const auto tile = read_(name);
    if (!tile.ok()) return Broken(tile.status(), name);
    const std::string expected = EncodeTile(row);
    const bool whole = tile->size() == kTileWidth * kHashSize;
    if (*tile != expected && !(whole && absl::StartsWith(*tile, expected)))
      return Broken(
          absl::DataLossError(absl::StrCat("not the hashes of what lies below: one from #",
                                           index * kTileWidth << (8 * level), " on was changed")),
          name);
    ++tiles_;
    return absl::OkStatus();
  }

  VerifyReport Report() const {
    VerifyReport report;
    report.records = head_.size;
    report.root = head_.root;
    report.lines.push_back({"tiles", absl::StrCat(tiles_, tiles_ == 1 ? " tile" : " tiles",
                                                  " of hashes, each those of what lies below")});
    report.lines.push_back({"tree", "every leaf re-derived from its envelope"});
    std::string head = absl::StrCat("signed by ", key_.name);
    if (signatures_ > 1)
      absl::StrAppend(&head, "; ", signatures_ - 1, " other signature", signatures_ == 2 ? "" : "s",
                      ", not checked");
    report.lines.push_back({"head", std::move(head)});
    report.lines.push_back({"runs", runs_.Finding()});
    report.lines.push_back({"streams", streams_.Finding(), streams_.sound()});
    return report;
  }

  const VerifierKey& key_;
  const ReadResource& read_;
  LogBroken& broken_;
  const std::function<void(uint64_t, uint64_t)>& progress_;
  const EachEntry& each_;

  Checkpoint head_;
  size_t signatures_ = 0;
  uint64_t done_ = 0, tiles_ = 0;
  std::array<std::vector<Hash>, 8> hashes_;
  v1::AuditEnvelope envelope_;
  RunCounter runs_;
  StreamCounter streams_;
};

}  // namespace

absl::StatusOr<VerifyReport> VerifyTiles(const VerifierKey& key, const ReadResource& read,
                                         LogBroken* broken,
                                         const std::function<void(uint64_t, uint64_t)>& progress,
                                         const EachEntry& each) {
  LogBroken found;
  auto report = TilesVerification(key, read, found, progress, each).Run();
  if (broken != nullptr) *broken = found;
  return report;
}

}  // namespace sluice::audit
