// The task of a Read in its source's pool: scan, apply, encode, digest; a step at a time.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/exchange/read_run.h"
#include "gateway/exchange/released_subjects.h"
#include "gateway/exchange/scan.h"
#include "gateway/policy/apply.h"

namespace sluice::exchange {
namespace {

// A task gives its thread back after this long, with what it has: calls wait no longer for it.
constexpr Micros kTaskTime = 250 * kMillisecond;
// A step's subjects are listed one by one in its record's detail.
constexpr int64_t kStepSubjects = 20'000;
// Leaves room for the rest of the detail.
constexpr size_t kMostSubjectBytes = audit::kMaxDetailBytes - (128 << 10);

}  // namespace

void ReadRun::SubmitTask() {
  absl::Status status = source_->Submit(
      [run = shared_from_this()](absl::StatusOr<adapters::Adapter*> adapter) {
        return run->Work(std::move(adapter));
      },
      SourceAtWork::Part::kStream);
  if (status.ok()) return;
  bool begun = false;
  {
    MutexLock lock(mutex_);
    encoding_ = false;
    begun = begun_;
  }
  // Once begun, a full queue is waited for: Watch comes back.
  if (!begun || ReasonOf(status) != v1::REASON_SOURCE_BUSY) End(status, KindFor(status));
}

absl::Status ReadRun::Work(absl::StatusOr<adapters::Adapter*> adapter) {
  if (running_->state() != RunningExchange::State::kRunning) {
    DropReader();
    return Error(v1::REASON_CANCELLED, "ended while it waited for the source.");
  }
  Step step;
  const absl::Status outcome = adapter.ok() ? FillStep(**adapter, step) : adapter.status();
  if (!outcome.ok()) EndOfRows(outcome);
  ListReleased(step);
  bool ended = false;
  {
    MutexLock lock(mutex_);
    ended = ended_;
    encoding_ = ended;  // once it has ended, no other task comes
    begun_ = true;
    if (!step.batches.empty() && !ended) ready_ = std::move(step);
    exhausted_ = at_end_ && encoded_.empty();
    if (exhausted_) cut_ = end_why_;
  }
  if (ended) DropReader();
  Pump();
  // Its deadline is the caller's, and says nothing of the source.
  if (ReasonOf(outcome) == v1::REASON_DEADLINE_EXCEEDED)
    return Error(v1::REASON_CANCELLED, "the caller's own deadline passed.");
  return outcome;
}

// Batches for one record: as many as were encoded within the task's time, up to the limits.
absl::Status ReadRun::FillStep(adapters::Adapter& adapter, Step& step) {
  const Micros began = parts_.clock.Monotonic();
  for (;;) {
    while (!encoded_.empty()) {
      StreamBatch& batch = encoded_.front();
      if (!step.batches.empty() && !Fits(step, batch)) return absl::OkStatus();
      step.rows += batch.rows;
      step.bytes += static_cast<int64_t>(batch.payload.size());
      step.batches.push_back(std::move(batch));
      encoded_.pop_front();
    }
    if (at_end_ || parts_.clock.Monotonic() - began >= kTaskTime) return absl::OkStatus();
    SLUICE_RETURN_IF_ERROR(ReadOn(adapter));
    for (StreamBatch& batch : made_) encoded_.push_back(std::move(batch));
    made_.clear();
  }
}

// Naming is slow, so it is done here and not where the step is recorded.
void ReadRun::ListReleased(Step& step) const {
  const catalogue::Dataset& dataset = *access_.plan->dataset;
  if (dataset.subject_fields.empty()) return;
  step.scope = v1::SUBJECT_SCOPE_LISTED;
  SubjectList subjects(parts_.pseudonyms, access_.started, step.released);
  for (StreamBatch& batch : step.batches) {
    for (const auto& row : batch.subjects) {
      for (size_t i = 0; i < row.size(); ++i) {
        if (!row[i].empty())
          subjects.Add(dataset.field(dataset.subject_fields[i]).subject(), row[i]);
      }
    }
    batch.subjects = {};
    if (subjects.bytes() <= kMostSubjectBytes) continue;
    step.scope = v1::SUBJECT_SCOPE_POPULATION;
    step.released.Clear();
    return;
  }
}

bool ReadRun::Fits(const Step& step, const StreamBatch& batch) const {
  const int64_t subjects = static_cast<int64_t>(access_.plan->dataset->subject_fields.size());
  const int64_t rows = step.rows + batch.rows;
  return rows <= limits_.step_rows && rows * subjects <= kStepSubjects &&
         step.bytes + static_cast<int64_t>(batch.payload.size()) <= limits_.step_bytes;
}

// One batch of the source.
absl::Status ReadRun::ReadOn(adapters::Adapter& adapter) {
  struct Asking {
    std::atomic<Micros>& since;
    ~Asking() { since = 0; }
  };
  std::optional<records::RecordBatch> batch;
  {
    asked_source_ = parts_.clock.Monotonic();
    const Asking asking{asked_source_};
    if (reader_ == nullptr) {
      adapters::CallContext context;
      context.clock = &parts_.clock;
      context.deadline = access_.call.deadline;
      context.stop = running_->stop;
      adapters::ScanRequest scan = MakeScan(*access_.plan);
      if (position_) scan.after = position_->after;
      SLUICE_ASSIGN_OR_RETURN(reader_, adapter.Scan(std::move(scan), context));
      running_->SetReader(reader_.get());
    }
    SLUICE_ASSIGN_OR_RETURN(batch, reader_->Next());
  }
  if (position_ && !position_->source_version.empty() &&
      position_->source_version != reader_->version().version) {
    return Error(v1::REASON_SOURCE_CHANGED,
                 "the owner's data changed since the stream was cut; read anew, without a token.");
  }
  {
    MutexLock lock(mutex_);
    version_ = reader_->version();
    snapshot_ = reader_->snapshot();
  }
  if (batch) return TakeRows(*batch);
  if (!access_.plan->ordered) SLUICE_RETURN_IF_ERROR(Shuffle());
  EndOfRows(absl::OkStatus());
  return absl::OkStatus();
}

// No more rows come. Those of a batch that is not complete go where it is the rows that end, not
// where the source broke.
void ReadRun::EndOfRows(absl::Status why) {
  if (at_end_) return;
  at_end_ = true;
  end_why_ = std::move(why);
  if (end_why_.ok() || ReasonOf(end_why_) == v1::REASON_QUOTA_EXCEEDED) {
    const size_t first = made_.size();
    maker_->Finish(end_why_.ok(), made_);
    for (size_t i = first; i < made_.size(); ++i) made_[i].last_key = last_key_;
    if (end_why_.ok() && made_.size() > first) made_.back().at_end = true;
  }
  DropReader();
}

void ReadRun::DropReader() {
  if (running_ != nullptr) running_->SetReader(nullptr);
  reader_.reset();
}

absl::Status ReadRun::TakeRows(const records::RecordBatch& scanned) {
  const policy::Plan& plan = *access_.plan;
  SLUICE_ASSIGN_OR_RETURN(policy::Applied applied,
                          policy::Apply(plan, scanned, scanned.rows(), parts_.pseudonyms));
  const int64_t rows = applied.output.rows();
  RowFacts facts;
  if (!reader_->bad_cells().empty())
    facts.bad_values = BadValuesOf(plan, applied.kept, reader_->bad_cells());
  if (!plan.dataset->subject_fields.empty()) {
    facts.subjects.reserve(rows);
    for (const int64_t row : applied.kept) facts.subjects.push_back(SubjectsOf(plan, scanned, row));
  }
  const int64_t allowed = ReserveRows(rows);
  const absl::Status too_many =
      allowed == rows
          ? absl::OkStatus()
          : Error(v1::REASON_QUOTA_EXCEEDED, "more rows match than the grant's quota has left.",
                  {{"grant", plan.grant->definition.id()}});
  if (!plan.ordered) {
    SLUICE_RETURN_IF_ERROR(too_many);
    return Gather(std::move(applied.output), std::move(facts));
  }
  applied.kept.resize(allowed);
  const size_t first = made_.size();
  SLUICE_RETURN_IF_ERROR(
      maker_->Add(records::Join(plan.output_schema, {{std::move(applied.output), 0, allowed}}),
                  std::move(facts), made_));
  if (resumable()) NameKeys(scanned, applied.kept, first);
  if (!too_many.ok()) EndOfRows(too_many);
  return absl::OkStatus();
}

void ReadRun::NameKeys(const records::RecordBatch& scanned, const std::vector<int64_t>& kept,
                       size_t first) {
  const policy::Plan& plan = *access_.plan;
  for (size_t i = first; i < made_.size(); ++i) {
    StreamBatch& batch = made_[i];
    batch.last_key = batch.last_row < 0 ? last_key_ : KeyOf(plan, scanned, kept[batch.last_row]);
  }
  if (!kept.empty()) last_key_ = KeyOf(plan, scanned, kept.back());
}

int64_t ReadRun::ReserveRows(int64_t rows) {
  if (rows > available_) {
    int64_t more = 0;
    auto reservation = parts_.quotas.ReserveMore(access_.plan->grant->definition, rows - available_,
                                                 1, parts_.clock.Now(), &more);
    if (reservation.ok()) {
      available_ += more;
      MutexLock lock(mutex_);
      // What is reserved too late is given back here.
      if (!ended_) reserved_.push_back(*std::move(reservation));
    }
  }
  const int64_t allowed = std::min(rows, available_);
  available_ -= allowed;
  return allowed;
}

// The order of a hidden key may not show, so all rows are held until they can be shuffled.
absl::Status ReadRun::Gather(records::RecordBatch output, RowFacts facts) {
  gathered_rows_ += output.rows();
  gathered_bytes_ += output.bytes();
  const v1::Grant& grant = access_.plan->grant->definition;
  if (gathered_bytes_ > limits_.unordered_bytes)
    return Error(v1::REASON_RESULT_TOO_LARGE,
                 "the grant hides the key, and the rows are more than can be put into no order.");
  if (gathered_rows_ > limits_.unordered_rows)
    return Error(v1::REASON_ORDER_NOT_GRANTED,
                 absl::StrCat("more than ", limits_.unordered_rows,
                              " rows match, and the grant hides the key that they would follow."),
                 {{"grant", grant.id()}, {"dataset", grant.dataset()}});
  facts.bad_values.resize(output.rows());
  gathered_facts_.bad_values.insert(gathered_facts_.bad_values.end(), facts.bad_values.begin(),
                                    facts.bad_values.end());
  std::move(facts.subjects.begin(), facts.subjects.end(),
            std::back_inserter(gathered_facts_.subjects));
  gathered_.push_back(std::move(output));
  return absl::OkStatus();
}

absl::Status ReadRun::Shuffle() {
  if (gathered_rows_ == 0) return absl::OkStatus();
  const records::RecordBatch rows =
      FirstRows(gathered_, access_.plan->output_schema, gathered_rows_);
  const std::vector<int64_t> order = policy::ShuffleOrder(rows, parts_.pseudonyms.order_key());
  RowFacts facts;
  for (const int64_t row : order) {
    facts.bad_values.push_back(gathered_facts_.bad_values[row]);
    if (!gathered_facts_.subjects.empty())
      facts.subjects.push_back(std::move(gathered_facts_.subjects[row]));
  }
  gathered_.clear();
  gathered_facts_ = RowFacts();
  return maker_->Add(rows.Take(order), std::move(facts), made_);
}

}  // namespace sluice::exchange
