#include "adapters/sqlite/reader.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "adapters/sql/predicate_shape.h"
#include "adapters/sqlite/errors.h"
#include "adapters/sqlite/values.h"
#include "adapters/sqlite/version.h"
#include "gateway/base/check.h"
#include "gateway/base/error.h"

namespace sluice::adapters::sqlite {
namespace {

using records::Column;
using records::RecordBatch;
using records::TypeId;

constexpr int64_t kMostRows = 16'384;
constexpr int64_t kMostBytes = 1 << 20;
constexpr int kSchemaAttempts = 3;

bool SameValue(const Column& a, int64_t i, const Column& b, int64_t j) {
  if (a.IsNull(i) || b.IsNull(j)) return a.IsNull(i) == b.IsNull(j);
  switch (a.type().id) {
    case TypeId::kBool:
      return a.Bool(i) == b.Bool(j);
    case TypeId::kFloat64:
      return a.Float64(i) == b.Float64(j);
    case TypeId::kDate32:
      return a.Date32(i) == b.Date32(j);
    case TypeId::kDecimal128:
      return a.Decimal(i) == b.Decimal(j);
    case TypeId::kInt64:
    case TypeId::kTimestamp:
      return a.Int64(i) == b.Int64(j);
    case TypeId::kUtf8:
    case TypeId::kBinary:
      return a.Bytes(i) == b.Bytes(j);
  }
  return false;
}

// Gives the statement back to the cache: no lock, no row and no value stays behind.
class ResetAtEnd {
 public:
  explicit ResetAtEnd(sqlite3_stmt* statement) : statement_(statement) {}
  ~ResetAtEnd() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
  }
  ResetAtEnd(const ResetAtEnd&) = delete;
  ResetAtEnd& operator=(const ResetAtEnd&) = delete;

 private:
  sqlite3_stmt* const statement_;
};

}  // namespace

SqliteReader::SqliteReader(std::shared_ptr<Pool> pool, ScanRequest request, CallContext context,
                           Budgets budgets)
    : pool_(std::move(pool)),
      request_(std::move(request)),
      context_(std::move(context)),
      budgets_(budgets),
      schema_(SchemaOf(request_)),
      shape_(ShapeOf(request_)),
      in_key_(request_.fields.size(), false),
      rows_in_range_(request_.rows_wanted > 0 ? std::min(request_.rows_wanted, kMostRows)
                                              : kMostRows) {
  sql::CollectLeaves(request_.predicate, leaves_);
  for (const int field : request_.key) in_key_[field] = true;
}

void SqliteReader::Cancel() {
  cancelled_.store(true, std::memory_order_release);
  MutexLock lock(mutex_);
  if (running_ != nullptr) sqlite3_interrupt(running_);
}

absl::StatusOr<std::optional<RecordBatch>> SqliteReader::Next() {
  while (failed_.ok() && !at_end_) {
    absl::StatusOr<std::optional<RecordBatch>> batch = NextRange();
    if (!batch.ok()) {
      failed_ = batch.status();
    } else if (batch->has_value()) {
      return batch;
    }
  }
  if (!failed_.ok()) return failed_;
  return std::optional<RecordBatch>();
}

// One range: nullopt where it had no row to keep.
absl::StatusOr<std::optional<RecordBatch>> SqliteReader::NextRange() {
  Watch watch(context_, &cancelled_);
  SLUICE_RETURN_IF_ERROR(watch.Check());
  SLUICE_ASSIGN_OR_RETURN(Lease lease, pool_->Acquire(watch));
  SLUICE_RETURN_IF_ERROR(Start(lease));
  for (int attempt = 0; attempt < kSchemaAttempts; ++attempt) {
    const absl::StatusOr<PreparedScan*> scan = Prepared(*lease);
    if (!scan.ok()) {
      // A wait for a lock, or a read of the schema, may have been ended by us.
      SLUICE_RETURN_IF_ERROR(watch.Check());
      return scan.status();
    }
    Range range = NewRange();
    SLUICE_ASSIGN_OR_RETURN(const Ran ran, Run(lease, **scan, watch, range));
    if (ran == Ran::kDone) return Finish(std::move(range), (*scan)->plan);
    if (ran == Ran::kSchemaChanged) {
      lease->ForgetSchema();
      continue;
    }
    SLUICE_RETURN_IF_ERROR(OutOfBudget((*scan)->plan.filtered, lease->write_ahead()));
    return std::optional<RecordBatch>();
  }
  return Drift("the source's schema is changing");
}

absl::Status SqliteReader::Start(const Lease& lease) {
  if (started_ && !file_.SameFile(lease.file())) {
    return Error(v1::REASON_SOURCE_CHANGED, "the source's file was replaced while it was read");
  }
  if (started_) return absl::OkStatus();
  if (const SourceVersion* const held = lease->held(); held != nullptr) {
    version_ = *held;
  } else {
    SLUICE_ASSIGN_OR_RETURN(version_, ReadVersion(lease, pool_->path()));
    if (context_.rests) lease->Hold(version_);
  }
  file_ = lease.file();
  started_ = true;
  return absl::OkStatus();
}

