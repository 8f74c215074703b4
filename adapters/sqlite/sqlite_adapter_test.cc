// What is SQLite's own: the file and its dangers, the plan that a lookup gets, the owner's writers.
#include "adapters/sqlite/sqlite_adapter.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/sqlite/database_testing.h"
#include "gateway/base/error.h"
#include "gateway/base/fake_clock.h"
#include "gtest/gtest.h"

namespace sluice::adapters::sqlite {
namespace {

using records::DataType;
using records::Op;
using records::Predicate;
using records::TypeId;

class SqliteAdapterTest : public testing::Test {
 protected:
  std::unique_ptr<Adapter> Open(Budgets budgets = {}) {
    auto adapter = OpenSqlite({{"file", database_.path()}, {"busy_timeout_ms", "0"}}, budgets);
    EXPECT_TRUE(adapter.ok()) << adapter.status();
    return adapter.ok() ? *std::move(adapter) : nullptr;
  }
  absl::Status OpenStatus() { return OpenSqlite({{"file", database_.path()}}).status(); }

  // `people` with ids from 1; the name is "p<id>".
  void MakePeople(int count) {
    database_.Exec(
        absl::StrCat("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, age INTEGER);"
                     "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ",
                     count, ") INSERT INTO people SELECT i, 'p' || i, i % 100 FROM n"));
  }

  static ScanRequest Ids(const std::string& table, const std::string& column = "id") {
    ScanRequest request;
    request.table = table;
    request.fields = {{column, {column, {TypeId::kInt64}}}};
    return request;
  }
  static ScanRequest Keyed(const std::string& table) {
    ScanRequest request = Ids(table);
    request.key = {0};
    return request;
  }
  std::unique_ptr<RecordReader> Scan(Adapter& adapter, ScanRequest request) {
    return *adapter.Scan(std::move(request), {&clock_, 0, nullptr});
  }
  // As a lookup among many that follow each other, until Rest is called.
  std::unique_ptr<RecordReader> ScanInARow(Adapter& adapter, ScanRequest request) {
    return *adapter.Scan(std::move(request),
                         {.clock = &clock_, .deadline = 0, .stop = nullptr, .rests = true});
  }
  // The log's pages that are not in the file yet after a checkpoint; -1 where readers kept it from
  // being used from its start again.
  int CheckpointWhole() {
    int log = 0, done = 0;
    const int code =
        sqlite3_wal_checkpoint_v2(database_.db(), "main", SQLITE_CHECKPOINT_RESTART, &log, &done);
    return code == SQLITE_OK ? log - done : -1;
  }
  static int64_t Count(RecordReader& reader, absl::Status* status = nullptr) {
    int64_t rows = 0;
    for (;;) {
      const auto batch = reader.Next();
      if (status != nullptr) *status = batch.status();
      if (!batch.ok() || !batch->has_value()) return rows;
      rows += (*batch)->rows();
    }
  }

