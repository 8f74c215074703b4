#include "gateway/store/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "gateway/base/error.h"
#include "gateway/store/sqlite_connection.h"

namespace sluice::store {
namespace {

using ::testing::HasSubstr;

const std::vector<Migrations> kRooms = {
    {"books", {"CREATE TABLE books (id TEXT PRIMARY KEY, pages INTEGER) STRICT"}},
    {"loans",
     {"CREATE TABLE loans (book TEXT NOT NULL REFERENCES books(id)) STRICT",
      "ALTER TABLE loans ADD COLUMN due TEXT"}}};

class StoreTest : public ::testing::Test {
 protected:
  StoreTest() {
    std::string pattern = ::testing::TempDir() + "/store-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    path_ = folder_ + "/control.db";
  }
  ~StoreTest() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<Store> Open(const std::vector<Migrations>& rooms = kRooms) {
    auto store = Store::Open(path_, rooms);
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  std::string Refusal(const std::vector<Migrations>& rooms = kRooms) {
    const auto store = Store::Open(path_, rooms);
    EXPECT_FALSE(store.ok());
    return std::string(store.status().message());
  }
  // As a foreign program would change the file.
  void RunForeign(const std::string& sql) {
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &handle), SQLITE_OK);
    ASSERT_EQ(sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(handle);
  }
  static absl::Status AddBook(Store& store, const std::string& id, int64_t pages) {
    return store.Write([&](Transaction& transaction) {
      return transaction.Execute("INSERT INTO books VALUES (?1, ?2)",
                                 {SqlValue(id), SqlValue(pages)});
    });
  }
  static int64_t CountBooks(Store& store) {
    int64_t count = -1;
    EXPECT_TRUE(store
                    .Read([&](Reader& reader) -> absl::Status {
                      SLUICE_ASSIGN_OR_RETURN(const auto rows,
                                              reader.Query("SELECT count(*) FROM books"));
                      count = rows[0].Int(0);
                      return absl::OkStatus();
                    })
                    .ok());
    return count;
  }

