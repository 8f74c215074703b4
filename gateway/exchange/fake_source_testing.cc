#include "gateway/exchange/fake_source_testing.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "gateway/base/error.h"

namespace sluice::exchange {

struct FakeSource::State {
  mutable Mutex mutex;
  Condition changed;
  std::vector<Row> rows SLUICE_GUARDED_BY(mutex);
  int64_t batch_rows SLUICE_GUARDED_BY(mutex) = 16384;
  std::vector<adapters::TableDescription> tables SLUICE_GUARDED_BY(mutex);
  std::vector<std::string> notes SLUICE_GUARDED_BY(mutex);
  adapters::SourceVersion version SLUICE_GUARDED_BY(mutex);
  bool snapshot SLUICE_GUARDED_BY(mutex) = false;
  std::vector<BadValue> bad_values SLUICE_GUARDED_BY(mutex);
  absl::Status open_fails SLUICE_GUARDED_BY(mutex);
  absl::Status scan_fails SLUICE_GUARDED_BY(mutex);
  absl::Status next_fails SLUICE_GUARDED_BY(mutex);
  absl::Status probe_fails SLUICE_GUARDED_BY(mutex);
  int next_fails_at SLUICE_GUARDED_BY(mutex) = -1;
  std::function<void()> on_next SLUICE_GUARDED_BY(mutex);
  bool hang SLUICE_GUARDED_BY(mutex) = false;
  bool deaf SLUICE_GUARDED_BY(mutex) = false;
  int hanging SLUICE_GUARDED_BY(mutex) = 0;
  int scans SLUICE_GUARDED_BY(mutex) = 0;
  int probes SLUICE_GUARDED_BY(mutex) = 0;
  int cancels SLUICE_GUARDED_BY(mutex) = 0;
  adapters::ScanRequest last_request SLUICE_GUARDED_BY(mutex);
};

class FakeSource::Reader : public adapters::RecordReader {
 public:
  Reader(std::shared_ptr<State> state, adapters::ScanRequest request)
      : state_(std::move(state)), request_(std::move(request)) {
    std::vector<records::Field> fields;
    for (const adapters::FieldRequest& field : request_.fields) fields.push_back(field.field);
    schema_ = std::make_shared<const records::Schema>(std::move(fields));
    MutexLock lock(state_->mutex);
    version_ = state_->version;
    snapshot_ = state_->snapshot;
    bad_values_ = state_->bad_values;
    for (const Row& row : state_->rows)
      if (Follows(row)) rows_.push_back(row);
    std::stable_sort(rows_.begin(), rows_.end(),
                     [this](const Row& a, const Row& b) { return KeyOf(a) < KeyOf(b); });
  }

  absl::StatusOr<std::optional<records::RecordBatch>> Next() override {
    std::function<void()> act;
    {
      MutexLock lock(state_->mutex);
      act = state_->on_next;
    }
    if (act) act();
    MutexLock lock(state_->mutex);
    ++state_->hanging;
    state_->changed.NotifyAll();
    while (state_->hang && (!cancelled_ || state_->deaf)) state_->changed.Wait(state_->mutex);
    --state_->hanging;
    if (cancelled_) return Error(v1::REASON_CANCELLED, "the reading was cancelled.");
    if (number_++ == state_->next_fails_at) return state_->next_fails;
    if (begin_ == rows_.size()) return std::nullopt;
    return NextBatch(static_cast<size_t>(state_->batch_rows));
  }

  void Cancel() override {
    MutexLock lock(state_->mutex);
    ++state_->cancels;
    cancelled_ = true;
    state_->changed.NotifyAll();
  }

  adapters::SourceVersion version() const override { return version_; }
  bool snapshot() const override { return snapshot_; }
  int64_t bad_values() const override { return bad_count_; }
  const std::vector<adapters::BadCell>& bad_cells() const override { return bad_cells_; }

 private:
  std::vector<std::string> KeyOf(const Row& row) const {
    std::vector<std::string> key;
    for (const int field : request_.key) {
      const auto found = row.find(request_.fields[field].column);
      key.push_back(found == row.end() ? "" : found->second);
    }
    return key;
  }

  bool Follows(const Row& row) const {
    if (!request_.after) return true;
    std::vector<std::string> after;
    for (const records::Scalar& value : *request_.after) {
      const auto* text = std::get_if<std::string>(&value);
      after.push_back(text == nullptr ? "" : *text);
    }
    return KeyOf(row) > after;
  }

  records::RecordBatch NextBatch(size_t most) {
    const size_t end = std::min(rows_.size(), begin_ + most);
    std::vector<records::Column> columns;
    for (const adapters::FieldRequest& field : request_.fields) {
      records::ColumnBuilder builder(field.field.type);
      for (size_t i = begin_; i < end; ++i) {
        const auto value = rows_[i].find(field.column);
        if (value == rows_[i].end())
          builder.AppendNull();
        else
          builder.AppendBytes(value->second);
      }
      columns.push_back(builder.Finish());
    }
    const auto count = static_cast<int64_t>(end - begin_);
    TellBadValues(static_cast<int64_t>(begin_), count);
    begin_ = end;
    return records::RecordBatch(schema_, std::move(columns), count);
  }

