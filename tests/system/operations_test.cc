// A gateway that runs, and what its operator and the owners do to it meanwhile: streams that are
// cut, grants that rest, a drain, a backup that is started from.
#include <atomic>
#include <ctime>
#include <filesystem>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/system/deployment.h"

namespace sluice::system_test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr char kRegions[] = "civil-affairs/regions";
constexpr int kRows = 600'000;  // more than what is on its way while a consumer pauses

v1::ReadRequest RegionsRead() {
  v1::ReadRequest request;
  request.set_dataset(kRegions);
  request.set_purpose("planning");
  return request;
}

class OperationsTest : public testing::Test {
 protected:
  void OfferRegions(int rows) {
    gateway_.Replace("grants/regions-planning.yaml",
                     "\nfields:", "\nmodes: [query, read]\nfields:");
    gateway_.Start();
    gateway_.OfferRegions(rows);
  }

  // Reads the regions. Once the stream has begun it waits for `before`, and then goes on slowly
  // while `cut` is done: what was handed over when a stream is cut is to be taken within a second.
  absl::Status ReadAnd(const std::function<void()>& before, const std::function<void()>& cut) {
    std::thread cutting;
    std::atomic<bool> slowly{true};
    const absl::Status status = CallStream(*gateway_.Connect("planning"), cli::kRead, RegionsRead(),
                                           kMinute, [&](v1::ReadResponse&) -> absl::Status {
                                             if (!cutting.joinable()) {
                                               before();
                                               cutting = std::thread([&] {
                                                 cut();
                                                 slowly = false;
                                               });
                                             }
                                             if (slowly) Nap(200);
                                             return absl::OkStatus();
                                           });
    if (cutting.joinable()) cutting.join();
    return status;
  }

  v1::AuditEnvelope Last(v1::RecordKind kind) {
    v1::AuditEnvelope last;
    EXPECT_TRUE(Eventually([&] {
      const auto records = gateway_.Records(kind);
      if (records.empty()) return false;
      last = records.back().envelope();
      return true;
    }));
    return last;
  }

  v1::Reason Query() {
    return ReasonOf(
        Call(gateway_.As("planning"), cli::kQuery, Deployment::RegionsQuery()).status());
  }

  std::string GrantId() {
    const auto grants = gateway_.GrantsInForce();
    EXPECT_EQ(grants.size(), 1u);
    return grants.empty() ? "" : grants[0].id();
  }

  // `ops COMMAND` as a script reads it: an object a line.
  nlohmann::json Ops(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--format", "json", "ops"});
    const std::string said = gateway_.Done("operator", arguments);
    return said.empty() ? nlohmann::json() : nlohmann::json::parse(said);
  }

  Deployment gateway_;
};

Micros At(const v1::AuditEnvelope& record) {
  return record.time().seconds() * kSecond + record.time().nanos() / 1000;
}

TEST_F(OperationsTest, ASuspendedDatasetReleasesNothingAndCutsItsStreamsWithinASecond) {
  OfferRegions(kRows);
  const absl::Status cut = ReadAnd(
      [] {},
      [&] {
        gateway_.Done("regions-owner",
                      {"catalogue", "suspend", kRegions, "--reason", "the source is rebuilt"});
      });
  EXPECT_EQ(ReasonOf(cut), v1::REASON_DATASET_SUSPENDED) << cut;
  const v1::AuditEnvelope closed = Last(v1::RECORD_KIND_CLOSED);
  EXPECT_EQ(closed.reason(), v1::REASON_DATASET_SUSPENDED);
  EXPECT_LT(closed.count(), kRows);
  EXPECT_LT(At(closed) - At(Last(v1::RECORD_KIND_CHANGED)), kSecond);
  EXPECT_EQ(Query(), v1::REASON_DATASET_SUSPENDED);
  EXPECT_EQ(ReasonOf(ReadAnd([] {}, [] {})), v1::REASON_DATASET_SUSPENDED);

  gateway_.Done("regions-owner", {"catalogue", "resume", kRegions, "--reason", "it is whole"});
  EXPECT_EQ(Query(), v1::REASON_UNSPECIFIED);
  EXPECT_THAT(gateway_.Verify(), HasSubstr("1 opened, 1 closed"));
}

