#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gateway/audit/recovery.h"
#include "gateway/audit/wire.h"
#include "gateway/base/error.h"
#include "sluice/v1/audit_record.pb.h"

namespace sluice::audit {
namespace {

constexpr absl::string_view kNext =
    "; next: keep this copy, run `sluice audit verify` on it and compare it with another; do not "
    "start the gateway on it";

absl::Status Corrupt(absl::string_view where, absl::string_view what) {
  return absl::DataLossError(absl::StrCat(where, ": ", what, kNext));
}

class Inspector {
 public:
  Inspector(const LogOptions& options, FileSystem& files, FolderState& state)
      : options_(options), files_(files), state_(state) {}

  // From the last segment that begins at or before the oldest head that must hold.
  absl::Status ReadFromOldestHead(const std::vector<SegmentHeader>& headers) {
    uint64_t oldest = 0;
    if (state_.heads.newest) oldest = state_.heads.newest->checkpoint.size;
    if (state_.heads.kept) oldest = std::min(oldest, state_.heads.kept->checkpoint.size);
    size_t start = headers.size() - 1;
    while (start > 0 && headers[start].first_index > oldest) --start;
    for (size_t i = 0; i < headers.size(); ++i) {
      const bool last = i + 1 == headers.size();
      state_.chain.push_back({headers[i], last ? 0 : headers[i + 1].previous_end});
      state_.highest_epoch = std::max(state_.highest_epoch, headers[i].epoch);
    }
    state_.end = LogCursor::At(headers[start]);
    for (size_t i = start; i < headers.size(); ++i)
      SLUICE_RETURN_IF_ERROR(ReadSegment(state_.chain[i], i + 1 == headers.size()));
    return CheckHeadAt(state_.end.tree);
  }

  // No file without header may hold what belongs to the log: then it is the header that is damaged.
  absl::Status CheckHeadless(const Chain& chain) {
    for (const auto& [number, status] : chain.headless) {
      SLUICE_ASSIGN_OR_RETURN(auto reader, Open(number));
      SLUICE_ASSIGN_OR_RETURN(const uint64_t found, reader.FindBatch(0, state_.end.sequence));
      if (found < reader.file_size())
        return Corrupt(
            Place(number, 0),
            absl::StrCat(status.message(), ", but a later batch stands at byte ", found));
      state_.headless.push_back(number);
    }
    return absl::OkStatus();
  }

  absl::Status CheckHeadsCovered() {
    for (const auto* head : {&state_.heads.newest, &state_.heads.kept}) {
      if (!*head || (*head)->checkpoint.size <= state_.end.tree.size()) continue;
      const uint64_t at = state_.chain.empty() ? 0 : state_.chain.back().end;
      const uint64_t number = state_.chain.empty() ? 1 : state_.chain.back().header.number;
      return Corrupt(Place(number, at),
                     absl::StrCat("the log ends with ", state_.end.tree.size(),
                                  " records, but a head over ", (*head)->checkpoint.size,
                                  " was signed: this is an older copy, or records were lost"));
    }
    return absl::OkStatus();
  }

  absl::Status LookBehind() {
    SegmentExtent& last = state_.chain.back();
    SLUICE_ASSIGN_OR_RETURN(auto reader, Open(last.header.number));
    SLUICE_ASSIGN_OR_RETURN(const uint64_t used, reader.EndOfBytes(last.end, reader.file_size()));
    state_.report.torn_bytes = used - last.end;
    if (used != last.end) {
      SLUICE_ASSIGN_OR_RETURN(const uint64_t found,
                              reader.FindBatch(last.end, state_.end.sequence));
      if (found < reader.file_size())
        return Corrupt(Place(last.header.number, last.end),
                       absl::StrCat(why_it_ends_, ", but a sound batch follows at byte ", found));
      return absl::OkStatus();
    }
    const bool head_covers =
        state_.heads.newest && state_.heads.newest->checkpoint.size == state_.end.tree.size();
    if (!stopped_ || !head_covers || !state_.last_header_durable) return absl::OkStatus();
    // A write whose sync failed may be in the page cache alone; a later write to the same block
    // would carry it to the storage.
    SLUICE_ASSIGN_OR_RETURN(
        auto cached,
        SegmentReader::Open(files_, SegmentPath(options_.directory, last.header.number),
                            ReadFrom::kCacheAllowed));
    SLUICE_ASSIGN_OR_RETURN(const uint64_t cached_used,
                            cached.EndOfBytes(last.end, cached.file_size()));
    state_.untouched_behind = cached_used == last.end;
    return absl::OkStatus();
  }

