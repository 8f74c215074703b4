// Exchange.Read through a real gateway: whole streams whose files can be proved, and streams that
// end before their time.
#include <signal.h>

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gateway/base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/system/register.h"

namespace sluice::system_test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ReadSystemTest : public testing::Test {
 protected:
  void Offer(int rows) { OfferRegister(gateway_, rows); }

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

  Finished Check(const std::string& receipt, const std::string& file) {
    return gateway_.Local(
        {"--format", "table", "receipts", "check", receipt, file, "--key", "log.vkey"});
  }

  Deployment gateway_;
};

TEST_F(ReadSystemTest, TwelveResidentsAsAStreamWhoseFileIsProved) {
  gateway_.Start();
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
  gateway_.Replace("grants/persons-relief.yaml", "modes: [query, read]", "modes: [query]");
  gateway_.OfferSample();
  const Finished denied =
      gateway_.Sluice("relief", {"read", "public-security/persons", "--purpose", "relief", "--case",
                                 "R-0118", "-o", "residents.jsonl"});
  EXPECT_EQ(denied.code, 3);
  EXPECT_THAT(denied.errors, HasSubstr("MODE_NOT_GRANTED"));
  EXPECT_FALSE(std::filesystem::exists(gateway_.Path("residents.jsonl.part")));
}

// No place for the file is a mistake of this machine's: the gateway is not asked, and records
// nothing.
TEST_F(ReadSystemTest, AFolderThatIsNotThereIsNamedBeforeAnythingIsAsked) {
  gateway_.Start();
  gateway_.OfferSample();
  const Finished nowhere =
      gateway_.Sluice("relief", {"read", "public-security/persons", "--purpose", "relief", "--case",
                                 "R-0118", "-o", "nowhere/residents.jsonl"});
  EXPECT_EQ(nowhere.code, 2);
  EXPECT_THAT(nowhere.errors, HasSubstr("FILE_NOT_WRITTEN: nowhere/residents.jsonl: there is no "
                                        "folder nowhere."));
  EXPECT_THAT(nowhere.errors, HasSubstr("mkdir -p nowhere"));
  EXPECT_TRUE(gateway_.Records(v1::RECORD_KIND_DENIED).empty());
  EXPECT_TRUE(gateway_.Records(v1::RECORD_KIND_OPENED).empty());
}

TEST_F(ReadSystemTest, SixHundredThousandRowsInBoundedMemory) {
#ifdef SLUICE_SANITIZED  // slower by ten times, and no measure of memory
  constexpr int kRows = 62'057;
#else
  constexpr int kRows = 620'573;
#endif
  Offer(kRows);
  const int64_t idle = DaemonMemory(gateway_, "VmRSS:");
  gateway_.Done("relief", {"read", "public-security/register", "--purpose", "relief", "-o",
                           "register.jsonl"});
  const int64_t most = DaemonMemory(gateway_, "VmHWM:");
#ifndef SLUICE_SANITIZED  // which keeps what was freed
  EXPECT_LT(most - idle, 64 << 10) << idle << " kB idle, " << most << " kB at most";
#endif
  RecordProperty("kilobytes_more", static_cast<int>(most - idle));

  const std::string text = gateway_.Read("register.jsonl");
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), kRows);
  EXPECT_THAT(text.substr(text.size() - 100),
              HasSubstr(absl::StrCat("\"name\":\"resident number ", kRows - 1, "\"")));
  const Finished proved = Check("register.jsonl.receipt.json", "register.jsonl");
  EXPECT_EQ(proved.code, 0) << proved.all();
  EXPECT_EQ(Closed().count(), kRows);
  const Finished list = gateway_.Sluice("auditor", {"--format", "table", "audit", "list"});
  EXPECT_THAT(list.output, HasSubstr("released, stream"));
  EXPECT_THAT(list.errors, testing::ContainsRegex("[0-9]+ records in [0-9]+ lines"));
  const Finished backwards = gateway_.Sluice(
      "auditor", {"audit", "list", "--since", "2026-11-30", "--until", "2026-11-01"});
  EXPECT_EQ(backwards.code, 2);
  EXPECT_THAT(backwards.errors, HasSubstr("--until is not later than --since"));
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
  EXPECT_EQ(envelope.grant(), RegisterGrant(gateway_));
  EXPECT_THAT(gateway_.Verify(), HasSubstr("1 opened, 0 closed, 1 abandoned"));
  // A torn end may have to be set aside by a start first; where none was torn, it shows.
  if (before.code == 0) {
    EXPECT_THAT(before.output, HasSubstr("unfinished: #"));
  }
}

TEST_F(ReadSystemTest, RevocationEndsAStreamWithinASecond) {
  Offer(620'000);
  const std::string grant = RegisterGrant(gateway_);
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

// Consumers that do not do their part, in each format.
class ReaderTest : public ReadSystemTest, public testing::WithParamInterface<const char*> {
 protected:
  static v1::ReadRequest Request() {
    v1::ReadRequest request = RegisterRequest();
    request.set_media_type(GetParam());
    return request;
  }
};

INSTANTIATE_TEST_SUITE_P(InEachFormat, ReaderTest,
                         testing::Values("application/x-ndjson",
                                         "application/vnd.apache.arrow.stream"),
                         [](const auto& info) {
                           return absl::EndsWith(info.param, "ndjson") ? "JsonLines" : "Arrow";
                         });

TEST_P(ReaderTest, OneThatStopsReadingHarmsNobodyAndIsCutOff) {
  gateway_.Replace("sluiced.yaml", "stall: 30s", "stall: 2s");
  gateway_.Replace("sources/residents.yaml", "connections: 4", "connections: 1");
  Offer(620'000);
  auto reader = gateway_.Connect("relief");
  const absl::Status status = CallStream(
      *reader, cli::kRead, Request(), kMinute, [&](v1::ReadResponse& message) -> absl::Status {
        if (message.batch() != 1) return absl::OkStatus();
        // Takes no more. The source has one connection, and lookups have it.
        for (int i = 0; i < 10; ++i) {
          const auto found =
              Call(gateway_.As("relief"), cli::kQuery, Deployment::PersonsQuery(SampleIds()[0]));
          EXPECT_TRUE(found.ok()) << found.status();
        }
        EXPECT_EQ(Closed().reason(), v1::REASON_CONSUMER_STALLED);
        return absl::OkStatus();
      });
  EXPECT_FALSE(status.ok());
}

TEST_P(ReaderTest, OneThatVanishesLeavesAClosedRecord) {
  gateway_.Replace("sluiced.yaml", "stall: 30s", "stall: 60s");
  Offer(620'000);
  {
    auto reader = gateway_.Connect("relief");
    const absl::Status status = CallStream(
        *reader, cli::kRead, Request(), kMinute, [&](v1::ReadResponse& message) -> absl::Status {
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
