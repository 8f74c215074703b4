#include "adapters/copybook/record_stream.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"

namespace sluice::adapters::copybook {
namespace {

// The first read behind a jump is short, for who wants one row; reads that go on grow.
constexpr size_t kFirstRead = 2 << 10;
constexpr size_t kMostRead = 128 << 10;
constexpr size_t kWordBytes = 4;
constexpr int64_t kMostCut = 64 << 20;
constexpr int64_t kMostShown = 4'096;  // of a record that is too long

bool InBlocks(RecordFormat format) {
  return format == RecordFormat::kBlocked || format == RecordFormat::kFixedBlocked;
}

}  // namespace

RecordStream::RecordStream(std::shared_ptr<const Content> content, const RecordSettings& settings,
                           std::shared_ptr<const Shape> shape, std::string table)
    : content_(std::move(content)),
      settings_(settings),
      shape_(std::move(shape)),
      table_(std::move(table)),
      blocked_(InBlocks(settings.format)),
      most_(shape_->most() + settings.record_start + settings.record_end),
      length_(settings.record_length > 0 ? settings.record_length : most_),
      file_end_(content_->size() - settings.file_end),
      end_(file_end_),
      read_size_(kFirstRead) {
  if (settings.format == RecordFormat::kFixed) file_end_ -= settings.skip_last_records * length_;
  end_ = file_end_;
  const std::vector<bool> none(shape_->tables().size(), false);
  std::vector<bool> leaves(shape_->leaves().size(), false);
  if (settings.format == RecordFormat::kLengthField) {
    length_leaf_ = shape_->FindLeaf(settings.length_field).value_or(-1);
    if (length_leaf_ >= 0) leaves[length_leaf_] = true;
  }
  if (length_leaf_ >= 0 || settings.format == RecordFormat::kCounted)
    sizes_.emplace(shape_, leaves, none);
}

void RecordStream::Seek(const Place& place) {
  at_ = place.offset;
  end_ = blocked_ ? at_ : file_end_;
  next_ = place_ = place;
}

void RecordStream::Renumber(int64_t number) {
  next_.number += number - place_.number;
  place_.number = number;
}

absl::Status RecordStream::Bad(std::string_view what) const {
  Place own = place_;
  own.offset = begin_;
  return files::BadRecord({table_, "record", own}, what);
}

// How many of the wanted bytes are there, from the next record on: fewer only where its block or
// the file ends.
absl::StatusOr<size_t> RecordStream::Ensure(size_t bytes, const Watch& watch) {
  const auto wanted =
      static_cast<size_t>(std::clamp<int64_t>(Left(), 0, static_cast<int64_t>(bytes)));
  const int64_t window_end = window_offset_ + static_cast<int64_t>(window_.size());
  if (at_ >= window_offset_ && at_ + static_cast<int64_t>(wanted) <= window_end) return wanted;
  SLUICE_RETURN_IF_ERROR(watch.Check());
  if (at_ >= window_offset_ && at_ <= window_end) {
    window_.erase(0, static_cast<size_t>(at_ - window_offset_));
  } else {
    window_.clear();
    read_size_ = kFirstRead;
  }
  window_offset_ = at_;
  while (window_.size() < wanted) {
    const size_t kept = window_.size();
    const int64_t from = window_offset_ + static_cast<int64_t>(kept);
    const auto left = static_cast<size_t>(std::max<int64_t>(file_end_ - from, 0));
    // No more at once than stands in the file, whatever a record says of its length.
    const size_t size = std::min(left, std::max(read_size_, std::min(wanted - kept, kMostRead)));
    if (size == 0) return files::Changed();
    window_.resize(kept + size);
    size_t read = 0;
    const absl::Status status = content_->Read(from, size, window_.data() + kept, &read);
    window_.resize(kept + (status.ok() ? read : 0));
    SLUICE_RETURN_IF_ERROR(status);
    if (read == 0) return files::Changed();
    read_size_ = std::min(read_size_ * 2, kMostRead);
  }
  return wanted;
}

absl::StatusOr<bool> RecordStream::Next(const Watch& watch) {
  for (;;) {
    place_ = next_;
    begin_ = at_;
    if (blocked_ && Left() <= 0) {
      SLUICE_ASSIGN_OR_RETURN(const bool any, NextBlock(watch));
      if (!any) return false;
      continue;
    }
    if (Left() <= 0) return false;
    switch (settings_.format) {
      case RecordFormat::kFixed:
      case RecordFormat::kFixedBlocked:
        return NextFixed(watch);
      case RecordFormat::kCounted:
        return NextCounted(watch);
      case RecordFormat::kRdw:
      case RecordFormat::kBlocked:
        return NextRdw(watch);
      case RecordFormat::kLengthField:
        return NextByField(watch);
      case RecordFormat::kLines:
        return NextLine(watch);
    }
  }
}

// The next record: so many bytes behind those of its header, and before those behind it.
absl::StatusOr<bool> RecordStream::Take(size_t header, int64_t length, size_t behind,
                                        const Watch& watch) {
  const int64_t frame = settings_.record_start + settings_.record_end;
  if (length < frame) return Bad("its length is less than record_start_bytes and record_end_bytes");
  const bool fixed =
      settings_.format == RecordFormat::kFixed || settings_.format == RecordFormat::kFixedBlocked;
  const int64_t whole = static_cast<int64_t>(header + behind) + length;
  const bool too_long = !fixed && length > (settings_.cuts_long ? kMostCut : most_);
  const std::string says = absl::StrCat("its length is ", length, " bytes, and ");
  if (whole > Left() && !too_long)
    return Bad(absl::StrCat(says, Left() - static_cast<int64_t>(header),
                            blocked_ ? " are left of its block" : " are left of the file"));
  if (too_long)
    return TooLong(whole,
                   absl::StrCat(says, "the copybook describes ", most_, " at most (long_records)"),
                   watch);
  SLUICE_RETURN_IF_ERROR(Ensure(static_cast<size_t>(whole), watch).status());
  const auto begin = static_cast<size_t>(at_ - window_offset_) + header;
  record_ = std::string_view(window_).substr(begin + static_cast<size_t>(settings_.record_start),
                                             static_cast<size_t>(length - frame));
  at_ += whole;
  // Where records stand in blocks, they have their block's place.
  next_ = {blocked_ ? place_.offset : at_, place_.number + 1};
  return true;
}

// The record's beginning is what is shown of it. Of a length field that says much too much, only
// what stands behind tells whether it was one.
absl::StatusOr<bool> RecordStream::TooLong(int64_t whole, std::string why, const Watch& watch) {
  const absl::Status bad = Bad(why);
  if (whole > Left()) return bad;
  SLUICE_ASSIGN_OR_RETURN(const size_t there,
                          Ensure(static_cast<size_t>(std::min(whole, kMostShown)), watch));
  record_ = std::string_view(window_).substr(static_cast<size_t>(at_ - window_offset_), there);
  at_ += whole;
  next_ = {blocked_ ? place_.offset : at_, place_.number + 1};
  return bad;
}

absl::StatusOr<bool> RecordStream::NextFixed(const Watch& watch) {
  return Take(0, length_, 0, watch);
}

absl::StatusOr<bool> RecordStream::NextCounted(const Watch& watch) {
  SLUICE_ASSIGN_OR_RETURN(const size_t there, Ensure(static_cast<size_t>(most_), watch));
  std::string_view bytes =
      std::string_view(window_).substr(static_cast<size_t>(at_ - window_offset_), there);
  bytes.remove_prefix(std::min(bytes.size(), static_cast<size_t>(settings_.record_start)));
  if (!sizes_->Locate(bytes)) {
    const Locator::Trouble& trouble = sizes_->trouble();
    return Bad(absl::StrCat(
        "'", trouble.counter->name, "' is ",
        trouble.too_many ? "more than its OCCURS has" : "no number, and an OCCURS depends on it"));
  }
  return Take(0, sizes_->size() + settings_.record_start + settings_.record_end, 0, watch);
}

// The length that a descriptor word says, without the word's own bytes.
absl::StatusOr<int64_t> RecordStream::ReadWord(const DescriptorWord& word, bool blocks,
                                               const Watch& watch) {
  const char* const name = blocks ? "block" : "record";
  const char* const prefix = blocks ? "bdw" : "rdw";
  SLUICE_ASSIGN_OR_RETURN(const size_t there, Ensure(kWordBytes, watch));
  if (there < kWordBytes)
    return Bad(absl::StrCat("the file ends within the descriptor word of a ", name));
  const auto* const at = reinterpret_cast<const unsigned char*>(window_.data()) +
                         static_cast<size_t>(at_ - window_offset_);
  int64_t length = word.little ? at[2] | at[3] << 8 : at[0] << 8 | at[1];
  int reserved = word.little ? at[0] | at[1] : at[2] | at[3];
  // A block of over 32 KiB: the highest bit is set, and the length takes the other 31.
  if (blocks && ((word.little ? at[3] : at[0]) & 0x80) != 0) {
    length = word.little ? (at[3] & 0x7F) << 24 | at[2] << 16 | at[1] << 8 | at[0]
                         : (at[0] & 0x7F) << 24 | at[1] << 16 | at[2] << 8 | at[3];
    reserved = 0;
  }
  if (reserved != 0)
    return Bad(absl::StrCat("the descriptor word of a ", name,
                            " has reserved bytes that are not zero: look at ", prefix, "_order"));
  if (word.counts_itself) length -= static_cast<int64_t>(kWordBytes);
  length += word.adjustment;
  if (length <= 0)
    return Bad(absl::StrCat("the descriptor word of a ", name, " says no length: look at ", prefix,
                            "_order, ", prefix, "_counts_itself and ", prefix, "_adjustment"));
  return length;
}

absl::StatusOr<bool> RecordStream::NextRdw(const Watch& watch) {
  SLUICE_ASSIGN_OR_RETURN(const int64_t length, ReadWord(settings_.rdw, false, watch));
  return Take(kWordBytes, length, 0, watch);
}

absl::StatusOr<bool> RecordStream::NextBlock(const Watch& watch) {
  end_ = file_end_;
  if (Left() <= 0) return false;
  place_.offset = at_;
  next_ = place_;
  SLUICE_ASSIGN_OR_RETURN(const int64_t length, ReadWord(settings_.bdw, true, watch));
  at_ += static_cast<int64_t>(kWordBytes);
  if (length > Left())
    return Bad(absl::StrCat("a block of ", length, " bytes, and ", Left(),
                            " are left of the file: look at bdw_counts_itself"));
  if (settings_.format == RecordFormat::kFixedBlocked && length % length_ != 0)
    return Bad(absl::StrCat("a block of ", length, " bytes, no multiple of the record's ", length_,
                            ": look at record_length and bdw_counts_itself"));
  end_ = at_ + length;
  return true;
}

absl::StatusOr<bool> RecordStream::NextByField(const Watch& watch) {
  const Leaf& leaf = shape_->leaves()[length_leaf_];
  SLUICE_ASSIGN_OR_RETURN(const size_t there, Ensure(static_cast<size_t>(most_), watch));
  const auto begin = static_cast<size_t>(at_ - window_offset_);
  std::string_view bytes = std::string_view(window_).substr(begin, there);
  bytes.remove_prefix(std::min(bytes.size(), static_cast<size_t>(settings_.record_start)));
  if (!sizes_->Locate(bytes)) return Bad("the count of an OCCURS in it is wrong");
  const int64_t at = sizes_->At(length_leaf_, 0);
  if (at < 0 || at + leaf.size > static_cast<int64_t>(bytes.size()))
    return Bad("the file ends before the field that says the record's length");
  const Number number =
      ReadNumber(leaf.form, bytes.substr(static_cast<size_t>(at), static_cast<size_t>(leaf.size)));
  Decimal128 length = number.value;
  if (number.found != Found::kNumber || !Rescale(length, number.scale, 0) || length < 0 ||
      length > int64_t{1} << 30)
    return Bad("the field that says the record's length holds none");
  const int64_t whole = static_cast<int64_t>(length) + settings_.length_adjustment;
  if (whole <= 0) return Bad("the field that says the record's length says none");
  return Take(0, whole, 0, watch);
}

absl::StatusOr<bool> RecordStream::NextLine(const Watch& watch) {
  // A line of the longest record, and its end.
  const size_t most = static_cast<size_t>(settings_.cuts_long ? kMostCut : most_) + 2;
  size_t looked = 0;
  for (size_t wanted = std::min<size_t>(most, 1'024);; wanted = std::min(most, wanted * 4)) {
    SLUICE_ASSIGN_OR_RETURN(const size_t there, Ensure(wanted, watch));
    const std::string_view bytes =
        std::string_view(window_).substr(static_cast<size_t>(at_ - window_offset_), there);
    const size_t end = bytes.find('\n', looked);
    looked = there;
    if (end != bytes.npos) {
      const size_t cr = end > 0 && bytes[end - 1] == '\r' ? 1 : 0;
      return Take(0, static_cast<int64_t>(end - cr), 1 + cr, watch);
    }
    if (there < wanted || static_cast<int64_t>(there) == Left()) {
      if (settings_.needs_last_line_end)
        return Bad("the last line has no line end: it may have been cut short (last_line_end)");
      return Take(0, static_cast<int64_t>(there), 0, watch);
    }
    if (wanted == most) return EndOfLine(most, watch);
  }
}

// Of a line that is too long: goes behind its end.
absl::StatusOr<bool> RecordStream::EndOfLine(size_t most, const Watch& watch) {
  const int64_t begin = at_;
  std::optional<int64_t> whole;
  at_ += static_cast<int64_t>(most);
  while (!whole) {
    SLUICE_ASSIGN_OR_RETURN(const size_t there, Ensure(kMostRead, watch));
    const size_t end = std::string_view(window_)
                           .substr(static_cast<size_t>(at_ - window_offset_), there)
                           .find('\n');
    at_ += static_cast<int64_t>(end == std::string::npos ? there : end + 1);
    if (end != std::string::npos || Left() <= 0) whole = at_ - begin;
  }
  at_ = begin;
  return TooLong(*whole,
                 absl::StrCat("a line of over ", most_, " bytes, which is the copybook's record"),
                 watch);
}

}  // namespace sluice::adapters::copybook
