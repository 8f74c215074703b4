#include "adapters/files/reader.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "adapters/files/errors.h"
#include "adapters/files/good_rows.h"
#include "gateway/base/error.h"

namespace sluice::adapters::files {
namespace {

using records::RecordBatch;

constexpr int64_t kMostRows = 16'384;
constexpr int64_t kMostBytes = 1 << 20;
constexpr int64_t kRowsPerLook = 256;

}  // namespace

FileReader::FileReader(std::shared_ptr<Source> source, ScanRequest request, CallContext context)
    : source_(std::move(source)),
      request_(std::move(request)),
      table_(TableName::Of(request_.table)),
      context_(std::move(context)),
      schema_(SchemaOf(request_)),
      in_key_(request_.fields.size(), false),
      batch_rows_(request_.rows_wanted > 0 ? std::min(request_.rows_wanted, kMostRows)
                                           : kMostRows) {
  for (const int field : request_.key) in_key_[field] = true;
}

absl::StatusOr<std::optional<RecordBatch>> FileReader::Next() {
  const Watch watch(context_, &cancelled_);
  if (failed_.ok()) failed_ = watch.Check();
  if (failed_.ok() && !started_) failed_ = ChangesFirst(Start(watch), watch);
  started_ = true;
  if (!failed_.ok()) return failed_;
  if (at_end_) return std::optional<RecordBatch>();
  auto batch = ReadBatch(watch);
  failed_ = ChangesFirst(batch.status(), watch);
  if (!failed_.ok()) return failed_;
  return batch;
}

// What ended a read of the file, or nothing. Bytes that changed meanwhile may look like bad ones,
// or like good ones: that they changed comes first.
absl::Status FileReader::ChangesFirst(absl::Status status, const Watch& watch) const {
  if (file_ == nullptr || EndedByWatch(status)) return status;
  SLUICE_RETURN_IF_ERROR(source_->drops->Recheck(table_.file, *file_, watch));
  return status;
}

absl::Status FileReader::Start(const Watch& watch) {
  const Format& format = *source_->format;
  const auto no_table = [this] {
    return Drift(absl::StrCat("the source has no table '", request_.table, "'"));
  };
  const auto served = source_->drops->Open(table_.file, true, watch);
  if (absl::IsNotFound(served.status())) return no_table();
  SLUICE_RETURN_IF_ERROR(served.status());
  file_ = served->file;
  file_version_ = served->version;
  SLUICE_ASSIGN_OR_RETURN(const std::string digest, file_version_->Digest(watch));
  version_.as_of = file_->stamp().modified_ns / 1'000;
  const auto unpacked =
      file_version_->Unpacked(format, file_, table_, source_->settings.place.unpack, watch);
  if (absl::IsNotFound(unpacked.status())) return no_table();
  SLUICE_RETURN_IF_ERROR(unpacked.status());
  const std::shared_ptr<const Content>& content = *unpacked;
  auto layout = format.ReadLayout(content, table_, watch);
  if (absl::IsNotFound(layout.status())) return no_table();
  SLUICE_RETURN_IF_ERROR(layout.status());
  version_.version = (*layout)->VersionOf(digest);
  std::vector<ColumnRequest> columns;
  for (const FieldRequest& field : request_.fields) {
    SLUICE_ASSIGN_OR_RETURN(const size_t column, (*layout)->Find(table_, field.column));
    columns.push_back({column, (*layout)->columns[column].name, field.field.type});
  }
  const FileSettings& settings = source_->settings;
  const bool rejecting = request_.on_bad_record == OnBadRecord::kRejectAndCount;
  if (rejecting && settings.reject_folder.empty())
    return Drift("the dataset has bad records rejected, and the source no setting reject_folder");
  std::shared_ptr<const KeyIndex> index;
  if (!request_.key.empty() || rejecting) {
    IndexedTable table{source_->format,
                       content,
                       *layout,
                       table_,
                       {},
                       settings.work_folder,
                       rejecting ? settings.reject_folder : "",
                       version_.version};
    for (const int field : request_.key) table.key.push_back(columns[field]);
    SLUICE_ASSIGN_OR_RETURN(index, file_version_->Index(table, file_, source_->budgets, watch));
    version_.rejected_records = index->rejected;
    if (request_.key.empty()) index.reset();
  }
  SLUICE_ASSIGN_OR_RETURN(rows_, format.Open(content, *layout, table_, columns));
  if (rejecting)
    rows_ = std::make_unique<GoodRows>(std::move(rows_), columns, request_.key, request_.table,
                                       format.counted(), nullptr);
  keys_.emplace(*rows_, std::move(columns), request_.key, request_.table, format.counted());
  std::vector<KeyRange> ranges;
  if (!request_.key.empty()) {
    ranges = RangesOf(request_.predicate, request_.key[0]);
    std::string after;
    for (size_t i = 0; request_.after && i < request_.after->size(); ++i)
      AppendKey(ValueOf((*request_.after)[i]), after);
    if (request_.after) ranges = Behind(std::move(ranges), after);
  }
  cursor_.emplace(*rows_, *keys_, (*layout)->rows, std::move(index), std::move(ranges));
  return absl::OkStatus();
}

absl::StatusOr<std::optional<RecordBatch>> FileReader::ReadBatch(const Watch& watch) {
  bad_cells_.clear();
  Builders builders;
  for (const FieldRequest& field : request_.fields) builders.emplace_back(field.field.type);
  int64_t rows = 0, bytes = 0;
  for (; rows < batch_rows_; ++rows) {
    if (rows % kRowsPerLook == 0) SLUICE_RETURN_IF_ERROR(watch.Check());
    if (!pending_) {
      SLUICE_ASSIGN_OR_RETURN(pending_, cursor_->Next(watch));
      at_end_ = !pending_;
    }
    if (at_end_) break;
    bytes += rows_->MostBytes();
    if (rows > 0 && bytes > kMostBytes) break;
    SLUICE_RETURN_IF_ERROR(AppendRow(builders, rows_read_ + rows + 1));
    pending_ = false;
  }
  rows_read_ += rows;
  if (at_end_ && request_.key.empty()) file_version_->SetRows(table_.part, rows_read_);
  // The guess was too low, or the filter keeps few.
  batch_rows_ = std::min(batch_rows_ * 4, kMostRows);
  if (rows == 0) return std::optional<RecordBatch>();
  std::vector<records::Column> columns;
  for (records::ColumnBuilder& builder : builders) columns.push_back(builder.Finish());
  return std::optional<RecordBatch>(RecordBatch(schema_, std::move(columns), rows));
}

absl::Status FileReader::AppendRow(Builders& builders, int64_t row) {
  for (size_t i = 0; i < request_.fields.size(); ++i) {
    const FieldRequest& field = request_.fields[i];
    const auto value = rows_->Read(i);
    const bool null = value && std::holds_alternative<std::monostate>(*value);
    if (value && (!null || field.field.nullable)) {
      Append(*value, builders[i]);
      continue;
    }
    const bool can_be_null = field.field.nullable && !in_key_[i];
    if (request_.on_bad_value == OnBadValue::kStop || !can_be_null) {
      const std::string what = null            ? "null, which it may not be"
                               : *rows_->why() ? std::string(rows_->why())
                                               : "not a " + records::ToString(field.field.type);
      absl::Status status = BadField({request_.table, source_->format->counted(), rows_->place()},
                                     field.column, what);
      AddKey(status, "field", field.field.name);
      AddKey(status, "row", absl::StrCat(row));
      return status;
    }
    bad_cells_.push_back({builders[i].length(), static_cast<int>(i)});
    builders[i].AppendNull();
    ++bad_values_;
  }
  return absl::OkStatus();
}

}  // namespace sluice::adapters::files
