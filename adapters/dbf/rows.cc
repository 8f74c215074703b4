#include "adapters/dbf/rows.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "adapters/files/errors.h"
#include "gateway/base/error.h"

namespace sluice::adapters::dbf {
namespace {

using files::Place;
using files::Watch;

// The first read behind a jump is short, for who wants one record; reads that go on grow.
constexpr size_t kFirstRead = 2 << 10;
constexpr size_t kMostRead = 128 << 10;

}  // namespace

absl::StatusOr<std::unique_ptr<DbfRows>> DbfRows::Make(
    std::shared_ptr<const DbfSettings> settings, std::shared_ptr<const files::Content> content,
    std::shared_ptr<const DbfLayout> layout, std::string table,
    const std::vector<files::ColumnRequest>& columns) {
  SLUICE_ASSIGN_OR_RETURN(TextDecoder decoder, TextDecoder::Make(layout->header.page));
  std::unique_ptr<DbfRows> rows(new DbfRows(std::move(settings), std::move(content),
                                            std::move(layout), std::move(table),
                                            std::move(decoder)));
  rows->work_.blank_is_null = rows->settings_->blank_is_null;
  for (const files::ColumnRequest& request : columns) {
    const Column& column = rows->layout_->header.columns[request.column];
    Part part{&column, request.type, rows->settings_->rules.RuleOf(rows->table_, request.name),
              DecodeFor(column.kind, request.type)};
    if (column.memo()) {
      auto& memos = rows->memos_;
      const auto found = std::find_if(memos.begin(), memos.end(),
                                      [&](const Memo& memo) { return memo.column == &column; });
      part.memo = static_cast<size_t>(found - memos.begin());
      if (found == memos.end()) memos.push_back({&column});
    }
    rows->parts_.push_back(std::move(part));
  }
  if (rows->memos_.empty()) return rows;
  const files::Content* const companion = rows->content_->companion();
  if (companion == nullptr) {
    if (rows->settings_->missing_memos_are_null) return rows;
    return files::Unavailable(
        absl::StrCat("column '", rows->memos_[0].column->name, "' of table '", rows->table_,
                     "' holds memos, and the memo file is not there: it stands beside the table "
                     "under its name, ending in .dbt or .fpt (missing_memos: null reads without)"));
  }
  SLUICE_ASSIGN_OR_RETURN(MemoFile memo_file, MemoFile::Open(*companion, rows->layout_->memo_form,
                                                             rows->settings_->most_memo_bytes));
  rows->memo_file_ = memo_file;
  return rows;
}

void DbfRows::Seek(const Place& place) {
  next_ = place;
  const int64_t end = window_offset_ + static_cast<int64_t>(window_.size());
  if (place.offset >= window_offset_ && place.offset < end) return;
  window_.clear();
  window_offset_ = place.offset;
  read_size_ = kFirstRead;
}

// The window begins with the next record, and holds it whole where the file does.
absl::Status DbfRows::Refill(const Watch& watch) {
  SLUICE_RETURN_IF_ERROR(watch.Check());
  window_.erase(0, static_cast<size_t>(next_.offset - window_offset_));
  window_offset_ = next_.offset;
  const size_t kept = window_.size();
  const size_t wanted = std::max(read_size_, layout_->header.record_length - kept);
  window_.resize(kept + wanted);
  size_t read = 0;
  const absl::Status status = content_->Read(window_offset_ + static_cast<int64_t>(kept), wanted,
                                             window_.data() + kept, &read);
  window_.resize(kept + read);
  read_size_ = std::min(read_size_ * 2, kMostRead);
  return status;
}

absl::StatusOr<bool> DbfRows::Next(const Watch& watch) {
  for (int64_t steps = 1;; ++steps) {
    if (steps % 4'096 == 0) SLUICE_RETURN_IF_ERROR(watch.Check());
    place_ = next_;
    if (place_.number > layout_->records) return false;
    if (!HasRecord()) {
      SLUICE_RETURN_IF_ERROR(Refill(watch));
      if (!HasRecord())
        return files::BadRecord({table_, "record", place_}, "the file ends inside of the record");
    }
    SLUICE_ASSIGN_OR_RETURN(const bool live, Take());
    if (!live) continue;
    SLUICE_RETURN_IF_ERROR(ReadMemos());
    return true;
  }
}

// Whether the next record is one that lives.
absl::StatusOr<bool> DbfRows::Take() {
  const size_t length = layout_->header.record_length;
  record_ =
      std::string_view(window_).substr(static_cast<size_t>(place_.offset - window_offset_), length);
  next_ = {place_.offset + static_cast<int64_t>(length), place_.number + 1};
  if (record_[0] == kLive) return true;
  const files::Spot spot{table_, "record", place_};
  if (record_[0] != kDeleted)
    return files::BadRecord(spot, "the record is marked neither as living nor as deleted");
  if (settings_->refuses_deleted)
    return files::BadRecord(spot, "the record is deleted, and the source's setting refuses those");
  return false;
}

absl::Status DbfRows::ReadMemos() {
  for (Memo& memo : memos_) SLUICE_RETURN_IF_ERROR(ReadMemo(memo));
  return absl::OkStatus();
}

absl::Status DbfRows::ReadMemo(Memo& memo) {
  memo.null = true;
  memo.bad = nullptr;
  memo.bytes.clear();
  if (!memo_file_) return absl::OkStatus();
  const std::string_view field = FieldOf(*memo.column);
  int64_t block = 0;
  if (field.size() == 4) {
    uint32_t number = 0;
    std::memcpy(&number, field.data(), sizeof(number));
    block = number;
  } else {
    const std::string_view digits =
        field.substr(std::min(field.find_first_not_of(' '), field.size()));
    const bool blank = digits.find_first_not_of('\0') == digits.npos;
    if (!blank &&
        (!absl::SimpleAtoi(absl::string_view(digits.data(), digits.size()), &block) || block < 0)) {
      memo.bad = "no number of a memo";
      return absl::OkStatus();
    }
  }
  if (block == 0) return absl::OkStatus();
  memo.null = false;
  SLUICE_ASSIGN_OR_RETURN(
      const bool whole,
      memo_file_->Read(block, memo.column->kind == FieldKind::kMemoText, memo.bytes));
  if (!whole) {
    memo.bytes.clear();
    memo.bad = memo_file_->why();
  }
  return absl::OkStatus();
}

bool DbfRows::Flag(size_t bit) const {
  const auto byte = static_cast<uint8_t>(record_[layout_->header.null_flags + bit / 8]);
  return (byte >> (bit % 8) & 1) != 0;
}

std::optional<files::Value> DbfRows::Read(size_t i) {
  const Part& part = parts_[i];
  const Column& column = *part.column;
  work_.why = "";
  if (column.null_bit && Flag(*column.null_bit)) return files::Value();
  if (column.memo()) {
    const Memo& memo = memos_[part.memo];
    if (memo.bad != nullptr) {
      work_.why = memo.bad;
      return std::nullopt;
    }
    if (memo.null) return files::Value();
    return part.decode(memo.bytes, part.type, part.rule, work_);
  }
  std::string_view field = FieldOf(column);
  if (column.length_bit && Flag(*column.length_bit)) {
    const size_t length = field.empty() ? 1 : static_cast<uint8_t>(field.back());
    if (length >= field.size()) {
      work_.why = "longer than its column";
      return std::nullopt;
    }
    field = field.substr(0, length);
  }
  return part.decode(field, part.type, part.rule, work_);
}

int64_t DbfRows::MostBytes() const {
  constexpr int64_t kFixed = 17;  // of the widest type, or an offset, and a bit of validity
  constexpr int64_t kExpansion = 3;
  int64_t bytes = 0;
  for (const Part& part : parts_) {
    bytes += kFixed;
    const bool text = part.type.id == records::TypeId::kUtf8;
    if (!text && part.type.id != records::TypeId::kBinary) continue;
    const Column& column = *part.column;
    size_t size = column.length;
    if (column.memo()) size = memos_[part.memo].bytes.size();
    if (column.kind == FieldKind::kText) size = FieldOf(column).find_last_not_of(' ') + 1;
    bytes += static_cast<int64_t>(size) * (text ? kExpansion : 1);
  }
  return bytes;
}

}  // namespace sluice::adapters::dbf
