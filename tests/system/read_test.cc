// Exchange.Read through a real gateway: whole streams whose files can be proved, and streams that
// end before their time.
#include <signal.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gateway/base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/system/deployment.h"

namespace sluice::system_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr char kRegister[] = R"yaml(dataset: public-security/register
title: {en: "Register (generated)"
}
sharing: conditional
purposes: [relief]
update_cycle: daily
source: residents
from: {table: register}
key: [number]
on_bad_value: stop
fields:
  - {name: number, type: int64, class: L2, not_null: true}
  - {name: name, type: utf8, class: L2}
  - {name: person, type: utf8, class: L4, subject: CN-RID}
)yaml";

constexpr char kGrant[] = R"yaml(grant: new
dataset: public-security/register
to: civil-affairs
systems: [relief]
purposes: [relief]
basis: {law: "社会救助暂行办法", article: "第五十八条"}
fields:
  - {name: number}
  - {name: name}
  - {name: person}
modes: [query, read]
expires: "2099-01-01T00:00:00Z"
)yaml";

v1::ReadRequest RegisterRequest() {
  v1::ReadRequest request;
  request.set_dataset("public-security/register");
  request.set_purpose("relief");
  return request;
}

class ReadSystemTest : public testing::Test {
 protected:
  // A register of this many rows beside the sample, and a grant to read all of it.
  void Offer(int rows) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(gateway_.Path("sources/residents.db").c_str(), &database), SQLITE_OK);
    const std::string sql = absl::StrCat(
        "CREATE TABLE register(number INTEGER PRIMARY KEY NOT NULL, name TEXT, person TEXT);"
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i+1<",
        rows,
        ") INSERT INTO register SELECT i, 'resident number ' || i,"
        " printf('99010119%02d0101%03d0', 40 + i / 1000 % 60, i % 1000) FROM n;");
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(database);
    gateway_.Start();
    gateway_.OfferSample();
    gateway_.Write("datasets/register.yaml", kRegister);
    gateway_.Write("grants/register.yaml", kGrant);
    gateway_.Done("residents-owner", {"catalogue", "apply", "datasets/register.yaml"});
    gateway_.Done("residents-owner", {"grant", "apply", "grants/register.yaml"});
  }

  std::string GrantId() {
    v1::ListGrantsRequest request;
    request.set_dataset("public-security/register");
    const auto grants = Call(gateway_.As("auditor"), cli::kListGrants, request);
    EXPECT_TRUE(grants.ok()) << grants.status();
    return grants.ok() && grants->grants_size() == 1 ? grants->grants(0).id() : "";
  }

  v1::AuditEnvelope Closed() {
    v1::AuditEnvelope closed;
    EXPECT_TRUE(Eventually([&] {
      const auto records = gateway_.Records(v1::RECORD_KIND_CLOSED);
      if (records.empty()) return false;
      closed = records.back().envelope();
      return true;
    }));
    return closed;
  }

  // Kilobytes, of the daemon: now ("VmRSS:") or ever ("VmHWM:").
  int64_t Memory(const std::string& which) {
    std::ifstream status(absl::StrCat("/proc/", gateway_.daemon().pid(), "/status"));
    for (std::string line; std::getline(status, line);) {
      if (!absl::StartsWith(line, which)) continue;
      const std::vector<std::string> words =
          absl::StrSplit(line, absl::ByAnyChar("\t "), absl::SkipEmpty());
      int64_t kilobytes = 0;
      EXPECT_TRUE(absl::SimpleAtoi(words.at(1), &kilobytes));
      return kilobytes;
    }
    ADD_FAILURE() << "no " << which;
    return 0;
  }

  Finished Check(const std::string& receipt, const std::string& file) {
    return gateway_.Local(
        {"--format", "table", "receipts", "check", receipt, file, "--key", "log.vkey"});
  }

  Deployment gateway_;
};

