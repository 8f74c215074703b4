#include "adapters/copybook/copybook_adapter.h"

#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/copybook/columns.h"
#include "adapters/copybook/rows.h"
#include "adapters/files/files_adapter.h"
#include "gateway/base/error.h"
#include "gateway/base/mutex.h"

namespace sluice::adapters {
namespace copybook {
namespace {

constexpr size_t kMostLayouts = 64;

bool Fixed(const CopybookSettings& settings) {
  return settings.records.format == RecordFormat::kFixed ||
         settings.records.format == RecordFormat::kFixedBlocked;
}

// Settings that do not go with the record as the copybook describes it.
absl::Status CheckRecord(const Shape& shape, const CopybookSettings& settings) {
  const RecordSettings& records = settings.records;
  const int64_t inner = records.record_length - records.record_start - records.record_end;
  if (Fixed(settings) && records.record_length > 0 && inner < shape.least() &&
      !records.short_is_null.value_or(false))
    return absl::InvalidArgumentError(
        absl::StrCat("setting 'record_length' leaves ", std::max<int64_t>(inner, 0),
                     " bytes, and the copybook describes at least ", shape.least()));
  if (records.format == RecordFormat::kLines)
    for (const Leaf& leaf : shape.leaves())
      if (!leaf.item->group() && leaf.item->usage != Usage::kDisplay)
        return absl::InvalidArgumentError(
            absl::StrCat("setting 'record_format' is lines, and '", leaf.item->name, "' (line ",
                         leaf.item->line, ") is no text: its bytes could be a line end"));
  if (records.format == RecordFormat::kLengthField) {
    const auto leaf = shape.FindLeaf(records.length_field);
    if (!leaf.ok())
      return absl::InvalidArgumentError(
          absl::StrCat("setting 'length_field' names ", leaf.status().message()));
    const Leaf& length = shape.leaves()[*leaf];
    if (!length.number() || !length.item->picture || !length.tables.empty())
      return absl::InvalidArgumentError(
          "setting 'length_field' names a field that is no number, or occurs several times");
  }
  if (records.format == RecordFormat::kCounted && !shape.moves())
    return absl::InvalidArgumentError(
        "setting 'record_format' is counted, and the copybook has no OCCURS DEPENDING ON: it is "
        "fixed");
  return absl::OkStatus();
}

class CopybookFormat : public files::Format {
 public:
  CopybookFormat(CopybookSettings settings, std::shared_ptr<const Copybook> copybook)
      : settings_(std::make_shared<const CopybookSettings>(std::move(settings))),
        constant_(std::move(copybook)),
        file_(settings_->copybooks, settings_->reference_format, OptionsOf(*settings_)) {}

  const char* counted() const override { return "record"; }

