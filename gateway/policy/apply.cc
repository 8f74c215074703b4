#include "gateway/policy/apply.h"

#include <algorithm>
#include <numeric>

#include "gateway/base/crypto.h"
#include "gateway/catalogue/mask_spec.h"

namespace sluice::policy {
namespace {

using records::Column;
using records::RecordBatch;
using records::TypeId;

// Where each field of the dataset stands in the scan; -1 where it does not.
absl::StatusOr<std::vector<int>> PositionsOf(const Plan& plan, const RecordBatch& scanned) {
  const records::Schema& schema = *plan.dataset->schema;
  if (scanned.columns().size() != plan.scan_fields.size()) {
    return absl::InternalError("the adapter gave another number of columns than were asked for");
  }
  std::vector<int> positions(schema.size(), -1);
  for (size_t i = 0; i < plan.scan_fields.size(); ++i) {
    const records::Field& field = schema.field(plan.scan_fields[i]);
    if (scanned.column(i).type() != field.type || scanned.column(i).length() != scanned.rows()) {
      return absl::InternalError("the adapter gave a column of another type or length for " +
                                 field.name);
    }
    positions[plan.scan_fields[i]] = static_cast<int>(i);
  }
  return positions;
}

void AppendBytes(std::string& out, const void* bytes, size_t size) {
  out.append(static_cast<const char*>(bytes), size);
}

template <class T>
void AppendRaw(std::string& out, T value) {
  AppendBytes(out, &value, sizeof(value));
}

// Unambiguous: a byte for null or not, lengths before texts.
void AppendValue(const Column& column, int64_t row, std::string& out) {
  out += column.IsNull(row) ? '\0' : '\1';
  if (column.IsNull(row)) return;
  switch (column.type().id) {
    case TypeId::kBool:
      return AppendRaw(out, column.Bool(row));
    case TypeId::kInt64:
    case TypeId::kTimestamp:
      return AppendRaw(out, column.Int64(row));
    case TypeId::kFloat64:
      return AppendRaw(out, column.Float64(row));
    case TypeId::kDecimal128:
      return AppendRaw(out, column.Decimal(row));
    case TypeId::kDate32:
      return AppendRaw(out, column.Date32(row));
    case TypeId::kUtf8:
    case TypeId::kBinary:
      AppendRaw(out, static_cast<uint64_t>(column.Bytes(row).size()));
      out += column.Bytes(row);
      return;
  }
}

}  // namespace

absl::StatusOr<Applied> Apply(const Plan& plan, const RecordBatch& scanned, int64_t most,
                              const audit::Pseudonyms& pseudonyms) {
  auto positions = PositionsOf(plan, scanned);
  if (!positions.ok()) return positions.status();
  const auto raw = [&](int field) -> const Column& { return scanned.column((*positions)[field]); };
  const std::string& consumer = plan.grant->definition.consumer_agency();
  const auto masked = [&](int granted, const Column& column) {
    return ApplyMask(plan.grant->mask(granted), column, *plan.dataset, plan.grant->granted[granted],
                     consumer, pseudonyms);
  };

  // The predicate sees raw columns, and those that it reads masked.
  const int width = static_cast<int>(plan.dataset->schema->size());
  std::vector<std::optional<Column>> seen(plan.grant->granted.size());
  records::ColumnView view(width + seen.size(), nullptr);
  for (const int field : records::FieldsOf(plan.predicate)) {
    const int granted = field - width;
    const int source = granted < 0 ? field : plan.grant->granted[granted];
    if ((*positions)[source] < 0) {
      return absl::InternalError("the plan filters on a field that it does not scan");
    }
    if (granted < 0) {
      view[field] = &raw(field);
    } else {
      view[field] = &seen[granted].emplace(masked(granted, raw(source)));
    }
  }
  std::vector<int64_t> kept = records::Evaluate(plan.predicate, view, scanned.rows());
  if (static_cast<int64_t>(kept.size()) > most) kept.resize(std::max<int64_t>(most, 0));

  std::vector<Column> columns;
  columns.reserve(plan.output.size());
  for (const auto& [field, granted] : plan.output) {
    if ((*positions)[field] < 0) {
      return absl::InternalError("the plan puts out a field that it does not scan");
    }
    columns.push_back(seen[granted] ? seen[granted]->Take(kept)
                                    : masked(granted, raw(field).Take(kept)));
  }
  const auto rows = static_cast<int64_t>(kept.size());
  return Applied{RecordBatch(plan.output_schema, std::move(columns), rows), std::move(kept)};
}

std::vector<int64_t> ShuffleOrder(const RecordBatch& output, std::string_view key) {
  std::vector<Hash> digests(output.rows());
  std::string row;
  for (int64_t i = 0; i < output.rows(); ++i) {
    row.clear();
    for (const Column& column : output.columns()) AppendValue(column, i, row);
    digests[i] = HmacSha256(key, row);
  }
  std::vector<int64_t> order(output.rows());
  std::iota(order.begin(), order.end(), 0);
  // Rows of one digest are the same, so that their order says nothing.
  std::sort(order.begin(), order.end(),
            [&digests](int64_t a, int64_t b) { return digests[a] < digests[b]; });
  return order;
}

}  // namespace sluice::policy
