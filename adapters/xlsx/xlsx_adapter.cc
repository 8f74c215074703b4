#include "adapters/xlsx/xlsx_adapter.h"

#include <utility>

#include "adapters/files/errors.h"
#include "adapters/files/files_adapter.h"
#include "adapters/files/unpacking.h"
#include "adapters/xlsx/rows.h"
#include "adapters/xlsx/table_reader.h"
#include "gateway/base/error.h"

namespace sluice::adapters {
namespace xlsx {
namespace {

using files::Content;
using files::Watch;

class SheetUnpacking : public files::Unpacking {
 public:
  SheetUnpacking(std::shared_ptr<const Content> file, files::TableName table,
                 std::shared_ptr<const XlsxSettings> settings, std::string work_folder)
      : file_(std::move(file)),
        table_(std::move(table)),
        settings_(std::move(settings)),
        work_folder_(std::move(work_folder)) {}

  std::shared_ptr<const Content> content() const override { return content_; }

 protected:
  absl::Status Work(const Watch& watch) override {
    if (reader_ == nullptr)
      reader_ = std::make_unique<TableReader>(file_, table_, settings_, work_folder_);
    const absl::Status status = reader_->Read(watch);
    if (files::EndedByWatch(status)) return status;
    // Bytes that changed meanwhile may look like bad ones: that they changed comes first.
    SLUICE_ASSIGN_OR_RETURN(const bool unchanged, file_->Unchanged());
    if (!unchanged) return files::Changed();
    if (!files::SpeaksOfTheFile(status)) return status;
    if (status.ok()) {
      SLUICE_ASSIGN_OR_RETURN(auto rows, reader_->Rows());
      content_ = std::make_shared<const UnpackedSheet>(std::move(rows), reader_->layout());
    }
    reader_.reset();
    file_.reset();
    return status;
  }
  void Restart() override { reader_.reset(); }

 private:
  std::shared_ptr<const Content> file_;  // until done
  const files::TableName table_;
  const std::shared_ptr<const XlsxSettings> settings_;
  const std::string work_folder_;
  std::unique_ptr<TableReader> reader_;
  std::shared_ptr<const Content> content_;
};

class XlsxFormat : public files::Format {
 public:
  explicit XlsxFormat(XlsxSettings settings)
      : settings_(std::make_shared<const XlsxSettings>(std::move(settings))) {}

  const char* counted() const override { return "row"; }

  absl::StatusOr<std::vector<std::string>> Parts(const Content& content,
                                                 const files::TableName& table,
                                                 const Watch& watch) const override {
    std::vector<std::string> parts;
    if (settings_->SaysSheet(table.file)) return parts;
    const std::shared_ptr<const Content> borrowed(&content, [](const Content*) {});
    SLUICE_ASSIGN_OR_RETURN(const auto archive,
                            Archive::Open(borrowed, table.file, settings_->most_unpacked_bytes));
    SLUICE_ASSIGN_OR_RETURN(const Workbook workbook,
                            ReadWorkbook(*archive, table.file, false, watch));
    for (const Sheet& sheet : workbook.sheets)
      if (sheet.visible) parts.push_back(sheet.name);
    if (parts.size() == 1) parts.clear();
    return parts;
  }

  std::shared_ptr<files::Unpacking> Unpack(const std::shared_ptr<const Content>& file,
                                           const files::TableName& table,
                                           const std::string& work_folder) const override {
    return std::make_shared<SheetUnpacking>(file, table, settings_, work_folder);
  }

  absl::StatusOr<std::shared_ptr<const files::Layout>> ReadLayout(
      const std::shared_ptr<const Content>& content, const files::TableName& table,
      const Watch& watch) const override {
    if (const auto* sheet = dynamic_cast<const UnpackedSheet*>(content.get()); sheet != nullptr)
      return sheet->layout();
    TableReader reader(content, table, settings_, "");
    SLUICE_RETURN_IF_ERROR(reader.Read(watch));
    return reader.layout();
  }

  absl::StatusOr<std::unique_ptr<files::Rows>> Open(
      std::shared_ptr<const Content> content, std::shared_ptr<const files::Layout> layout,
      const files::TableName& table, std::vector<files::ColumnRequest> columns) const override {
    return std::make_unique<XlsxRows>(std::move(content), static_cast<const XlsxLayout&>(*layout),
                                      settings_->rules, table.Full(), columns);
  }

 private:
  const std::shared_ptr<const XlsxSettings> settings_;
};

}  // namespace

std::shared_ptr<const files::Format> MakeFormat(XlsxSettings settings) {
  return std::make_shared<const XlsxFormat>(std::move(settings));
}

}  // namespace xlsx

absl::StatusOr<std::unique_ptr<Adapter>> OpenXlsx(const Settings& settings,
                                                  const files::Budgets& budgets) {
  SLUICE_ASSIGN_OR_RETURN(auto parsed, xlsx::ParseSettings(settings));
  return files::OpenFiles(xlsx::MakeFormat(std::move(parsed.format)), std::move(parsed.files),
                          budgets);
}

absl::StatusOr<std::unique_ptr<Adapter>> OpenXlsx(const Settings& settings) {
  return OpenXlsx(settings, files::Budgets());
}

absl::Status CheckXlsxSettings(const Settings& settings) {
  return xlsx::ParseSettings(settings).status();
}

}  // namespace sluice::adapters