  std::string folder_, path_;
};

TEST_F(StoreTest, KeepsWhatWasCommittedAndDropsWhatFailed) {
  {
    auto store = Open();
    ASSERT_TRUE(AddBook(*store, "a", 10).ok());
    const absl::Status failed = store->Write([](Transaction& transaction) -> absl::Status {
      SLUICE_RETURN_IF_ERROR(transaction.Execute("INSERT INTO books VALUES ('b', 1)"));
      return Error(v1::REASON_NOT_FOUND, "no such reader");
    });
    EXPECT_EQ(ReasonOf(failed), v1::REASON_NOT_FOUND);
    EXPECT_EQ(CountBooks(*store), 1);
  }
  auto store = Open();
  EXPECT_EQ(CountBooks(*store), 1);
}

TEST_F(StoreTest, TextsWithAnyBytesAndNullsComeBack) {
  auto store = Open({{"x", {"CREATE TABLE x (id INTEGER PRIMARY KEY, t TEXT, b BLOB) STRICT"}}});
  const std::string bytes("a\0'\xff\"; DROP TABLE x; --", 24);
  ASSERT_TRUE(store
                  ->Write([&](Transaction& transaction) {
                    return transaction.Execute("INSERT INTO x VALUES (?1, ?2, CAST(?2 AS BLOB))",
                                               {SqlValue(int64_t{-1} << 63), SqlValue(bytes)});
                  })
                  .ok());
  ASSERT_TRUE(store
                  ->Read([&](Reader& reader) -> absl::Status {
                    SLUICE_ASSIGN_OR_RETURN(const auto rows,
                                            reader.Query("SELECT id, t, b, NULL FROM x"));
                    EXPECT_EQ(rows.size(), 1u);
                    EXPECT_EQ(rows[0].Int(0), int64_t{-1} << 63);
                    EXPECT_EQ(rows[0].Text(1), bytes);
                    EXPECT_EQ(rows[0].Text(2), bytes);
                    EXPECT_TRUE(std::holds_alternative<std::monostate>(rows[0].values[3]));
                    EXPECT_EQ(rows[0].Int(3), 0);
                    EXPECT_EQ(rows[0].Text(3), "");
                    return absl::OkStatus();
                  })
                  .ok());
}

TEST_F(StoreTest, ReadingSeesOneStateWhileTheWriterGoesOn) {
  auto store = Open();
  ASSERT_TRUE(AddBook(*store, "a", 1).ok());
  const auto count = [](Reader& reader) { return (*reader.Query("SELECT id FROM books")).size(); };
  ASSERT_TRUE(store
                  ->Read([&](Reader& reader) {
                    EXPECT_EQ(count(reader), 1u);
                    EXPECT_TRUE(AddBook(*store, "b", 1).ok());
                    EXPECT_EQ(count(reader), 1u);
                    return absl::OkStatus();
                  })
                  .ok());
  EXPECT_EQ(CountBooks(*store), 2);
}

TEST_F(StoreTest, ReadersCannotWrite) {
  auto store = Open();
  const absl::Status status = store->Read(
      [](Reader& reader) { return reader.Query("INSERT INTO books VALUES ('a', 1)").status(); });
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(CountBooks(*store), 0);
}

TEST_F(StoreTest, ManyThreadsReadAndWriteAtOnce) {
  auto store = Open();
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 20; ++i) {
        if (!AddBook(*store, std::to_string(t * 100 + i), i).ok()) ++failures;
        if (CountBooks(*store) <= 0) ++failures;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(CountBooks(*store), 80);
}

TEST_F(StoreTest, ForeignKeysHold) {
  auto store = Open();
  const absl::Status status = store->Write([](Transaction& transaction) {
    return transaction.Execute("INSERT INTO loans (book) VALUES ('none')");
  });
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(StoreTest, OnlyItsOwnerMayOpenTheFiles) {
  auto store = Open();
  ASSERT_TRUE(AddBook(*store, "a", 1).ok());
  for (const char* suffix : {"", "-wal", "-shm", ".lock"}) {
    struct stat info = {};
    ASSERT_EQ(stat((path_ + suffix).c_str(), &info), 0) << suffix;
    EXPECT_EQ(info.st_mode & 0777, 0600u) << suffix;
  }
}

TEST_F(StoreTest, RefusesAFileThatOthersMayOpen) {
  Open().reset();
  ASSERT_EQ(chmod(path_.c_str(), 0640), 0);
  EXPECT_THAT(Refusal(), HasSubstr("chmod 600"));
}

TEST_F(StoreTest, RefusesASecondOpenerUntilTheFirstIsGone) {
  auto store = Open();
  EXPECT_THAT(Refusal(), HasSubstr("in use by another gateway"));
  store.reset();
  EXPECT_NE(Open(), nullptr);
}

TEST_F(StoreTest, NewStepsAreAppliedOnceAndOldDataStays) {
  {
    auto store = Open();
    ASSERT_TRUE(AddBook(*store, "a", 1).ok());
  }
  auto more = kRooms;
  more[0].steps.push_back(
      "ALTER TABLE books ADD COLUMN shelf TEXT; UPDATE books SET shelf = 'old'");
  Open(more).reset();
  auto store = Open(more);
  ASSERT_TRUE(store
                  ->Read([](Reader& reader) -> absl::Status {
                    SLUICE_ASSIGN_OR_RETURN(const auto rows,
                                            reader.Query("SELECT shelf FROM books"));
                    EXPECT_EQ(rows[0].Text(0), "old");
                    return absl::OkStatus();
                  })
                  .ok());
}

TEST_F(StoreTest, AStepThatFailsLeavesNothingBehind) {
  auto broken = kRooms;
  broken[0].steps.push_back("CREATE TABLE half (id INTEGER); CREATE TABLE books (id INTEGER)");
  EXPECT_THAT(Refusal(broken), HasSubstr("books step 2"));
  auto mended = kRooms;
  mended[0].steps.push_back("CREATE TABLE half (id INTEGER)");
  EXPECT_NE(Open(mended), nullptr);
}

TEST_F(StoreTest, RefusesAFileOfANewerProgram) {
  auto newer = kRooms;
  newer[1].steps.push_back("CREATE TABLE later (id INTEGER)");
  Open(newer).reset();
  EXPECT_THAT(Refusal(), HasSubstr("loans step 3 is unknown"));
}

TEST_F(StoreTest, RefusesARoomThatItDoesNotKnow) {
  Open().reset();
  EXPECT_THAT(Refusal({kRooms[0]}), HasSubstr("loans step 1 is unknown"));
}

TEST_F(StoreTest, RefusesAStepThatWasEdited) {
  Open().reset();
  auto edited = kRooms;
  edited[0].steps[0] = "CREATE TABLE books (id TEXT PRIMARY KEY, pages TEXT) STRICT";
  EXPECT_THAT(Refusal(edited), HasSubstr("books step 1 is not the step"));
}

TEST_F(StoreTest, RefusesANewerFormat) {
  Open().reset();
  RunForeign("PRAGMA user_version = 2");
  EXPECT_THAT(Refusal(), HasSubstr("format 2"));
}

TEST_F(StoreTest, RefusesAnotherProgramsDatabase) {
  RunForeign("CREATE TABLE theirs (id INTEGER)");
  chmod(path_.c_str(), 0600);
  EXPECT_THAT(Refusal(), HasSubstr("not a control store of Sluice"));
}

TEST_F(StoreTest, RefusesAFileThatIsNoDatabase) {
  std::ofstream(path_) << std::string(8192, 'x');
  chmod(path_.c_str(), 0600);
  EXPECT_THAT(Refusal(), HasSubstr("not a database"));
}

TEST_F(StoreTest, RefusesADamagedFile) {
  {
    auto store = Open();
    for (int i = 0; i < 100; ++i)
      ASSERT_TRUE(AddBook(*store, std::string(200, 'a') + std::to_string(i), i).ok());
  }
  // Closing has moved everything into the one file; damage each page behind the first in turn.
  const auto size = std::filesystem::file_size(path_);
  ASSERT_GT(size, 3u * 4096);
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  for (size_t page = 1; page < size / 4096; ++page) {
    file.seekp(static_cast<std::streamoff>(page * 4096));
    file.write("\x55\x55\x55\x55\x55\x55\x55\x55\x55\x55\x55\x55\x55\x55\x55\x55", 16);
  }
  file.close();
  const auto store = Store::Open(path_, kRooms);
  EXPECT_EQ(store.status().code(), absl::StatusCode::kDataLoss) << store.status();
}

TEST_F(StoreTest, RefusesALinkInPlaceOfTheFile) {
  Open().reset();
  std::filesystem::rename(path_, folder_ + "/elsewhere.db");
  std::filesystem::create_symlink(folder_ + "/elsewhere.db", path_);
  EXPECT_THAT(Refusal(), HasSubstr("a link"));
}

TEST_F(StoreTest, WhatWasCommittedSurvivesAProcessThatNeverCloses) {
  auto store = Open();
  ASSERT_TRUE(AddBook(*store, "a", 1).ok());
  // A copy of the files as a power cut would leave them, the write-ahead file not yet merged.
  const std::string copy = folder_ + "/copy.db";
  std::filesystem::copy_file(path_, copy);
  std::filesystem::copy_file(path_ + "-wal", copy + "-wal");
  auto reopened = Store::Open(copy, kRooms);
  ASSERT_TRUE(reopened.ok()) << reopened.status();
  EXPECT_EQ(CountBooks(**reopened), 1);
}

TEST_F(StoreTest, ACopyIsOfOneMomentAndCanBeOpened) {
  auto store = Open();
  ASSERT_TRUE(AddBook(*store, "a", 10).ok());
  const std::string copy = folder_ + "/copy.db";
  ASSERT_TRUE(store->CopyTo(copy).ok());
  ASSERT_TRUE(AddBook(*store, "b", 10).ok());
  // Never over what is there.
  EXPECT_FALSE(store->CopyTo(copy).ok());
  const auto opened = Store::Open(copy, kRooms);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(CountBooks(**opened), 1);
  EXPECT_TRUE(AddBook(**opened, "c", 1).ok());
  EXPECT_EQ(CountBooks(*store), 2);
}

TEST_F(StoreTest, ACopyGoesOnWhileOthersWrite) {
  auto store = Open();
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (int i = 0; !stop; ++i) EXPECT_TRUE(AddBook(*store, std::to_string(i), i).ok());
  });
  for (int i = 0; i < 5; ++i) {
    const std::string copy = folder_ + "/copy" + std::to_string(i) + ".db";
    ASSERT_TRUE(store->CopyTo(copy).ok());
    EXPECT_TRUE(Store::Open(copy, kRooms).ok());
  }
  stop = true;
  writer.join();
}

TEST_F(StoreTest, AStatementThatIsInterruptedEnds) {
  { std::ofstream made(path_); }
  const auto connection = SqliteConnection::Open(path_);
  ASSERT_TRUE(connection.ok()) << connection.status();
  constexpr char kEndless[] =
      "WITH RECURSIVE n(i) AS (VALUES(0) UNION ALL SELECT i+1 FROM n) SELECT max(i) FROM n";
  int asked = 0;
  (*connection)->SetInterrupt([&] { return ++asked == 3; });
  EXPECT_TRUE(absl::IsCancelled((*connection)->Number(kEndless).status()));
  EXPECT_EQ(asked, 3);
  (*connection)->SetInterrupt(nullptr);
  EXPECT_EQ(*(*connection)->Number("SELECT 7"), 7);
  EXPECT_EQ(asked, 3);
}

}  // namespace
}  // namespace sluice::store