TEST_F(ReadSystemTest, TwelveResidentsAsAStreamWhoseFileIsProved) {
  gateway_.Start();
  gateway_.Replace("grants/persons-relief.yaml", "max_page_rows: 100",
                   "modes: [query, read]\nmax_page_rows: 100");
  gateway_.OfferSample();
  gateway_.Done("relief", {"read", "public-security/persons", "--purpose", "relief", "--case",
                           "R-0118", "-o", "residents.jsonl"});
  const std::vector<std::string> lines =
      absl::StrSplit(gateway_.Read("residents.jsonl"), '\n', absl::SkipEmpty());
  EXPECT_EQ(lines.size(), 12u);
  for (const std::string& line : lines)
    EXPECT_THAT(nlohmann::json::parse(line).at("id_number"), HasSubstr("*"));
  EXPECT_FALSE(std::filesystem::exists(gateway_.Path("residents.jsonl.part")));

  const Finished proved = Check("residents.jsonl.receipt.json", "residents.jsonl");
  EXPECT_EQ(proved.code, 0) << proved.all();
  EXPECT_THAT(proved.output, HasSubstr("is what was let go, whole"));
  // One letter of one name.
  std::string other = gateway_.Read("residents.jsonl");
  other[other.find("county") + 10] ^= 1;
  gateway_.Write("other.jsonl", other);
  EXPECT_EQ(Check("residents.jsonl.receipt.json", "other.jsonl").code, 1);
  EXPECT_THAT(gateway_.Verify(), HasSubstr("1 opened, 1 closed"));
}

TEST_F(ReadSystemTest, AsCsvToStandardOutput) {
  gateway_.Start();
  gateway_.Replace("grants/persons-relief.yaml", "max_page_rows: 100",
                   "modes: [query, read]\nmax_page_rows: 100");
  gateway_.OfferSample();
  const std::string csv =
      gateway_.Done("relief", {"--format", "csv", "read", "public-security/persons", "--purpose",
                               "relief", "--case", "R-0118", "--fields", "county", "-o", "-"});
  const std::vector<std::string> lines = absl::StrSplit(csv, "\r\n", absl::SkipEmpty());
  EXPECT_EQ(lines.size(), 13u);
  EXPECT_EQ(lines[0], "county");
}

TEST_F(ReadSystemTest, AGrantOfPagesAllowsNoStream) {
  gateway_.Start();
  gateway_.OfferSample();
  const Finished denied =
      gateway_.Sluice("relief", {"read", "public-security/persons", "--purpose", "relief", "--case",
                                 "R-0118", "-o", "residents.jsonl"});
  EXPECT_EQ(denied.code, 3);
  EXPECT_THAT(denied.errors, HasSubstr("MODE_NOT_GRANTED"));
  EXPECT_FALSE(std::filesystem::exists(gateway_.Path("residents.jsonl.part")));
}

TEST_F(ReadSystemTest, SixHundredThousandRowsInBoundedMemory) {
  constexpr int kRows = 620'573;
  Offer(kRows);
  const int64_t idle = Memory("VmRSS:");
  gateway_.Done("relief", {"read", "public-security/register", "--purpose", "relief", "-o",
                           "register.jsonl"});
  const int64_t most = Memory("VmHWM:");
#ifndef SLUICE_SANITIZED  // which keeps what was freed
  EXPECT_LT(most - idle, 64 << 10) << idle << " kB idle, " << most << " kB at most";
#endif
  RecordProperty("kilobytes_more", static_cast<int>(most - idle));

  const std::string text = gateway_.Read("register.jsonl");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), kRows);
  EXPECT_THAT(text.substr(text.size() - 100), HasSubstr("\"name\":\"resident number 620572\""));
  const Finished proved = Check("register.jsonl.receipt.json", "register.jsonl");
  EXPECT_EQ(proved.code, 0) << proved.all();
  EXPECT_EQ(Closed().count(), kRows);
  const Finished list = gateway_.Sluice("auditor", {"--format", "table", "audit", "list"});
  EXPECT_THAT(list.output, HasSubstr("released, stream"));
  EXPECT_THAT(list.output, HasSubstr(absl::StrCat(kRows)));
  EXPECT_THAT(gateway_.Verify(), HasSubstr("1 opened, 1 closed"));
}

