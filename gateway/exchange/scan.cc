#include "gateway/exchange/scan.h"

#include <algorithm>

namespace sluice::exchange {
namespace {

// Where a field of the dataset stands in the scan.
size_t PositionOf(const std::vector<int>& scan_fields, int field) {
  return std::find(scan_fields.begin(), scan_fields.end(), field) - scan_fields.begin();
}

// Moves field indices of the dataset's schema to positions in the scan.
void Remap(const std::vector<int>& scan_fields, records::Predicate& predicate) {
  if (predicate.field >= 0)
    predicate.field = static_cast<int>(PositionOf(scan_fields, predicate.field));
  for (records::Predicate& child : predicate.children) Remap(scan_fields, child);
}

}  // namespace

adapters::ScanRequest MakeScan(const policy::Plan& plan) {
  const catalogue::Dataset& dataset = *plan.dataset;
  adapters::ScanRequest scan;
  scan.table = dataset.definition.table();
  scan.fields.reserve(plan.scan_fields.size());
  for (int field : plan.scan_fields) {
    const v1::DatasetField& definition = dataset.field(field);
    scan.fields.push_back({definition.column().empty() ? definition.name() : definition.column(),
                           dataset.schema->field(field)});
  }
  for (int field : dataset.key)
    scan.key.push_back(static_cast<int>(PositionOf(plan.scan_fields, field)));
  scan.predicate = plan.raw_predicate;
  Remap(plan.scan_fields, scan.predicate);
  scan.on_bad_value = dataset.definition.on_bad_value() == v1::ON_BAD_VALUE_NULL_AND_COUNT
                          ? adapters::OnBadValue::kNullAndCount
                          : adapters::OnBadValue::kStop;
  scan.on_bad_record = dataset.definition.on_bad_record() == v1::ON_BAD_RECORD_REJECT_AND_COUNT
                           ? adapters::OnBadRecord::kRejectAndCount
                           : adapters::OnBadRecord::kStop;
  return scan;
}

std::vector<records::Scalar> KeyOf(const policy::Plan& plan, const records::RecordBatch& scanned,
                                   int64_t row) {
  std::vector<records::Scalar> key;
  for (int field : plan.dataset->key)
    key.push_back(ScalarAt(scanned.column(PositionOf(plan.scan_fields, field)), row));
  return key;
}

std::vector<std::string> SubjectsOf(const policy::Plan& plan, const records::RecordBatch& scanned,
                                    int64_t row) {
  std::vector<std::string> subjects;
  for (int field : plan.dataset->subject_fields) {
    const records::Column& column = scanned.column(PositionOf(plan.scan_fields, field));
    subjects.emplace_back(column.IsNull(row) ? std::string_view() : column.Bytes(row));
  }
  return subjects;
}

std::vector<int64_t> BadValuesOf(const policy::Plan& plan, const std::vector<int64_t>& kept,
                                 const std::vector<adapters::BadCell>& bad_cells) {
  std::vector<int64_t> counts(kept.size());
  for (const adapters::BadCell& cell : bad_cells) {
    const auto row = std::lower_bound(kept.begin(), kept.end(), cell.row);
    const bool shown =
        std::any_of(plan.output.begin(), plan.output.end(), [&](const policy::OutputField& out) {
          return out.field == plan.scan_fields[cell.field] &&
                 plan.grant->mask(out.granted).kind() != v1::MASK_KIND_NULL;
        });
    if (row == kept.end() || *row != cell.row || !shown) continue;
    ++counts[row - kept.begin()];
  }
  return counts;
}

records::RecordBatch FirstRows(const std::vector<records::RecordBatch>& batches,
                               const records::SchemaPtr& schema, int64_t rows) {
  std::vector<records::RowRange> ranges;
  for (const records::RecordBatch& batch : batches) {
    const int64_t count = std::min(batch.rows(), rows);
    ranges.push_back({batch, 0, count});
    rows -= count;
  }
  return records::Join(schema, ranges);
}

}  // namespace sluice::exchange