TEST_F(OperationsTest, AGrantRestsAndGoesOn) {
  OfferRegions(100);
  const std::string grant = GrantId();
  gateway_.Done("regions-owner", {"grant", "suspend", grant, "--reason", "a leak is looked into"});
  const Finished refused =
      gateway_.Sluice("planning", {"query", kRegions, "--purpose", "planning"});
  EXPECT_EQ(refused.code, 3);
  EXPECT_THAT(refused.errors, HasSubstr("GRANT_SUSPENDED: the owner has suspended grant " + grant));
  EXPECT_THAT(refused.errors, HasSubstr("calls pass again once the grant is resumed"));
  gateway_.Done("regions-owner", {"grant", "resume", grant, "--reason", "there was none"});
  EXPECT_EQ(Query(), v1::REASON_UNSPECIFIED);
  gateway_.Done("regions-owner", {"grant", "revoke", grant, "--reason", "the project is over"});
  const Finished late =
      gateway_.Sluice("regions-owner", {"grant", "resume", grant, "--reason", "after all"});
  EXPECT_EQ(late.code, 3) << late.all();
  EXPECT_THAT(late.errors, HasSubstr("GRANT_REVOKED"));
}

TEST_F(OperationsTest, AStreamThatRunsIsListedAndCanBeEnded) {
  OfferRegions(kRows);
  EXPECT_THAT(Ops({"streams"}), IsEmpty());
  std::string call;
  const absl::Status ended = ReadAnd(
      [&] {
        const nlohmann::json stream = Ops({"streams"});
        call = stream.at("call_id");
        EXPECT_EQ(stream.at("principal"), "agency/public-security/system/planning");
        EXPECT_EQ(stream.at("dataset"), kRegions);
        EXPECT_EQ(stream.at("grant"), GrantId());
      },
      [&] {
        const nlohmann::json cancelled = Ops({"cancel", call, "--reason", "it takes the line"});
        EXPECT_EQ(cancelled.at("exchange").at("call_id"), call);
      });
  EXPECT_EQ(ReasonOf(ended), v1::REASON_ENDED_BY_OPERATOR) << ended;
  EXPECT_THAT(std::string(ended.message()), HasSubstr("it takes the line"));
  EXPECT_EQ(Last(v1::RECORD_KIND_CLOSED).reason(), v1::REASON_ENDED_BY_OPERATOR);
  EXPECT_EQ(Last(v1::RECORD_KIND_CHANGED).action(), "cancel");
  EXPECT_TRUE(Eventually([&] { return Ops({"streams"}).empty(); }));
  const Finished again = gateway_.Sluice("operator", {"ops", "cancel", call, "--reason", "again"});
  EXPECT_EQ(again.code, 1);
  EXPECT_THAT(again.errors, HasSubstr("it may have ended by itself"));
  // An owner is no operator.
  EXPECT_EQ(gateway_.Sluice("regions-owner", {"ops", "streams"}).code, 3);
}

TEST_F(OperationsTest, ASourceIsLookedAtFromItsDraftToItsCheck) {
  gateway_.Start();
  gateway_.OfferSample();
  const auto table = [this](const std::string& party, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"--format", "table", "source"});
    return gateway_.Done(party, arguments);
  };
  EXPECT_THAT(table("operator", {"probe"}), HasSubstr(" residents │ sqlite │ yes "));
  EXPECT_TRUE(Eventually(
      [&] { return table("operator", {"list"}).find("│ answers ") != std::string::npos; }));
  EXPECT_THAT(table("residents-owner", {"describe", "residents"}),
              HasSubstr(" resident │       7 │ id_no │"));
  // What the owner decides, and no more, makes of the draft a dataset.
  const std::string draft =
      gateway_.Done("residents-owner", {"source", "describe", "residents", "resident"});
  gateway_.Write("draft.yaml", draft);
  const Finished open = gateway_.Sluice("residents-owner", {"catalogue", "apply", "draft.yaml"});
  EXPECT_EQ(open.code, 2);
  EXPECT_THAT(open.errors, HasSubstr("draft.yaml:7: purposes"));
  gateway_.Replace("draft.yaml", "purposes: []", "purposes: [relief]");
  gateway_.Done("residents-owner", {"catalogue", "apply", "draft.yaml"});

  const std::string report = table("operator", {"check", "residents"});
  EXPECT_THAT(report, HasSubstr(" resident │ filters    │ holds "));
  EXPECT_THAT(report, Not(HasSubstr("FAILS")));
  for (const std::string& id : SampleIds()) EXPECT_THAT(report, Not(HasSubstr(id)));
  const v1::AuditEnvelope record = Last(v1::RECORD_KIND_CHANGED);
  EXPECT_EQ(record.action(), "check");
  EXPECT_EQ(record.resource_name(), "residents");
  EXPECT_EQ(gateway_.Sluice("regions-owner", {"source", "probe", "residents"}).code, 3);
  EXPECT_EQ(gateway_.Sluice("relief", {"source", "check", "residents"}).code, 3);
}

