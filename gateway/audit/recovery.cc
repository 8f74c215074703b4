#include "gateway/audit/recovery.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gateway/audit/wire.h"
#include "gateway/base/error.h"

namespace sluice::audit {
namespace {

constexpr size_t kCopyAtOnce = 1 << 20;

absl::Status RemoveSegments(const LogOptions& options, FileSystem& files,
                            std::vector<uint64_t>& numbers) {
  if (numbers.empty()) return absl::OkStatus();
  for (const uint64_t number : numbers)
    SLUICE_RETURN_IF_ERROR(files.Remove(SegmentPath(options.directory, number)));
  numbers.clear();
  return files.SyncDirectory(JoinPath(options.directory, "segments"));
}

// What of heads/ may be torn or in the page cache alone is written anew, and the kept head follows.
absl::Status RepairHeads(const LogOptions& options, FileSystem& files, const NewestHeads& heads) {
  const std::string folder = HeadsDirectory(options.directory);
  SLUICE_ASSIGN_OR_RETURN(const auto names, files.List(folder));
  for (const std::string& name : names)
    if (absl::EndsWith(name, ".tmp")) SLUICE_RETURN_IF_ERROR(files.Remove(JoinPath(folder, name)));
  if (!heads.in_doubt) return absl::OkStatus();
  SLUICE_RETURN_IF_ERROR(
      files.WriteAtomically(HeadsPath(options.directory, heads.last_file), heads.last_sound));
  if (options.kept_head.empty() || !heads.newest) return absl::OkStatus();
  return files.WriteAtomically(options.kept_head, heads.newest->note);
}

// What the new segment takes over from the last one: all of it, or its last batch.
struct Takeover {
  uint64_t begin = 0, end = 0;  // bytes of the last segment; none where there is no such segment
  bool whole = false;
};

Takeover Decide(const LogOptions& options, const FolderState& state) {
  if (state.chain.empty()) return {};
  const uint64_t end = state.chain.back().end;
  // Only the last batch can be unsynced: each is written when the one before it is. A segment that
  // is hardly used is taken over whole, so that a row of crashes does not fill the disk.
  const bool whole = !state.last_header_durable || state.last_batch == 0 ||
                     end - kSegmentHeader <= options.segment_bytes / 4;
  return {whole ? kSegmentHeader : state.last_batch, end, whole};
}

absl::StatusOr<SegmentHeader> NewHeader(const LogOptions& options, FileSystem& files,
                                        const FolderState& state, const Takeover& takeover) {
  SegmentHeader header;
  header.origin = options.origin;
  header.epoch = state.highest_epoch + 1;
  header.number = state.chain.empty() ? 1 : state.chain.back().header.number + 1;
  header.size = std::max(RoundUp(options.segment_bytes),
                         kSegmentHeader + (takeover.end - takeover.begin) + kBlock);
  header.first_sequence = 1;
  if (state.chain.empty()) return header;
  const SegmentHeader& last = state.chain.back().header;
  header.supersedes = last.number;
  header.supersedes_from = takeover.begin;
  if (takeover.whole) {
    header.previous = last.previous;
    header.previous_end = last.previous_end;
    header.previous_rest = last.previous_rest;
    header.first_index = last.first_index;
    header.first_sequence = last.first_sequence;
    header.tree = last.tree;
    return header;
  }
  header.previous = last.number;
  header.previous_end = takeover.begin;
  header.first_index = state.before_last.tree.size();
  header.first_sequence = state.before_last.sequence;
  header.tree = state.before_last.tree;
  // What a killed process left in the page cache is settled, one way or the other, before its
  // digest is bound. Nothing is acked on this sync's word.
  SLUICE_ASSIGN_OR_RETURN(auto settle,
                          files.OpenForWrite(SegmentPath(options.directory, last.number)));
  SLUICE_RETURN_IF_ERROR(settle->Sync());
  SLUICE_RETURN_IF_ERROR(settle->Close());
  SLUICE_ASSIGN_OR_RETURN(
      auto reader,
      SegmentReader::Open(files, SegmentPath(options.directory, last.number), ReadFrom::kStorage));
  SLUICE_ASSIGN_OR_RETURN(header.previous_rest, reader.Digest(takeover.begin, reader.file_size()));
  return header;
}

absl::Status Copy(const LogOptions& options, FileSystem& files, uint64_t from,
                  const Takeover& takeover, WritableFile& to) {
  if (takeover.begin == takeover.end) return absl::OkStatus();
  SLUICE_ASSIGN_OR_RETURN(
      auto source, files.OpenForRead(SegmentPath(options.directory, from), ReadFrom::kStorage));
  for (uint64_t at = takeover.begin; at < takeover.end; at += kCopyAtOnce) {
    const size_t part = std::min<uint64_t>(kCopyAtOnce, takeover.end - at);
    SLUICE_ASSIGN_OR_RETURN(const std::string bytes, source->ReadAt(at, part));
    SLUICE_RETURN_IF_ERROR(to.WriteAt(kSegmentHeader + (at - takeover.begin), bytes));
  }
  return to.Sync();
}

// What was written is read back before anything that it supersedes is removed.
absl::Status CheckWritten(const LogOptions& options, FileSystem& files, const FolderState& state,
                          const SegmentExtent& made) {
  SLUICE_ASSIGN_OR_RETURN(
      auto reader, SegmentReader::Open(files, SegmentPath(options.directory, made.header.number),
                                       ReadFrom::kStorage));
  SLUICE_ASSIGN_OR_RETURN(const SegmentHeader header, reader.ReadHeader());
  LogCursor cursor = LogCursor::At(header);
  while (reader.position() < made.end) {
    SLUICE_ASSIGN_OR_RETURN(const Batch batch, reader.Next(made.end));
    SLUICE_RETURN_IF_ERROR(cursor.Take(batch));
  }
  if (cursor.sequence != state.end.sequence || cursor.tree.hashes() != state.end.tree.hashes())
    return absl::DataLossError("the new segment does not read as it was written");
  return absl::OkStatus();
}

absl::Status MakeSegment(const LogOptions& options, FileSystem& files, FolderState& state) {
  const Takeover takeover = Decide(options, state);
  SLUICE_ASSIGN_OR_RETURN(const SegmentHeader header, NewHeader(options, files, state, takeover));
  const std::string path = SegmentPath(options.directory, header.number);
  SLUICE_RETURN_IF_ERROR(CreateZeroed(files, path, header.size));
  SLUICE_ASSIGN_OR_RETURN(auto file, files.OpenForWrite(path));
  SLUICE_RETURN_IF_ERROR(Copy(options, files, header.supersedes, takeover, *file));
  SLUICE_RETURN_IF_ERROR(files.SyncDirectory(JoinPath(options.directory, "segments")));
  // Until here the new file means nothing. With this sync it is the log's last segment.
  SLUICE_RETURN_IF_ERROR(file->WriteAt(0, EncodeSegmentHeader(header)));
  SLUICE_RETURN_IF_ERROR(file->Sync());
  SLUICE_RETURN_IF_ERROR(file->Close());
  const SegmentExtent made{header, kSegmentHeader + (takeover.end - takeover.begin)};
  SLUICE_RETURN_IF_ERROR(Annotate(CheckWritten(options, files, state, made), path));
  if (takeover.whole) {
    state.superseded.push_back(header.supersedes);
    state.chain.pop_back();
  } else if (!state.chain.empty()) {
    state.chain.back().end = takeover.begin;
  }
  state.chain.push_back(made);
  return absl::OkStatus();
}

}  // namespace

absl::Status MakeReady(const LogOptions& options, FileSystem& files, FolderState& state) {
  SLUICE_RETURN_IF_ERROR(RepairHeads(options, files, state.heads));
  SLUICE_RETURN_IF_ERROR(RemoveSegments(options, files, state.headless));
  if (!state.untouched_behind) SLUICE_RETURN_IF_ERROR(MakeSegment(options, files, state));
  SLUICE_RETURN_IF_ERROR(RemoveSegments(options, files, state.superseded));
  state.end.epoch = state.highest_epoch + 1;
  return absl::OkStatus();
}

}  // namespace sluice::audit