PositionShape SqliteReader::CurrentPosition() const {
  PositionShape shape;
  if (!position_.empty()) {
    shape.present = shape.inclusive = true;
    for (const ValuePtr& value : position_)
      shape.nulls.push_back(sqlite3_value_type(value.get()) == SQLITE_NULL);
  } else if (request_.after) {
    shape.present = true;
    for (const records::Scalar& value : *request_.after)
      shape.nulls.push_back(std::holds_alternative<std::monostate>(value));
  }
  return shape;
}

absl::StatusOr<PreparedScan*> SqliteReader::Prepared(Connection& connection) {
  const PositionShape position = CurrentPosition();
  const std::string shape = shape_ + ShapeOf(place_, position);
  if (PreparedScan* scan = connection.statements().Find(shape); scan != nullptr) return scan;
  SLUICE_ASSIGN_OR_RETURN(const std::shared_ptr<const TableInfo> table,
                          connection.Table(request_.table));
  if (table == nullptr)
    return Drift(absl::StrCat("the source has no table '", request_.table, "'"));
  PreparedScan scan;
  SLUICE_ASSIGN_OR_RETURN(scan.plan, MakePlan(*table, request_, place_, position));
  SLUICE_ASSIGN_OR_RETURN(scan.statement, Prepare(connection.db(), scan.plan.sql));
  return connection.statements().Insert(shape, std::move(scan));
}

absl::Status SqliteReader::Bind(const PreparedScan& scan) {
  sqlite3_stmt* const statement = scan.statement.get();
  int parameter = 1;
  for (const Binding& binding : scan.plan.bindings) {
    const records::Predicate& leaf = *leaves_[binding.leaf];
    // A list is bound to the next power of two: its last value again.
    const size_t value = std::min<size_t>(binding.value, leaf.values.size() - 1);
    SLUICE_RETURN_IF_ERROR(BindScalar(statement, parameter++, leaf.values[value],
                                      request_.fields[leaf.field].field.type, binding.form));
  }
  parameter = scan.plan.first_position_parameter;
  if (!position_.empty()) {
    for (const ValuePtr& value : position_) {
      const bool null = sqlite3_value_type(value.get()) == SQLITE_NULL;
      if (!null && sqlite3_bind_value(statement, parameter, value.get()) != SQLITE_OK)
        return absl::InternalError("sqlite: a position cannot be bound");
      ++parameter;
    }
  } else if (request_.after) {
    for (size_t i = 0; i < request_.after->size(); ++i, ++parameter) {
      const records::Scalar& value = (*request_.after)[i];
      if (std::holds_alternative<std::monostate>(value)) continue;
      const auto& type = request_.fields[request_.key[i]].field.type;
      SLUICE_RETURN_IF_ERROR(BindScalar(statement, parameter, value, type));
    }
  }
  // One more than is wanted: it tells whether there is more, and where that begins.
  sqlite3_bind_int64(statement, scan.plan.limit_parameter, RowsInRange() + 1);
  return absl::OkStatus();
}

absl::StatusOr<SqliteReader::Ran> SqliteReader::Run(Lease& lease, const PreparedScan& scan,
                                                    Watch& watch, Range& range) {
  SLUICE_RETURN_IF_ERROR(Bind(scan));
  watch.SetBudget(scan.plan.filtered     ? budgets_.filter
                  : lease->write_ahead() ? kNoBudget
                                         : budgets_.range);
  {
    MutexLock lock(mutex_);
    running_ = lease->db();
  }
  absl::StatusOr<Ran> ran = StepThrough(lease, scan, watch, range);
  MutexLock lock(mutex_);
  running_ = nullptr;
  return ran;
}

absl::StatusOr<SqliteReader::Ran> SqliteReader::StepThrough(Lease& lease, const PreparedScan& scan,
                                                            const Watch& watch, Range& range) {
  sqlite3_stmt* const statement = scan.statement.get();
  const ResetAtEnd reset(statement);
  bool first = true;
  for (;;) {
    const int code = sqlite3_step(statement);
    // Prepared anew by SQLite itself: what was planned from the old schema may not hold any more.
    if (first && sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_REPREPARE, 1) > 0)
      return Ran::kSchemaChanged;
    first = false;
    if (code == SQLITE_DONE) return Ran::kDone;
    if (code != SQLITE_ROW) {
      SLUICE_RETURN_IF_ERROR(watch.Check());
      if (code == SQLITE_INTERRUPT && watch.out_of_budget()) return Ran::kOutOfBudget;
      if (SpoilsConnection(code)) lease.Spoil();
      absl::Status status = SqliteError(lease->db(), code);
      if (ReasonOf(status) == v1::REASON_SOURCE_BAD_VALUE)
        AddKey(status, "row", absl::StrCat(rows_read_ + range.rows + 1));
      return status;
    }
    SLUICE_ASSIGN_OR_RETURN(const bool full, TakeRow(statement, scan.plan, range));
    if (full) return Ran::kDone;
  }
}

