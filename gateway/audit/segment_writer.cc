#include "gateway/audit/segment_writer.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gateway/audit/wire.h"
#include "gateway/base/error.h"

namespace sluice::audit {
namespace {
// A smaller segment is made when it is needed: quicker than to hand it over.
constexpr uint64_t kWorthPreparing = 1 << 20;
}  // namespace

bool NextSegment::Want(uint64_t number, uint64_t size) {
  MutexLock lock(mutex_);
  if (number_ == number) return false;
  state_ = State::kWanted;
  number_ = number;
  size_ = size;
  return true;
}

bool NextSegment::wanted() const {
  MutexLock lock(mutex_);
  return state_ == State::kWanted;
}

absl::Status NextSegment::Make(uint64_t number, uint64_t size) {
  SLUICE_RETURN_IF_ERROR(CreateZeroed(files_, SegmentPath(directory_, number), size));
  return files_.SyncDirectory(JoinPath(directory_, "segments"));
}

absl::Status NextSegment::Prepare() {
  uint64_t number = 0, size = 0;
  {
    MutexLock lock(mutex_);
    if (state_ != State::kWanted) return absl::OkStatus();
    state_ = State::kPreparing;
    number = number_, size = size_;
  }
  const absl::Status result = Make(number, size);
  MutexLock lock(mutex_);
  state_ = State::kDone;
  result_ = result;
  changed_.NotifyAll();
  return absl::IsResourceExhausted(result) ? absl::OkStatus() : result;
}

absl::StatusOr<NextSegment::Taken> NextSegment::Take(uint64_t number, uint64_t size) {
  bool prepared = false;
  absl::Status result;
  {
    MutexLock lock(mutex_);
    if (number_ == number) {
      while (state_ == State::kPreparing) changed_.Wait(mutex_);
      prepared = state_ == State::kDone;
      result = result_;
      if (prepared && result.ok() && size_ >= size) size = size_;
      // Too small for the batch that needs it: made anew.
      if (prepared && result.ok() && size_ < size) result = absl::ResourceExhaustedError("");
    }
    number_ = number;
    state_ = State::kNone;
  }
  const std::string path = SegmentPath(directory_, number);
  if (prepared && !result.ok() && !absl::IsResourceExhausted(result)) return result;
  if (!prepared || !result.ok()) {
    if (files_.Stat(path).ok()) SLUICE_RETURN_IF_ERROR(files_.Remove(path));
    SLUICE_RETURN_IF_ERROR(Make(number, size));
  }
  SLUICE_ASSIGN_OR_RETURN(auto file, files_.OpenForWrite(path));
  return Taken{std::move(file), size};
}

absl::Status SegmentWriter::Open() {
  SLUICE_ASSIGN_OR_RETURN(file_, files_.OpenForWrite(SegmentPath(directory_, last_.header.number)));
  return absl::OkStatus();
}

absl::StatusOr<std::optional<SegmentHeader>> SegmentWriter::MakeRoom(uint64_t size,
                                                                     const LogCursor& cursor) {
  if (last_.end + size <= last_.header.size) return std::optional<SegmentHeader>();
  SLUICE_RETURN_IF_ERROR(file_->Close());
  SegmentHeader header;
  header.origin = last_.header.origin;
  header.number = last_.header.number + 1;
  SLUICE_ASSIGN_OR_RETURN(
      auto taken, next_.Take(header.number, std::max(segment_bytes_, kSegmentHeader + size)));
  header.size = taken.size;
  header.epoch = cursor.epoch;
  header.first_index = cursor.tree.size();
  header.first_sequence = cursor.sequence;
  header.previous = last_.header.number;
  header.previous_end = last_.end;
  header.tree = cursor.tree;
  file_ = std::move(taken.file);
  // Synced by itself: a damaged header before a sound batch is then never the work of a crash.
  SLUICE_RETURN_IF_ERROR(file_->WriteAt(0, EncodeSegmentHeader(header)));
  SLUICE_RETURN_IF_ERROR(file_->Sync());
  last_ = {header, kSegmentHeader};
  return std::optional<SegmentHeader>(header);
}

absl::StatusOr<uint64_t> SegmentWriter::Write(std::string_view frame) {
  const uint64_t offset = last_.end;
  SLUICE_RETURN_IF_ERROR(file_->WriteAt(offset, frame));
  SLUICE_RETURN_IF_ERROR(file_->Sync());
  last_.end += frame.size();
  return offset;
}

bool SegmentWriter::WantsNext() {
  if (segment_bytes_ < kWorthPreparing || last_.end < last_.header.size / 2) return false;
  return next_.Want(last_.header.number + 1, segment_bytes_);
}

}  // namespace sluice::audit
