// What goes wrong with a server, and what is told of it: soon, by a reason, without a secret.
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/postgres/fixture_testing.h"
#include "gateway/base/memory_testing.h"
#include "gateway/base/sanitized_testing.h"

namespace sluice::adapters::postgres {
namespace {

using records::Op;
using records::TypeId;

class PostgresFaults : public OnServer {
 protected:
  CallContext Until(Micros time) {
    return {.clock = real_.get(), .deadline = real_->Monotonic() + time, .stop = stop_};
  }
  // What the gateway's sessions run now, by the server's own account.
  std::string Running() {
    return server_->Value(
        "SELECT count(*) FROM pg_stat_activity WHERE usename = 'reader' AND state = 'active'");
  }
  // Within a second or two: the server is told by another connection.
  bool EndsOnTheServer() {
    for (int i = 0; i < 300; ++i) {
      if (Running() == "0") return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
  bool RunsOnTheServer() {
    for (int i = 0; i < 300; ++i) {
      if (Running() != "0") return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return false;
  }
  static Settings Endless() {
    return {{"query.endless",
             "SELECT count(*)::int8 AS id FROM generate_series(1, 1000000) AS a,"
             " generate_series(1, 1000000) AS b"}};
  }

  const std::unique_ptr<Clock> real_ = MakeSystemClock();
  const std::shared_ptr<StopToken> stop_ = std::make_shared<StopToken>();
};

TEST_F(PostgresFaults, WhereNobodyListensThatIsTold) {
  const absl::Status status = OpenStatus({{"port", "1"}});
  EXPECT_EQ(ReasonOf(status), v1::REASON_SOURCE_UNAVAILABLE);
  EXPECT_TRUE(absl::StrContains(status.message(), "refuses connections")) << status;
}

TEST_F(PostgresFaults, WhoeverIsNotTheServerIsToldFromIt) {
  struct Case {
    Settings settings;
    const char* says;
  };
  const std::vector<Case> cases = {
      {{{"root_certificate", server_->file("other-ca.crt")}}, "not from the root"},
      {{{"root_certificate", server_->file("none.crt")}}, "root_certificate cannot be read"},
      {{{"host", "127.0.0.2"}}, "for another host"},
      {{{"host", "nowhere.invalid"}}, "cannot be resolved"},
      {{{"tls", "disable"}, {"root_certificate", ""}}, "refuses the gateway's role"},
  };
  for (const Case& wrong : cases) {
    const absl::Status status = OpenStatus(wrong.settings);
    EXPECT_EQ(ReasonOf(status), v1::REASON_SOURCE_UNAVAILABLE);
    EXPECT_TRUE(absl::StrContains(status.message(), wrong.says)) << status << wrong.says;
  }
  EXPECT_TRUE(OpenStatus({{"host", "127.0.0.2"}, {"tls", "verify-ca"}}).ok());
  EXPECT_TRUE(
      OpenStatus({{"host", server_->file("")}, {"tls", "disable"}, {"root_certificate", ""}}).ok())
      << "a Unix socket";
}

TEST_F(PostgresFaults, AWrongPasswordIsToldAndNoneIsRepeated) {
  const auto refused = [&](Settings settings, const char* says) {
    const absl::Status status = OpenStatus(settings);
    EXPECT_EQ(ReasonOf(status), v1::REASON_SOURCE_UNAVAILABLE);
    EXPECT_TRUE(absl::StrContains(status.message(), says)) << status;
    for (const char* secret : {"horse", "staple"})
      EXPECT_FALSE(absl::StrContains(status.ToString(), secret)) << status;
  };
  refused({{"password_file", server_->file("wrong-password")}}, "refuses the password");
  refused({{"password_file", server_->file("no-password")}}, "password_file cannot be read");
  refused({{"password_file", ""}}, "asks for a password");
  refused({{"user", "nobody"}}, "refuses the password");
  refused({{"database", "nothing"}}, "no database");
  refused({{"password_file", ""}, {"password_env", "SLUICE_TEST_NO_PASSWORD"}}, "is not set");
  const std::string open = server_->file("open-password");
  std::ofstream(open) << "correct horse";
  ASSERT_EQ(chmod(open.c_str(), 0644), 0);
  refused({{"password_file", open}}, "read by everybody");
  ASSERT_EQ(setenv("SLUICE_TEST_PASSWORD", "correct horse", 1), 0);
  EXPECT_TRUE(OpenStatus({{"password_file", ""}, {"password_env", "SLUICE_TEST_PASSWORD"}}).ok());
}

TEST_F(PostgresFaults, AClientCertificateIsEnoughAndAStrangersIsNot) {
  const Settings certified = {{"user", "certified"},
                              {"password_file", ""},
                              {"certificate", server_->file("reader.crt")},
                              {"key", server_->file("reader.key")}};
  EXPECT_TRUE(OpenStatus(certified).ok()) << OpenStatus(certified);
  Settings stranger = certified;
  stranger["certificate"] = server_->file("stranger.crt");
  stranger["key"] = server_->file("stranger.key");
  EXPECT_TRUE(absl::StrContains(OpenStatus(stranger).message(), "refuses the gateway's"))
      << OpenStatus(stranger);
  Settings none = certified;
  none["certificate"] = none["key"] = "";
  EXPECT_TRUE(absl::StrContains(OpenStatus(none).message(), "refuses the gateway's role"));
}

TEST_F(PostgresFaults, ACancelEndsTheQueryOnTheServer) {
  const auto adapter = Open(Endless());
  const auto reader = *adapter->Scan(Ids("endless", false), {&clock_, 0, stop_});
  absl::Status status;
  std::thread reading([&] { status = reader->Next().status(); });
  EXPECT_TRUE(RunsOnTheServer());
  reader->Cancel();
  reading.join();
  EXPECT_EQ(ReasonOf(status), v1::REASON_CANCELLED) << status;
  EXPECT_TRUE(EndsOnTheServer());
  EXPECT_TRUE(adapter->Probe({}).ok());
}

TEST_F(PostgresFaults, TheDeadlineEndsTheQueryOnTheServer) {
  const auto adapter = Open(Endless());
  for (const int64_t wanted : {0, 5}) {
    ScanRequest request = Ids("endless", false);
    request.rows_wanted = wanted;
    const auto reader = *adapter->Scan(request, Until(300 * kMillisecond));
    EXPECT_EQ(ReasonOf(reader->Next().status()), v1::REASON_DEADLINE_EXCEEDED);
    EXPECT_TRUE(EndsOnTheServer());
  }
}

TEST_F(PostgresFaults, TheServersOwnTimeoutIsTold) {
  Settings settings = Endless();
  settings["statement_timeout_ms"] = "200";
  const absl::Status status = ScanStatus(*Open(settings), Ids("endless", false));
  EXPECT_EQ(ReasonOf(status), v1::REASON_SOURCE_UNAVAILABLE);
  EXPECT_TRUE(absl::StrContains(status.message(), "statement timeout")) << status;
}

TEST_F(PostgresFaults, WhatItsOwnerLocksIsNotWaitedForLong) {
  MakePeople(1);
  const auto adapter = Open({{"lock_timeout_ms", "100"}});
  server_->Exec("BEGIN; LOCK TABLE " + schema_->name() + ".people");
  const absl::Status status = ScanStatus(*adapter, Ids("people"));
  server_->Exec("ROLLBACK");
  EXPECT_TRUE(absl::StrContains(status.message(), "locked by its owner")) << status;
  EXPECT_TRUE(ScanStatus(*adapter, Ids("people")).ok());
}

TEST_F(PostgresFaults, AServerThatHangsHoldsNobodyBeyondTheDeadline) {
  MakePeople(100'000);
  const auto adapter = Open();
  const auto reader = *adapter->Scan(Ids("people"), Until(3 * kSecond));
  ASSERT_TRUE(reader->Next().ok());
  server_->SignalAll(SIGSTOP);
  absl::Status status;
  Count(*reader, &status);
  const absl::Status probed = adapter->Probe(Until(300 * kMillisecond));
  const absl::Status opened = OpenStatus({{"connect_timeout_ms", "200"}});
  server_->SignalAll(SIGCONT);
  EXPECT_EQ(ReasonOf(status), v1::REASON_DEADLINE_EXCEEDED) << status;
  EXPECT_EQ(ReasonOf(probed), v1::REASON_DEADLINE_EXCEEDED) << probed;
  EXPECT_TRUE(absl::StrContains(opened.message(), "does not answer")) << opened;
  EXPECT_EQ(Count(*Scan(*adapter, Ids("people"))), 100'000) << "and goes on by itself";
}

TEST_F(PostgresFaults, ASessionKilledMidwayIsNoEndOfDataAndTheNextCallGoesOn) {
  MakePeople(400'000);
  const auto adapter = Open();
  const auto reader = Scan(*adapter, Ids("people"));
  // Into the second range, which lasts over several batches.
  ASSERT_TRUE(reader->Next().ok());
  ASSERT_TRUE(reader->Next().ok());
  // As the kernel's killer of processes does it: the server then ends all sessions and recovers.
  kill(std::stoi(server_->Value("SELECT pid FROM pg_stat_activity WHERE usename = 'reader' "
                                "ORDER BY state LIMIT 1")),
       SIGKILL);
  absl::Status status;
  EXPECT_LT(Count(*reader, &status), 400'000);
  EXPECT_EQ(ReasonOf(status), v1::REASON_SOURCE_UNAVAILABLE) << status;
  for (int i = 0; i < 500 && !adapter->Probe({}).ok(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(Count(*Scan(*adapter, Ids("people"))), 400'000);
}

TEST_F(PostgresFaults, ASessionEndedByTheServersOperatorIsTold) {
  MakePeople(10);
  const auto adapter = Open(Endless());
  const auto reader = Scan(*adapter, Ids("endless", false));
  absl::Status status;
  std::thread reading([&] { status = reader->Next().status(); });
  EXPECT_TRUE(RunsOnTheServer());
  server_->Value("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'reader'");
  reading.join();
  EXPECT_EQ(ReasonOf(status), v1::REASON_SOURCE_UNAVAILABLE) << status;
  EXPECT_EQ(Count(*Scan(*adapter, Ids("people"))), 10);
}

TEST_F(PostgresFaults, AServerThatRestartedIsFoundAgain) {
  MakePeople(10);
  const auto adapter = Open();
  EXPECT_EQ(Count(*Scan(*adapter, Ids("people"))), 10);
  server_->Stop();
  EXPECT_EQ(ReasonOf(ScanStatus(*adapter, Ids("people"))), v1::REASON_SOURCE_UNAVAILABLE);
  EXPECT_EQ(ReasonOf(adapter->Probe({})), v1::REASON_SOURCE_UNAVAILABLE);
  server_->Start();
  EXPECT_EQ(Count(*Scan(*adapter, Ids("people"))), 10);
}

TEST_F(PostgresFaults, ASlowConsumerLosesNoRowToTheStatementTimeout) {
  MakePeople(400'000);
  const auto adapter = Open({{"statement_timeout_ms", "500"}});
  ScanRequest request = Ids("people");
  request.fields.push_back({"name", {"name", {TypeId::kUtf8}}});
  const auto reader = Scan(*adapter, request);
  int64_t rows = 0, batches = 0;
  for (;; ++batches) {
    const auto batch = reader->Next();
    ASSERT_TRUE(batch.ok()) << batch.status();
    if (!batch->has_value()) break;
    for (int64_t row = 0; row < (*batch)->rows(); ++row)
      ASSERT_EQ((*batch)->column(0).Int64(row), ++rows);
    // Longer than the server lets the range last.
    if (batches == 8) server_->Value("SELECT pg_sleep(0.8)");
  }
  EXPECT_EQ(rows, 400'000);
}

TEST_F(PostgresFaults, AGigabyteIsReadInBoundedMemory) {
  const int rows = kSanitized ? 20'000 : 1'000'000;
  const auto adapter =
      Open({{"query.huge", absl::StrCat("SELECT i::int8 AS id, repeat('x', 1000) AS name FROM "
                                        "generate_series(1, ",
                                        rows, ") AS i")},
            {"statement_timeout_ms", "120000"}});
  ScanRequest request = Ids("huge", false);
  request.fields.push_back({"name", {"name", {records::TypeId::kUtf8}}});
  const auto reader = Scan(*adapter, request);
  int64_t seen = 0, most = 0;
  const int64_t before = ResidentBytes();
  for (;;) {
    const auto batch = reader->Next();
    ASSERT_TRUE(batch.ok()) << batch.status();
    if (!batch->has_value()) break;
    seen += (*batch)->rows();
    most = std::max(most, ResidentBytes() - before);
  }
  EXPECT_EQ(seen, rows);
  if (!kSanitized) {
    EXPECT_LT(most, 64 << 20);
  }
}

TEST_F(PostgresFaults, ASchemaThatChangesUnderAScanIsReadAnewOrDrift) {
  MakePeople(100'000);
  const auto adapter = Open();
  ScanRequest request = Ids("people");
  request.fields.push_back({"age", {"age", {TypeId::kInt64}}});
  for (const int64_t wanted : {0, 100}) {
    request.rows_wanted = wanted;
    auto reader = Scan(*adapter, request);
    ASSERT_TRUE(reader->Next().ok());
    schema_->Exec("ALTER TABLE people ALTER COLUMN age TYPE bigint");
    absl::Status status;
    Count(*reader, &status);
    EXPECT_TRUE(status.ok()) << status;
    reader = Scan(*adapter, request);
    const auto first = reader->Next();
    ASSERT_TRUE(first.ok()) << first.status();
    schema_->Exec("ALTER TABLE people RENAME COLUMN age TO years");
    Count(*reader, &status);
    EXPECT_EQ(ReasonOf(status), v1::REASON_SCHEMA_DRIFT) << status;
    schema_->Exec("ALTER TABLE people RENAME COLUMN years TO age");
    schema_->Exec("ALTER TABLE people ALTER COLUMN age TYPE int");
  }
}

TEST_F(PostgresFaults, NoMoreSessionsThanAllowedAndNobodyIsForgotten) {
  MakePeople(50'000);
  const auto adapter = Open({{"most_connections", "2"}});
  std::vector<std::thread> threads;
  std::atomic<int64_t> rows{0};
  std::vector<std::unique_ptr<RecordReader>> streams;
  for (int i = 0; i < 4; ++i) {
    streams.push_back(Scan(*adapter, Ids("people")));
    ASSERT_TRUE(streams.back()->Next().ok());
    ASSERT_TRUE(streams.back()->Next().ok());
  }
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < 20; ++n) {
        ScanRequest request = Ids("people");
        request.rows_wanted = 2;
        request.predicate = {Op::kEqual, 0, {int64_t{1 + i * 20 + n}}, {}};
        rows += Count(*Scan(*adapter, request));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(rows, 160);
  EXPECT_LE(
      std::stoi(server_->Value("SELECT count(*) FROM pg_stat_activity WHERE usename = 'reader'")),
      2);
}

}  // namespace
}  // namespace sluice::adapters::postgres
