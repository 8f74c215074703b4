// The records of a table, as values of the columns asked for. One thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/dbf/decode.h"
#include "adapters/dbf/header.h"
#include "adapters/dbf/memo.h"
#include "adapters/dbf/settings.h"
#include "adapters/files/format.h"

namespace sluice::adapters::dbf {

// What the rows of a table need to know of it.
struct DbfLayout : files::Layout {
  Header header;
  int64_t records = 0;  // that the file has, deleted ones with them
  MemoForm memo_form = MemoForm::kDbase4;
};

class DbfRows : public files::Rows {
 public:
  // SOURCE_UNAVAILABLE where a memo is asked for and the memo file is not there.
  static absl::StatusOr<std::unique_ptr<DbfRows>> Make(
      std::shared_ptr<const DbfSettings> settings, std::shared_ptr<const files::Content> content,
      std::shared_ptr<const DbfLayout> layout, std::string table,
      const std::vector<files::ColumnRequest>& columns);

  void Seek(const files::Place& place) override;
  absl::StatusOr<bool> Next(const files::Watch& watch) override;
  const files::Place& place() const override { return place_; }
  std::optional<files::Value> Read(size_t i) override;
  const char* why() const override { return work_.why; }
  bool can_go_on() const override { return next_.offset > place_.offset; }
  std::string_view raw() const override { return record_; }
  int64_t MostBytes() const override;

 private:
  struct Part {
    const Column* column;
    records::DataType type;
    files::ValueRule rule;
    Decode decode;
    size_t memo = 0;  // in memos_
  };
  // Of one column, and of the record.
  struct Memo {
    const Column* column;
    bool null = true;
    const char* bad = nullptr;
    std::string bytes;
  };

  DbfRows(std::shared_ptr<const DbfSettings> settings,
          std::shared_ptr<const files::Content> content, std::shared_ptr<const DbfLayout> layout,
          std::string table, TextDecoder decoder)
      : settings_(std::move(settings)),
        content_(std::move(content)),
        layout_(std::move(layout)),
        table_(std::move(table)),
        work_(std::move(decoder)) {}
  bool HasRecord() const {
    return window_offset_ + static_cast<int64_t>(window_.size()) >=
           next_.offset + static_cast<int64_t>(layout_->header.record_length);
  }
  absl::Status Refill(const files::Watch& watch);
  absl::StatusOr<bool> Take();
  absl::Status ReadMemos();
  absl::Status ReadMemo(Memo& memo);
  bool Flag(size_t bit) const;
  std::string_view FieldOf(const Column& column) const {
    return record_.substr(column.offset, column.length);
  }

  const std::shared_ptr<const DbfSettings> settings_;
  const std::shared_ptr<const files::Content> content_;
  const std::shared_ptr<const DbfLayout> layout_;
  const std::string table_;
  std::vector<Part> parts_;
  std::vector<Memo> memos_;
  std::optional<MemoFile> memo_file_;
  Workspace work_;

  std::string window_;
  int64_t window_offset_ = 0;
  size_t read_size_ = 0;
  std::string_view record_;
  files::Place place_, next_;
};

}  // namespace sluice::adapters::dbf