  TestDatabase database_;
  FakeClock clock_;
};

TEST_F(SqliteAdapterTest, AMissingFileIsRefusedAndNotMade) {
  database_.Close();
  std::filesystem::remove(database_.path());
  EXPECT_EQ(ReasonOf(OpenStatus()), v1::REASON_SOURCE_UNAVAILABLE);
  EXPECT_FALSE(std::filesystem::exists(database_.path()));
}

TEST_F(SqliteAdapterTest, AFileThatIsNoDatabaseIsUnavailable) {
  for (const std::string& bytes : {std::string(), std::string("code,name\n1,x\n"),
                                   std::string(8192, '\0'), std::string("SQLite format 3\0", 16)}) {
    database_.WriteFile(bytes);
    EXPECT_EQ(ReasonOf(OpenStatus()), v1::REASON_SOURCE_UNAVAILABLE) << bytes.size();
  }
  std::filesystem::remove(database_.path());
  std::filesystem::create_directory(database_.path());
  EXPECT_EQ(ReasonOf(OpenStatus()), v1::REASON_SOURCE_UNAVAILABLE) << "a folder";
}

TEST_F(SqliteAdapterTest, ADamagedPageIsUnavailableAndNoEndOfData) {
  MakePeople(100'000);
  database_.Close();
  std::string bytes = database_.ReadFile();
  const size_t middle = bytes.size() / 2 / 4096 * 4096;
  bytes.replace(middle, 65'536, 65'536, '\xee');
  database_.WriteFile(bytes);
  const auto adapter = Open();
  absl::Status status;
  Count(*Scan(*adapter, Keyed("people")), &status);
  EXPECT_EQ(ReasonOf(status), v1::REASON_SOURCE_UNAVAILABLE) << status;
}

TEST_F(SqliteAdapterTest, AFileCutShortMidwayIsUnavailable) {
  MakePeople(100'000);
  database_.Close();
  const auto adapter = Open();
  const auto reader = Scan(*adapter, Keyed("people"));
  ASSERT_TRUE(reader->Next().ok());
  std::filesystem::resize_file(database_.path(), 200'704);
  absl::Status status;
  EXPECT_LT(Count(*reader, &status), 100'000);
  EXPECT_EQ(ReasonOf(status), v1::REASON_SOURCE_UNAVAILABLE) << status;
}

TEST_F(SqliteAdapterTest, AFileReplacedMidwayIsNoMixture) {
  MakePeople(50'000);
  const auto adapter = Open();
  const auto reader = Scan(*adapter, Keyed("people"));
  ASSERT_TRUE(reader->Next().ok());
  TestDatabase other;
  other.Exec("CREATE TABLE people (id INTEGER PRIMARY KEY); INSERT INTO people VALUES (60000)");
  other.Close();
  std::filesystem::rename(other.path(), database_.path());
  EXPECT_EQ(ReasonOf(reader->Next().status()), v1::REASON_SOURCE_CHANGED);
  EXPECT_EQ(Count(*Scan(*adapter, Keyed("people"))), 1) << "a new scan reads the new file";
}

TEST_F(SqliteAdapterTest, NothingIsEverWrittenToTheOwnersFile) {
  MakePeople(1'000);
  database_.Close();
  const std::string before = database_.ReadFile();
  {
    const auto adapter = Open();
    ASSERT_TRUE(adapter->Describe("", {&clock_, 0, nullptr}).ok());
    EXPECT_EQ(Count(*Scan(*adapter, Keyed("people"))), 1'000);
  }
  EXPECT_EQ(database_.ReadFile(), before);
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(database_.folder()))
    files.push_back(entry.path().filename());
  EXPECT_EQ(files, std::vector<std::string>{"legacy.db"});
}

// The writer below has no busy timeout: it fails at once where a reader holds a lock.
TEST_F(SqliteAdapterTest, TheOwnerCommitsBetweenBatchesInEitherJournalMode) {
  for (const char* mode : {"DELETE", "WAL"}) {
    database_.Exec("DROP TABLE IF EXISTS people");
    database_.Exec(absl::StrCat("PRAGMA journal_mode = ", mode));
    MakePeople(60'000);
    const auto adapter = Open();
    const auto reader = Scan(*adapter, Keyed("people"));
    int64_t rows = 0;
    for (int i = 1;; ++i) {
      const auto batch = reader->Next();
      ASSERT_TRUE(batch.ok()) << mode << ": " << batch.status();
      if (!batch->has_value()) break;
      rows += (*batch)->rows();
      EXPECT_EQ(database_.TryExec(absl::StrCat("INSERT INTO people VALUES (", 100'000 + i,
                                               ", 'late', 1); UPDATE people SET age = age")),
                SQLITE_OK)
          << mode << ": " << sqlite3_errmsg(database_.db());
    }
    EXPECT_GE(rows, 60'000) << mode;
  }
}

TEST_F(SqliteAdapterTest, LookupsInARowSeeEveryCommitAndItsVersion) {
  for (const char* mode : {"DELETE", "WAL"}) {
    TestDatabase database;
    database.Exec(absl::StrCat("PRAGMA journal_mode = ", mode, "; CREATE TABLE t (id INTEGER)"));
    auto adapter = *OpenSqlite({{"file", database.path()}, {"busy_timeout_ms", "0"}});
    std::string before;
    for (int rows = 1; rows < 5; ++rows) {
      EXPECT_EQ(database.TryExec("INSERT INTO t VALUES (1)"), SQLITE_OK) << mode;
      auto first = ScanInARow(*adapter, Ids("t")), second = ScanInARow(*adapter, Ids("t"));
      EXPECT_EQ(Count(*first), rows) << mode;
      EXPECT_EQ(Count(*second), rows) << mode;
      EXPECT_EQ(first->version(), second->version()) << mode;
      EXPECT_NE(first->version().version, before) << mode;
      before = first->version().version;
      // Another kind of call in between sees it as well.
      EXPECT_EQ(Count(*Scan(*adapter, Ids("t"))), rows) << mode;
    }
    adapter->Rest();
  }
}

TEST_F(SqliteAdapterTest, LookupsInARowDoNotMakeTheOwnersLogGrow) {
  database_.Exec("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0");
  MakePeople(10);
  auto adapter = Open();
  EXPECT_EQ(Count(*ScanInARow(*adapter, Ids("people"))), 10);
  // The lookup that was last holds the log; the next one sees that all is in the file, and does
  // not.
  EXPECT_EQ(CheckpointWhole(), -1);
  EXPECT_EQ(Count(*ScanInARow(*adapter, Ids("people"))), 10);
  EXPECT_EQ(CheckpointWhole(), 0);
}

TEST_F(SqliteAdapterTest, AtRestNothingHoldsTheOwnersLog) {
  database_.Exec("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0");
  MakePeople(10);
  auto adapter = Open();
  EXPECT_EQ(Count(*ScanInARow(*adapter, Ids("people"))), 10);
  adapter->Rest();
  EXPECT_EQ(CheckpointWhole(), 0);
  EXPECT_EQ(Count(*Scan(*adapter, Ids("people"))), 10);
}

TEST_F(SqliteAdapterTest, ALockedDatabaseIsUnavailableUntilItIsFree) {
  MakePeople(10);
  const auto adapter = Open();
  database_.Exec("BEGIN EXCLUSIVE");
  absl::Status status;
  Count(*Scan(*adapter, Keyed("people")), &status);
  EXPECT_EQ(ReasonOf(status), v1::REASON_SOURCE_UNAVAILABLE);
  EXPECT_EQ(ReasonOf(adapter->Probe({&clock_, 0, nullptr})), v1::REASON_SOURCE_UNAVAILABLE);
  database_.Exec("COMMIT");
  EXPECT_EQ(Count(*Scan(*adapter, Keyed("people"))), 10);
}

TEST_F(SqliteAdapterTest, AFilterWithoutIndexIsReadInShortRanges) {
  MakePeople(100'000);
  // Enough for a range of 16 Ki rows, and far from enough for the table.
  const auto adapter = Open({.filter = 50'000, .range = 600'000});
  ScanRequest request = Keyed("people");
  request.fields.push_back({"name", {"name", {TypeId::kUtf8}}});
  request.predicate = {Op::kEqual, 1, {std::string("p99999")}, {}};
  absl::Status status;
  EXPECT_EQ(Count(*Scan(*adapter, request), &status), 1);
  EXPECT_TRUE(status.ok()) << status;
}

TEST_F(SqliteAdapterTest, AKeyWithoutIndexIsRefusedRatherThanBlockingTheOwner) {
  MakePeople(100'000);
  const auto adapter = Open({.range = 100'000});
  ScanRequest request = Ids("people", "age");
  request.fields.push_back({"id", {"id", {TypeId::kInt64}}});
  request.key = {0, 1};
  absl::Status status;
  Count(*Scan(*adapter, request), &status);
  EXPECT_EQ(ReasonOf(status), v1::REASON_SOURCE_UNAVAILABLE);
  EXPECT_TRUE(absl::StrContains(status.message(), "index")) << status;
  database_.Exec("PRAGMA journal_mode = WAL");
  EXPECT_EQ(Count(*Scan(*Open({.range = 100'000}), request)), 100'000)
      << "in write-ahead mode a reader blocks nobody";
}

// Ends a call from within: at the given look of SQLite at the clock.
class TripClock : public FakeClock {
 public:
  Micros Monotonic() const override {
    if (++looks_ == 50) trip();
    return FakeClock::Monotonic();
  }
  std::function<void()> trip;

 private:
  mutable std::atomic<int> looks_{0};
};

constexpr char kEndless[] =
    "CREATE TABLE t (id INTEGER PRIMARY KEY);"
    "CREATE VIEW endless AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
    "SELECT i AS id FROM n WHERE i < 0";

TEST_F(SqliteAdapterTest, CancelReachesAStatementThatRuns) {
  database_.Exec(kEndless);
  const auto adapter = Open({.range = kNoBudget});
  TripClock clock;
  auto reader =
      *adapter->Scan(Ids("endless"), {&clock, clock.FakeClock::Monotonic() + kHour, nullptr});
  clock.trip = [&] { std::thread([&] { reader->Cancel(); }).join(); };
  EXPECT_EQ(ReasonOf(reader->Next().status()), v1::REASON_CANCELLED);
}

TEST_F(SqliteAdapterTest, TheDeadlineReachesAStatementThatRuns) {
  database_.Exec(kEndless);
  const auto adapter = Open({.range = kNoBudget});
  TripClock clock;
  const auto reader =
      *adapter->Scan(Ids("endless"), {&clock, clock.FakeClock::Monotonic() + kHour, nullptr});
  clock.trip = [&] { clock.Advance(2 * kHour); };
  EXPECT_EQ(ReasonOf(reader->Next().status()), v1::REASON_DEADLINE_EXCEEDED);
}

TEST_F(SqliteAdapterTest, TheVersionChangesWithEveryCommitAndOnlyThen) {
  for (const char* mode : {"DELETE", "WAL"}) {
    database_.Exec("DROP TABLE IF EXISTS people");
    database_.Exec(absl::StrCat("PRAGMA journal_mode = ", mode));
    MakePeople(10);
    const auto adapter = Open();
    const auto version = [&] {
      const auto reader = Scan(*adapter, Keyed("people"));
      EXPECT_TRUE(reader->Next().ok());
      EXPECT_TRUE(reader->version().as_of.has_value());
      return reader->version().version;
    };
    std::string last = version();
    EXPECT_EQ(version(), last) << mode;
    for (int i = 0; i < 20; ++i) {
      database_.Exec("UPDATE people SET age = age + 1 WHERE id = 1");
      const std::string now = version();
      EXPECT_NE(now, last) << mode;
      last = now;
    }
    EXPECT_EQ((*adapter->Describe("people", {&clock_, 0, nullptr}))[0].version.version, last);
  }
}

TEST_F(SqliteAdapterTest, WithoutAKeyATableIsReadByItsRowidOrPrimaryKey) {
  MakePeople(40'000);
  database_.Exec(
      "CREATE TABLE codes (a TEXT COLLATE NOCASE, b INTEGER, PRIMARY KEY (a, b)) WITHOUT ROWID;"
      "INSERT INTO codes SELECT 'c' || (id / 10), id FROM people;"
      "CREATE TABLE hidden (rowid TEXT, _rowid_ TEXT, oid TEXT);"
      "INSERT INTO hidden VALUES ('x', 'y', 'z')");
  const auto adapter = Open();
  EXPECT_EQ(Count(*Scan(*adapter, Ids("people", "age"))), 40'000);
  EXPECT_EQ(Count(*Scan(*adapter, Ids("codes", "b"))), 40'000);
  ScanRequest hidden = Ids("hidden", "oid");
  hidden.fields[0].field.type = {TypeId::kUtf8};
  EXPECT_EQ(Count(*Scan(*adapter, hidden)), 1);
}

TEST_F(SqliteAdapterTest, AViewWithoutAKeyIsOneBatchOrRefused) {
  MakePeople(20'000);
  database_.Exec(
      "CREATE VIEW few AS SELECT * FROM people WHERE id <= 100;"
      "CREATE VIEW many AS SELECT * FROM people");
  const auto adapter = Open();
  EXPECT_EQ(Count(*Scan(*adapter, Ids("few"))), 100);
  absl::Status status;
  EXPECT_EQ(Count(*Scan(*adapter, Ids("many")), &status), 0);
  EXPECT_EQ(ReasonOf(status), v1::REASON_SCHEMA_DRIFT);
  EXPECT_EQ(Count(*Scan(*adapter, Keyed("many"))), 20'000);
}

TEST_F(SqliteAdapterTest, AKeyThatRepeatsIsSaid) {
  MakePeople(20'000);
  const auto adapter = Open();
  ScanRequest request = Ids("people", "age");
  request.key = {0};
  absl::Status status;
  Count(*Scan(*adapter, request), &status);
  EXPECT_EQ(ReasonOf(status), v1::REASON_SCHEMA_DRIFT);
  // Also where the repeat falls between two batches.
  database_.Exec(
      "CREATE TABLE twice (id INTEGER);"
      "INSERT INTO twice SELECT id FROM people WHERE id <= 16384;"
      "INSERT INTO twice VALUES (16384), (16385); CREATE INDEX i ON twice (id)");
  Count(*Scan(*adapter, Keyed("twice")), &status);
  EXPECT_EQ(ReasonOf(status), v1::REASON_SCHEMA_DRIFT);
}

TEST_F(SqliteAdapterTest, ASchemaChangeUnderPreparedStatementsIsNoticed) {
  MakePeople(10);
  database_.Exec(
      "CREATE TABLE loose (id INTEGER PRIMARY KEY, code TEXT);"
      "INSERT INTO loose VALUES (1, '10'), (2, '9')");
  const auto adapter = Open();
  ScanRequest request = Keyed("loose");
  request.fields.push_back({"code", {"code", {TypeId::kUtf8}}});
  request.predicate = {Op::kLess, 1, {std::string("9")}, {}};
  EXPECT_EQ(Count(*Scan(*adapter, request)), 1) << "'10' as text";
  // Another affinity, under which the statement as it was would compare numbers.
  database_.Exec(
      "DROP TABLE loose; CREATE TABLE loose (id INTEGER PRIMARY KEY, code NUMERIC);"
      "INSERT INTO loose VALUES (1, 'x')");
  EXPECT_EQ(Count(*Scan(*adapter, request)), 1) << "not pushed down any more";
  database_.Exec("ALTER TABLE loose RENAME COLUMN code TO label");
  absl::Status status;
  Count(*Scan(*adapter, request), &status);
  EXPECT_EQ(ReasonOf(status), v1::REASON_SCHEMA_DRIFT) << status;
  database_.Exec("ALTER TABLE loose RENAME COLUMN label TO code");
  EXPECT_EQ(Count(*Scan(*adapter, request)), 1) << "and back";
}

TEST_F(SqliteAdapterTest, SqlitesOwnTablesAreNotLent) {
  MakePeople(1);
  const auto adapter = Open();
  for (const char* table : {"sqlite_schema", "SQLITE_MASTER", "pragma_table_list"}) {
    absl::Status status;
    Count(*Scan(*adapter, Ids(table, "rootpage")), &status);
    EXPECT_EQ(ReasonOf(status), v1::REASON_SCHEMA_DRIFT) << table;
  }
  EXPECT_EQ(adapter->Describe("", {&clock_, 0, nullptr})->size(), 1u);
}

TEST_F(SqliteAdapterTest, ManyThreadsReadAtOnce) {
  MakePeople(5'000);
  const auto adapter = Open();
  std::vector<std::thread> threads;
  std::atomic<int64_t> rows{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 5; ++j) rows += Count(*Scan(*adapter, Keyed("people")));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(rows, 8 * 5 * 5'000);
}

// In a child process that is not root: root may write anywhere.
TEST_F(SqliteAdapterTest, AWriteAheadDatabaseInAFolderThatCannotBeWrittenSaysWhatIsMissing) {
  database_.Exec("PRAGMA journal_mode = WAL");
  MakePeople(1);
  database_.Close();
  ASSERT_FALSE(std::filesystem::exists(database_.path() + "-shm"));
  ASSERT_EQ(chmod(database_.folder().c_str(), 0555), 0);
  ASSERT_EQ(chmod(database_.path().c_str(), 0444), 0);
  const pid_t child = fork();
  if (child == 0) {
    if (geteuid() == 0 && seteuid(65'534) != 0) _exit(2);
    const absl::Status status = OpenStatus();
    const bool said = ReasonOf(status) == v1::REASON_SOURCE_UNAVAILABLE &&
                      absl::StrContains(status.message(), "-shm");
    _exit(said ? 0 : 1);
  }
  int result = 0;
  ASSERT_EQ(waitpid(child, &result, 0), child);
  EXPECT_EQ(WEXITSTATUS(result), 0);
  chmod(database_.folder().c_str(), 0755);
}

}  // namespace
}  // namespace sluice::adapters::sqlite
