#include "tests/system/deployment.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "cli/client/grpc_gateway.h"
#include "cli/profile.h"
#include "gtest/gtest.h"

namespace sluice::system_test {
namespace {

// What makes the sample's database of its SQL text.
void MakeDatabase(const std::string& path, const std::string& sql) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  char* message = nullptr;
  EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &message), SQLITE_OK)
      << (message != nullptr ? message : "");
  sqlite3_free(message);
  sqlite3_close(database);
}

}  // namespace

Deployment::Deployment()
    : files_(MakePosixFileSystem()), clock_(MakeSystemClock()), random_(MakeSystemRandom()) {
  std::string path = (std::filesystem::temp_directory_path() / "sluice-system-XXXXXX").string();
  if (mkdtemp(path.data()) == nullptr) abort();
  folder_ = path;
  const Finished init =
      Execute({"sluice", "init", Path("gw"), "--sample", "--listen", "127.0.0.1:0"}, Around(""));
  EXPECT_EQ(init.code, 0) << init.errors;
  Replace("sluiced.yaml", "drain_notice: 2s", "drain_notice: 10ms");
  MakeDatabase(Path("sources/residents.db"), Read("sources/residents.sql"));
}

Deployment::~Deployment() {
  daemon_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

std::string Deployment::Path(std::string_view name) const {
  return name == "gw" ? folder_ + "/gw" : absl::StrCat(folder_, "/gw/", std::string(name));
}

std::string Deployment::Read(std::string_view name) const {
  std::ifstream file(Path(name), std::ios::binary);
  EXPECT_TRUE(file) << Path(name);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

void Deployment::Write(std::string_view name, std::string_view text) const {
  std::ofstream(Path(name), std::ios::binary) << text;
}

void Deployment::Replace(std::string_view name, const std::string& from,
                         const std::string& to) const {
  const std::string text = Read(name);
  ASSERT_NE(text.find(from), std::string::npos) << name << " does not hold " << from;
  Write(name, absl::StrReplaceAll(text, {{from, to}}));
}

Surroundings Deployment::Around(std::string input) const {
  Surroundings around;
  around.folder = std::filesystem::exists(Path("gw")) ? Path("gw") : folder_;
  around.input = std::move(input);
  around.environment = {{"HOME", folder_},
                        {"XDG_STATE_HOME", folder_ + "/state"},
                        {"XDG_CONFIG_HOME", folder_ + "/config"},
                        {"TZ", "UTC"}};
  return around;
}

void Deployment::Start(Surroundings surroundings) {
  gateways_.clear();
  Surroundings around = Around("");
  around.file_limit = surroundings.file_limit;
  for (const auto& [name, value] : surroundings.environment) around.environment[name] = value;
  daemon_ = std::make_unique<Process>(
      std::vector<std::string>{"sluiced", "--config", Path("sluiced.yaml")}, around);
  ASSERT_TRUE(daemon_->WaitForError("\"event\":\"ready\"")) << daemon_->Errors();
  const std::string before = address_.empty() ? "127.0.0.1:0" : address_;
  address_ = Events("ready").back()["address"];
  for (const auto& entry : std::filesystem::directory_iterator(Path("profiles"))) {
    if (entry.path().extension() == ".yaml")
      Replace("profiles/" + entry.path().filename().string(), before, address_);
  }
}

Finished Deployment::Stop() {
  gateways_.clear();
  daemon_->Signal(SIGTERM);
  return daemon_->Wait();
}

void Deployment::Kill() {
  daemon_->Signal(SIGKILL);
  daemon_->Wait();
}

std::vector<nlohmann::json> Deployment::Events(std::string_view event) const {
  std::vector<nlohmann::json> events;
  for (const std::string& line :
       std::vector<std::string>(absl::StrSplit(daemon_->Errors(), '\n', absl::SkipEmpty()))) {
    nlohmann::json entry = nlohmann::json::parse(line, nullptr, false);
    if (entry.is_object() && entry.value("event", "") == event) events.push_back(std::move(entry));
  }
  return events;
}

void Deployment::OfferSample() {
  Done("operator", {"source", "apply", "sources/residents.yaml"});
  Done("residents-owner", {"catalogue", "apply", "datasets/persons.yaml"});
  Done("residents-owner", {"grant", "apply", "grants/persons-relief.yaml"});
}

void Deployment::OfferRegions(int rows) {
  MakeDatabase(Path("sources/regions.db"),
               absl::StrCat("CREATE TABLE village (code TEXT PRIMARY KEY NOT NULL, name TEXT, "
                            "streetCode TEXT, provinceCode TEXT, cityCode TEXT, areaCode TEXT);"
                            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT ",
                            rows,
                            ") INSERT INTO village SELECT printf('%012d', i), '示例村' || i, "
                            "printf('%09d', i / 1000), '99', '9901', printf('%06d', i / 1000000) "
                            "FROM n;"));
  AddSystem("public-security", "planning");
  Done("operator", {"source", "apply", "sources/regions.yaml"});
  Done("regions-owner", {"catalogue", "apply", "datasets/regions.yaml"});
  Done("regions-owner", {"grant", "apply", "grants/regions-planning.yaml"});
}

void Deployment::AddSystem(const std::string& agency, const std::string& name) {
  const std::string identity = absl::StrCat("agency/", agency, "/system/", name);
  const std::string folder = "profiles/" + name;
  const Finished request =
      Local({"certs", "request", identity, "--trust-domain", "gov.example", "--dir", folder});
  ASSERT_EQ(request.code, 0) << request.all();
  const Finished signing =
      Local({"certs", "sign", folder + "/request.pem", "--ca", "ca", "--as", identity,
             "--trust-domain", "gov.example", "-o", folder + "/certificate.pem"});
  ASSERT_EQ(signing.code, 0) << signing.all();
  Write(folder + ".yaml", absl::StrReplaceAll(Read("profiles/relief.yaml"), {{"relief", name}}));
  Done("operator", {"system", "add", agency + "/" + name, "--en", "A system of the test"});
}

std::vector<v1::Grant> Deployment::GrantsInForce() {
  const auto response = Call(As("auditor"), cli::kListGrants, {});
  EXPECT_TRUE(response.ok()) << response.status();
  std::vector<v1::Grant> grants;
  if (!response.ok()) return grants;
  for (const v1::Grant& grant : response->grants())
    if (grant.state() == v1::GRANT_STATE_IN_FORCE) grants.push_back(grant);
  return grants;
}

Finished Deployment::Sluice(const std::string& party, std::vector<std::string> arguments,
                            std::string input) const {
  arguments.insert(arguments.begin(), {"sluice", "--profile", "profiles/" + party + ".yaml"});
  return Execute(std::move(arguments), Around(std::move(input)));
}

std::string Deployment::Done(const std::string& party, std::vector<std::string> arguments,
                             std::string input) const {
  const Finished finished = Sluice(party, std::move(arguments), std::move(input));
  EXPECT_EQ(finished.code, 0) << finished.all();
  return finished.output;
}

Finished Deployment::Local(std::vector<std::string> arguments) const {
  arguments.insert(arguments.begin(), "sluice");
  return Execute(std::move(arguments), Around(""));
}

std::string Deployment::Verify() const {
  const Finished verified = Local({"audit", "verify", "audit", "--key", "log.vkey"});
  EXPECT_EQ(verified.code, 0) << verified.all();
  return verified.all();
}

cli::Gateway& Deployment::As(const std::string& party) {
  std::unique_ptr<cli::Gateway>& gateway = gateways_[party];
  if (gateway == nullptr) gateway = Connect(party);
  return *gateway;
}

std::unique_ptr<cli::Gateway> Deployment::Connect(const std::string& party, Micros deadline) const {
  const auto profile = cli::LoadProfile(
      *files_, [](const std::string&) { return std::nullopt; },
      Path("profiles/" + party + ".yaml"));
  EXPECT_TRUE(profile.ok()) << profile.status();
  auto gateway = cli::MakeGrpcConnector(*files_, *clock_)(*profile, deadline);
  EXPECT_TRUE(gateway.ok()) << gateway.status();
  return *std::move(gateway);
}

v1::QueryRequest Deployment::PersonsQuery() {
  v1::QueryRequest request;
  request.set_dataset("public-security/persons");
  request.set_purpose("relief");
  request.set_case_reference("R-0118");
  return request;
}

v1::QueryRequest Deployment::PersonsQuery(const std::string& id_number) {
  v1::QueryRequest request = PersonsQuery();
  request.set_filter("id_number = $id");
  (*request.mutable_parameters())["id"].add_values()->set_string_value(id_number);
  return request;
}

v1::QueryRequest Deployment::RegionsQuery() {
  v1::QueryRequest request;
  request.set_dataset("civil-affairs/regions");
  request.set_purpose("planning");
  return request;
}

std::unique_ptr<certs::Authority> Deployment::OpenAuthority() {
  auto authority = certs::Authority::Open(*files_, *clock_, *random_, Path("ca"));
  EXPECT_TRUE(authority.ok()) << authority.status();
  return *std::move(authority);
}

std::vector<v1::Record> Deployment::Records(v1::RecordKind kind) {
  std::vector<v1::Record> records;
  v1::ListRecordsRequest request;
  request.mutable_filter()->set_kind(kind);
  request.set_page_size(1000);
  int64_t wanted = -1;
  const bool caught_up = Eventually(
      [&] {
        records.clear();
        request.clear_page_token();
        do {
          const auto response = Call(As("auditor"), cli::kListRecords, request);
          EXPECT_TRUE(response.ok()) << response.status();
          if (!response.ok()) return true;
          if (wanted < 0) wanted = response->log_records();
          // After much reading the index lags behind for a while.
          if (response->searched_to() < wanted) return false;
          records.insert(records.end(), response->records().begin(), response->records().end());
          request.set_page_token(response->next_page_token());
        } while (!request.page_token().empty());
        return true;
      },
      120'000);
  EXPECT_TRUE(caught_up) << "the search index lags behind";
  return {records.rbegin(), records.rend()};
}

v1::Record Deployment::RecordAt(int64_t index) {
  v1::GetRecordRequest request;
  request.set_index(index);
  auto response = Call(As("auditor"), cli::kGetRecord, request);
  EXPECT_TRUE(response.ok()) << response.status();
  return response.ok() ? response->record() : v1::Record();
}

const std::vector<std::string>& SampleIds() {
  static const auto* const ids = new std::vector<std::string>{
      "990101195001013019", "990102195506083027", "990103196011153039", "990101196504223047",
      "990102197009013051", "990103197502083068", "990101198007153075", "990102198512223085",
      "990103199005013092", "990101199510083101", "990102200003153111", "990103200508223126"};
  return *ids;
}

const std::vector<std::string>& SampleNames() {
  static const auto* const names =
      new std::vector<std::string>{"张甲", "李乙",   "王丙丁", "欧阳戊", "赵己", "钱庚",
                                   "孙辛", "周壬癸", "吴子",   "郑丑",   "冯寅", "陈卯"};
  return *names;
}

}  // namespace sluice::system_test
