#include "adapters/remote/checker.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "adapters/remote/errors.h"
#include "adapters/remote/messages.h"
#include "gateway/base/error.h"
#include "gateway/records/arrow_reader.h"
#include "gateway/records/row_batch.h"

namespace sluice::adapters::remote {
namespace {

using records::Column;
using records::RecordBatch;
using records::Scalar;
using records::TypeId;

Column OneRow(const Scalar& value, const records::DataType& type) {
  records::ColumnBuilder builder(type);
  struct Append {
    records::ColumnBuilder& builder;
    void operator()(std::monostate) const { builder.AppendNull(); }
    void operator()(bool v) const { builder.AppendBool(v); }
    void operator()(int64_t v) const { builder.AppendInt64(v); }
    void operator()(double v) const { builder.AppendFloat64(v); }
    void operator()(int32_t v) const { builder.AppendDate32(v); }
    void operator()(records::Decimal128 v) const { builder.AppendDecimal(v); }
    void operator()(const std::string& v) const { builder.AppendBytes(v); }
  };
  std::visit(Append{builder}, value);
  return builder.Finish();
}

enum class Order { kLess, kEqual, kOther };

template <class T>
Order OrderOf(const T& a, const T& b) {
  return a < b ? Order::kLess : a == b ? Order::kEqual : Order::kOther;
}

// Nulls first. A NaN is in no order with anything.
Order OrderOf(const Column& a, int64_t i, const Column& b, int64_t j) {
  if (a.IsNull(i) || b.IsNull(j)) return OrderOf(!a.IsNull(i), !b.IsNull(j));
  switch (a.type().id) {
    case TypeId::kBool:
      return OrderOf(a.Bool(i), b.Bool(j));
    case TypeId::kInt64:
    case TypeId::kTimestamp:
      return OrderOf(a.Int64(i), b.Int64(j));
    case TypeId::kFloat64:
      return OrderOf(a.Float64(i), b.Float64(j));
    case TypeId::kDecimal128:
      return OrderOf(a.Decimal(i), b.Decimal(j));
    case TypeId::kDate32:
      return OrderOf(a.Date32(i), b.Date32(j));
    case TypeId::kUtf8:
    case TypeId::kBinary:
      return OrderOf(a.Bytes(i), b.Bytes(j));
  }
  return Order::kOther;
}

bool InCalendar(const Column& column, int64_t row) {
  if (column.type().id == TypeId::kDate32) {
    const int32_t day = column.Date32(row);
    return day >= records::kMinDate32 && day <= records::kMaxDate32;
  }
  const int64_t time = column.Int64(row);
  return time >= records::kMinTimestamp && time <= records::kMaxTimestamp;
}

bool Contains(const std::vector<int>& fields, int field) {
  return std::find(fields.begin(), fields.end(), field) != fields.end();
}

absl::StatusOr<RecordBatch> DecodeArrow(std::string_view bytes, size_t columns) {
  records::ArrowLimits limits;
  limits.metadata_bytes = limits.body_bytes = kMostMessageBytes;
  limits.columns = static_cast<int64_t>(columns);
  limits.rows = kMostRows;
  SLUICE_ASSIGN_OR_RETURN(auto reader,
                          records::ArrowStreamReader::Open(records::ReadFrom(bytes), limits));
  SLUICE_ASSIGN_OR_RETURN(std::optional<RecordBatch> batch, reader.Next());
  if (!batch) return absl::InvalidArgumentError("the Arrow stream has no batch");
  SLUICE_ASSIGN_OR_RETURN(const auto second, reader.Next());
  if (second || !reader.whole())
    return absl::InvalidArgumentError("the Arrow stream is not one batch and an end mark");
  return *std::move(batch);
}

}  // namespace

Checker::Checker(const ScanRequest& request) : request_(request), schema_(SchemaOf(request)) {
  if (!request.after) return;
  for (size_t i = 0; i < request.key.size(); ++i)
    last_.push_back(OneRow((*request.after)[i], schema_->field(request.key[i]).type));
}

std::optional<KeyPosition> Checker::position() const {
  if (last_.empty()) return std::nullopt;
  KeyPosition position;
  for (const Column& column : last_) position.push_back(ScalarAt(column, 0));
  return position;
}

absl::StatusOr<std::optional<Checker::Checked>> Checker::Take(v1::ScanResponse& message) {
  if (message.batch_case() == v1::ScanResponse::BATCH_NOT_SET) {
    if (message.bad_cells_size() > 0) return Broken("bad cells without a batch");
    return std::nullopt;
  }
  SLUICE_ASSIGN_OR_RETURN(RecordBatch sent, Decode(message));
  SLUICE_ASSIGN_OR_RETURN(RecordBatch batch, AsAsked(std::move(sent)));
  SLUICE_RETURN_IF_ERROR(CheckValues(batch));
  SLUICE_RETURN_IF_ERROR(CheckOrder(batch));
  SLUICE_ASSIGN_OR_RETURN(std::vector<BadCell> cells, CheckCells(message, batch));
  rows_ += batch.rows();
  last_.clear();
  for (const int field : request_.key)
    last_.push_back(batch.column(field).Take({batch.rows() - 1}));
  return Checked{std::move(batch), std::move(cells)};
}

absl::StatusOr<RecordBatch> Checker::Decode(v1::ScanResponse& message) const {
  const bool arrow = message.has_arrow();
  const std::string& bytes = arrow ? message.arrow() : message.rows();
  auto batch = arrow ? DecodeArrow(bytes, schema_->size()) : records::DecodeRowBatch(bytes);
  if (!batch.ok())
    return Broken(absl::StrCat("a batch cannot be read: ", std::string(batch.status().message())));
  if (batch->rows() < 1 || batch->rows() > kMostRows)
    return Broken(absl::StrCat("a batch of ", batch->rows(), " rows, where 1 to ", kMostRows,
                               " are allowed"));
  if (batch->rows() > 1 && static_cast<int64_t>(bytes.size()) > kMostBatchBytes)
    return Broken(absl::StrCat("a batch of ", bytes.size(), " bytes, where ", kMostBatchBytes,
                               " are allowed to more than one row"));
  return batch;
}

// The same columns under our own schema: what may be null there is ours to say.
absl::StatusOr<RecordBatch> Checker::AsAsked(RecordBatch batch) const {
  bool same = batch.schema()->size() == schema_->size();
  for (size_t i = 0; same && i < schema_->size(); ++i) {
    const records::Field& sent = batch.schema()->field(i);
    same = sent.name == schema_->field(i).name && sent.type == schema_->field(i).type;
  }
  if (!same) {
    absl::Status status = Drift(absl::StrCat("table '", request_.table,
                                             "': the source's adapter sends other columns "
                                             "than the dataset's"));
    AddOperatorNote(status, "the batch's columns, names or types are not those of the request");
    return status;
  }
  return RecordBatch(schema_, batch.columns(), batch.rows());
}

absl::Status Checker::CheckValues(const RecordBatch& batch) const {
  for (size_t i = 0; i < schema_->size(); ++i) {
    const Column& column = batch.column(i);
    const int field = static_cast<int>(i);
    const TypeId type = column.type().id;
    const bool dated = type == TypeId::kDate32 || type == TypeId::kTimestamp;
    const bool needed = !schema_->field(i).nullable && column.null_count() > 0;
    if (!dated && !needed) continue;
    for (int64_t row = 0; row < batch.rows(); ++row) {
      if (needed && column.IsNull(row))
        return BadValue(request_, rows_ + row + 1, field, "null, which it may not be");
      if (dated && !column.IsNull(row) && !InCalendar(column, row))
        return BadValue(request_, rows_ + row + 1, field, "not of the years 1 to 9999");
    }
  }
  return absl::OkStatus();
}

// A page begins behind a row's key: out of order, rows would be given twice or never.
absl::Status Checker::CheckOrder(const RecordBatch& batch) const {
  if (request_.key.empty()) return absl::OkStatus();
  const auto order = [&](int64_t row) {
    for (size_t k = 0; k < request_.key.size(); ++k) {
      const Column& column = batch.column(request_.key[k]);
      const Order one =
          row == 0 ? OrderOf(last_[k], 0, column, 0) : OrderOf(column, row - 1, column, row);
      if (one != Order::kEqual) return one;
    }
    return Order::kEqual;
  };
  for (int64_t row = last_.empty() ? 1 : 0; row < batch.rows(); ++row) {
    const Order one = order(row);
    if (one == Order::kLess) continue;
    return Drift(absl::StrCat(
        "table '", request_.table, "', row ", rows_ + row + 1, " of the scan: ",
        one == Order::kEqual ? "the dataset's key is not unique"
                             : "the source's adapter sends rows out of the key's order"));
  }
  // The first row of all has nobody before it.
  if (last_.empty() && batch.rows() == 1) {
    for (const int field : request_.key) {
      const Column& column = batch.column(field);
      if (OrderOf(column, 0, column, 0) == Order::kOther)
        return Drift(absl::StrCat("table '", request_.table, "': a key that has no order"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<BadCell>> Checker::CheckCells(const v1::ScanResponse& message,
                                                         const RecordBatch& batch) const {
  if (message.bad_cells_size() > 0 && request_.on_bad_value == OnBadValue::kStop)
    return Broken("bad values became null where they are to end the scan");
  std::vector<BadCell> cells;
  cells.reserve(message.bad_cells_size());
  for (const v1::BadCell& cell : message.bad_cells()) {
    if (cell.row() < 0 || cell.row() >= batch.rows() || cell.field() < 0 ||
        static_cast<size_t>(cell.field()) >= schema_->size() ||
        !batch.column(cell.field()).IsNull(cell.row()) || Contains(request_.key, cell.field()))
      return Broken("a bad cell that is no null of the batch, or stands in its key");
    cells.push_back({cell.row(), cell.field()});
  }
  const auto place = [](const BadCell& cell) { return std::pair(cell.row, cell.field); };
  std::sort(cells.begin(), cells.end(),
            [&](const BadCell& a, const BadCell& b) { return place(a) < place(b); });
  if (std::adjacent_find(cells.begin(), cells.end()) != cells.end())
    return Broken("a bad cell twice");
  return cells;
}

}  // namespace sluice::adapters::remote
