#include "gateway/audit/segment_reader.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gateway/audit/wire.h"
#include "gateway/base/error.h"

namespace sluice::audit {
namespace {
// One record is read with little around it; whoever reads on reads more at a time.
constexpr size_t kFirstWindow = 32 << 10;
constexpr size_t kWindow = 1 << 20;
}  // namespace

absl::StatusOr<SegmentReader> SegmentReader::Open(FileSystem& files, const std::string& path,
                                                  ReadFrom from) {
  SLUICE_ASSIGN_OR_RETURN(auto file, files.OpenForRead(path, from));
  SLUICE_ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  return SegmentReader(std::move(file), size);
}

absl::StatusOr<std::string_view> SegmentReader::Get(uint64_t offset, size_t count, uint64_t limit) {
  if (offset < window_begin_ || offset + count > window_begin_ + window_.size()) {
    // Also where the window held but the beginning of a large batch.
    const bool reads_on =
        !window_.empty() && offset >= window_begin_ && offset <= window_begin_ + window_.size();
    next_window_ = reads_on ? std::min(2 * next_window_, kWindow) : kFirstWindow;
    const uint64_t wanted = std::min<uint64_t>(std::max(count, next_window_), limit - offset);
    SLUICE_ASSIGN_OR_RETURN(window_, file_->ReadAt(offset, wanted));
    window_begin_ = offset;
    if (window_.size() < count) return absl::DataLossError("the file is cut off");
  }
  return std::string_view(window_).substr(offset - window_begin_, count);
}

absl::StatusOr<SegmentHeader> SegmentReader::ReadHeader() {
  if (file_size_ < kSegmentHeader) {
    SLUICE_ASSIGN_OR_RETURN(const uint64_t used, EndOfBytes(0, file_size_));
    if (used == 0) return absl::NotFoundError("prepared, not begun");
    return absl::DataLossError("the header is cut off");
  }
  SLUICE_ASSIGN_OR_RETURN(const std::string_view bytes, Get(0, kSegmentHeader, kSegmentHeader));
  return DecodeSegmentHeader(bytes);
}

absl::StatusOr<Batch> SegmentReader::Next(uint64_t limit) {
  limit = std::min(limit, file_size_);
  if (position_ + kBlock > limit) return absl::DataLossError("no batch begins here");
  SLUICE_ASSIGN_OR_RETURN(std::string_view bytes, Get(position_, kBlock, limit));
  Batch batch;
  batch.offset = position_;
  SLUICE_ASSIGN_OR_RETURN(batch.header, DecodeFrameHeader(bytes, limit - position_));
  batch.end = position_ + RoundUp(batch.header.length);
  SLUICE_ASSIGN_OR_RETURN(bytes, Get(position_, batch.end - position_, limit));
  SLUICE_ASSIGN_OR_RETURN(batch.records, DecodeFrame(batch.header, bytes));
  position_ = batch.end;
  return batch;
}

absl::Status SegmentReader::EachPart(uint64_t begin, uint64_t end,
                                     const std::function<void(std::string_view)>& each) {
  for (size_t part = 0; begin < end; begin += part) {
    part = std::min<uint64_t>(end - begin, kWindow);
    SLUICE_ASSIGN_OR_RETURN(const std::string_view bytes, Get(begin, part, end));
    each(bytes);
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> SegmentReader::EndOfBytes(uint64_t begin, uint64_t end) {
  uint64_t at = begin, last = begin;
  SLUICE_RETURN_IF_ERROR(EachPart(begin, end, [&](std::string_view part) {
    if (!AllZero(part)) last = at + part.find_last_not_of('\0') + 1;
    at += part.size();
  }));
  return last;
}

absl::StatusOr<Hash> SegmentReader::Digest(uint64_t begin, uint64_t end) {
  Sha256Stream stream;
  SLUICE_RETURN_IF_ERROR(EachPart(begin, end, [&](std::string_view part) { stream.Update(part); }));
  return stream.Finish();
}

absl::StatusOr<uint64_t> SegmentReader::FindBatch(uint64_t begin, uint64_t sequence) {
  for (uint64_t at = RoundUp(begin); at + kBlock <= file_size_; at += kBlock) {
    Seek(at);
    const auto batch = Next(file_size_);
    if (batch.ok() && batch->header.sequence >= sequence) return at;
    if (!batch.ok() && batch.status().code() != absl::StatusCode::kDataLoss) return batch.status();
  }
  return file_size_;
}

LogCursor LogCursor::At(const SegmentHeader& header) {
  return {.sequence = header.first_sequence, .tree = header.tree};
}

absl::Status LogCursor::Take(const Batch& batch,
                             const std::function<void(uint64_t, const Hash&)>& leaf) {
  const FrameHeader& header = batch.header;
  if (header.sequence != sequence)
    return absl::DataLossError(
        absl::StrCat("batch ", header.sequence, " stands where batch ", sequence, " belongs"));
  if (header.first_index != tree.size())
    return absl::DataLossError(absl::StrCat("batch ", sequence, " begins with #",
                                            header.first_index, ", but #", tree.size(),
                                            " comes next"));
  if (header.epoch < epoch || header.epoch == 0)
    return absl::DataLossError(absl::StrCat("batch ", sequence, " is of epoch ", header.epoch,
                                            ", but follows one of epoch ", epoch));
  if (header.tree != tree.Root())
    return absl::DataLossError(absl::StrCat("the entries before #", tree.size(),
                                            " do not hash to the tree that batch ", sequence,
                                            " stands on"));
  for (const RecordView& record : batch.records) {
    const Hash hash = LeafHash(record.envelope);
    if (leaf) leaf(tree.size(), hash);
    tree.Append(hash);
  }
  ++sequence;
  epoch = header.epoch;
  return absl::OkStatus();
}

}  // namespace sluice::audit
