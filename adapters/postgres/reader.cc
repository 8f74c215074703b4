#include "adapters/postgres/reader.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "adapters/postgres/errors.h"
#include "adapters/postgres/version.h"
#include "adapters/sql/predicate_shape.h"
#include "gateway/base/error.h"

namespace sluice::adapters::postgres {
namespace {

using records::Column;
using records::RecordBatch;
using records::Scalar;
using records::TypeId;

constexpr int64_t kMostRows = 16'384;
constexpr int64_t kMostBytes = 1 << 20;
constexpr int64_t kMostRowsInRange = 16 * kMostRows;
constexpr int64_t kAllRows = std::numeric_limits<int64_t>::max() - 1;
constexpr int64_t kRowsPerLook = 1'024;
constexpr int kSchemaAttempts = 3;
constexpr int64_t kUuidText = 36;

bool SameValue(const Column& a, int64_t i, const Column& b, int64_t j) {
  // NaN is in no key twice either: to the server it is equal to itself.
  if (a.type().id == TypeId::kFloat64 && !a.IsNull(i) && !b.IsNull(j) &&
      a.Float64(i) != a.Float64(i))
    return b.Float64(j) != b.Float64(j);
  return ScalarAt(a, i) == ScalarAt(b, j);
}

bool SameKey(const RecordBatch& a, int64_t i, const RecordBatch& b, int64_t j,
             const std::vector<int>& key) {
  return std::all_of(key.begin(), key.end(),
                     [&](int field) { return SameValue(a.column(field), i, b.column(field), j); });
}

// A position's value, as the order's type takes it.
std::string PositionText(const Scalar& value, const ResultColumn& result, const TableInfo& table) {
  OrderedAs ordered;
  FindOrder(*result.column, result.field.type, table, ordered);
  if (!ordered.bytes) return TextOf(value, result.field.type);
  return TextOf(value, {TypeId::kBinary});
}

}  // namespace

PostgresReader::PostgresReader(std::shared_ptr<Pool> pool, ScanRequest request, CallContext context)
    : pool_(std::move(pool)),
      request_(std::move(request)),
      context_(std::move(context)),
      schema_(SchemaOf(request_)),
      shape_(ShapeOf(request_)),
      batch_rows_(bulk() ? kMostRows : std::min(request_.rows_wanted, kMostRows)),
      most_rows_(batch_rows_) {
  sql::CollectLeaves(request_.predicate, leaves_);
}

PostgresReader::~PostgresReader() { DropStream(); }

void PostgresReader::Cancel() {
  cancelled_.store(true, std::memory_order_release);
  MutexLock lock(mutex_);
  if (!reading_ && lease_) lease_->Abandon();
}

absl::StatusOr<std::optional<RecordBatch>> PostgresReader::Next() {
  while (failed_.ok() && !at_end_) {
    absl::StatusOr<std::optional<RecordBatch>> batch = NextBatch();
    if (!batch.ok()) {
      failed_ = batch.status();
    } else if (batch->has_value()) {
      return batch;
    }
  }
  if (!failed_.ok()) return failed_;
  return std::optional<RecordBatch>();
}

absl::StatusOr<std::optional<RecordBatch>> PostgresReader::NextBatch() {
  const Watch watch(context_, &cancelled_);
  {
    MutexLock lock(mutex_);
    reading_ = true;
  }
  const absl::Status begun = watch.Check();
  absl::StatusOr<std::optional<RecordBatch>> batch =
      begun.ok() ? Read(watch) : absl::StatusOr<std::optional<RecordBatch>>(begun);
  if (!batch.ok()) {
    DropStream();
    // A statement that we had ended is no failure of the source's.
    if (const absl::Status ended = watch.Check(); !ended.ok()) batch = ended;
  }
  if (batch.ok() && stream_ != nullptr) KeepStream();
  MutexLock lock(mutex_);
  reading_ = false;
  return batch;
}

absl::StatusOr<std::optional<RecordBatch>> PostgresReader::Read(const Watch& watch) {
  for (;;) {
    if (stream_ == nullptr) SLUICE_RETURN_IF_ERROR(StartRange(watch));
    Gathered gathered;
    for (const ResultColumn& result : plan_.results)
      gathered.columns.emplace_back(result.field.type);
    const absl::Status status = Gather(watch, gathered);
    if (status.ok()) return Finish(std::move(gathered));
    if (!CanGoOn(status)) return status;
    // Nobody read for so long that the server ended the range.
    BreakOff();
  }
}

// While nobody reads. Where enough others do so, the range ends here: the next one is of one batch.
void PostgresReader::KeepStream() {
  if (lease_->Keep(plan_.key.empty())) return;
  batch_rows_ = std::clamp<int64_t>(rows_in_range_ / batches_in_range_, 1, batch_rows_);
  BreakOff();
}

// Ends the range behind the last row that was given.
void PostgresReader::BreakOff() {
  DropStream();
  most_rows_ = batch_rows_;
  repeats_ = !plan_.key_is_unique;
}

// Whether the failure is one of the range at work, behind whose last row another may go on.
bool PostgresReader::CanGoOn(const absl::Status& status) const {
  return ReasonOf(status) == v1::REASON_SOURCE_UNAVAILABLE && stream_->state() == kQueryCancelled &&
         batches_in_range_ > 0 && !plan_.key.empty();
}

absl::Status PostgresReader::StartRange(const Watch& watch) {
  for (int attempt = 0; attempt < kSchemaAttempts; ++attempt) {
    if (!lease_) {
      SLUICE_ASSIGN_OR_RETURN(Lease lease, pool_->Acquire(watch));
      lease_.emplace(std::move(lease));
    }
    std::string state;
    const absl::Status status = TryRange(watch, state);
    if (status.ok()) return status;
    if (!SaysSchemaChanged(state)) return status;
    pool_->ForgetTable(request_.table);
    DropStream();
    // A view's own trouble does not go away.
    if (attempt + 1 == kSchemaAttempts) return status;
  }
  return Drift("the source's schema is changing");
}

absl::Status PostgresReader::TryRange(const Watch& watch, std::string& state) {
  if (!started_) {
    SLUICE_ASSIGN_OR_RETURN(version_, ReadVersion(**lease_, watch));
    started_ = true;
  }
  SLUICE_ASSIGN_OR_RETURN(table_, pool_->Table(**lease_, request_.table, watch));
  if (table_ == nullptr)
    return Drift(absl::StrCat("the source has no table '", request_.table, "'"));
  const bool had_key = !plan_.key.empty();
  if (const absl::Status planned = PlanRange(watch); !planned.ok()) {
    // What is known of the table may be some seconds old: then it is looked at again.
    if (ReasonOf(planned) == v1::REASON_SCHEMA_DRIFT) state = kSchemaChanged;
    return planned;
  }
  if (position_ && had_key && plan_.key.empty())
    return Error(v1::REASON_SOURCE_CHANGED, "the source's schema changed while it was read");
  return RunPlanned(watch, state);
}

absl::Status PostgresReader::PlanRange(const Watch& watch) {
  if (!bulk()) return PlanPrepared(watch);
  SLUICE_ASSIGN_OR_RETURN(plan_,
                          MakePlan(*table_, request_, CurrentPosition(), Passing::kSettings));
  return absl::OkStatus();
}

absl::Status PostgresReader::PlanPrepared(const Watch& watch) {
  StatementCache& statements = (*lease_)->statements();
  const PositionShape position = CurrentPosition();
  const std::string shape = shape_ + ShapeOf(position);
  const PreparedScan* scan = statements.Find(shape);
  if (scan == nullptr || scan->table != table_) {
    const std::string old = statements.Evict(scan == nullptr ? nullptr : &shape);
    if (!old.empty())
      SLUICE_RETURN_IF_ERROR((*lease_)->Query("DEALLOCATE " + old, {}, watch).status());
    PreparedScan made;
    made.table = table_;
    SLUICE_ASSIGN_OR_RETURN(made.plan, MakePlan(*table_, request_, position, Passing::kBound));
    made.name = statements.NewName();
    SLUICE_RETURN_IF_ERROR((*lease_)->Parse(made.name, made.plan.sql, watch));
    scan = statements.Insert(shape, std::move(made));
  }
  plan_ = scan->plan;
  statement_ = scan->name;
  return absl::OkStatus();
}

absl::Status PostgresReader::RunPlanned(const Watch& watch, std::string& state) {
  limit_ = NextLimit();
  rows_in_range_ = batches_in_range_ = 0;
  auto stream = bulk() ? RunCopy(**lease_, plan_, Parameters(), watch, state)
                       : RunPrepared(**lease_, statement_, plan_, Parameters(), watch);
  if (!stream.ok()) return stream.status();
  const auto row = (*stream)->Next(watch);
  state = (*stream)->state();
  if (!row.ok()) return row.status();
  stream_ = *std::move(stream);
  pending_ = *row;
  return absl::OkStatus();
}

PositionShape PostgresReader::CurrentPosition() const {
  PositionShape shape;
  const std::optional<KeyPosition>& from = position_ ? position_ : request_.after;
  if (!from) return shape;
  shape.present = true;
  shape.inclusive = repeats_;
  for (const Scalar& value : *from)
    shape.nulls.push_back(std::holds_alternative<std::monostate>(value));
  return shape;
}

std::vector<std::string> PostgresReader::Parameters() const {
  std::vector<std::string> parameters;
  for (const Binding& binding : plan_.bindings) {
    const records::Predicate& leaf = *leaves_[binding.leaf];
    parameters.push_back(TextOf(binding, leaf, request_.fields[leaf.field].field.type,
                                *plan_.results[leaf.field].column));
  }
  if (const std::optional<KeyPosition>& from = position_ ? position_ : request_.after) {
    for (size_t i = 0; i < from->size(); ++i) {
      if (std::holds_alternative<std::monostate>((*from)[i])) continue;
      parameters.push_back(PositionText((*from)[i], plan_.results[plan_.key[i]], *table_));
    }
  }
  parameters.push_back(absl::StrCat(limit_));
  return parameters;
}

// What is certain to be read whole is asked for; a scan that goes on asks for more each time.
int64_t PostgresReader::NextLimit() const {
  if (plan_.key.empty()) return kAllRows;
  const int64_t more = repeats_ ? 1 : 0;
  const bool first = !position_;
  if (bulk() && !first && !plan_.order_is_free) return kAllRows;
  if (bulk() && !pool_->MayKeep()) return batch_rows_ + more;
  return most_rows_ + more;
}

int64_t PostgresReader::SizeOf(const RowValues& values) const {
  int64_t bytes = 0;
  for (size_t i = 0; i < plan_.results.size(); ++i) {
    const Reading& reading = plan_.results[i].reading;
    bytes += records::WidthOf(reading.to) + 1;
    if (reading.to.id == TypeId::kUtf8 || reading.to.id == TypeId::kBinary)
      bytes += reading.from == SourceType::kUuid ? kUuidText : values[i].size;
  }
  return bytes;
}

absl::Status PostgresReader::Gather(const Watch& watch, Gathered& gathered) {
  const int64_t most_bytes = kMostBytes - 16 * static_cast<int64_t>(plan_.results.size());
  while (pending_ != nullptr) {
    const int64_t bytes = SizeOf(*pending_);
    if (gathered.rows >= kMostRows || (gathered.rows > 0 && gathered.bytes + bytes > most_bytes))
      return absl::OkStatus();
    gathered.bytes += bytes;
    SLUICE_RETURN_IF_ERROR(AppendRow(*pending_, gathered));
    if (gathered.rows % kRowsPerLook == 0) SLUICE_RETURN_IF_ERROR(watch.Check());
    auto next = stream_->Next(watch);
    if (!next.ok()) {
      pending_ = nullptr;
      absl::Status status = next.status();
      if (ReasonOf(status) == v1::REASON_SOURCE_BAD_VALUE)
        AddKey(status, "row", absl::StrCat(rows_read_ + gathered.rows + 1 - (repeats_ ? 1 : 0)));
      return status;
    }
    pending_ = *next;
  }
  return absl::OkStatus();
}

absl::Status PostgresReader::AppendRow(const RowValues& values, Gathered& gathered) {
  ++gathered.rows;
  for (size_t i = 0; i < plan_.results.size(); ++i) {
    const ResultColumn& result = plan_.results[i];
    const bool null = values[i].data == nullptr;
    if (null && result.field.nullable) {
      gathered.columns[i].AppendNull();
      continue;
    }
    if (!null && AppendValue(values[i].bytes(), result.reading, gathered.columns[i])) continue;
    const bool in_key =
        std::find(plan_.key.begin(), plan_.key.end(), static_cast<int>(i)) != plan_.key.end();
    if (request_.on_bad_value == OnBadValue::kStop || !result.field.nullable || in_key)
      return BadValue(result, null, rows_read_ + gathered.rows - (repeats_ ? 1 : 0));
    gathered.columns[i].AppendNull();
    gathered.bad_cells.push_back({gathered.rows - 1, static_cast<int>(i)});
  }
  return absl::OkStatus();
}

absl::Status PostgresReader::BadValue(const ResultColumn& result, bool null, int64_t row) const {
  absl::Status status = Error(v1::REASON_SOURCE_BAD_VALUE,
                              absl::StrCat("table '", request_.table, "', column '",
                                           result.column->name, "', row ", row, " of the scan: ",
                                           null ? "null, which it may not be"
                                                : "not a " + records::ToString(result.field.type)));
  AddKey(status, "field", result.field.name);
  AddKey(status, "row", absl::StrCat(row));
  return status;
}

absl::StatusOr<std::optional<RecordBatch>> PostgresReader::Finish(Gathered gathered) {
  rows_in_range_ += gathered.rows;
  ++batches_in_range_;
  if (pending_ == nullptr) EndRange();
  if (gathered.rows == 0) return std::optional<RecordBatch>();
  std::vector<Column> columns;
  columns.reserve(gathered.columns.size());
  for (records::ColumnBuilder& builder : gathered.columns) columns.push_back(builder.Finish());
  int64_t first = 0;
  if (!plan_.key.empty()) {
    const RecordBatch rows(schema_, columns, gathered.rows);
    if (!plan_.key_is_unique) {
      if (repeats_ && last_key_ && SameKey(*last_key_, 0, rows, 0, plan_.key)) first = 1;
      SLUICE_RETURN_IF_ERROR(CheckKey(rows, first));
    }
    KeyPosition last;
    for (const int i : plan_.key) last.push_back(ScalarAt(columns[i], gathered.rows - 1));
    position_ = std::move(last);
  }
  // From here on a range goes on behind this row, or, where another may have the same key, from it
  // on: the row itself comes again, and is left out.
  repeats_ = !plan_.key_is_unique && stream_ == nullptr;
  columns.resize(request_.fields.size());
  RecordBatch batch(schema_, std::move(columns), gathered.rows);
  if (first > 0) {
    std::vector<int64_t> kept;
    for (int64_t row = first; row < gathered.rows; ++row) kept.push_back(row);
    batch = batch.Take(kept);
    std::erase_if(gathered.bad_cells, [](const BadCell& cell) { return cell.row == 0; });
    for (BadCell& cell : gathered.bad_cells) --cell.row;
  }
  rows_read_ += batch.rows();
  bad_values_ += static_cast<int64_t>(gathered.bad_cells.size());
  bad_cells_ = std::move(gathered.bad_cells);
  if (batch.rows() == 0) return std::optional<RecordBatch>();
  return std::optional<RecordBatch>(std::move(batch));
}

void PostgresReader::EndRange() {
  stream_.reset();
  lease_.reset();
  at_end_ = rows_in_range_ < limit_;
  // The guess was too low, or the filter keeps few.
  most_rows_ = std::min(most_rows_ * 4, bulk() ? kMostRowsInRange : kMostRows);
}

void PostgresReader::DropStream() {
  stream_.reset();
  pending_ = nullptr;
  if (!lease_) return;
  if (PQtransactionStatus((*lease_)->raw()) == PQTRANS_ACTIVE) lease_->Abandon();
  lease_.reset();
}

// A position names one row only if the key is unique; otherwise a page would begin behind rows that
// nobody has seen.
absl::Status PostgresReader::CheckKey(const RecordBatch& rows, int64_t first) {
  bool repeated = first == 0 && last_key_ && SameKey(*last_key_, 0, rows, 0, plan_.key);
  for (int64_t i = 1; i < rows.rows() && !repeated; ++i)
    repeated = SameKey(rows, i - 1, rows, i, plan_.key);
  if (repeated)
    return Drift(absl::StrCat("the dataset's key is not unique in table '", request_.table, "'"));
  last_key_ = rows.Take({rows.rows() - 1});
  return absl::OkStatus();
}

}  // namespace sluice::adapters::postgres