  bool stopped() const { return stopped_; }

 private:
  absl::StatusOr<SegmentReader> Open(uint64_t number) {
    return SegmentReader::Open(files_, SegmentPath(options_.directory, number), ReadFrom::kStorage);
  }

  absl::Status ReadSegment(SegmentExtent& segment, bool last) {
    const SegmentHeader& header = segment.header;
    LogCursor& cursor = state_.end;
    if (header.first_index != cursor.tree.size() || header.first_sequence != cursor.sequence ||
        header.tree.hashes() != cursor.tree.hashes())
      return Corrupt(Place(header.number, 0), "the header does not continue the segment before it");
    SLUICE_ASSIGN_OR_RETURN(auto reader, Open(header.number));
    const uint64_t limit = last ? reader.file_size() : segment.end;
    while (reader.position() < limit) {
      const uint64_t at = reader.position();
      const auto batch = reader.Next(limit);
      if (!batch.ok() && batch.status().code() != absl::StatusCode::kDataLoss)
        return batch.status();
      if (!batch.ok() && last) {  // torn, corrupt, or simply the end: LookBehind decides
        why_it_ends_ = std::string(batch.status().message());
        break;
      }
      if (!batch.ok()) return Corrupt(Place(header.number, at), batch.status().message());
      if (last) SLUICE_RETURN_IF_ERROR(NoteBatchOfLast(header, *batch));
      const absl::Status taken = cursor.Take(
          *batch, [&](uint64_t, const Hash&) { head_status_.Update(CheckHeadAt(cursor.tree)); });
      if (!taken.ok()) return Corrupt(Place(header.number, at), taken.message());
      SLUICE_RETURN_IF_ERROR(head_status_);
    }
    if (last) segment.end = reader.position();
    state_.highest_epoch = std::max(state_.highest_epoch, cursor.epoch);
    return absl::OkStatus();
  }

  absl::Status NoteBatchOfLast(const SegmentHeader& header, const Batch& batch) {
    state_.last_batch = batch.offset;
    state_.before_last = state_.end;
    if (batch.header.epoch >= header.epoch) state_.last_header_durable = true;
    v1::AuditEnvelope envelope;
    const std::string_view bytes = batch.records.back().envelope;
    stopped_ = envelope.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) &&
               envelope.kind() == v1::RECORD_KIND_STOPPED;
    return absl::OkStatus();
  }

  absl::Status CheckHeadAt(const CompactRange& tree) {
    for (const auto* head : {&state_.heads.newest, &state_.heads.kept}) {
      if (!*head || (*head)->checkpoint.size != tree.size()) continue;
      if ((*head)->checkpoint.root != tree.Root())
        return Corrupt("segments/",
                       absl::StrCat("the first ", tree.size(),
                                    " records do not hash to the head that was signed over them"));
    }
    return absl::OkStatus();
  }

  const LogOptions& options_;
  FileSystem& files_;
  FolderState& state_;
  std::string why_it_ends_;
  bool stopped_ = false;
  absl::Status head_status_;
};

}  // namespace

absl::StatusOr<FolderState> InspectFolder(const LogOptions& options, FileSystem& files,
                                          const VerifierKey& key) {
  FolderState state;
  SLUICE_ASSIGN_OR_RETURN(state.heads,
                          ReadNewestHeads(files, options.directory, options.kept_head, key));
  std::string where;
  auto read = ReadChain(files, options.directory, options.origin, where);
  if (absl::IsDataLoss(read.status())) return Corrupt(where, read.status().message());
  if (!read.ok()) return read.status();
  const Chain& chain = *read;
  state.superseded = chain.superseded;
  Inspector inspector(options, files, state);
  if (!chain.headers.empty()) SLUICE_RETURN_IF_ERROR(inspector.ReadFromOldestHead(chain.headers));
  SLUICE_RETURN_IF_ERROR(inspector.CheckHeadsCovered());
  SLUICE_RETURN_IF_ERROR(inspector.CheckHeadless(chain));
  if (!chain.headers.empty()) SLUICE_RETURN_IF_ERROR(inspector.LookBehind());
  state.report.records = state.end.tree.size();
  state.report.clean = state.report.records == 0 || inspector.stopped();
  if (state.heads.newest) state.report.head = state.heads.newest->checkpoint;
  return state;
}

}  // namespace sluice::audit
