#include "gateway/exchange/read_testing.h"

#include <gtest/gtest.h>

#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "certs/spiffe.h"
#include "gateway/audit/log_testing.h"
#include "gateway/base/check.h"
#include "gateway/base/error.h"

namespace sluice::exchange {
namespace {

constexpr auto kReadPatience = std::chrono::seconds(30);

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
  adapters::SourceVersion version() const override { return {"version 7", std::nullopt}; }
  bool snapshot() const override { return true; }
  int64_t bad_values() const override { return 0; }
  const std::vector<adapters::BadCell>& bad_cells() const override { return none_; }

 private:
  CountingSource& source_;
  const adapters::ScanRequest request_;
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

void Consumer::Write(v1::ReadResponse message, std::function<void(bool)> taken) {
  if (on_write) on_write(message);
  bool now = false, ok = false;
  {
    MutexLock lock(mutex_);
    EXPECT_EQ(finishes_, 0) << "written after the end";
    EXPECT_TRUE(taken_ == nullptr) << "written before the one before was taken";
    messages_.push_back(std::move(message));
    ok = !vanished_ && !aborted_;
    now = eager_ || !ok;
    if (!now) taken_ = std::move(taken);
    changed_.NotifyAll();
  }
  if (now) taken(ok);
}

void Consumer::Finish(absl::Status status, std::optional<v1::ReadResponse> last) {
  MutexLock lock(mutex_);
  EXPECT_TRUE(taken_ == nullptr) << "finished before the last message was taken";
  ++finishes_;
  status_ = std::move(status);
  if (last) messages_.push_back(*std::move(last));
  changed_.NotifyAll();
}

void Consumer::Abort() {
  {
    MutexLock lock(mutex_);
    aborted_ = true;
  }
  TakeOne(false);
}

void Consumer::TakeOne(bool ok) {
  std::function<void(bool)> taken;
  {
    MutexLock lock(mutex_);
    taken = std::exchange(taken_, nullptr);
  }
  if (taken) taken(ok);
}

bool Consumer::Await(const std::function<bool()>& condition) const {
  while (!condition()) {
    if (!changed_.WaitFor(mutex_, kReadPatience) && !condition()) return false;
  }
  return true;
}

void Consumer::Take() {
  {
    MutexLock lock(mutex_);
    if (!Await([this]() SLUICE_REQUIRES(mutex_) { return taken_ != nullptr; })) {
      ADD_FAILURE() << "nothing is written";
      return;
    }
  }
  TakeOne(true);
}

void Consumer::TakeAll() {
  {
    MutexLock lock(mutex_);
    eager_ = true;
  }
  TakeOne(true);
}

void Consumer::Vanish() {
  {
    MutexLock lock(mutex_);
    vanished_ = true;
  }
  TakeOne(false);
}

bool Consumer::AwaitMessages(size_t count) {
  MutexLock lock(mutex_);
  return Await([this, count]() SLUICE_REQUIRES(mutex_) { return messages_.size() >= count; });
}

absl::Status Consumer::AwaitEnd() {
  MutexLock lock(mutex_);
  if (!Await([this]() SLUICE_REQUIRES(mutex_) { return finishes_ > 0; }))
    return absl::DeadlineExceededError("the stream does not end");
  return status_;
}

std::vector<v1::ReadResponse> Consumer::messages() const {
  MutexLock lock(mutex_);
  return messages_;
}

std::string Consumer::payload() const {
  std::string all;
  for (const v1::ReadResponse& message : messages()) all += message.payload();
  return all;
}

int64_t Consumer::rows() const {
  int64_t rows = 0;
  for (const v1::ReadResponse& message : messages()) rows += message.rows();
  return rows;
}

int Consumer::finishes() const {
  MutexLock lock(mutex_);
  return finishes_;
}

bool Consumer::aborted() const {
  MutexLock lock(mutex_);
  return aborted_;
}

void GatedLog::Hold() {
  MutexLock lock(mutex_);
  hold_ = true;
}

void GatedLog::AwaitHeld() {
  MutexLock lock(mutex_);
  while (held_.empty()) {
    if (!changed_.WaitFor(mutex_, kReadPatience) && held_.empty()) {
      ADD_FAILURE() << "nothing is recorded";
      return;
    }
  }
}

void GatedLog::PassOne() {
  std::pair<audit::SealedRecord, audit::AppendCallback> first;
  {
    MutexLock lock(mutex_);
    while (held_.empty()) {
      if (!changed_.WaitFor(mutex_, kReadPatience) && held_.empty()) {
        ADD_FAILURE() << "nothing is recorded";
        return;
      }
    }
    first = std::move(held_.front());
    held_.pop_front();
  }
  log_.Append(std::move(first.first), std::move(first.second));
}

void GatedLog::PassAll() {
  std::deque<std::pair<audit::SealedRecord, audit::AppendCallback>> all;
  {
    MutexLock lock(mutex_);
    hold_ = false;
    all.swap(held_);
  }
  for (auto& [record, callback] : all) log_.Append(std::move(record), std::move(callback));
}

void GatedLog::Append(audit::SealedRecord record, audit::AppendCallback callback) {
  if (overloaded_) return callback(Error(v1::REASON_OVERLOADED, "the log has too much to do."));
  {
    MutexLock lock(mutex_);
    if (hold_) {
      held_.emplace_back(std::move(record), std::move(callback));
      changed_.NotifyAll();
      return;
    }
  }
  log_.Append(std::move(record), std::move(callback));
}

ReadWorld::ReadWorld(const Options& options)
    : ReadWorld(options, std::make_unique<FakeFileSystem>()) {}

ReadWorld::ReadWorld(const Options& options, std::unique_ptr<FakeFileSystem> storage)
    : files(std::move(storage)), usage("/gw/usage.json", *files) {
  SLUICE_CHECK(files->CreateDirectories("/gw").ok() && files->SyncDirectory("/").ok());
  auto opened = audit::DetailKeys::Open("/gw/keys", *files, random);
  SLUICE_CHECK(opened.ok());
  keys = *std::move(opened);
  sealer = std::make_unique<audit::RecordSealer>(*keys, clock, random);
  audit::LogOptions log_options = audit::TestLogOptions();
  log_options.segment_bytes = 8 << 20;
  audit::RecoveryReport report;
  auto recovered = audit::OpenLog(log_options, *files, clock, audit::TestLogKey(), &report);
  SLUICE_CHECK(recovered.ok());
  file_log = *std::move(recovered);
  log = std::make_unique<GatedLog>(*file_log);
  sources = std::make_unique<Sources>(
      clock, [this](const v1::Source&) -> absl::StatusOr<std::unique_ptr<adapters::Adapter>> {
        return source.Open();
      });
  drift = std::make_unique<DriftWatch>(*sources, clock, operations);
  running = std::make_unique<RunningExchanges>(options.running, clock);
  tokens = std::make_unique<PageTokens>(pseudonyms.DeriveKey("sluice/page-token/v1"), random);
  denials = std::make_unique<Denials>(*log, *sealer, clock);
  broker = std::make_unique<Broker>(
      BrokerParts{snapshots, *sources, *running, quotas, request_ids, *tokens, *denials, *log,
                  *sealer, pseudonyms, clock, operations, *drift},
      options.broker);
  Register(options.source);
  Publish();
}

ReadWorld::~ReadWorld() {
  cancel = nullptr;
  source.LetGo();
  log->PassAll();
  running->EndAll(Error(v1::REASON_SHUTTING_DOWN, "the test is over."));
  // Consumers that take nothing are given up by the clock.
  for (int tries = 0; running->count() > 0 && tries < 1000; ++tries) {
    clock.Advance(2 * kSecond);
    running->CheckDeadlines();
    std::this_thread::yield();
  }
  AwaitIdle();
  (void)file_log->Close();
}

void ReadWorld::Register(const v1::SourceLimits& limits) {
  for (const char* agency : {"public-security", "civil-affairs"}) {
    directory_.agencies[agency].set_id(agency);
    directory_.agencies[agency].set_state(v1::REGISTRATION_STATE_ACTIVE);
  }
  directory_.systems["civil-affairs/relief"].set_name("civil-affairs/relief");
  directory_.systems["civil-affairs/relief"].set_state(v1::REGISTRATION_STATE_ACTIVE);
  directory_.purposes["relief"].set_code("relief");
  v1::Source& entry = directory_.sources["ps"];
  entry.set_id("ps");
  entry.set_owner_agency("public-security");
  entry.set_kind("counting");
  *entry.mutable_limits() = limits;

  dataset.set_name("public-security/persons");
  dataset.set_revision(1);
  dataset.set_sharing(v1::SHARING_ATTRIBUTE_CONDITIONAL);
  dataset.add_purposes("relief");
  dataset.set_update_cycle(v1::UPDATE_CYCLE_DAILY);
  dataset.set_source("ps");
  dataset.set_table("persons");
  const auto add = [this](const std::string& name, v1::FieldType type) -> v1::DatasetField& {
    v1::DatasetField& field = *dataset.add_fields();
    field.set_name(name);
    field.mutable_type()->set_type(type);
    field.set_field_class(v1::FIELD_CLASS_L2_INTERNAL);
    return field;
  };
  add("number", v1::FIELD_TYPE_INT64);
  add("name", v1::FIELD_TYPE_UTF8);
  v1::DatasetField& person = add("person", v1::FIELD_TYPE_UTF8);
  person.set_field_class(v1::FIELD_CLASS_L3_PERSONAL);
  person.set_subject("CN-RID");
  dataset.add_key("number");

  grant.set_id("persons1");
  grant.set_revision(1);
  grant.set_dataset(dataset.name());
  grant.set_consumer_agency("civil-affairs");
  grant.add_purposes("relief");
  grant.mutable_basis()->set_law("Social Assistance Interim Measures");
  grant.mutable_basis()->set_article("58");
  for (const v1::DatasetField& field : dataset.fields()) grant.add_fields()->set_name(field.name());
  grant.add_modes(v1::MODE_QUERY);
  grant.add_modes(v1::MODE_READ);
  grant.mutable_expires()->set_seconds((clock.Now() + 30 * kDay) / kSecond);
  grant.set_state(v1::GRANT_STATE_IN_FORCE);
}

void ReadWorld::Publish() {
  auto snapshot = std::make_shared<policy::Snapshot>();
  snapshot->directory = std::make_shared<const identity::Directory>(directory_);
  auto compiled = catalogue::Compile(dataset);
  SLUICE_CHECK(compiled.ok());
  snapshot->datasets[dataset.name()] = *compiled;
  auto held = policy::Compile(grant, *compiled);
  SLUICE_CHECK(held.ok());
  snapshot->grants[grant.id()] = *held;
  snapshot->by_consumer[absl::StrCat(grant.consumer_agency(), "\n", grant.dataset())] = {*held};
  sources->Update(directory_.sources);
  snapshots.Set(snapshot);
  running->Check(*snapshot, clock.Now());
}

Call ReadWorld::MakeCall(const std::string& method) {
  Call call;
  auto identity =
      certs::MakeSpiffeId("gov.example", certs::Kind::kSystem, "civil-affairs", "relief");
  SLUICE_CHECK(identity.ok());
  call.certificate.identity = *std::move(identity);
  call.certificate.serial = "0a0b";
  auto principal = directory_.Resolve(call.certificate);
  SLUICE_CHECK(principal.ok());
  call.principal = *std::move(principal);
  call.peer = "ipv4:192.0.2.7:41522";
  call.method = method;
  call.call_id = absl::StrCat("call-", ++calls_);
  return call;
}

v1::ReadRequest ReadWorld::Request() {
  v1::ReadRequest request;
  request.set_dataset("public-security/persons");
  request.set_purpose("relief");
  return request;
}

std::shared_ptr<Consumer> ReadWorld::Read(const v1::ReadRequest& request, bool eager,
                                          Micros timeout) {
  return ReadInto(request, std::make_shared<Consumer>(eager), timeout);
}

std::shared_ptr<Consumer> ReadWorld::ReadInto(const v1::ReadRequest& request,
                                              std::shared_ptr<Consumer> consumer, Micros timeout) {
  Call call = MakeCall("Exchange.Read");
  if (timeout > 0) call.deadline = clock.Monotonic() + timeout;
  cancel = broker->Read(std::move(call), request, consumer);
  return consumer;
}

absl::StatusOr<v1::QueryResponse> ReadWorld::Query(const v1::QueryRequest& request) {
  struct Waiting {
    Mutex mutex;
    Condition changed;
    std::optional<absl::StatusOr<v1::QueryResponse>> answer SLUICE_GUARDED_BY(mutex);
  };
  auto waiting = std::make_shared<Waiting>();
  broker->Query(MakeCall("Exchange.Query"), request,
                [waiting](absl::StatusOr<v1::QueryResponse> answer) {
                  MutexLock lock(waiting->mutex);
                  waiting->answer = std::move(answer);
                  waiting->changed.NotifyAll();
                });
  MutexLock lock(waiting->mutex);
  while (!waiting->answer) {
    if (!waiting->changed.WaitFor(waiting->mutex, kReadPatience) && !waiting->answer)
      return absl::DeadlineExceededError("no answer came");
  }
  return *waiting->answer;
}

std::vector<LoggedRecord> ReadWorld::Records() const {
  std::vector<LoggedRecord> all;
  const absl::Status status = file_log->Read(0, [&](const audit::Log::Entry& entry) {
    LoggedRecord& record = all.emplace_back();
    record.index = static_cast<int64_t>(entry.index);
    EXPECT_TRUE(record.envelope.ParseFromString(entry.record.envelope));
    auto detail = audit::OpenDetail(entry.record, *keys);
    EXPECT_TRUE(detail.ok()) << detail.status();
    if (detail.ok()) record.detail = *std::move(detail);
    return true;
  });
  EXPECT_TRUE(status.ok()) << status;
  return all;
}

std::vector<v1::RecordKind> ReadWorld::Kinds() const {
  std::vector<v1::RecordKind> kinds;
  for (const LoggedRecord& record : Records()) kinds.push_back(record.envelope.kind());
  return kinds;
}

LoggedRecord ReadWorld::Last() const {
  const std::vector<LoggedRecord> all = Records();
  EXPECT_FALSE(all.empty());
  return all.empty() ? LoggedRecord() : all.back();
}

void ReadWorld::AwaitIdle() {
  const auto busy = [this] {
    if (running->count() > 0) return true;
    for (const v1::SourceStatus& status : sources->Status())
      if (status.running() > 0 || status.waiting() > 0) return true;
    return false;
  };
  const auto give_up = std::chrono::system_clock::now() + kReadPatience;
  while (busy()) {
    if (std::chrono::system_clock::now() > give_up) {
      ADD_FAILURE() << running->count() << " exchanges still run";
      return;
    }
    std::this_thread::yield();
  }
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