TEST_F(OperationsTest, WithinClosedHoursNothingIsFetched) {
  OfferRegions(10);
  EXPECT_EQ(Query(), v1::REASON_UNSPECIFIED);
  // All but one minute of the week, which is far away.
  const std::time_t now = std::time(nullptr);
  const int weekday = std::gmtime(&now)->tm_wday;  // 0 is Sunday
  const std::vector<std::string> days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  const std::string far = days[(weekday + 3) % 7];
  std::string closed = absl::StrCat("closed: [\"", far, " 00:01-24:00\"");
  for (const std::string& day : days)
    if (day != far) absl::StrAppend(&closed, ", \"", day, "\"");
  gateway_.Write("sources/regions.yaml", absl::StrCat(gateway_.Read("sources/regions.yaml"), "\n",
                                                      closed, "]\ntime_zone: \"+00:00\"\n"));
  gateway_.Done("operator", {"source", "apply", "sources/regions.yaml"});
  const Finished refused =
      gateway_.Sluice("planning", {"query", kRegions, "--purpose", "planning"});
  EXPECT_THAT(refused.errors, HasSubstr("SOURCE_CLOSED: source regions is closed at this hour"));
  EXPECT_EQ(Last(v1::RECORD_KIND_FAILED).reason(), v1::REASON_SOURCE_CLOSED);
}

TEST_F(OperationsTest, ADrainAnswersAndStopsWithExitZero) {
  OfferRegions(100);
  const nlohmann::json drained = Ops({"drain", "--reason", "version 0.4"});
  EXPECT_EQ(drained.value("running", 0), 0);
  EXPECT_EQ(gateway_.daemon().Wait().code, 0);
  EXPECT_THAT(gateway_.Verify(), HasSubstr("1 clean stop"));
  gateway_.Start();
  EXPECT_EQ(Last(v1::RECORD_KIND_CHANGED).action(), "drain");
  EXPECT_EQ(Query(), v1::REASON_UNSPECIFIED);
}

// The log is newer than the backup: what was decided in between has to be applied again.
TEST_F(OperationsTest, ABackupIsStartedFrom) {
  OfferRegions(100);
  const std::string grant = GrantId();
  const nlohmann::json backup = Ops({"backup"});
  const std::string copy = absl::StrCat(backup.at("folder").get<std::string>(), "/control.db");
  gateway_.AddSystem("civil-affairs", "later");
  gateway_.Done("later", {"whoami"});
  ASSERT_EQ(gateway_.Stop().code, 0);
  for (const char* file : {"state/control.db", "state/control.db-wal", "state/control.db-shm"})
    std::filesystem::remove(gateway_.Path(file));
  std::filesystem::copy_file(copy, gateway_.Path("state/control.db"));

  gateway_.Start();
  EXPECT_EQ(GrantId(), grant);
  EXPECT_EQ(Query(), v1::REASON_UNSPECIFIED);
  EXPECT_NE(gateway_.Sluice("later", {"whoami"}).code, 0);
  gateway_.Done("operator", {"system", "add", "civil-affairs/later", "--en", "Once more"});
  gateway_.Done("later", {"whoami"});
  EXPECT_EQ(Last(v1::RECORD_KIND_CHANGED).resource_name(), "civil-affairs/later");
  EXPECT_THAT(gateway_.Verify(), HasSubstr("verified"));
}

}  // namespace
}  // namespace sluice::system_test
