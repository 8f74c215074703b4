// The task of a Query in its source's pool: scan, apply, encode, digest, record.
#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/exchange/query_run.h"
#include "gateway/policy/apply.h"
#include "gateway/records/row_batch.h"

namespace sluice::exchange {
namespace {

// A value takes about this many times the bytes in memory that it takes in a message at most (a
// null decimal: 16 to 2).
constexpr size_t kMostExpansion = 8;

// Moves field indices of the dataset's schema to positions in the scan.
void Remap(const std::vector<int>& scan_fields, records::Predicate& predicate) {
  if (predicate.field >= 0) {
    predicate.field = static_cast<int>(
        std::find(scan_fields.begin(), scan_fields.end(), predicate.field) - scan_fields.begin());
  }
  for (records::Predicate& child : predicate.children) Remap(scan_fields, child);
}

records::Scalar ScalarAt(const records::Column& column, int64_t row) {
  if (column.IsNull(row)) return std::monostate();
  switch (column.type().id) {
    case records::TypeId::kBool:
      return column.Bool(row);
    case records::TypeId::kInt64:
    case records::TypeId::kTimestamp:
      return column.Int64(row);
    case records::TypeId::kFloat64:
      return column.Float64(row);
    case records::TypeId::kDecimal128:
      return column.Decimal(row);
    case records::TypeId::kDate32:
      return column.Date32(row);
    case records::TypeId::kUtf8:
    case records::TypeId::kBinary:
      return std::string(column.Bytes(row));
  }
  return std::monostate();
}

absl::Status TooLargeInOne(int64_t rows) {
  return Error(v1::REASON_RESULT_TOO_LARGE,
               absl::StrCat(rows, " rows are larger than one message may be."));
}

// The first `rows` rows of several batches as one.
records::RecordBatch Join(const std::vector<records::RecordBatch>& batches,
                          const records::SchemaPtr& schema, int64_t rows) {
  if (batches.size() == 1 && batches[0].rows() == rows) return batches[0];
  std::vector<records::Column> columns;
  for (size_t c = 0; c < schema->size(); ++c) {
    records::ColumnBuilder builder(schema->field(c).type);
    for (const records::RecordBatch& batch : batches) {
      for (int64_t r = 0; r < batch.rows() && builder.length() < rows; ++r)
        builder.AppendFrom(batch.column(c), r);
    }
    columns.push_back(builder.Finish());
  }
  return records::RecordBatch(schema, std::move(columns), rows);
}

}  // namespace

absl::Status QueryRun::Work(absl::StatusOr<adapters::Adapter*> adapter) {
  if (running_->state() != RunningExchange::State::kRunning)
    return Error(v1::REASON_CANCELLED, "ended while it waited for the source.");
  if (!adapter.ok()) {
    End(adapter.status(), v1::RECORD_KIND_FAILED);
    return adapter.status();
  }
  const Micros limit = parts_.clock.Monotonic() + source_->statement_limit();
  auto page = ReadPage(**adapter);
  absl::Status outcome = page.status();
  absl::Status status = outcome.ok() ? Encode(*page) : outcome;
  if (status.ok()) {
    Release(*page);
  } else {
    End(status, KindFor(status));
  }
  // A deadline that the caller set shorter than the source's own says nothing of the source.
  if (ReasonOf(outcome) == v1::REASON_DEADLINE_EXCEEDED && call_.deadline > 0 &&
      call_.deadline < limit)
    return Error(v1::REASON_CANCELLED, "the caller's own deadline passed.");
  return outcome;
}

adapters::ScanRequest QueryRun::MakeScan() const {
  const catalogue::Dataset& dataset = *plan_->dataset;
  adapters::ScanRequest scan;
  scan.table = dataset.definition.table();
  for (int field : plan_->scan_fields) {
    const v1::DatasetField& definition = dataset.field(field);
    scan.fields.push_back({definition.column().empty() ? definition.name() : definition.column(),
                           dataset.schema->field(field)});
  }
  for (int field : dataset.key) {
    scan.key.push_back(
        static_cast<int>(std::find(plan_->scan_fields.begin(), plan_->scan_fields.end(), field) -
                         plan_->scan_fields.begin()));
  }
  if (position_) scan.after = position_->after;
  scan.predicate = plan_->raw_predicate;
  Remap(plan_->scan_fields, scan.predicate);
  scan.rows_wanted = page_rows_ + 1;
  scan.on_bad_value = dataset.definition.on_bad_value() == v1::ON_BAD_VALUE_NULL_AND_COUNT
                          ? adapters::OnBadValue::kNullAndCount
                          : adapters::OnBadValue::kStop;
  return scan;
}

absl::StatusOr<QueryRun::Page> QueryRun::ReadPage(adapters::Adapter& adapter) {
  adapters::CallContext context;
  context.clock = &parts_.clock;
  context.deadline = parts_.clock.Monotonic() + source_->statement_limit();
  if (call_.deadline > 0) context.deadline = std::min(context.deadline, call_.deadline);
  context.stop = running_->stop;
  SLUICE_ASSIGN_OR_RETURN(auto reader, adapter.Scan(MakeScan(), context));
  struct Watched {
    RunningExchange& exchange;
    ~Watched() { exchange.SetReader(nullptr); }
  } watched{*running_};
  running_->SetReader(reader.get());

  Page page;
  // What fits no message is not read on: an exchange holds a few batches, however large its rows.
  const auto most_bytes = static_cast<int64_t>(limits_.payload_bytes * kMostExpansion);
  // One row more than the page holds tells whether another page follows.
  while (page.rows <= page_rows_ && page.bytes <= most_bytes) {
    SLUICE_ASSIGN_OR_RETURN(auto batch, reader->Next());
    if (!batch) break;
    SLUICE_RETURN_IF_ERROR(Take(*batch, reader->bad_cells(), page));
  }
  page.version = reader->version();
  page.snapshot = reader->snapshot();
  const bool cut = page.bytes > most_bytes;
  page.more = page.rows > page_rows_ || cut;
  page.rows = std::min(page.rows, page_rows_);
  if (position_ && !position_->source_version.empty() &&
      position_->source_version != page.version.version) {
    return Error(v1::REASON_SOURCE_CHANGED,
                 "the owner's data changed since the page before; begin again without a token.");
  }
  if (cut && (!plan_->ordered || plan_->dataset->key.empty())) return TooLargeInOne(page.rows);
  if (page.more && !plan_->ordered) {
    if (cut_by_quota_)
      return Error(v1::REASON_QUOTA_EXCEEDED, "more rows match than the grant's quota has left.",
                   {{"grant", plan_->grant->definition.id()}});
    return Error(v1::REASON_ORDER_NOT_GRANTED,
                 absl::StrCat("more than ", page_rows_,
                              " rows match, and the grant hides the key that pages would follow."),
                 {{"grant", plan_->grant->definition.id()},
                  {"dataset", plan_->grant->definition.dataset()}});
  }
  return page;
}

// Of what leaves alone: what did not fit in other rows, or in fields that are not shown, is
// nobody's to count.
void QueryRun::CountBadValues(const std::vector<int64_t>& kept,
                              const std::vector<adapters::BadCell>& bad_cells, Page& page) const {
  page.bad_values.resize(page.bad_values.size() + kept.size());
  for (const adapters::BadCell& cell : bad_cells) {
    const auto row = std::lower_bound(kept.begin(), kept.end(), cell.row);
    const bool shown = std::any_of(
        plan_->output.begin(), plan_->output.end(), [&](const policy::OutputField& out) {
          return out.field == plan_->scan_fields[cell.field] &&
                 plan_->grant->mask(out.granted).kind() != v1::MASK_KIND_NULL;
        });
    if (row == kept.end() || *row != cell.row || !shown) continue;
    ++page.bad_values[page.bad_values.size() - kept.size() + (row - kept.begin())];
  }
}

int64_t QueryRun::BadValues(const Page& page) {
  return std::accumulate(page.bad_values.begin(), page.bad_values.end(), int64_t{0});
}

// Adds the rows of a scanned batch that the plan lets through.
absl::Status QueryRun::Take(const records::RecordBatch& scanned,
                            const std::vector<adapters::BadCell>& bad_cells, Page& page) {
  SLUICE_ASSIGN_OR_RETURN(
      policy::Applied applied,
      policy::Apply(*plan_, scanned, page_rows_ + 1 - page.rows, parts_.pseudonyms));
  if (applied.kept.empty()) return absl::OkStatus();
  const catalogue::Dataset& dataset = *plan_->dataset;
  const auto column_of = [&](int field) -> const records::Column& {
    return scanned.column(std::find(plan_->scan_fields.begin(), plan_->scan_fields.end(), field) -
                          plan_->scan_fields.begin());
  };
  for (int64_t row : applied.kept) {
    if (plan_->ordered && !dataset.key.empty()) {
      std::vector<records::Scalar>& key = page.keys.emplace_back();
      for (int field : dataset.key) key.push_back(ScalarAt(column_of(field), row));
    }
    if (dataset.subject_fields.empty()) continue;
    std::vector<std::string>& subjects = page.subjects.emplace_back();
    for (int field : dataset.subject_fields) {
      const records::Column& column = column_of(field);
      subjects.emplace_back(column.IsNull(row) ? std::string_view() : column.Bytes(row));
    }
  }
  CountBadValues(applied.kept, bad_cells, page);
  page.rows += applied.output.rows();
  page.bytes += applied.output.bytes();
  page.output.push_back(std::move(applied.output));
  return absl::OkStatus();
}

// Makes the payload, of fewer rows where they would not fit one message.
absl::Status QueryRun::Encode(Page& page) {
  for (;;) {
    records::RecordBatch rows = Join(page.output, plan_->output_schema, page.rows);
    if (!plan_->ordered)
      rows = rows.Take(policy::ShuffleOrder(rows, parts_.pseudonyms.DeriveKey("sluice/order/v1")));
    std::string payload = records::EncodeRowBatch(rows);
    if (payload.size() <= limits_.payload_bytes) {
      digest_ = std::string(AsBytes(Sha256(payload)));
      response_.set_payload(std::move(payload));
      break;
    }
    if (page.rows == 1)
      return Error(v1::REASON_ROW_TOO_LARGE, "one row is larger than a message may be.");
    if (!plan_->ordered || plan_->dataset->key.empty()) return TooLargeInOne(page.rows);
    page.rows /= 2;
    page.more = true;
  }
  page.subjects.resize(std::min<size_t>(page.subjects.size(), page.rows));
  page.bad_values.resize(std::min<size_t>(page.bad_values.size(), page.rows));
  if (page.more && page.rows > 0) {
    next_ =
        PagePosition{page.keys[page.rows - 1], page.snapshot ? page.version.version : std::string(),
                     position_ ? position_->first_page : -1, started_ + limits_.token_life};
  }
  return absl::OkStatus();
}

void QueryRun::Release(const Page& page) {
  audit::Draft draft = DraftFor(v1::RECORD_KIND_RELEASED, call_);
  FillPlan(draft);
  FillReleased(page, draft);
  v1::AuditEnvelope& envelope = draft.envelope;
  envelope.set_count(page.rows);
  envelope.set_digest(digest_);
  envelope.set_payload_bytes(static_cast<int64_t>(response_.payload().size()));
  envelope.set_media_type(std::string(records::kRowBatchMediaType));
  envelope.set_source_version(page.version.version);
  envelope.set_bad_values(BadValues(page));
  FillApplied(page);
  response_.set_call_id(call_.call_id);
  response_.set_request_id(request_id_);
  response_.set_media_type(envelope.media_type());
  response_.set_rows(page.rows);

  auto sealed = parts_.sealer.Seal(std::move(draft));
  if (!sealed.ok()) return End(sealed.status(), v1::RECORD_KIND_FAILED);
  if (!running_->Advance(RunningExchange::State::kRunning, RunningExchange::State::kReleasing))
    return;
  parts_.log.Append(
      *std::move(sealed), [run = shared_from_this()](absl::StatusOr<v1::Receipt> receipt) {
        if (receipt.ok()) return run->Released(*receipt);
        run->parts_.running.Remove(run->running_);
        run->reservation_.Settle(0);
        run->parts_.request_ids.GiveBack(run->place_);
        absl::Status told =
            PublicStatus(receipt.status(), run->call_.call_id, run->parts_.operations);
        AddKey(told, "call", run->call_.call_id);
        run->done_(std::move(told));
      });
}

// The record is durable: the answer may go, unless the grant went in the meantime.
void QueryRun::Released(const v1::Receipt& receipt) {
  running_->Advance(RunningExchange::State::kReleasing, RunningExchange::State::kDone);
  if (absl::Status why = running_->withdrawn(); !why.ok()) {
    audit::Draft draft = DraftFor(v1::RECORD_KIND_FAILED, call_);
    FillPlan(draft);
    draft.envelope.set_repeats(receipt.index());
    return Finish(std::move(why), v1::RECORD_KIND_FAILED, std::move(draft));
  }
  parts_.running.Remove(running_);
  reservation_.Settle(std::max<int64_t>(0, response_.rows() - place_.rows));
  parts_.request_ids.Released(place_, receipt.index(), response_.rows());
  *response_.mutable_receipt() = receipt;
  *response_.mutable_applied()->mutable_quota_left() =
      parts_.quotas.Left(plan_->grant->definition, started_);
  if (next_) {
    if (next_->first_page < 0) next_->first_page = receipt.index();
    response_.set_next_page_token(parts_.tokens.Seal(Binding(), *next_));
  }
  done_(std::move(response_));
}

}  // namespace sluice::exchange
