#include "gateway/exchange/exchange_testing.h"

#include <gtest/gtest.h>

#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gateway/audit/log_testing.h"
#include "gateway/base/check.h"

namespace sluice::exchange {
namespace {

constexpr auto kPatience = std::chrono::seconds(30);
constexpr char kPersons[] = "public-security/persons";
constexpr char kVehicles[] = "transport/vehicles";

v1::Dataset MakeDataset(const std::string& name, const std::string& source) {
  v1::Dataset dataset;
  dataset.set_name(name);
  dataset.set_revision(1);
  dataset.set_sharing(v1::SHARING_ATTRIBUTE_CONDITIONAL);
  dataset.add_purposes("relief");
  dataset.set_update_cycle(v1::UPDATE_CYCLE_DAILY);
  dataset.set_source(source);
  dataset.set_table(source);
  return dataset;
}

v1::DatasetField& AddField(v1::Dataset& dataset, const std::string& name, v1::FieldClass how) {
  v1::DatasetField& field = *dataset.add_fields();
  field.set_name(name);
  field.mutable_type()->set_type(v1::FIELD_TYPE_UTF8);
  field.set_field_class(how);
  return field;
}

v1::Grant MakeGrant(const std::string& id, const v1::Dataset& dataset, const std::string& consumer,
                    Micros now) {
  v1::Grant grant;
  grant.set_id(id);
  grant.set_revision(1);
  grant.set_dataset(dataset.name());
  grant.set_consumer_agency(consumer);
  grant.add_purposes("relief");
  grant.mutable_basis()->set_law("Social Assistance Interim Measures");
  grant.mutable_basis()->set_article("58");
  for (const v1::DatasetField& field : dataset.fields()) grant.add_fields()->set_name(field.name());
  grant.add_modes(v1::MODE_QUERY);
  grant.mutable_expires()->set_seconds((now + 30 * kDay) / kSecond);
  grant.set_state(v1::GRANT_STATE_IN_FORCE);
  return grant;
}

v1::QueryRequest MakeRequest(const std::string& dataset, int page_size) {
  v1::QueryRequest request;
  request.set_dataset(dataset);
  request.set_purpose("relief");
  request.set_page_size(page_size);
  return request;
}

}  // namespace

std::string KeptLines::text() const {
  MutexLock lock(mutex_);
  return text_;
}

void KeptLines::WriteLine(const std::string& line) {
  MutexLock lock(mutex_);
  text_ += line;
}

Exchange::Exchange(const Options& options, const Exchange* before)
    : clock(before != nullptr ? before->clock.Now() : FakeClock().Now()),
      files(before != nullptr ? std::make_unique<FakeFileSystem>(before->files->Files())
                              : std::make_unique<FakeFileSystem>()),
      options_(options) {
  if (before != nullptr) {
    directory = before->directory;
    datasets = before->datasets;
    grants = before->grants;
  } else {
    Register(options.source);
  }
  SLUICE_CHECK(files->CreateDirectories("/gw").ok() && files->SyncDirectory("/").ok());
  auto opened = audit::DetailKeys::Open("/gw/keys", *files, random);
  SLUICE_CHECK(opened.ok());
  keys = *std::move(opened);
  sealer = std::make_unique<audit::RecordSealer>(*keys, clock, random);
  audit::LogOptions log_options = audit::TestLogOptions();
  log_options.segment_bytes = 1 << 20;
  audit::RecoveryReport report;
  auto recovered = audit::OpenLog(log_options, *files, clock, audit::TestLogKey(), &report);
  SLUICE_CHECK(recovered.ok());
  file_log = *std::move(recovered);
  log = std::make_unique<GatedLog>(*file_log);
  sources = std::make_unique<Sources>(
      clock, [this](const v1::Source& source) { return (source.id() == "tr" ? tr : ps).Open(); });
  drift = std::make_unique<DriftWatch>(*sources, clock, operations);
  running = std::make_unique<RunningExchanges>(options.running, clock);
  Publish();
  usage = std::make_unique<UsageHistory>("/gw/usage.json", *files);
  SLUICE_CHECK(usage->Restore(*log, *snapshots.Get(), clock.Now(), quotas, request_ids).ok());
  tokens = std::make_unique<Tokens>(pseudonyms.DeriveKey("sluice/page-token/v1"), random);
  denials = std::make_unique<Denials>(*log, *sealer, clock);
  broker = std::make_unique<Broker>(
      BrokerParts{snapshots, *sources, *running, quotas, request_ids, *tokens, *denials, *log,
                  *sealer, pseudonyms, clock, operations, *drift, &gate},
      options.broker);
}

Exchange::~Exchange() {
  ps.LetGo();
  tr.LetGo();
  log->PassAll();
  AwaitIdle();
  (void)file_log->Close();
}

void Exchange::Register(const v1::SourceLimits& limits) {
  for (const char* id : {"public-security", "transport", "civil-affairs", "health"}) {
    directory.agencies[id].set_id(id);
    directory.agencies[id].set_state(v1::REGISTRATION_STATE_ACTIVE);
  }
  for (const char* name : {"civil-affairs/relief", "civil-affairs/pensions", "health/clinic"}) {
    directory.systems[name].set_name(name);
    directory.systems[name].set_state(v1::REGISTRATION_STATE_ACTIVE);
  }
  v1::Person& owner = directory.persons["public-security/li-na"];
  owner.set_name("li-na");
  owner.set_state(v1::REGISTRATION_STATE_ACTIVE);
  directory.purposes["relief"].set_code("relief");
  for (const auto& [id, owner] : {std::pair("ps", "public-security"), {"tr", "transport"}}) {
    v1::Source& source = directory.sources[id];
    source.set_id(id);
    source.set_owner_agency(owner);
    source.set_kind("fake");
    *source.mutable_limits() = limits;
  }

  v1::Dataset persons = MakeDataset(kPersons, "ps");
  AddField(persons, "id_number", v1::FIELD_CLASS_L3_PERSONAL).set_subject("CN-RID");
  AddField(persons, "name", v1::FIELD_CLASS_L3_PERSONAL);
  AddField(persons, "district", v1::FIELD_CLASS_L2_INTERNAL);
  persons.add_key("id_number");
  v1::Dataset vehicles = MakeDataset(kVehicles, "tr");
  AddField(vehicles, "plate", v1::FIELD_CLASS_L2_INTERNAL);
  vehicles.add_key("plate");

  grants["persons1"] = MakeGrant("persons1", persons, "civil-affairs", clock.Now());
  grants["clinic01"] = MakeGrant("clinic01", persons, "health", clock.Now());
  grants["vehicle1"] = MakeGrant("vehicle1", vehicles, "civil-affairs", clock.Now());
  datasets[kPersons] = persons;
  datasets[kVehicles] = vehicles;
}

void Exchange::Publish() {
  auto snapshot = std::make_shared<policy::Snapshot>();
  snapshot->directory = std::make_shared<const identity::Directory>(directory);
  for (const auto& [name, definition] : datasets) {
    auto compiled = catalogue::Compile(definition);
    SLUICE_CHECK(compiled.ok());
    snapshot->datasets[name] = *compiled;
  }
  for (const auto& [id, definition] : grants) {
    auto compiled = policy::Compile(definition, snapshot->datasets[definition.dataset()]);
    SLUICE_CHECK(compiled.ok());
    snapshot->grants[id] = *compiled;
    snapshot->by_consumer[absl::StrCat(definition.consumer_agency(), "\n", definition.dataset())]
        .push_back(*compiled);
  }
  sources->Update(directory.sources);
  snapshots.Set(snapshot);
  running->Check(*snapshot, clock.Now());
}

Call Exchange::CallBy(const std::string& system) const {
  const std::vector<std::string> parts = absl::StrSplit(system, '/');
  Call call;
  auto identity =
      certs::MakeSpiffeId("gov.example", certs::Kind::kSystem, parts.at(0), parts.at(1));
  SLUICE_CHECK(identity.ok());
  certs::VerifiedPeer peer;
  peer.identity = *std::move(identity);
  peer.serial = "0a0b";
  auto principal = directory.Resolve(peer);
  SLUICE_CHECK(principal.ok());
  call.principal = std::make_shared<const identity::Principal>(*std::move(principal));
  call.certificate = std::make_shared<const certs::VerifiedPeer>(std::move(peer));
  call.peer = "ipv4:192.0.2.7:41522";
  call.method = "Exchange.Query";
  return call;
}

Call Exchange::CallByPerson(const std::string& agency, const std::vector<v1::Role>& roles) const {
  Call call;
  identity::Principal principal;
  principal.kind = identity::PrincipalKind::kPerson;
  principal.agency = agency;
  principal.name = "li-na";
  principal.path = absl::StrCat("agency/", agency, "/person/li-na");
  principal.roles = roles;
  auto identity = certs::MakeSpiffeId("gov.example", certs::Kind::kPerson, agency, "li-na");
  SLUICE_CHECK(identity.ok());
  certs::VerifiedPeer peer;
  peer.identity = *std::move(identity);
  call.principal = std::make_shared<const identity::Principal>(std::move(principal));
  call.certificate = std::make_shared<const certs::VerifiedPeer>(std::move(peer));
  call.call_id = "reading";
  call.method = "Audit.ListRecords";
  return call;
}

PendingQuery Exchange::Start(const v1::QueryRequest& request, Micros timeout,
                             const std::string& system) {
  Call call = CallBy(system);
  call.call_id = absl::StrCat("call-", ++calls_);
  if (timeout > 0) call.deadline = clock.Monotonic() + timeout;
  PendingQuery pending;
  pending.cancel = broker->Query(std::move(call), request, pending.Done());
  return pending;
}

absl::StatusOr<v1::QueryResponse> Exchange::Query(const v1::QueryRequest& request,
                                                  const std::string& system) {
  return Start(request, 0, system).Wait();
}

std::vector<ReadRecord> Exchange::Records() const {
  std::vector<ReadRecord> all;
  const absl::Status status = file_log->Read(0, [&](const audit::Log::Entry& entry) {
    ReadRecord& record = all.emplace_back();
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

std::vector<ReadRecord> Exchange::Records(v1::RecordKind kind) const {
  std::vector<ReadRecord> all = Records();
  std::erase_if(all, [kind](const ReadRecord& record) { return record.envelope.kind() != kind; });
  return all;
}

void Exchange::AwaitIdle() {
  const auto busy = [this] {
    if (running->count() > 0) return true;
    for (const v1::SourceStatus& status : sources->Status())
      if (status.running() > 0 || status.waiting() > 0) return true;
    return false;
  };
  const auto give_up = std::chrono::system_clock::now() + kPatience;
  while (busy()) {
    if (std::chrono::system_clock::now() > give_up) {
      ADD_FAILURE() << running->count() << " exchanges still run";
      return;
    }
    std::this_thread::yield();
  }
}

v1::QuotaLeft Exchange::Left(const std::string& grant) const {
  return quotas.Left(grants.at(grant), clock.Now());
}

std::unique_ptr<Exchange> Exchange::Restart() {
  AwaitIdle();
  EXPECT_TRUE(file_log->Close().ok());
  return std::make_unique<Exchange>(options_, this);
}

std::string ResidentNumber(int n) {
  std::string id = absl::StrCat("11010119900101", n < 100 ? "0" : "", n < 10 ? "0" : "", n);
  constexpr int kWeights[] = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
  int sum = 0;
  for (int i = 0; i < 17; ++i) sum += (id[i] - '0') * kWeights[i];
  return id + "10X98765432"[sum % 11];
}

std::vector<FakeSource::Row> Persons(int count) {
  std::vector<FakeSource::Row> rows;
  for (int i = 0; i < count; ++i)
    rows.push_back({{"id_number", ResidentNumber(i)},
                    {"name", absl::StrCat("Person ", i)},
                    {"district", "east"}});
  return rows;
}

std::vector<FakeSource::Row> Vehicles(int count) {
  std::vector<FakeSource::Row> rows;
  for (int i = 0; i < count; ++i) rows.push_back({{"plate", absl::StrCat("A", 10'000 + i)}});
  return rows;
}

v1::QueryRequest PersonsRequest(int page_size) { return MakeRequest(kPersons, page_size); }
v1::QueryRequest VehiclesRequest(int page_size) { return MakeRequest(kVehicles, page_size); }

v1::QueryRequest PersonRequest(const std::string& id) {
  v1::QueryRequest request = MakeRequest(kPersons, 0);
  request.set_filter("id_number = $id");
  (*request.mutable_parameters())["id"].add_values()->set_string_value(id);
  return request;
}

}  // namespace sluice::exchange
