// What goes wrong with a source, and what is told of it: soon, by a reason, without a secret.
#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/odbc/fixture_testing.h"
#include "gateway/base/memory_testing.h"
#include "gateway/base/sanitized_testing.h"

namespace sluice::adapters::odbc {
namespace {

using records::Op;
using records::TypeId;

template <class Condition>
bool Eventually(Condition condition) {
  for (int i = 0; i < 1'000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

// Threads of this process: a session's goes on until its driver comes back.
int Threads() {
  std::thread([] {}).join();  // a sanitizer's own begins with the first
  int threads = 0;
  DIR* const folder = opendir("/proc/self/task");
  while (const dirent* entry = readdir(folder)) threads += entry->d_name[0] != '.' ? 1 : 0;
  closedir(folder);
  return threads;
}

CallContext Until(const Clock& clock, Micros time) {
  return {.clock = &clock, .deadline = clock.Monotonic() + time, .stop = nullptr};
}

void ExpectUnavailable(const absl::Status& status, const char* says) {
  EXPECT_EQ(ReasonOf(status), v1::REASON_SOURCE_UNAVAILABLE) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), says)) << status << " does not say " << says;
}

class MariadbFaults : public OnMariadb {
 protected:
  std::string Running() {
    return server_->Value(
        "SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'reader'"
        " AND command IN ('Query', 'Execute')");
  }
  static Settings Endless() {
    return {{"query.endless",
             "SELECT COUNT(*) AS id FROM seq_1_to_100000000 a, seq_1_to_100000000 b"
             " WHERE a.seq + b.seq % 7 > 3"}};
  }
  const std::unique_ptr<Clock> real_ = MakeSystemClock();
};

class PostgresOdbcFaults : public OnPostgres {
 protected:
  std::string Running() {
    return server_->Value(
        "SELECT count(*) FROM pg_stat_activity WHERE usename = 'reader' AND state = 'active'");
  }
  static Settings Endless() {
    return {{"query.endless",
             "SELECT count(*)::int8 AS id FROM generate_series(1, 1000000) AS a,"
             " generate_series(1, 1000000) AS b"}};
  }
  const std::unique_ptr<Clock> real_ = MakeSystemClock();
};

class SqliteOdbcFaults : public OnSqlite {
 protected:
  static Settings Endless() {
    return {{"query.endless",
             "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
             " SELECT count(*) AS id FROM n"}};
  }
  const std::unique_ptr<Clock> real_ = MakeSystemClock();
};

TEST_F(OverOdbcTest, AMissingDriverIsNamedAndWhereToLook) {
  for (const char* driver : {"Nothing At All", "/nonexistent/libnothing.so"}) {
    const auto opened = OpenOdbc({{"driver", driver}, {"server", "127.0.0.1"}});
    ExpectUnavailable(opened.status(), "odbcinst -q -d");
  }
}

TEST_F(OverOdbcTest, FreeTdsLoadsAndSaysThatNobodyAnswers) {
  if (!DriverInstalled("FreeTDS")) GTEST_SKIP() << "SKIPPED: tdsodbc is not installed";
  const auto opened = OpenOdbc({{"driver", "FreeTDS"},
                                {"server", "127.0.0.1"},
                                {"port", "1"},
                                {"database", "register"},
                                {"user", "reader"}});
  ExpectUnavailable(opened.status(), "refuses connections");
  EXPECT_TRUE(absl::StrContains(OperatorNoteOf(opened.status()), "20009"))
      << OperatorNoteOf(opened.status());
}

TEST_F(MariadbFaults, WhereNobodyListensThatIsTold) {
  ExpectUnavailable(OpenStatus({{"port", "1"}}), "refuses connections");
}

TEST_F(PostgresOdbcFaults, WhereNobodyListensThatIsTold) {
  ExpectUnavailable(OpenStatus({{"port", "1"}}), "refuses connections");
}

TEST_F(SqliteOdbcFaults, AFileThatIsNotThereIsNotMade) {
  const std::string path = database_->path() + "-none";
  ExpectUnavailable(OpenOdbc(With({{"database", path}})).status(), "is not there");
  EXPECT_NE(access(path.c_str(), F_OK), 0);
}

TEST_F(MariadbFaults, AWrongPasswordIsToldAndNoneIsRepeated) {
  const auto refused = [&](Settings settings, const char* says) {
    const absl::Status status = OpenStatus(settings);
    ExpectUnavailable(status, says);
    for (const char* secret : {"horse", "staple"})
      EXPECT_FALSE(absl::StrContains(status.ToString(), secret)) << status;
  };
  refused({{"password_file", server_->file("wrong-password")}}, "refuses the password");
  refused({{"password_file", server_->file("no-password")}}, "password_file cannot be read");
  refused({{"user", "nobody"}}, "refuses the password");
  refused({{"database", "nothing"}}, "may not read");
  refused({{"password_file", ""}, {"password_env", "SLUICE_TEST_NO_PASSWORD"}}, "is not set");
  const std::string open = server_->file("open-password");
  std::ofstream(open) << "correct horse";
  ASSERT_EQ(chmod(open.c_str(), 0644), 0);
  refused({{"password_file", open}}, "read by everybody");
  const std::string braced = server_->file("braced-password");
  std::ofstream(braced) << "a};SERVER=evil";
  ASSERT_EQ(chmod(braced.c_str(), 0600), 0);
  refused({{"password_file", braced}}, "holds a brace");
  ASSERT_EQ(setenv("SLUICE_TEST_PASSWORD", "correct horse", 1), 0);
  EXPECT_TRUE(OpenStatus({{"password_file", ""}, {"password_env", "SLUICE_TEST_PASSWORD"}}).ok());
}

TEST_F(PostgresOdbcFaults, AWrongPasswordAndAWrongCertificateAreTold) {
  const absl::Status status = OpenStatus({{"password_file", server_->file("wrong-password")}});
  ExpectUnavailable(status, "refuses the password");
  EXPECT_FALSE(absl::StrContains(status.ToString(), "staple")) << status;
  ExpectUnavailable(OpenStatus({{"database", "nothing"}}), "no database");
  ExpectUnavailable(
      OpenStatus({{"attribute.pqopt", "sslrootcert=" + server_->file("other-ca.crt")}}),
      "not from the root");
}

TEST_F(MariadbFaults, AnAccountThatCanWriteIsRefusedUnlessTheBlockAllowsIt) {
  server_->Exec("CREATE USER IF NOT EXISTS writer@'127.0.0.1' IDENTIFIED BY 'correct horse'");
  server_->Exec("GRANT SELECT, INSERT ON " + database_->name() + ".* TO writer@'127.0.0.1'");
  ExpectUnavailable(OpenStatus({{"user", "writer"}}), "has the privilege INSERT");
  const auto adapter =
      OpenSource({{"user", "writer"},
                  {"allow_writer", "yes"},
                  {"query.read_only", "SELECT CAST(@@session.tx_read_only AS INT) AS id"}});
  const auto batches = All(*Scan(*adapter, Ids("read_only", false)));
  ASSERT_EQ(batches.size(), 1u);
  EXPECT_EQ(batches[0].column(0).Int64(0), 1) << "its session only reads all the same";
  server_->Exec("DROP USER writer@'127.0.0.1'");
}

TEST_F(PostgresOdbcFaults, AnAccountThatCanWriteIsRefusedUnlessTheBlockAllowsIt) {
  schema_->Exec("CREATE TABLE t (id int); GRANT INSERT ON t TO reader");
  ExpectUnavailable(OpenStatus({}), "may write into a table");
  EXPECT_TRUE(OpenStatus({{"allow_writer", "yes"}}).ok());
}

template <class Fixture>
void ExpectCancelled(Fixture& fixture, Adapter& adapter, RecordReader& reader) {
  absl::Status status;
  std::thread reading([&] { status = reader.Next().status(); });
  EXPECT_TRUE(Eventually([&] { return fixture() != "0"; }));
  reader.Cancel();
  reading.join();
  EXPECT_EQ(ReasonOf(status), v1::REASON_CANCELLED) << status;
  EXPECT_TRUE(Eventually([&] { return fixture() == "0"; })) << "it goes on at the source";
  EXPECT_TRUE(adapter.Probe({}).ok());
}

TEST_F(MariadbFaults, ACancelEndsTheQueryOnTheServer) {
  const auto adapter = OpenSource(Endless());
  const auto running = [this] { return Running(); };
  ExpectCancelled(running, *adapter, *Scan(*adapter, Ids("endless", false)));
}

TEST_F(PostgresOdbcFaults, ACancelEndsTheQueryOnTheServer) {
  const auto adapter = OpenSource(Endless());
  const auto running = [this] { return Running(); };
  ExpectCancelled(running, *adapter, *Scan(*adapter, Ids("endless", false)));
}

TEST_F(SqliteOdbcFaults, ACancelAndADeadlineEndTheQuery) {
  const int before = Threads();
  {
    const auto adapter = OpenSource(Endless());
    const auto reader = Scan(*adapter, Ids("endless", false));
    absl::Status status;
    std::thread reading([&] { status = reader->Next().status(); });
    reader->Cancel();
    reading.join();
    EXPECT_EQ(ReasonOf(status), v1::REASON_CANCELLED) << status;
    const auto late = *adapter->Scan(Ids("endless", false), Until(*real_, 100 * kMillisecond));
    EXPECT_EQ(ReasonOf(late->Next().status()), v1::REASON_DEADLINE_EXCEEDED);
  }
  EXPECT_TRUE(Eventually([&] { return Threads() <= before; })) << "a statement goes on";
}

TEST_F(MariadbFaults, TheDeadlineEndsTheQueryOnTheServer) {
  const auto adapter = OpenSource(Endless());
  const auto reader = *adapter->Scan(Ids("endless", false), Until(*real_, 300 * kMillisecond));
  EXPECT_EQ(ReasonOf(reader->Next().status()), v1::REASON_DEADLINE_EXCEEDED);
  EXPECT_TRUE(Eventually([&] { return Running() == "0"; }));
}

TEST_F(PostgresOdbcFaults, TheDeadlineEndsTheQueryOnTheServer) {
  const auto adapter = OpenSource(Endless());
  const auto reader = *adapter->Scan(Ids("endless", false), Until(*real_, 300 * kMillisecond));
  EXPECT_EQ(ReasonOf(reader->Next().status()), v1::REASON_DEADLINE_EXCEEDED);
  EXPECT_TRUE(Eventually([&] { return Running() == "0"; }));
}

TEST_F(MariadbFaults, TheServersOwnTimeoutIsTold) {
  Settings settings = Endless();
  settings["statement_timeout_ms"] = "200";
  ExpectUnavailable(ScanStatus(*OpenSource(settings), Ids("endless", false)), "statement timeout");
}

TEST_F(PostgresOdbcFaults, TheServersOwnTimeoutIsTold) {
  Settings settings = Endless();
  settings["statement_timeout_ms"] = "200";
  ExpectUnavailable(ScanStatus(*OpenSource(settings), Ids("endless", false)), "statement timeout");
}

TEST_F(SqliteOdbcFaults, WhereTheSourceHasNoTimeoutTheGatewayEndsTheStatement) {
  Settings settings = Endless();
  settings["statement_timeout_ms"] = "200";
  ExpectUnavailable(ScanStatus(*OpenSource(settings), Ids("endless", false)), "statement timeout");
}

TEST_F(SqliteOdbcFaults, WhatItsOwnerLocksIsNotWaitedForLong) {
  database_->Exec("CREATE TABLE people (id INTEGER PRIMARY KEY); INSERT INTO people VALUES (1)");
  const auto adapter = OpenSource({{"lock_timeout_ms", "100"}});
  database_->Exec("BEGIN EXCLUSIVE");
  ExpectUnavailable(ScanStatus(*adapter, Ids("people")), "locked by its owner");
  database_->Exec("COMMIT");
  EXPECT_TRUE(ScanStatus(*adapter, Ids("people")).ok());
}

TEST_F(MariadbFaults, AServerThatHangsHoldsNobodyAndNoOtherSource) {
  MakePeople(1'000);
  const int before = Threads();
  const auto adapter = OpenSource();
  ASSERT_TRUE(adapter->Probe({}).ok());
  server_->Signal(SIGSTOP);
  const absl::Status probed = adapter->Probe(Until(*real_, 300 * kMillisecond));
  absl::Status status;
  Count(**adapter->Scan(Ids("people"), Until(*real_, 300 * kMillisecond)), &status);
  const absl::Status opened = OpenStatus({{"connect_timeout_ms", "200"}});
  // Each call leaves one behind; there is an end to that.
  absl::Status last;
  for (int i = 0; i < 40 && !absl::StrContains(last.message(), "many calls hang"); ++i)
    last = adapter->Probe(Until(*real_, 20 * kMillisecond));
  absl::Status other;
  if (DriverInstalled(kSqliteDriver)) {
    sqlite::TestDatabase database;
    other = OpenOdbc({{"driver", kSqliteDriver}, {"database", database.path()}}).status();
  }
  server_->Signal(SIGCONT);
  EXPECT_EQ(ReasonOf(probed), v1::REASON_DEADLINE_EXCEEDED) << probed;
  EXPECT_EQ(ReasonOf(status), v1::REASON_DEADLINE_EXCEEDED) << status;
  ExpectUnavailable(opened, "does not answer");
  ExpectUnavailable(last, "many calls hang");
  EXPECT_TRUE(other.ok()) << other;
  EXPECT_TRUE(Eventually([&] { return adapter->Probe({}).ok(); })) << "and goes on by itself";
  EXPECT_EQ(Count(*Scan(*adapter, Ids("people"))), 1'000);
  EXPECT_TRUE(Eventually([&] { return Threads() <= before + 2; })) << Threads();
}

TEST_F(PostgresOdbcFaults, AServerThatHangsHoldsNobodyBeyondTheDeadline) {
  MakePeople(1'000);
  const auto adapter = OpenSource();
  const auto another = OpenSource();
  ASSERT_TRUE(adapter->Probe({}).ok());
  server_->SignalAll(SIGSTOP);
  const absl::Status probed = adapter->Probe(Until(*real_, 300 * kMillisecond));
  const absl::Status second = another->Probe(Until(*real_, 300 * kMillisecond));
  const absl::Status opened = OpenStatus({{"connect_timeout_ms", "200"}});
  server_->SignalAll(SIGCONT);
  EXPECT_EQ(ReasonOf(probed), v1::REASON_DEADLINE_EXCEEDED) << probed;
  EXPECT_EQ(ReasonOf(second), v1::REASON_DEADLINE_EXCEEDED) << second;
  ExpectUnavailable(opened, "does not answer");
  EXPECT_EQ(Count(*Scan(*adapter, Ids("people"))), 1'000) << "and goes on by itself";
}

TEST_F(MariadbFaults, ASessionKilledBetweenBatchesIsReplacedAndNoRowIsLost) {
  MakePeople(100'000);
  const auto adapter = OpenSource();
  const auto reader = Scan(*adapter, Ids("people"));
  const auto first = reader->Next();
  ASSERT_TRUE(first.ok()) << first.status();
  server_->Exec("KILL " + server_->Value("SELECT id FROM information_schema.processlist"
                                         " WHERE user = 'reader' LIMIT 1"));
  int64_t next = (*first)->rows() + 1;
  for (const auto& batch : All(*reader))
    for (int64_t i = 0; i < batch.rows(); ++i) ASSERT_EQ(batch.column(0).Int64(i), next++);
  EXPECT_EQ(next, 100'001);
}

TEST_F(MariadbFaults, ASessionKilledWhileItWorksIsTold) {
  MakePeople(10);
  const auto adapter = OpenSource(Endless());
  const auto reader = Scan(*adapter, Ids("endless", false));
  absl::Status status;
  std::thread reading([&] { status = reader->Next().status(); });
  EXPECT_TRUE(Eventually([&] { return Running() != "0"; }));
  server_->Exec("KILL " + server_->Value("SELECT id FROM information_schema.processlist"
                                         " WHERE user = 'reader' LIMIT 1"));
  reading.join();
  EXPECT_EQ(ReasonOf(status), v1::REASON_SOURCE_UNAVAILABLE) << status;
  EXPECT_EQ(Count(*Scan(*adapter, Ids("people"))), 10);
}

TEST_F(MariadbFaults, AServerThatRestartedIsFoundAgain) {
  MakePeople(10);
  const auto adapter = OpenSource();
  EXPECT_EQ(Count(*Scan(*adapter, Ids("people"))), 10);
  server_->Stop();
  EXPECT_EQ(ReasonOf(ScanStatus(*adapter, Ids("people"))), v1::REASON_SOURCE_UNAVAILABLE);
  EXPECT_EQ(ReasonOf(adapter->Probe({})), v1::REASON_SOURCE_UNAVAILABLE);
  server_->Start();
  EXPECT_EQ(Count(*Scan(*adapter, Ids("people"))), 10);
  server_->Stop();
  server_->Start();
  EXPECT_EQ(Count(*Scan(*adapter, Ids("people"))), 10) << "idle sessions are gone, and replaced";
  EXPECT_TRUE(adapter->Probe({}).ok());
}

TEST_F(PostgresOdbcFaults, AServerThatRestartedIsFoundAgain) {
  MakePeople(10);
  const auto adapter = OpenSource();
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Count(*Scan(*adapter, Ids("people"))), 10);
    server_->Stop();
    server_->Start();
  }
  EXPECT_TRUE(adapter->Probe({}).ok());
  EXPECT_EQ(Count(*Scan(*adapter, Ids("people"))), 10);
}

TEST_F(MariadbFaults, ASchemaThatChangesUnderAScanIsReadAnewOrDrift) {
  MakePeople(30'000);
  const auto adapter = OpenSource();
  ScanRequest request = Ids("people");
  request.fields.push_back({"age", {"age", {TypeId::kInt64}}});
  auto reader = Scan(*adapter, request);
  ASSERT_TRUE(reader->Next().ok());
  database_->Exec("ALTER TABLE people MODIFY age bigint");
  absl::Status status;
  Count(*reader, &status);
  EXPECT_TRUE(status.ok()) << status;
  database_->Exec("ALTER TABLE people MODIFY age varchar(20)");
  EXPECT_EQ(Count(*Scan(*adapter, request)), 30'000) << "whole numbers in text";
  reader = Scan(*adapter, request);
  ASSERT_TRUE(reader->Next().ok());
  database_->Exec("ALTER TABLE people RENAME COLUMN age TO years");
  Count(*reader, &status);
  EXPECT_EQ(ReasonOf(status), v1::REASON_SCHEMA_DRIFT) << status;
  database_->Exec("DROP TABLE people");
  EXPECT_EQ(ReasonOf(ScanStatus(*adapter, Ids("people"))), v1::REASON_SCHEMA_DRIFT);
}

TEST_F(PostgresOdbcFaults, AValueThatCannotBeComputedSaysItsRow) {
  const auto adapter = OpenSource(
      {{"query.bad", "SELECT i AS id, 1 / (3 - i) AS v FROM generate_series(1, 5) AS i"}});
  ScanRequest request = Ids("bad", false);
  request.fields.push_back({"v", {"v", {TypeId::kInt64}}});
  const absl::Status status = ScanStatus(*adapter, request);
  EXPECT_EQ(ReasonOf(status), v1::REASON_SOURCE_BAD_VALUE) << status;
}

void ExpectBoundedMemory(RecordReader& reader, int rows) {
  int64_t seen = 0, most = 0;
  const int64_t before = ResidentBytes();
  for (;;) {
    const auto batch = reader.Next();
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

ScanRequest HugeRows(ScanRequest request) {
  request.fields.push_back({"name", {"name", {TypeId::kUtf8}}});
  return request;
}

TEST_F(MariadbFaults, WhatNothingOrdersIsReadWhereTheDriverCanHoldItAndElseRefused) {
  const auto adapter = OpenSource(
      {{"query.huge", "SELECT seq AS id, REPEAT('x', 1000) AS name FROM seq_1_to_300000"},
       {"query.small", "SELECT seq AS id, REPEAT('x', 1000) AS name FROM seq_1_to_20000"}});
  const auto reader = Scan(*adapter, HugeRows(Ids("huge", false)));
  ExpectUnavailable(reader->Next().status(), "give the dataset a key");
  ExpectBoundedMemory(*Scan(*adapter, HugeRows(Ids("small", false))), 20'000);
}

TEST_F(MariadbFaults, AGigabyteIsReadInBoundedMemory) {
  const int rows = kSanitized ? 1'000 : 100'000;
  const auto adapter = OpenSource(
      {{"query.huge",
        absl::StrCat("SELECT seq AS id, REPEAT('x', 10000) AS name FROM seq_1_to_", rows)},
       {"statement_timeout_ms", "120000"}});
  ExpectBoundedMemory(*Scan(*adapter, HugeRows(Ids("huge", true))), rows);
}

TEST_F(PostgresOdbcFaults, AGigabyteThatNothingOrdersIsReadInBoundedMemory) {
  const int rows = kSanitized ? 1'000 : 100'000;
  const auto adapter = OpenSource(
      {{"query.huge",
        absl::StrCat("SELECT i::int8 AS id, repeat('x', 10000) AS name FROM generate_series(1, ",
                     rows, ") AS i")},
       {"statement_timeout_ms", "120000"}});
  ExpectBoundedMemory(*Scan(*adapter, HugeRows(Ids("huge", false))), rows);
}

TEST_F(PostgresOdbcFaults, AFilterOverWhatNothingOrdersIsBoundOrLeftToTheGateway) {
  const auto adapter = OpenSource(
      {{"query.huge",
        "SELECT i::int8 AS id, repeat('x', 1000) AS name FROM generate_series(1, 50000) AS i"},
       {"statement_timeout_ms", "120000"}});
  ScanRequest request = HugeRows(Ids("huge", false));
  request.predicate = {Op::kGreater, 0, {int64_t{49'990}}, {}};
  EXPECT_EQ(Count(*Scan(*adapter, request)), 10) << "few: filtered there";
  request.predicate = {Op::kGreater, 0, {int64_t{1}}, {}};
  EXPECT_EQ(Count(*Scan(*adapter, request)), 50'000) << "many: all, as they come";
}

TEST_F(SqliteOdbcFaults, AGigabyteThatNothingOrdersIsReadInBoundedMemory) {
  const int rows = kSanitized ? 1'000 : 100'000;
  const auto adapter = OpenSource(
      {{"query.huge",
        absl::StrCat("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ",
                     rows, ") SELECT i AS id, hex(zeroblob(5000)) AS name FROM n")},
       {"statement_timeout_ms", "120000"}});
  ExpectBoundedMemory(*Scan(*adapter, HugeRows(Ids("huge", false))), rows);
}

TEST_F(MariadbFaults, NoMoreSessionsThanAllowedAndNobodyIsForgotten) {
  MakePeople(5'000);
  const auto adapter = OpenSource({{"most_connections", "2"}});
  std::vector<std::thread> threads;
  std::atomic<int64_t> rows{0};
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
  EXPECT_LE(std::stoi(server_->Value(
                "SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'reader'")),
            2);
}

}  // namespace
}  // namespace sluice::adapters::odbc
