#include "adapters/xlsx/rows.h"

#include <algorithm>

#include "adapters/files/errors.h"
#include "gateway/base/error.h"

namespace sluice::adapters::xlsx {
namespace {

// The first read behind a jump is short, for who wants one row; reads that go on grow.
constexpr size_t kFirstRead = 2 << 10;
constexpr size_t kMostRead = 128 << 10;

}  // namespace

XlsxRows::XlsxRows(std::shared_ptr<const files::Content> content, const XlsxLayout& layout,
                   const files::ColumnRules& rules, const std::string& table,
                   const std::vector<files::ColumnRequest>& columns)
    : content_(std::move(content)),
      table_(table),
      cells_(layout.columns.size()),
      reader_(layout.from_1904),
      read_size_(kFirstRead),
      place_(layout.rows) {
  for (const files::ColumnRequest& column : columns)
    parts_.push_back({column.column, column.type, CellRules(rules.RuleOf(table, column.name))});
}

void XlsxRows::Seek(const files::Place& place) {
  next_ = place.offset;
  const int64_t end = window_offset_ + static_cast<int64_t>(window_.size());
  if (next_ >= window_offset_ && next_ < end) return;
  window_.clear();
  window_offset_ = next_;
  read_size_ = kFirstRead;
}

absl::StatusOr<bool> XlsxRows::Fill(size_t size, const files::Watch& watch) {
  if (Left().size() >= size) return true;
  SLUICE_RETURN_IF_ERROR(watch.Check());
  window_.erase(0, static_cast<size_t>(next_ - window_offset_));
  window_offset_ = next_;
  const size_t kept = window_.size();
  const size_t wanted = std::max(read_size_, size - kept);
  window_.resize(kept + wanted);
  size_t read = 0;
  const absl::Status status = content_->Read(window_offset_ + static_cast<int64_t>(kept), wanted,
                                             window_.data() + kept, &read);
  window_.resize(kept + read);
  read_size_ = std::min(read_size_ * 2, kMostRead);
  SLUICE_RETURN_IF_ERROR(status);
  return window_.size() >= size;
}

absl::StatusOr<bool> XlsxRows::Next(const files::Watch& watch) {
  place_.offset = next_;
  if (next_ >= content_->size()) return false;
  SLUICE_ASSIGN_OR_RETURN(bool there, Fill(kRecordHead, watch));
  size_t size = 0;
  if (there) {
    size = RecordSize(Left());
    place_.number = RecordNumber(Left());
    SLUICE_ASSIGN_OR_RETURN(there, Fill(size, watch));
  }
  if (!there || !ReadRecord(Left().substr(0, size), cells_))
    return files::Unavailable("what the workbook was unpacked to cannot be read any more");
  next_ += static_cast<int64_t>(size);
  return true;
}

std::optional<files::Value> XlsxRows::Read(size_t i) {
  const Part& part = parts_[i];
  return reader_.Read(cells_[part.column], part.type, part.rules);
}

std::string_view XlsxRows::raw() const {
  raw_.clear();
  for (const CellView& cell : cells_) {
    if (&cell != cells_.data()) raw_ += '\t';
    raw_ += cell.value;
  }
  return raw_;
}

int64_t XlsxRows::MostBytes() const {
  constexpr int64_t kFixed = 17;   // of the widest type, or an offset, and a bit of validity
  constexpr int64_t kNumber = 48;  // as text
  int64_t bytes = 0;
  for (const Part& part : parts_) {
    bytes += kFixed;
    if (part.type.id == records::TypeId::kUtf8 || part.type.id == records::TypeId::kBinary)
      bytes += std::max(kNumber, static_cast<int64_t>(cells_[part.column].value.size()));
  }
  return bytes;
}

}  // namespace sluice::adapters::xlsx
