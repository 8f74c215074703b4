#include "bench/memory_adapter.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "bench/permits.h"
#include "gateway/base/error.h"

namespace sluice::bench {
namespace {

using adapters::CallContext;
using adapters::ScanRequest;
using adapters::Settings;
using adapters::SourceVersion;
using adapters::TableDescription;
using records::RecordBatch;
using PermitsPtr = std::shared_ptr<const Permits>;

const SourceVersion& Version() {
  static const auto& version = *new SourceVersion{"permits/1", std::nullopt};
  return version;
}

std::optional<int64_t> RowsOf(absl::string_view table) {
  int64_t rows = 0;
  if (!absl::ConsumePrefix(&table, "permits_") || !absl::SimpleAtoi(table, &rows) || rows <= 0 ||
      rows % Permits::kBatchRows != 0)
    return std::nullopt;
  return rows;
}

class MemoryReader : public adapters::RecordReader {
 public:
  // `columns`: where each field asked for stands in the table.
  MemoryReader(PermitsPtr permits, const ScanRequest& request, std::vector<size_t> columns,
               int64_t rows, CallContext context)
      : permits_(std::move(permits)),
        columns_(std::move(columns)),
        rows_(rows),
        context_(std::move(context)) {
    std::vector<records::Field> fields;
    for (const auto& field : request.fields) fields.push_back(field.field);
    schema_ = std::make_shared<const records::Schema>(std::move(fields));
    // The key is the row's number from 1: behind key n comes row n, counted from 0.
    if (request.after) next_ = std::max<int64_t>(0, std::get<int64_t>((*request.after)[0]));
  }

  absl::StatusOr<std::optional<RecordBatch>> Next() override {
    if (stopped_ || (context_.stop != nullptr && context_.stop->stopped()))
      return Error(v1::REASON_CANCELLED, "the call was given up.");
    if (context_.deadline != 0 && context_.clock->Monotonic() >= context_.deadline)
      return Error(v1::REASON_DEADLINE_EXCEEDED, "the deadline passed.");
    if (next_ >= rows_) return std::optional<RecordBatch>();
    const int64_t skipped = next_ % Permits::kBatchRows;
    const RecordBatch table = permits_->Batch(next_ / Permits::kBatchRows);
    next_ += Permits::kBatchRows - skipped;
    std::vector<records::Column> columns;
    for (const size_t column : columns_) columns.push_back(table.column(column));
    RecordBatch batch(schema_, std::move(columns), table.rows());
    if (skipped == 0) return batch;
    std::vector<int64_t> rest;
    for (int64_t row = skipped; row < table.rows(); ++row) rest.push_back(row);
    return batch.Take(rest);
  }

  void Cancel() override { stopped_ = true; }
  SourceVersion version() const override { return Version(); }
  bool snapshot() const override { return true; }
  int64_t bad_values() const override { return 0; }
  const std::vector<adapters::BadCell>& bad_cells() const override { return none_; }

 private:
  const PermitsPtr permits_;
  const std::vector<size_t> columns_;
  const int64_t rows_;
  const CallContext context_;
  const std::vector<adapters::BadCell> none_;
  records::SchemaPtr schema_;
  int64_t next_ = 0;
  std::atomic<bool> stopped_{false};
};

class MemoryAdapter : public adapters::Adapter {
 public:
  explicit MemoryAdapter(int64_t held_batches)
      : permits_(std::make_shared<const Permits>(held_batches)) {}

  absl::StatusOr<std::vector<TableDescription>> Describe(const std::string& table,
                                                         const CallContext&) override {
    if (!RowsOf(table)) return absl::NotFoundError("tables are called permits_ROWS");
    TableDescription description;
    description.table = table;
    for (const records::Field& field : Permits::Schema()->fields())
      description.columns.push_back(
          {field.name, field.type, field.nullable, records::ToString(field.type)});
    description.unique_keys = {{"permit_no"}};
    description.snapshot = true;
    description.version = Version();
    return std::vector<TableDescription>{std::move(description)};
  }

  absl::StatusOr<std::unique_ptr<adapters::RecordReader>> Scan(
      ScanRequest request, const CallContext& context) override {
    const auto rows = RowsOf(request.table);
    if (!rows) return Error(v1::REASON_SCHEMA_DRIFT, "the source has no such table");
    std::vector<size_t> columns;
    for (const auto& field : request.fields) {
      const auto column = Permits::Schema()->IndexOf(field.column);
      if (!column || Permits::Schema()->field(*column).type != field.field.type)
        return Error(v1::REASON_SCHEMA_DRIFT, "the source has no such column of that type");
      columns.push_back(*column);
    }
    return std::make_unique<MemoryReader>(permits_, request, std::move(columns), *rows, context);
  }

  absl::Status Probe(const CallContext&) override { return absl::OkStatus(); }

 private:
  const PermitsPtr permits_;
};

absl::StatusOr<int64_t> HeldBatches(const Settings& settings) {
  int64_t held = 64;
  for (const auto& [name, value] : settings) {
    if (name != "held_batches" || !absl::SimpleAtoi(value, &held) || held < 1 || held > 1000)
      return Error(v1::REASON_DEFINITION_INVALID,
                   absl::StrCat(name, ": there is held_batches alone, 1 to 1000"));
  }
  return held;
}

}  // namespace

adapters::Kind MemoryKind() {
  return {"memory",
          [](const Settings& settings) -> absl::StatusOr<std::unique_ptr<adapters::Adapter>> {
            SLUICE_ASSIGN_OR_RETURN(const int64_t held, HeldBatches(settings));
            return std::make_unique<MemoryAdapter>(held);
          },
          [](const Settings& settings) { return HeldBatches(settings).status(); }};
}

}  // namespace sluice::bench
