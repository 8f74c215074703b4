#include "adapters/odbc/reader.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "absl/strings/str_cat.h"
#include "adapters/odbc/errors.h"
#include "adapters/sql/predicate_shape.h"
#include "gateway/base/error.h"

namespace sluice::adapters::odbc {
namespace {

using records::Column;
using records::RecordBatch;
using records::Scalar;
using records::TypeId;

constexpr int64_t kMostRows = 16'384;
constexpr int64_t kMostBytes = 1 << 20;
// Of rows of any length, which a driver may hold together; and before it is known how large they
// are.
constexpr int64_t kMostLongRows = 512;
constexpr int64_t kFirstLongRows = 16;
constexpr int64_t kFirstRows = 1'024;
constexpr int64_t kMostKept = 32 << 20;  // of rows that a driver holds whole
constexpr int64_t kRowsPerLook = 1'024;
constexpr int kSchemaAttempts = 3;

bool SameKey(const RecordBatch& a, int64_t i, const RecordBatch& b, int64_t j,
             const std::vector<int>& key) {
  return std::all_of(key.begin(), key.end(), [&](int field) {
    return ScalarAt(a.column(field), i) == ScalarAt(b.column(field), j);
  });
}

}  // namespace

OdbcReader::OdbcReader(std::shared_ptr<Pool> pool, ScanRequest request, CallContext context)
    : pool_(std::move(pool)),
      request_(std::move(request)),
      context_(std::move(context)),
      schema_(SchemaOf(request_)) {
  sql::CollectLeaves(request_.predicate, leaves_);
}

OdbcReader::~OdbcReader() {
  const CallContext nobody;
  DropStatement(Watch(nobody));
}

void OdbcReader::Cancel() {
  cancelled_.store(true, std::memory_order_release);
  MutexLock lock(mutex_);
  if (!reading_ && lease_) lease_->Abandon();
}

absl::StatusOr<std::optional<RecordBatch>> OdbcReader::Next() {
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

absl::StatusOr<std::optional<RecordBatch>> OdbcReader::NextBatch() {
  const Watch watch(context_, &cancelled_);
  {
    MutexLock lock(mutex_);
    reading_ = true;
  }
  const absl::Status begun = watch.Check();
  absl::StatusOr<std::optional<RecordBatch>> batch =
      begun.ok() ? Read(watch) : absl::StatusOr<std::optional<RecordBatch>>(begun);
  if (!batch.ok()) {
    DropStatement(watch);
    // A statement that we had ended is no failure of the source's.
    if (const absl::Status ended = watch.Check(); !ended.ok()) batch = ended;
  }
  MutexLock lock(mutex_);
  reading_ = false;
  return batch;
}

absl::StatusOr<std::optional<RecordBatch>> OdbcReader::Read(const Watch& watch) {
  for (;;) {
    if (statement_ == nullptr) SLUICE_RETURN_IF_ERROR(StartRange(watch));
    Gathered gathered;
    for (const ResultColumn& result : plan_.results)
      gathered.columns.emplace_back(result.field.type);
    SLUICE_RETURN_IF_ERROR(Gather(watch, gathered));
    if (gathered.cut) {
      DropStatement(watch);
      if (!ranges() && rows_read_ > 0)
        return Drift("a text of the source is longer than its column says");
      row_by_row_ = true;
      continue;
    }
    EndRange(watch, gathered);
    return Finish(std::move(gathered));
  }
}

absl::Status OdbcReader::StartRange(const Watch& watch) {
  for (int attempt = 0; attempt < kSchemaAttempts; ++attempt) {
    if (!lease_) {
      SLUICE_ASSIGN_OR_RETURN(Lease lease, pool_->Acquire(watch));
      lease_.emplace(std::move(lease));
    }
    absl::Status status = TryRange(watch);
    while (SaysSessionLost(status) && (*lease_)->served()) {
      // The source ended it while it was idle.
      lease_.reset();
      SLUICE_ASSIGN_OR_RETURN(Lease lease, pool_->Acquire(watch));
      lease_.emplace(std::move(lease));
      status = TryRange(watch);
    }
    if (status.ok() || ReasonOf(status) != v1::REASON_SCHEMA_DRIFT) return status;
    // What is known of the table may be some seconds old: then it is looked at again.
    pool_->ForgetTable(request_.table);
    if (attempt + 1 == kSchemaAttempts) return status;
  }
  return Drift("the source's schema is changing");
}

absl::Status OdbcReader::TryRange(const Watch& watch) {
  Session& session = **lease_;
  if (!started_) {
    version_.version = session.facts().version;
    started_ = true;
  }
  SLUICE_ASSIGN_OR_RETURN(table_, pool_->Table(session, request_.table, watch));
  if (table_ == nullptr)
    return Drift(absl::StrCat("the source has no table '", request_.table, "'"));
  const bool had_key = !plan_.key.empty();
  SLUICE_ASSIGN_OR_RETURN(plan_, MakePlan(session.dialect(), session.driver(), *table_, request_,
                                          CurrentPosition(), pool_->settings().zone_is_utc));
  if (position_ && had_key && plan_.key.empty())
    return Error(v1::REASON_SOURCE_CHANGED, "the source's schema changed while it was read");
  has_limit_ = *session.dialect().limit != '\0';
  Session::Scan scan;
  if (!ranges()) SLUICE_RETURN_IF_ERROR(PlanWhole(watch, scan.streaming));
  scan.sql = plan_.sql;
  scan.readings = plan_.readings;
  if (limit_ == 0) {
    const int64_t first = MostRows() < kMostRows ? kFirstLongRows : kFirstRows;
    limit_ = request_.rows_wanted > 0 ? request_.rows_wanted : first;
  }
  limit_ = std::min(limit_, MostRows());
  if (ranges())
    scan.sql +=
        Filled(session.dialect().limit, {{"{n}", absl::StrCat(limit_ + (repeats_ ? 1 : 0))}});
  if (row_by_row_ || !ranges())
    for (Reading& reading : scan.readings) reading.most_bytes = kNoBound;
  SLUICE_ASSIGN_OR_RETURN(scan.parameters, Parameters(session.dialect()));
  rows_in_range_ = 0;
  next_row_ = 0;
  SLUICE_ASSIGN_OR_RETURN(statement_, session.Start(std::move(scan), watch));
  return absl::OkStatus();
}

int64_t OdbcReader::MostRows() const {
  const bool bounded =
      !row_by_row_ && std::none_of(plan_.readings.begin(), plan_.readings.end(),
                                   [](const Reading& one) { return one.most_bytes == kNoBound; });
  return bounded ? kMostRows : kMostLongRows;
}

absl::StatusOr<int64_t> OdbcReader::BytesOfAll(const Watch& watch) {
  Session::Scan scan;
  scan.sql = plan_.size_sql;
  scan.readings = {{Fetch::kAscii, kNoBound}};
  SLUICE_ASSIGN_OR_RETURN(scan.parameters, Parameters((*lease_)->dialect()));
  SLUICE_ASSIGN_OR_RETURN(const std::shared_ptr<Statement> sum,
                          (*lease_)->Start(std::move(scan), watch));
  int64_t bytes = std::numeric_limits<int64_t>::max();
  if (sum->rows() == 1 && !sum->IsNull(0, 0)) {
    const std::string_view text = sum->Bytes(0, 0);
    std::from_chars(text.data(), text.data() + text.size(), bytes);
  }
  (*lease_)->Drop(sum, watch);
  return bytes;
}

absl::Status OdbcReader::PlanWhole(const Watch& watch, bool& streaming) {
  const Session& session = **lease_;
  const bool can_stream = !session.driver().streaming.empty();
  streaming = can_stream && plan_.bindings.empty();
  if (streaming || plan_.size_sql.empty()) return absl::OkStatus();
  if (!can_stream && !session.driver().keeps_rows) return absl::OkStatus();
  SLUICE_ASSIGN_OR_RETURN(const int64_t bytes, BytesOfAll(watch));
  if (bytes <= kMostKept) return absl::OkStatus();
  if (!can_stream) {
    return Unavailable(absl::StrCat("table '", request_.table,
                                    "' has nothing that orders it, and its driver would hold all "
                                    "of it: give the dataset a key"));
  }
  // The driver would write values into a cursor's text: then none go down, and the gateway alone
  // filters.
  ScanRequest unfiltered = request_;
  unfiltered.predicate = {};
  SLUICE_ASSIGN_OR_RETURN(plan_, MakePlan(session.dialect(), session.driver(), *table_, unfiltered,
                                          CurrentPosition(), pool_->settings().zone_is_utc));
  streaming = plan_.bindings.empty();
  return absl::OkStatus();
}

PositionShape OdbcReader::CurrentPosition() const {
  PositionShape shape;
  const std::optional<KeyPosition>& from = position_ ? position_ : request_.after;
  if (!from) return shape;
  shape.present = true;
  shape.inclusive = repeats_;
  for (const Scalar& value : *from)
    shape.nulls.push_back(std::holds_alternative<std::monostate>(value));
  return shape;
}

absl::StatusOr<std::vector<Parameter>> OdbcReader::Parameters(const Dialect& dialect) const {
  const std::optional<KeyPosition>& from = position_ ? position_ : request_.after;
  std::vector<Parameter> parameters;
  for (const Binding& binding : plan_.bindings) {
    if (binding.of == Binding::Of::kLeaf) {
      const records::Predicate& leaf = *leaves_[binding.index];
      parameters.push_back(ParameterOf(leaf.values[binding.value],
                                       request_.fields[leaf.field].field.type, binding.form,
                                       binding.prefix_end));
      continue;
    }
    const Scalar& value = (*from)[binding.index];
    const ResultColumn& result = plan_.results[plan_.key[binding.index]];
    // NaN is in no key: only what can be bound can be gone on behind.
    if (!CanBind(dialect, value, result.field.type))
      return Drift(absl::StrCat("a value in key column '", result.column->name, "' of table '",
                                request_.table,
                                "' cannot be given to the source: its key has no order there"));
    parameters.push_back(ParameterOf(value, result.field.type, binding.form));
  }
  return parameters;
}

int64_t OdbcReader::SizeOf(size_t row) const {
  int64_t bytes = 0;
  for (size_t i = 0; i < plan_.results.size(); ++i) {
    const ValueReading& reading = plan_.results[i].reading;
    bytes += records::WidthOf(reading.to) + 1;
    const bool sized = reading.to.id == TypeId::kUtf8 || reading.to.id == TypeId::kBinary;
    if (!sized || statement_->IsNull(row, i) || statement_->IsCut(row, i)) continue;
    const auto size = static_cast<int64_t>(statement_->Bytes(row, i).size());
    // Hexadecimal digits are two a byte; two bytes of UTF-16 are three of UTF-8 at most.
    bytes += reading.from == SourceType::kDynamic ? size / 2 : reading.wide ? size / 2 * 3 : size;
  }
  return bytes;
}

absl::Status OdbcReader::Gather(const Watch& watch, Gathered& gathered) {
  const int64_t most_bytes = kMostBytes - 16 * static_cast<int64_t>(plan_.results.size());
  for (;;) {
    if (next_row_ == statement_->rows()) {
      if (statement_->rows() == 0) return absl::OkStatus();
      if (absl::Status status = (*lease_)->Fetch(statement_, watch); !status.ok())
        return Located(std::move(status), rows_read_ + gathered.rows + 1 - (repeats_ ? 1 : 0));
      next_row_ = 0;
      continue;
    }
    // The row that comes again is left out: it takes no room, and one at least comes behind it.
    const int64_t again = repeats_ && rows_in_range_ == 0 ? 1 : 0;
    const int64_t bytes = gathered.rows < again ? 0 : SizeOf(next_row_);
    if (gathered.rows >= kMostRows ||
        (gathered.rows > again && gathered.bytes + bytes > most_bytes))
      return absl::OkStatus();
    gathered.bytes += bytes;
    SLUICE_RETURN_IF_ERROR(AppendRow(next_row_, gathered));
    if (gathered.cut) return absl::OkStatus();
    ++next_row_;
    if (gathered.rows % kRowsPerLook == 0) SLUICE_RETURN_IF_ERROR(watch.Check());
  }
}

absl::Status OdbcReader::AppendRow(size_t row, Gathered& gathered) {
  ++gathered.rows;
  for (size_t i = 0; i < plan_.results.size(); ++i) {
    const ResultColumn& result = plan_.results[i];
    const bool null = statement_->IsNull(row, i), cut = statement_->IsCut(row, i);
    if (null && result.field.nullable) {
      gathered.columns[i].AppendNull();
      continue;
    }
    if (cut && result.reading.fetch != Fetch::kAscii) {
      gathered.cut = true;
      return absl::OkStatus();
    }
    if (!null && !cut &&
        AppendValue(statement_->Bytes(row, i), result.reading, gathered.columns[i]))
      continue;
    const bool in_key =
        std::find(plan_.key.begin(), plan_.key.end(), static_cast<int>(i)) != plan_.key.end();
    if (request_.on_bad_value == OnBadValue::kStop || !result.field.nullable || in_key)
      return BadValue(result, null, rows_read_ + gathered.rows - (repeats_ ? 1 : 0));
    gathered.columns[i].AppendNull();
    gathered.bad_cells.push_back({gathered.rows - 1, static_cast<int>(i)});
  }
  return absl::OkStatus();
}

absl::Status OdbcReader::Located(absl::Status status, int64_t row) const {
  if (ReasonOf(status) == v1::REASON_SOURCE_BAD_VALUE) AddKey(status, "row", absl::StrCat(row));
  return status;
}

absl::Status OdbcReader::BadValue(const ResultColumn& result, bool null, int64_t row) const {
  absl::Status status = Error(v1::REASON_SOURCE_BAD_VALUE,
                              absl::StrCat("table '", request_.table, "', column '",
                                           result.column->name, "', row ", row, " of the scan: ",
                                           null ? "null, which it may not be"
                                                : "not a " + records::ToString(result.field.type)));
  AddKey(status, "field", result.field.name);
  AddKey(status, "row", absl::StrCat(row));
  return status;
}

// Where the range is through, or its batch is full: another one goes on behind its last row.
void OdbcReader::EndRange(const Watch& watch, const Gathered& gathered) {
  rows_in_range_ += gathered.rows;
  const bool through = statement_->rows() == 0;
  if (!ranges()) {
    if (!through) return;
    at_end_ = true;
    DropStatement(watch);
    return;
  }
  at_end_ = through && rows_in_range_ < limit_ + (repeats_ ? 1 : 0);
  DropStatement(watch);
  // The next one asks for a batch, as far as these rows tell how large they are.
  const int64_t row_bytes =
      std::max<int64_t>(gathered.bytes / std::max<int64_t>(gathered.rows, 1), 1);
  limit_ = std::clamp<int64_t>(kMostBytes / row_bytes + 1, 1, through ? 4 * limit_ : kMostRows);
}

absl::StatusOr<std::optional<RecordBatch>> OdbcReader::Finish(Gathered gathered) {
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
  repeats_ = !plan_.key_is_unique && statement_ == nullptr;
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

// The session is free again, or, where rows without end may still come, told to end them.
void OdbcReader::DropStatement(const Watch& watch) {
  bool runs = lease_ && (*lease_)->left_behind();
  if (statement_ != nullptr && lease_) {
    const bool through = statement_->rows() == 0;
    runs = runs || !through;
    if ((ranges() || through) && (*lease_)->CanServe()) {
      (*lease_)->Drop(std::move(statement_), watch);
    } else {
      (*lease_)->Bury(std::move(statement_));
    }
  }
  statement_.reset();
  if (!lease_) return;
  if (runs && !(*lease_)->CanServe()) lease_->Abandon();
  lease_.reset();
}

// A position names one row only if the key is unique; otherwise a page would begin behind rows that
// nobody has seen.
absl::Status OdbcReader::CheckKey(const RecordBatch& rows, int64_t first) {
  bool repeated = first == 0 && last_key_ && SameKey(*last_key_, 0, rows, 0, plan_.key);
  for (int64_t i = 1; i < rows.rows() && !repeated; ++i)
    repeated = SameKey(rows, i - 1, rows, i, plan_.key);
  if (repeated)
    return Drift(absl::StrCat("the dataset's key is not unique in table '", request_.table, "'"));
  last_key_ = rows.Take({rows.rows() - 1});
  return absl::OkStatus();
}

}  // namespace sluice::adapters::odbc
