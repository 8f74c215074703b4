#include "gateway/audit/head_keeper.h"

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"

namespace sluice::audit {

absl::Status HeadKeeper::ReadUpTo(uint64_t records) {
  for (const SegmentExtent& extent : index_.ExtentsFrom(segment_)) {
    if (cursor_.tree.size() >= records) break;
    if (extent.header.number != segment_) {
      segment_ = extent.header.number;
      offset_ = kSegmentHeader;
    }
    SLUICE_ASSIGN_OR_RETURN(
        auto reader,
        SegmentReader::Open(files_, SegmentPath(options_.directory, segment_), ReadFrom::kStorage));
    reader.Seek(offset_);
    while (offset_ < extent.end && cursor_.tree.size() < records) {
      const auto batch = reader.Next(extent.end);
      absl::Status status = batch.status();
      if (status.ok()) status = cursor_.Take(*batch);
      if (!status.ok()) return Annotate(status, Place(segment_, offset_));
      offset_ = reader.position();
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<StoredHead> HeadKeeper::Sign(uint64_t records, const Hash& root) {
  SLUICE_RETURN_IF_ERROR(ReadUpTo(records));
  if (cursor_.tree.size() != records || cursor_.tree.Root() != root)
    return absl::DataLossError(
        absl::StrCat("the first ", records, " records do not read back as they were written"));
  StoredHead head;
  head.checkpoint = {.origin = options_.origin, .size = records, .root = root};
  head.note = SignNote(FormatCheckpointBody(head.checkpoint), options_.origin, key_);
  SLUICE_RETURN_IF_ERROR(heads_.Append(head.note));
  if (!options_.kept_head.empty())
    SLUICE_RETURN_IF_ERROR(files_.WriteAtomically(options_.kept_head, head.note));
  return head;
}

}  // namespace sluice::audit