  // What every table of the source must be able to do; INVALID_ARGUMENT.
  absl::Status Check() const {
    SLUICE_ASSIGN_OR_RETURN(const auto copybook, Current());
    SLUICE_RETURN_IF_ERROR(CheckRecord(*copybook->shape, *settings_));
    if (settings_->segments.empty())
      return PlanColumns(copybook->shape, *settings_, {"", ""}).status();
    for (const SegmentText& segment : settings_->segments)
      SLUICE_RETURN_IF_ERROR(PlanColumns(copybook->shape, *settings_, {"", segment.name}).status());
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<std::string>> Parts(const Content&, const files::TableName&,
                                                 const Watch&) const override {
    std::vector<std::string> parts;
    for (const SegmentText& segment : settings_->segments) parts.push_back(segment.name);
    return parts;
  }

  absl::StatusOr<std::shared_ptr<const files::Layout>> ReadLayout(
      const std::shared_ptr<const Content>& content, const files::TableName& table,
      const Watch& watch) const override {
    if (!Exists(table.part)) return absl::NotFoundError("no segment of that name");
    const auto copybook = Current();
    if (absl::IsInvalidArgument(copybook.status())) return Changed(copybook.status());
    SLUICE_RETURN_IF_ERROR(copybook.status());
    const auto layout = LayoutOf(*copybook, table);
    if (absl::IsInvalidArgument(layout.status())) return Changed(layout.status());
    SLUICE_RETURN_IF_ERROR(layout.status());
    SLUICE_RETURN_IF_ERROR(CheckSize(*content, *(*layout)->shape, table.Full()));
    if (settings_->records.skip_records == 0) return *layout;
    auto behind = std::make_shared<TableLayout>(**layout);
    SLUICE_ASSIGN_OR_RETURN(behind->rows, BehindSkipped(content, **layout, table, watch));
    return behind;
  }

  absl::StatusOr<std::unique_ptr<files::Rows>> Open(
      std::shared_ptr<const Content> content, std::shared_ptr<const files::Layout> layout,
      const files::TableName& table, std::vector<files::ColumnRequest> columns) const override {
    return CopybookRows::Make(settings_, std::move(content),
                              std::static_pointer_cast<const TableLayout>(std::move(layout)),
                              table.Full(), columns);
  }

 private:
  absl::StatusOr<std::shared_ptr<const Copybook>> Current() const {
    if (constant_ != nullptr) return constant_;
    return file_.Current();
  }

  bool Exists(const std::string& part) const {
    if (settings_->segments.empty()) return part.empty();
    for (const SegmentText& segment : settings_->segments)
      if (segment.name == part) return true;
    return false;
  }

  // The copybook was right when the source was opened, or is for other tables.
  static absl::Status Changed(const absl::Status& wrong) {
    return files::Drift(absl::StrCat(
        "the copybook (setting 'copybook') does not describe the table: ", wrong.message()));
  }

  absl::StatusOr<std::shared_ptr<const TableLayout>> LayoutOf(
      const std::shared_ptr<const Copybook>& copybook, const files::TableName& table) const {
    MutexLock lock(mutex_);
    if (copybook->digest != digest_ || layouts_.size() >= kMostLayouts) layouts_.clear();
    digest_ = copybook->digest;
    auto& known = layouts_[table.Full()];
    if (known != nullptr) return known;
    SLUICE_RETURN_IF_ERROR(CheckRecord(*copybook->shape, *settings_));
    SLUICE_ASSIGN_OR_RETURN(auto layout, PlanColumns(copybook->shape, *settings_, table));
    layout.rows = {settings_->records.file_start, 1};
    layout.reading = copybook->digest;
    known = std::make_shared<const TableLayout>(std::move(layout));
    return known;
  }

  absl::Status CheckSize(const Content& content, const Shape& shape,
                         const std::string& table) const {
    const RecordSettings& records = settings_->records;
    const int64_t left = content.size() - records.file_start - records.file_end;
    if (left < 0)
      return files::BadFile(table, absl::StrCat("the file has ", content.size(),
                                                " bytes, fewer than file_start_bytes and "
                                                "file_end_bytes"));
    if (records.format != RecordFormat::kFixed) return absl::OkStatus();
    const int64_t length = records.record_length > 0
                               ? records.record_length
                               : shape.most() + records.record_start + records.record_end;
    if (left % length != 0)
      return files::BadFile(
          table, absl::StrCat("the file has ", left,
                              " bytes of records, no multiple of the "
                              "record's ",
                              length,
                              ": look at the copybook, at record_format and record_length, and at "
                              "file_start_bytes and file_end_bytes"));
    if (left / length < records.skip_records + records.skip_last_records)
      return files::BadFile(table,
                            "the file has fewer records than skip_records and "
                            "skip_last_records");
    return absl::OkStatus();
  }

  absl::StatusOr<Place> BehindSkipped(const std::shared_ptr<const Content>& content,
                                      const TableLayout& layout, const files::TableName& table,
                                      const Watch& watch) const {
    RecordStream stream(content, settings_->records, layout.shape, table.Full());
    stream.Seek(layout.rows);
    for (int64_t i = 0; i < settings_->records.skip_records; ++i) {
      SLUICE_ASSIGN_OR_RETURN(const bool any, stream.Next(watch));
      if (!any) return files::BadFile(table.Full(), "the file has fewer records than skip_records");
    }
    return stream.NextPlace();
  }

  const std::shared_ptr<const CopybookSettings> settings_;
  const std::shared_ptr<const Copybook> constant_;
  mutable CopybookFile file_;
  mutable Mutex mutex_;
  mutable std::string digest_ SLUICE_GUARDED_BY(mutex_);
  mutable std::map<std::string, std::shared_ptr<const TableLayout>> layouts_
      SLUICE_GUARDED_BY(mutex_);
};

}  // namespace

ShapeOptions OptionsOf(const CopybookSettings& settings) {
  ShapeOptions options;
  options.page = settings.page;
  options.small_binaries = settings.small_binaries;
  options.comp_little = settings.comp_little;
  options.native_little = settings.native_little;
  options.limited_binaries = settings.limited_binaries;
  options.floats = settings.floats;
  options.relaxed = settings.relaxed;
  options.variable = settings.variable_occurs;
  options.group_texts = settings.group_texts;
  return options;
}

std::shared_ptr<const files::Format> MakeFormat(CopybookSettings settings) {
  return MakeFormat(std::move(settings), nullptr);
}

std::shared_ptr<const files::Format> MakeFormat(CopybookSettings settings,
                                                std::shared_ptr<const Copybook> copybook) {
  return std::make_shared<const CopybookFormat>(std::move(settings), std::move(copybook));
}

namespace {

absl::StatusOr<std::shared_ptr<const files::Format>> CheckedFormat(CopybookSettings settings) {
  auto format = std::make_shared<const CopybookFormat>(std::move(settings), nullptr);
  const absl::Status status = format->Check();
  if (!absl::IsInvalidArgument(status)) {
    SLUICE_RETURN_IF_ERROR(status);
    return format;
  }
  const std::string sentence(status.message());
  if (sentence.starts_with("setting ")) return Error(v1::REASON_DEFINITION_INVALID, sentence);
  files::Mistakes mistakes;
  mistakes.Add("copybook", sentence);
  return mistakes.AsStatus();
}

}  // namespace
}  // namespace copybook

absl::StatusOr<std::unique_ptr<Adapter>> OpenCopybook(const Settings& settings,
                                                      const files::Budgets& budgets) {
  SLUICE_ASSIGN_OR_RETURN(auto parsed, copybook::ParseSettings(settings));
  SLUICE_ASSIGN_OR_RETURN(auto format, copybook::CheckedFormat(std::move(parsed.format)));
  return files::OpenFiles(std::move(format), std::move(parsed.files), budgets);
}

absl::StatusOr<std::unique_ptr<Adapter>> OpenCopybook(const Settings& settings) {
  return OpenCopybook(settings, files::Budgets());
}

absl::Status CheckCopybookSettings(const Settings& settings) {
  return copybook::ParseSettings(settings).status();
}

}  // namespace sluice::adapters