TEST_F(ReadSystemTest, AKilledGatewayAbandonsItsStreamsAtTheNextStart) {
  Offer(300'000);
  int64_t rows = 0;
  const absl::Status status = CallStream(gateway_.As("relief"), cli::kRead, RegisterRequest(),
                                         kMinute, [&](v1::ReadResponse& message) -> absl::Status {
                                           rows += message.rows();
                                           if (rows < 50'000) return absl::OkStatus();
                                           gateway_.daemon().Signal(SIGKILL);
                                           return absl::CancelledError("enough");
                                         });
  EXPECT_FALSE(status.ok());
  gateway_.Kill();
  const Finished before = gateway_.Local({"audit", "verify", "audit", "--key", "log.vkey"});
  gateway_.Start();
  const auto abandoned = gateway_.Records(v1::RECORD_KIND_ABANDONED);
  ASSERT_EQ(abandoned.size(), 1u);
  const v1::AuditEnvelope& envelope = abandoned[0].envelope();
  EXPECT_GE(envelope.count(), rows);
  EXPECT_LT(envelope.count(), 300'000);
  EXPECT_EQ(envelope.grant(), GrantId());
  EXPECT_THAT(gateway_.Verify(), HasSubstr("1 opened, 0 closed, 1 abandoned"));
  // A torn end may have to be set aside by a start first; where none was torn, it shows.
  if (before.code == 0) {
    EXPECT_THAT(before.output, HasSubstr("unfinished: #"));
  }
}

TEST_F(ReadSystemTest, RevocationEndsAStreamWithinASecond) {
  Offer(620'000);
  const std::string grant = GrantId();
  auto relief = gateway_.Connect("relief");
  bool revoked = false;
  std::chrono::steady_clock::time_point at;
  const absl::Status status = CallStream(*relief, cli::kRead, RegisterRequest(), kMinute,
                                         [&](v1::ReadResponse& message) -> absl::Status {
                                           if (!revoked && message.batch() == 3) {
                                             v1::RevokeGrantRequest request;
                                             request.set_id(grant);
                                             request.set_reason("the case is closed");
                                             const auto done = Call(gateway_.As("residents-owner"),
                                                                    cli::kRevokeGrant, request);
                                             EXPECT_TRUE(done.ok()) << done.status();
                                             revoked = true;
                                             at = std::chrono::steady_clock::now();
                                           }
                                           return absl::OkStatus();
                                         });
  EXPECT_TRUE(revoked);
  EXPECT_EQ(ReasonOf(status), v1::REASON_GRANT_REVOKED) << status;
  EXPECT_LT(std::chrono::steady_clock::now() - at, std::chrono::seconds(5));
  const v1::AuditEnvelope closed = Closed();
  EXPECT_EQ(closed.reason(), v1::REASON_GRANT_REVOKED);
  EXPECT_LT(closed.count(), 620'000);
  EXPECT_THAT(gateway_.Verify(), HasSubstr("1 opened, 1 closed"));
}

TEST_F(ReadSystemTest, AReaderThatStopsReadingHarmsNobodyAndIsCutOff) {
  gateway_.Replace("sluiced.yaml", "stall: 30s", "stall: 2s");
  gateway_.Replace("sources/residents.yaml", "connections: 4", "connections: 1");
  Offer(620'000);
  auto reader = gateway_.Connect("relief");
  const absl::Status status =
      CallStream(*reader, cli::kRead, RegisterRequest(), kMinute,
                 [&](v1::ReadResponse& message) -> absl::Status {
                   if (message.batch() != 1) return absl::OkStatus();
                   // Takes no more. The source has one connection, and lookups have it.
                   for (int i = 0; i < 10; ++i) {
                     const auto found = Call(gateway_.As("relief"), cli::kQuery,
                                             Deployment::PersonsQuery(SampleIds()[0]));
                     EXPECT_TRUE(found.ok()) << found.status();
                   }
                   EXPECT_EQ(Closed().reason(), v1::REASON_CONSUMER_STALLED);
                   return absl::OkStatus();
                 });
  EXPECT_FALSE(status.ok());
}

TEST_F(ReadSystemTest, AReaderThatVanishesLeavesAClosedRecord) {
  gateway_.Replace("sluiced.yaml", "stall: 30s", "stall: 60s");
  Offer(620'000);
  {
    auto reader = gateway_.Connect("relief");
    const absl::Status status =
        CallStream(*reader, cli::kRead, RegisterRequest(), kMinute,
                   [&](v1::ReadResponse& message) -> absl::Status {
                     return message.batch() < 2 ? absl::OkStatus() : absl::CancelledError("gone");
                   });
    EXPECT_EQ(status.message(), "gone");
  }
  const v1::AuditEnvelope closed = Closed();
  EXPECT_EQ(closed.reason(), v1::REASON_CANCELLED);
  EXPECT_GE(closed.batches(), 2);
  EXPECT_LT(closed.count(), 620'000);
}

TEST_F(ReadSystemTest, DrainingEndsAStreamWhenItsTimeIsOver) {
  gateway_.Replace("sluiced.yaml", "drain: 20s", "drain: 1s");
  Offer(620'000);
  auto reader = gateway_.Connect("relief");
  const absl::Status status = CallStream(*reader, cli::kRead, RegisterRequest(), kMinute,
                                         [&](v1::ReadResponse& message) -> absl::Status {
                                           if (message.batch() == 1) {
                                             EXPECT_EQ(gateway_.Stop().code, 0);
                                           }
                                           return absl::OkStatus();
                                         });
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(gateway_.Verify(), HasSubstr("1 opened, 1 closed"));
}

}  // namespace
}  // namespace sluice::system_test
