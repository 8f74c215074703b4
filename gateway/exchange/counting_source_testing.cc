#include "gateway/exchange/counting_source_testing.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gateway/base/error.h"

namespace sluice::exchange {
namespace {

void Fill(const std::string& column, int64_t row, records::ColumnBuilder& builder) {
  if (column == "number") return builder.AppendInt64(row);
  if (column == "name") return builder.AppendBytes(absl::StrCat("Name ", row));
  builder.AppendBytes(PersonOf(row));
}

}  // namespace

// Rows from `after` on are skipped by number: the key is "number".
class CountingReader : public adapters::RecordReader {
 public:
  CountingReader(CountingSource& source, adapters::ScanRequest request)
      : source_(source), request_(std::move(request)) {
    ++source_.open_readers;
    std::vector<records::Field> fields;
    for (const auto& field : request_.fields) fields.push_back(field.field);
    schema_ = std::make_shared<const records::Schema>(std::move(fields));
    if (request_.after) row_ = std::get<int64_t>(request_.after->at(0)) + 1;
  }
  ~CountingReader() override { --source_.open_readers; }

  absl::StatusOr<std::optional<records::RecordBatch>> Next() override {
    const int number = number_++;
    ++source_.nexts;
    {
      MutexLock lock(source_.mutex_);
      while (!cancelled_ && source_.hangs_at >= 0 && number >= source_.hangs_at)
        source_.changed_.Wait(source_.mutex_);
    }
    if (cancelled_) return Error(v1::REASON_CANCELLED, "the scan was cancelled.");
    if (number == source_.fails_at)
      return Error(v1::REASON_SOURCE_UNAVAILABLE, "the source broke. Nothing was released.");
    const int64_t end = std::min<int64_t>(source_.rows, row_ + source_.batch_rows);
    if (row_ >= end) return std::nullopt;
    std::vector<records::Column> columns;
    for (const auto& field : request_.fields) {
      records::ColumnBuilder builder(field.field.type);
      for (int64_t row = row_; row < end; ++row) Fill(field.column, row, builder);
      columns.push_back(builder.Finish());
    }
    const int64_t count = end - row_;
    row_ = end;
    return records::RecordBatch(schema_, std::move(columns), count);
  }

  void Cancel() override {
    MutexLock lock(source_.mutex_);
    if (!cancelled_.exchange(true)) ++source_.cancels;
    source_.changed_.NotifyAll();
  }
  adapters::SourceVersion version() const override { return {version_, std::nullopt}; }
  bool snapshot() const override { return true; }
  int64_t bad_values() const override { return 0; }
  const std::vector<adapters::BadCell>& bad_cells() const override { return none_; }

 private:
  CountingSource& source_;
  const adapters::ScanRequest request_;
  const std::string version_ = absl::StrCat("version ", source_.version.load());
  const std::vector<adapters::BadCell> none_;
  records::SchemaPtr schema_;
  int64_t row_ = 0;
  int number_ = 0;
  std::atomic<bool> cancelled_{false};
};

namespace {

class CountingAdapter : public adapters::Adapter {
 public:
  explicit CountingAdapter(CountingSource& source) : source_(source) {}
  absl::StatusOr<std::vector<adapters::TableDescription>> Describe(
      const std::string&, const adapters::CallContext&) override {
    return std::vector<adapters::TableDescription>();
  }
  absl::StatusOr<std::unique_ptr<adapters::RecordReader>> Scan(
      adapters::ScanRequest request, const adapters::CallContext&) override {
    return std::make_unique<CountingReader>(source_, std::move(request));
  }
  absl::Status Probe(const adapters::CallContext&) override { return absl::OkStatus(); }

 private:
  CountingSource& source_;
};

}  // namespace

void CountingSource::LetGo() {
  MutexLock lock(mutex_);
  hangs_at = -1;
  changed_.NotifyAll();
}

std::unique_ptr<adapters::Adapter> CountingSource::Open() {
  return std::make_unique<CountingAdapter>(*this);
}

std::string PersonOf(int64_t i) {
  std::string id = absl::StrFormat("110101%04d%02d%02d%03d", 1930 + i / 336'000,
                                   1 + i / 28'000 % 12, 1 + i / 1000 % 28, i % 1000);
  constexpr int kWeights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
  int sum = 0;
  for (int d = 0; d < 17; ++d) sum += (id[d] - '0') * kWeights[d];
  return id + "10X98765432"[sum % 11];
}

}  // namespace sluice::exchange
