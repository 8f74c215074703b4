#include "gateway/exchange/read_testing.h"

#include <gtest/gtest.h>

#include <thread>

#include "absl/strings/str_cat.h"
#include "certs/spiffe.h"
#include "gateway/audit/log_testing.h"
#include "gateway/base/check.h"
#include "gateway/base/error.h"

namespace sluice::exchange {
namespace {

constexpr auto kReadPatience = std::chrono::seconds(30);

}  // namespace

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
  tokens = std::make_unique<Tokens>(pseudonyms.DeriveKey("sluice/page-token/v1"), random);
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
  if (!closed.empty()) {
    directory_.sources["ps"].add_closed(closed);
    directory_.sources["ps"].set_time_zone("+00:00");
  }
  sources->Update(directory_.sources);
  snapshots.Set(snapshot);
  running->Check(*snapshot, clock.Now());
}

Call ReadWorld::MakeCall(const std::string& method) {
  Call call;
  auto identity =
      certs::MakeSpiffeId("gov.example", certs::Kind::kSystem, "civil-affairs", "relief");
  SLUICE_CHECK(identity.ok());
  certs::VerifiedPeer peer;
  peer.identity = *std::move(identity);
  peer.serial = "0a0b";
  auto principal = directory_.Resolve(peer);
  SLUICE_CHECK(principal.ok());
  call.principal = std::make_shared<const identity::Principal>(*std::move(principal));
  call.certificate = std::make_shared<const certs::VerifiedPeer>(std::move(peer));
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

}  // namespace sluice::exchange