absl::StatusOr<bool> SqliteReader::TakeRow(sqlite3_stmt* row, const Plan& plan, Range& range) {
  int64_t bytes = 0;
  for (size_t i = 0; i < request_.fields.size(); ++i) bytes += SizeOf(row, static_cast<int>(i));
  if (range.visited >= RowsInRange() || (range.rows > 0 && range.bytes + bytes > kMostBytes)) {
    range.more = true;
    for (const int column : plan.position_columns)
      range.next.emplace_back(sqlite3_value_dup(sqlite3_column_value(row, column)));
    return true;
  }
  ++range.visited;
  if (plan.keep_column >= 0 && sqlite3_column_int(row, plan.keep_column) == 0) return false;
  range.bytes += bytes;
  SLUICE_RETURN_IF_ERROR(AppendRow(row, range));
  return false;
}

absl::Status SqliteReader::AppendRow(sqlite3_stmt* row, Range& range) {
  ++range.rows;
  for (size_t i = 0; i < request_.fields.size(); ++i) {
    const records::Field& field = request_.fields[i].field;
    const Outcome outcome = AppendValue(row, static_cast<int>(i), field.type, range.columns[i]);
    if (outcome == Outcome::kValue || (outcome == Outcome::kNull && field.nullable)) continue;
    const bool can_be_null = field.nullable && !in_key_[i];
    if (request_.on_bad_value == OnBadValue::kStop || !can_be_null) {
      absl::Status status =
          Error(v1::REASON_SOURCE_BAD_VALUE,
                absl::StrCat("table '", request_.table, "', column '", request_.fields[i].column,
                             "', row ", rows_read_ + range.rows, " of the scan: ",
                             outcome == Outcome::kNull ? "null, which it may not be"
                                                       : "not a " + records::ToString(field.type)));
      AddKey(status, "field", field.name);
      AddKey(status, "row", absl::StrCat(rows_read_ + range.rows));
      return status;
    }
    range.columns[i].AppendNull();
    range.bad_cells.push_back({range.rows - 1, static_cast<int>(i)});
  }
  return absl::OkStatus();
}

absl::Status SqliteReader::OutOfBudget(bool filtered, bool write_ahead) {
  if (filtered) {
    // No index serves the filter: from here on each range looks at a bounded number of rows.
    place_ = FilterPlace::kColumn;
    return absl::OkStatus();
  }
  SLUICE_CHECK(!write_ahead);
  return Unavailable(absl::StrCat("reading table '", request_.table,
                                  "' would block its owner's writers for long: the dataset's key "
                                  "needs an index in the source"));
}

absl::StatusOr<std::optional<RecordBatch>> SqliteReader::Finish(Range range, const Plan& plan) {
  if (range.more && plan.position_columns.empty()) {
    return Drift(absl::StrCat("view '", request_.table,
                              "' has more rows than one batch: the dataset needs a key for it"));
  }
  at_end_ = !range.more;
  position_ = std::move(range.next);
  rows_read_ += range.rows;
  bad_values_ += static_cast<int64_t>(range.bad_cells.size());
  bad_cells_ = std::move(range.bad_cells);
  // The guess was too low, or the filter keeps few.
  rows_in_range_ = std::min(rows_in_range_ * 4, kMostRows);
  if (range.rows == 0) return std::optional<RecordBatch>();
  std::vector<Column> columns;
  columns.reserve(range.columns.size());
  for (records::ColumnBuilder& builder : range.columns) columns.push_back(builder.Finish());
  RecordBatch batch(schema_, std::move(columns), range.rows);
  if (!plan.key_is_unique) SLUICE_RETURN_IF_ERROR(CheckKey(batch));
  return std::optional<RecordBatch>(std::move(batch));
}

// A position names one row only if the key is unique; otherwise a page would begin behind rows that
// nobody has seen.
absl::Status SqliteReader::CheckKey(const RecordBatch& batch) {
  const auto same = [&](const RecordBatch& a, int64_t i, int64_t j) {
    return std::all_of(request_.key.begin(), request_.key.end(), [&](int field) {
      return SameValue(a.column(field), i, batch.column(field), j);
    });
  };
  bool repeated = last_row_.has_value() && same(*last_row_, 0, 0);
  for (int64_t i = 1; i < batch.rows() && !repeated; ++i) repeated = same(batch, i - 1, i);
  if (repeated) {
    return Drift(absl::StrCat("the dataset's key is not unique in table '", request_.table, "'"));
  }
  last_row_ = batch.Take({batch.rows() - 1});
  return absl::OkStatus();
}

SqliteReader::Range SqliteReader::NewRange() const {
  Range range;
  range.columns.reserve(request_.fields.size());
  for (const FieldRequest& field : request_.fields) range.columns.emplace_back(field.field.type);
  return range;
}

int64_t SqliteReader::RowsInRange() const {
  return place_ == FilterPlace::kColumn ? kMostRows : rows_in_range_;
}

}  // namespace sluice::adapters::sqlite