  void TellBadValues(int64_t begin, int64_t count) {
    bad_cells_.clear();
    for (const BadValue& bad : bad_values_) {
      for (size_t field = 0; field < request_.fields.size(); ++field) {
        if (request_.fields[field].column == bad.column && bad.row >= begin &&
            bad.row < begin + count)
          bad_cells_.push_back({bad.row - begin, static_cast<int>(field)});
      }
    }
    bad_count_ += static_cast<int64_t>(bad_cells_.size());
  }

  const std::shared_ptr<State> state_;
  const adapters::ScanRequest request_;
  records::SchemaPtr schema_;
  adapters::SourceVersion version_;
  bool snapshot_ = false;
  std::vector<BadValue> bad_values_;
  std::vector<adapters::BadCell> bad_cells_;
  int64_t bad_count_ = 0;
  std::vector<Row> rows_;
  size_t begin_ = 0;
  int number_ = 0;
  bool cancelled_ = false;  // guarded by the state's mutex
};

class FakeSource::Fake : public adapters::Adapter {
 public:
  explicit Fake(std::shared_ptr<State> state) : state_(std::move(state)) {}

  absl::StatusOr<std::vector<adapters::TableDescription>> Describe(
      const std::string&, const adapters::CallContext&) override {
    MutexLock lock(state_->mutex);
    return state_->tables;
  }
  absl::StatusOr<std::unique_ptr<adapters::RecordReader>> Scan(
      adapters::ScanRequest request, const adapters::CallContext&) override {
    {
      MutexLock lock(state_->mutex);
      ++state_->scans;
      state_->last_request = request;
      if (!state_->scan_fails.ok()) return state_->scan_fails;
    }
    return std::make_unique<Reader>(state_, std::move(request));
  }
  absl::Status Probe(const adapters::CallContext&) override {
    MutexLock lock(state_->mutex);
    ++state_->probes;
    return state_->probe_fails;
  }
  std::vector<std::string> Notes() override {
    MutexLock lock(state_->mutex);
    return state_->notes;
  }

 private:
  const std::shared_ptr<State> state_;
};

std::shared_ptr<FakeSource::State> FakeSource::MakeState() { return std::make_shared<State>(); }

void FakeSource::SetTables(std::vector<adapters::TableDescription> tables) {
  MutexLock lock(state_->mutex);
  state_->tables = std::move(tables);
}

void FakeSource::SetNotes(std::vector<std::string> notes) {
  MutexLock lock(state_->mutex);
  state_->notes = std::move(notes);
}

void FakeSource::SetRows(std::vector<Row> rows) {
  MutexLock lock(state_->mutex);
  state_->rows = std::move(rows);
}

void FakeSource::SetBatchRows(int64_t rows) {
  MutexLock lock(state_->mutex);
  state_->batch_rows = rows;
}

void FakeSource::SetVersion(const std::string& version, bool snapshot) {
  MutexLock lock(state_->mutex);
  state_->version.version = version;
  state_->snapshot = snapshot;
}

void FakeSource::SetRejected(int64_t records) {
  MutexLock lock(state_->mutex);
  state_->version.rejected_records = records;
}

void FakeSource::SetBadValues(std::vector<BadValue> values) {
  MutexLock lock(state_->mutex);
  state_->bad_values = std::move(values);
}

void FakeSource::FailOpen(absl::Status why) {
  MutexLock lock(state_->mutex);
  state_->open_fails = std::move(why);
}

void FakeSource::FailProbe(absl::Status why) {
  MutexLock lock(state_->mutex);
  state_->probe_fails = std::move(why);
}

void FakeSource::FailScan(absl::Status why) {
  MutexLock lock(state_->mutex);
  state_->scan_fails = std::move(why);
}

void FakeSource::FailNext(int number, absl::Status why) {
  MutexLock lock(state_->mutex);
  state_->next_fails_at = why.ok() ? -1 : number;
  state_->next_fails = std::move(why);
}

void FakeSource::OnNext(std::function<void()> act) {
  MutexLock lock(state_->mutex);
  state_->on_next = std::move(act);
}

void FakeSource::Hang(bool deaf) {
  MutexLock lock(state_->mutex);
  state_->hang = true;
  state_->deaf = deaf;
}

void FakeSource::LetGo() {
  MutexLock lock(state_->mutex);
  state_->hang = false;
  state_->changed.NotifyAll();
}

void FakeSource::AwaitHanging(int count) {
  MutexLock lock(state_->mutex);
  while (state_->hanging < count) {
    if (!state_->changed.WaitFor(state_->mutex, std::chrono::seconds(30))) {
      ADD_FAILURE() << "only " << state_->hanging << " of " << count << " hang";
      return;
    }
  }
}

int FakeSource::probes() const {
  MutexLock lock(state_->mutex);
  return state_->probes;
}

int FakeSource::scans() const {
  MutexLock lock(state_->mutex);
  return state_->scans;
}

int FakeSource::cancels() const {
  MutexLock lock(state_->mutex);
  return state_->cancels;
}

adapters::ScanRequest FakeSource::last_request() const {
  MutexLock lock(state_->mutex);
  return state_->last_request;
}

absl::StatusOr<std::unique_ptr<adapters::Adapter>> FakeSource::Open() {
  MutexLock lock(state_->mutex);
  if (!state_->open_fails.ok()) return state_->open_fails;
  return std::make_unique<Fake>(state_);
}

}  // namespace sluice::exchange
