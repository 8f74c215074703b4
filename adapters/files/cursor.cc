#include "adapters/files/cursor.h"

#include <utility>

#include "adapters/files/errors.h"
#include "gateway/base/error.h"

namespace sluice::adapters::files {
namespace {

constexpr int kEntriesPerLook = 1'024;

}  // namespace

absl::StatusOr<bool> Cursor::Next(const Watch& watch) {
  if (index_ == nullptr) {
    if (!begun_) rows_.Seek(first_);
    begun_ = true;
    return rows_.Next(watch);
  }
  while (range_ < ranges_.size()) {
    SLUICE_ASSIGN_OR_RETURN(const bool any,
                            index_->file_order ? NextInFile(watch) : NextOfIndex(watch));
    if (any) return true;
    ++range_;
    begun_ = reached_ = false;
  }
  return false;
}

// The row before which nothing from that key on stands.
absl::StatusOr<Place> Cursor::MarkBefore(std::string_view key) const {
  const auto mark = index_->marks.Find(key);
  if (!mark) return first_;
  if (index_->run.blocks == 0) return Place{mark->at, mark->number, mark->part};
  // The marks are on blocks of marks, of which the one before this begins with a key before it.
  Place place = first_;
  KeyRunReader marks(*index_->scratch, index_->run, mark->at);
  for (;;) {
    SLUICE_ASSIGN_OR_RETURN(const bool any, marks.Next());
    if (!any || marks.entry().key > key) return place;
    place = marks.entry().place;
  }
}

absl::Status Cursor::BeginRange() {
  SLUICE_ASSIGN_OR_RETURN(Place place, MarkBefore(ranges_[range_].low));
  // The rows before the one read last belong to ranges before.
  const Place& last = rows_.place();
  if (any_read_ && std::pair(last.offset, last.part) > std::pair(place.offset, place.part))
    place = last;
  rows_.Seek(place);
  begun_ = true;
  return absl::OkStatus();
}

absl::StatusOr<bool> Cursor::NextInFile(const Watch& watch) {
  if (!begun_) SLUICE_RETURN_IF_ERROR(BeginRange());
  const KeyRange& range = ranges_[range_];
  for (;;) {
    SLUICE_ASSIGN_OR_RETURN(const bool any, rows_.Next(watch));
    if (!any) return false;
    any_read_ = true;
    if (reached_ && range.high.empty()) return true;
    SLUICE_RETURN_IF_ERROR(keys_.Read(key_));
    if (!range.high.empty() && key_ >= range.high) return false;
    if (!reached_ && key_ < range.low) continue;
    reached_ = true;
    return true;
  }
}

absl::StatusOr<bool> Cursor::NextOfIndex(const Watch& watch) {
  const KeyRange& range = ranges_[range_];
  if (!begun_) {
    const auto mark = index_->marks.Find(range.low);
    entries_.emplace(*index_->scratch, index_->run, mark ? mark->at : index_->run.first);
    begun_ = true;
  }
  for (int steps = 1;; ++steps) {
    if (steps % kEntriesPerLook == 0) SLUICE_RETURN_IF_ERROR(watch.Check());
    SLUICE_ASSIGN_OR_RETURN(const bool any, entries_->Next());
    if (!any) return false;
    const KeyEntry& entry = entries_->entry();
    if (entry.key < range.low) continue;
    if (!range.high.empty() && entry.key >= range.high) return false;
    rows_.Seek(entry.place);
    SLUICE_ASSIGN_OR_RETURN(const bool there, rows_.Next(watch));
    if (!there) return Changed();
    SLUICE_RETURN_IF_ERROR(keys_.Read(key_));
    if (key_ != entry.key) return Changed();
    return true;
  }
}

}  // namespace sluice::adapters::files
