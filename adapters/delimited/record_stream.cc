#include "adapters/delimited/record_stream.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "adapters/files/errors.h"
#include "gateway/base/error.h"

namespace sluice::adapters::delimited {
namespace {

// The first read behind a jump is short, for who wants one row; reads that go on grow.
constexpr size_t kFirstRead = 2 << 10;
constexpr size_t kMostRead = 128 << 10;

}  // namespace

RecordStream::RecordStream(std::shared_ptr<const Content> content, const Dialect& dialect,
                           std::string table)
    : content_(std::move(content)),
      dialect_(dialect),
      table_(std::move(table)),
      splitter_(dialect),
      read_size_(kFirstRead) {}

void RecordStream::Seek(const Place& place) {
  const int64_t end = window_offset_ + static_cast<int64_t>(window_.size());
  if (place.offset >= window_offset_ && place.offset <= end) {
    begin_ = static_cast<size_t>(place.offset - window_offset_);
  } else {
    window_.clear();
    window_offset_ = place.offset;
    begin_ = 0;
    read_size_ = kFirstRead;
  }
  next_ = place;
}

void RecordStream::Take(size_t bytes, int64_t lines) {
  next_ = {place_.offset + static_cast<int64_t>(bytes), place_.number + lines};
}

// More bytes behind the window's; what stands before the record is forgotten.
absl::Status RecordStream::Refill(const Watch& watch) {
  SLUICE_RETURN_IF_ERROR(watch.Check());
  window_.erase(0, begin_);
  window_offset_ += static_cast<int64_t>(begin_);
  begin_ = 0;
  const size_t kept = window_.size();
  window_.resize(kept + read_size_);
  size_t read = 0;
  const absl::Status status = content_->Read(window_offset_ + static_cast<int64_t>(kept),
                                             read_size_, window_.data() + kept, &read);
  window_.resize(kept + read);
  read_size_ = std::min(read_size_ * 2, kMostRead);
  return status;
}

absl::Status RecordStream::Mistake() const {
  const size_t field = splitter_.mistake_field();
  if (field < columns_.size()) return files::BadField(spot(), columns_[field], splitter_.mistake());
  return files::BadRecord(spot(), absl::StrCat("field ", field + 1, " ", splitter_.mistake()));
}

absl::StatusOr<bool> RecordStream::Next(const Watch& watch) {
  for (;;) {
    place_ = next_;
    begin_ = static_cast<size_t>(place_.offset - window_offset_);
    splitter_.Begin();
    Splitter::Result result = splitter_.Split(Left(), AtLast());
    while (result == Splitter::Result::kMore) {
      if (Left().size() > dialect_.most_row_bytes) break;
      SLUICE_RETURN_IF_ERROR(Refill(watch));
      result = splitter_.Split(Left(), AtLast());
    }
    if (result == Splitter::Result::kMore ||
        (result == Splitter::Result::kRecord && splitter_.size() > dialect_.most_row_bytes)) {
      return files::BadRecord(
          spot(), absl::StrCat("a row of over ", dialect_.most_row_bytes,
                               " bytes (most_row_bytes), or a quote that is never closed"));
    }
    if (result == Splitter::Result::kBad) return Mistake();
    if (result == Splitter::Result::kEnd) return false;
    Take(splitter_.size(), splitter_.line_ends());
    if (!dialect_.skips_blank_lines || !splitter_.blank()) return true;
  }
}

absl::StatusOr<bool> RecordStream::SkipLine(const Watch& watch) {
  // A line that is no row is one for a dialect without quotes; what separates its fields is all
  // one.
  place_ = next_;
  begin_ = static_cast<size_t>(place_.offset - window_offset_);
  Dialect plain = dialect_;
  plain.separator = '\x01';
  plain.quote.reset();
  plain.backslash = false;
  plain.needs_last_line_end = false;
  Splitter line(plain);
  line.Begin();
  Splitter::Result result = line.Split(Left(), AtLast());
  while (result == Splitter::Result::kMore && Left().size() <= dialect_.most_row_bytes) {
    SLUICE_RETURN_IF_ERROR(Refill(watch));
    result = line.Split(Left(), AtLast());
  }
  if (result == Splitter::Result::kEnd) return false;
  if (result != Splitter::Result::kRecord)
    return files::BadRecord(spot(), "a line before the header that has no end");
  Take(line.size(), line.line_ends());
  return true;
}

}  // namespace sluice::adapters::delimited
