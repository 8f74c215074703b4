// The rows of a sheet, from what it was unpacked to. One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/files/format.h"
#include "adapters/xlsx/row_record.h"
#include "adapters/xlsx/table_reader.h"
#include "adapters/xlsx/values.h"

namespace sluice::adapters::xlsx {

// What a sheet was unpacked to: its rows, and what is known of its columns.
class UnpackedSheet : public files::Content {
 public:
  UnpackedSheet(std::shared_ptr<const files::Content> rows,
                std::shared_ptr<const XlsxLayout> layout)
      : rows_(std::move(rows)), layout_(std::move(layout)) {}
  int64_t size() const override { return rows_->size(); }
  absl::Status Read(int64_t offset, size_t count, char* to, size_t* read) const override {
    return rows_->Read(offset, count, to, read);
  }
  const std::shared_ptr<const XlsxLayout>& layout() const { return layout_; }

 private:
  const std::shared_ptr<const files::Content> rows_;
  const std::shared_ptr<const XlsxLayout> layout_;
};

class XlsxRows : public files::Rows {
 public:
  XlsxRows(std::shared_ptr<const files::Content> content, const XlsxLayout& layout,
           const files::ColumnRules& rules, const std::string& table,
           const std::vector<files::ColumnRequest>& columns);

  void Seek(const files::Place& place) override;
  absl::StatusOr<bool> Next(const files::Watch& watch) override;
  const files::Place& place() const override { return place_; }
  std::optional<files::Value> Read(size_t i) override;
  const char* why() const override { return reader_.why(); }
  int64_t MostBytes() const override;
  // The cells as text, with tabs between: a row has no bytes of its own in a workbook.
  std::string_view raw() const override;

 private:
  struct Part {
    size_t column;
    records::DataType type;
    CellRules rules;
  };

  // Whether so many bytes of the next record are in the window, read where they were not.
  absl::StatusOr<bool> Fill(size_t size, const files::Watch& watch);
  std::string_view Left() const {
    return std::string_view(window_).substr(static_cast<size_t>(next_ - window_offset_));
  }

  const std::shared_ptr<const files::Content> content_;
  const std::string table_;
  std::vector<Part> parts_;
  std::vector<CellView> cells_;
  CellReader reader_;
  mutable std::string raw_;

  std::string window_;
  int64_t window_offset_ = 0;
  int64_t next_ = 0;
  size_t read_size_;
  files::Place place_;
};

}  // namespace sluice::adapters::xlsx
