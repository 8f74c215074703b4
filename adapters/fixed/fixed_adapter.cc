#include "adapters/fixed/fixed_adapter.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/files/files_adapter.h"
#include "adapters/fixed/rows.h"
#include "gateway/base/error.h"

namespace sluice::adapters {
namespace fixed {
namespace {

class FixedFormat : public files::Format {
 public:
  explicit FixedFormat(FixedSettings settings)
      : settings_(std::make_shared<const FixedSettings>(std::move(settings))) {}

  const char* counted() const override { return "record"; }

  absl::StatusOr<std::shared_ptr<const files::Layout>> ReadLayout(
      const std::shared_ptr<const files::Content>& content, const files::TableName& table,
      const files::Watch& watch) const override {
    if (!table.part.empty()) return absl::NotFoundError("a fixed-width file is one table");
    const RecordLayout* const record = settings_->LayoutOf(table.file);
    if (record == nullptr)
      return files::Drift(absl::StrCat("no layout is said for table '", table.file,
                                       "': setting layout.", table.file));
    auto layout = std::make_shared<files::Layout>();
    for (const FixedColumn& column : record->columns) {
      const auto type = settings_->rules.TypeOf(table.file, column.name);
      layout->columns.push_back({column.name,
                                 type.value_or(records::DataType{records::TypeId::kUtf8}), true,
                                 absl::StrCat(column.begin + 1, "-", column.end)});
    }
    char start[4];
    size_t read = 0;
    SLUICE_RETURN_IF_ERROR(content->Read(0, sizeof(start), start, &read));
    // Another page has no mark, and is no encoding that has one.
    const auto mark =
        settings_->ebcdic()
            ? 0
            : files::MarkSize({start, read}, settings_->page != nullptr ? files::Encoding::kLatin1
                                                                        : settings_->encoding);
    if (!mark)
      return files::BadFile(table.file, "it begins with the byte order mark of another encoding");
    layout->rows = {static_cast<int64_t>(*mark), 1};
    if (settings_->skip_lines == 0) return layout;
    SLUICE_ASSIGN_OR_RETURN(const auto rows,
                            FixedRows::Make(settings_, *record, content, table.file, {}));
    rows->Seek(layout->rows);
    for (int64_t i = 0; i < settings_->skip_lines; ++i) {
      SLUICE_ASSIGN_OR_RETURN(const bool skipped, rows->SkipLine(watch));
      if (!skipped) return files::BadFile(table.file, "it ends before its first record");
    }
    layout->rows = rows->next_place();
    return layout;
  }

  absl::StatusOr<std::unique_ptr<files::Rows>> Open(
      std::shared_ptr<const files::Content> content, std::shared_ptr<const files::Layout>,
      const files::TableName& table, std::vector<files::ColumnRequest> columns) const override {
    return FixedRows::Make(settings_, *settings_->LayoutOf(table.file), std::move(content),
                           table.file, columns);
  }

 private:
  const std::shared_ptr<const FixedSettings> settings_;
};

}  // namespace

std::shared_ptr<const files::Format> MakeFixedFormat(FixedSettings settings) {
  return std::make_shared<const FixedFormat>(std::move(settings));
}

}  // namespace fixed

absl::StatusOr<std::unique_ptr<Adapter>> OpenFixed(const Settings& settings) {
  SLUICE_ASSIGN_OR_RETURN(auto parsed, fixed::ParseFixedSettings(settings));
  return files::OpenFiles(fixed::MakeFixedFormat(std::move(parsed.format)),
                          std::move(parsed.files));
}

absl::Status CheckFixedSettings(const Settings& settings) {
  return fixed::ParseFixedSettings(settings).status();
}

}  // namespace sluice::adapters
