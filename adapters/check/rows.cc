#include "adapters/check/rows.h"

#include <cmath>
#include <string>
#include <utility>

namespace sluice::adapters::check {

using records::Scalar;
using records::TypeId;

std::vector<Row> RowsOf(const records::RecordBatch& batch) {
  std::vector<Row> rows(static_cast<size_t>(batch.rows()));
  for (const records::Column& column : batch.columns())
    for (int64_t i = 0; i < batch.rows(); ++i) rows[i].push_back(ScalarAt(column, i));
  return rows;
}

std::vector<Row> RowsOf(const std::vector<records::RecordBatch>& batches) {
  std::vector<Row> rows;
  for (const records::RecordBatch& batch : batches)
    for (Row& row : RowsOf(batch)) rows.push_back(std::move(row));
  return rows;
}

bool Same(const Row& a, const Row& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    const auto* const x = std::get_if<double>(&a[i]);
    const auto* const y = std::get_if<double>(&b[i]);
    const bool both_nan = x != nullptr && y != nullptr && std::isnan(*x) && std::isnan(*y);
    if (!both_nan && a[i] != b[i]) return false;
  }
  return true;
}

records::Column ColumnOf(const std::vector<Row>& rows, size_t place,
                         const records::DataType& type) {
  records::ColumnBuilder builder(type);
  for (const Row& row : rows) {
    const Scalar& value = row[place];
    if (std::holds_alternative<std::monostate>(value)) {
      builder.AppendNull();
      continue;
    }
    switch (type.id) {
      case TypeId::kBool:
        builder.AppendBool(std::get<bool>(value));
        break;
      case TypeId::kInt64:
      case TypeId::kTimestamp:
        builder.AppendInt64(std::get<int64_t>(value));
        break;
      case TypeId::kFloat64:
        builder.AppendFloat64(std::get<double>(value));
        break;
      case TypeId::kDate32:
        builder.AppendDate32(std::get<int32_t>(value));
        break;
      case TypeId::kDecimal128:
        builder.AppendDecimal(std::get<records::Decimal128>(value));
        break;
      case TypeId::kUtf8:
      case TypeId::kBinary:
        builder.AppendBytes(std::get<std::string>(value));
        break;
    }
  }
  return builder.Finish();
}

Row At(const Row& row, const std::vector<int>& places) {
  Row values;
  for (const int place : places) values.push_back(row[place]);
  return values;
}

}  // namespace sluice::adapters::check
