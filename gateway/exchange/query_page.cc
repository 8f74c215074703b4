// The task of a Query in its source's pool: scan, apply, encode, digest, record.
#include <algorithm>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/exchange/query_run.h"
#include "gateway/exchange/released_subjects.h"
#include "gateway/exchange/scan.h"
#include "gateway/policy/apply.h"
#include "gateway/records/row_batch.h"

namespace sluice::exchange {
namespace {

// A value takes about this many times the bytes in memory that it takes in a message at most (a
// null decimal: 16 to 2).
constexpr size_t kMostExpansion = 8;

absl::Status TooLargeInOne(int64_t rows) {
  return Error(v1::REASON_RESULT_TOO_LARGE,
               absl::StrCat(rows, " rows are larger than one message may be."));
}

}  // namespace

absl::Status QueryRun::Read(adapters::Adapter& adapter, const adapters::CallContext& context) {
  adapters::ScanRequest scan = MakeScan(*access_.plan);
  if (position_) scan.after = position_->after;
  scan.rows_wanted = page_rows_ + 1;
  SLUICE_ASSIGN_OR_RETURN(auto reader, adapter.Scan(std::move(scan), context));
  // What fits no message is not read on: an exchange holds a few batches, however large its rows.
  const auto most_bytes = static_cast<int64_t>(limits_.payload_bytes * kMostExpansion);
  // One row more than the page holds tells whether another page follows.
  SLUICE_RETURN_IF_ERROR(
      ReadAll(*reader, *running_, [&](const records::RecordBatch& batch) -> absl::StatusOr<bool> {
        SLUICE_RETURN_IF_ERROR(Take(batch, reader->bad_cells(), page_));
        return page_.rows <= page_rows_ && page_.bytes <= most_bytes;
      }));
  page_.version = reader->version();
  page_.snapshot = reader->snapshot();
  const bool cut = page_.bytes > most_bytes;
  page_.more = page_.rows > page_rows_ || cut;
  page_.rows = std::min(page_.rows, page_rows_);
  return CheckPage(cut);
}

absl::Status QueryRun::CheckPage(bool cut) const {
  if (position_ && !position_->source_version.empty() &&
      position_->source_version != page_.version.version) {
    return Error(v1::REASON_SOURCE_CHANGED,
                 "the owner's data changed since the page before; begin again without a token.");
  }
  if (cut && (!access_.plan->ordered || access_.plan->dataset->key.empty()))
    return TooLargeInOne(page_.rows);
  // An owner who looks at a few of its own rows may see any of them.
  if (!page_.more || access_.plan->ordered || is_preview()) return absl::OkStatus();
  if (cut_by_quota_)
    return Error(v1::REASON_QUOTA_EXCEEDED, "more rows match than the grant's quota has left.",
                 {{"grant", access_.plan->grant->definition.id()}});
  return Error(v1::REASON_ORDER_NOT_GRANTED,
               absl::StrCat("more than ", page_rows_,
                            " rows match, and the grant hides the key that pages would follow."),
               {{"grant", access_.plan->grant->definition.id()},
                {"dataset", access_.plan->grant->definition.dataset()}});
}

// Adds the rows of a scanned batch that the plan lets through.
absl::Status QueryRun::Take(const records::RecordBatch& scanned,
                            const std::vector<adapters::BadCell>& bad_cells, Page& page) {
  SLUICE_ASSIGN_OR_RETURN(
      policy::Applied applied,
      policy::Apply(*access_.plan, scanned, page_rows_ + 1 - page.rows, parts_.pseudonyms));
  if (applied.kept.empty()) return absl::OkStatus();
  const policy::Plan& plan = *access_.plan;
  for (int64_t row : applied.kept) {
    if (plan.ordered && !plan.dataset->key.empty()) page.keys.push_back(KeyOf(plan, scanned, row));
    if (!plan.dataset->subject_fields.empty())
      page.subjects.push_back(SubjectsOf(plan, scanned, row));
  }
  const std::vector<int64_t> bad_values = BadValuesOf(plan, applied.kept, bad_cells);
  page.bad_values.insert(page.bad_values.end(), bad_values.begin(), bad_values.end());
  page.rows += applied.output.rows();
  page.bytes += applied.output.bytes();
  page.output.push_back(std::move(applied.output));
  return absl::OkStatus();
}

// Makes the payload, of fewer rows where they would not fit one message.
absl::Status QueryRun::Encode() {
  Page& page = page_;
  for (;;) {
    records::RecordBatch rows = FirstRows(page.output, access_.plan->output_schema, page.rows);
    if (!access_.plan->ordered && rows.rows() > 1)
      rows = rows.Take(policy::ShuffleOrder(rows, parts_.pseudonyms.order_key()));
    std::string payload = records::EncodeRowBatch(rows);
    if (payload.size() <= limits_.payload_bytes) {
      digest_ = std::string(AsBytes(Sha256(payload)));
      response_.set_payload(std::move(payload));
      break;
    }
    if (page.rows == 1)
      return Error(v1::REASON_ROW_TOO_LARGE, "one row is larger than a message may be.");
    if (!access_.plan->ordered || access_.plan->dataset->key.empty())
      return TooLargeInOne(page.rows);
    page.rows /= 2;
    page.more = true;
  }
  page.subjects.resize(std::min<size_t>(page.subjects.size(), page.rows));
  page.bad_values.resize(std::min<size_t>(page.bad_values.size(), page.rows));
  if (page.more && page.rows > 0 && !is_preview()) {
    next_ =
        PagePosition{page.keys[page.rows - 1], page.snapshot ? page.version.version : std::string(),
                     position_ ? position_->first_page : -1, access_.started + limits_.token_life};
  }
  return absl::OkStatus();
}

v1::RecordKind QueryRun::kind() const {
  return is_preview() ? v1::RECORD_KIND_PREVIEWED : v1::RECORD_KIND_RELEASED;
}

void QueryRun::FillSubjects(audit::Draft& draft) const {
  const catalogue::Dataset& dataset = *access_.plan->dataset;
  if (dataset.subject_fields.empty()) return;
  draft.envelope.set_subjects_released(v1::SUBJECT_SCOPE_LISTED);
  SubjectList subjects(parts_.pseudonyms, access_.started, *draft.detail.mutable_released());
  for (const auto& row : page_.subjects) {
    for (size_t i = 0; i < row.size(); ++i) {
      if (!row[i].empty()) subjects.Add(dataset.field(dataset.subject_fields[i]).subject(), row[i]);
    }
  }
}

void QueryRun::FillReleased(audit::Draft& draft) {
  FillSubjects(draft);
  v1::AuditEnvelope& envelope = draft.envelope;
  envelope.set_count(page_.rows);
  envelope.set_digest(digest_);
  envelope.set_payload_bytes(static_cast<int64_t>(response_.payload().size()));
  envelope.set_media_type(std::string(records::kRowBatchMediaType));
  envelope.set_source_version(page_.version.version);
  draft.detail.set_rejected_records(page_.version.rejected_records);
  const auto bad_values =
      std::accumulate(page_.bad_values.begin(), page_.bad_values.end(), int64_t{0});
  envelope.set_bad_values(bad_values);
  FillResponse(response_);
  FillSource(page_.version, page_.snapshot, bad_values, *response_.mutable_applied());
  response_.set_media_type(envelope.media_type());
  response_.set_rows(page_.rows);
  page_ = Page();  // the rows are not held while the record is written
}

void QueryRun::LetGo(v1::Receipt receipt) {
  const int64_t index = receipt.index();
  *response_.mutable_receipt() = std::move(receipt);
  if (is_preview()) return done_(std::move(response_));
  reservation_.Settle(std::max<int64_t>(0, response_.rows() - access_.place.rows));
  parts_.request_ids.Released(access_.place, index, response_.rows());
  *response_.mutable_applied()->mutable_quota_left() =
      parts_.quotas.Left(access_.plan->grant->definition, access_.started);
  if (next_) {
    if (next_->first_page < 0) next_->first_page = index;
    response_.set_next_page_token(parts_.tokens.SealPage(Binding(), *next_));
  }
  done_(std::move(response_));
}

}  // namespace sluice::exchange
