#include "adapters/sqlite/database_testing.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "gtest/gtest.h"

namespace sluice::adapters::sqlite {

TestDatabase::TestDatabase() {
  std::string name = testing::TempDir() + "sluice-sqlite-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) ADD_FAILURE() << "no folder for the test";
  folder_ = name;
  path_ = folder_ + "/legacy.db";
  Open();
}

TestDatabase::~TestDatabase() {
  Close();
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

void TestDatabase::Open() {
  ASSERT_EQ(sqlite3_open(path_.c_str(), &db_), SQLITE_OK);
  // The owner's application flushes its own way; here speed is all that matters.
  sqlite3_exec(db_, "PRAGMA synchronous = OFF", nullptr, nullptr, nullptr);
}

void TestDatabase::Close() {
  sqlite3_close(db_);
  db_ = nullptr;
}

int TestDatabase::TryExec(const std::string& sql) {
  if (db_ == nullptr) Open();
  return sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
}

void TestDatabase::Exec(const std::string& sql) {
  const int code = TryExec(sql);
  ASSERT_EQ(code, SQLITE_OK) << sqlite3_errmsg(db_) << " in " << sql;
}

std::string TestDatabase::ReadFile() const {
  std::ifstream file(path_, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void TestDatabase::WriteFile(const std::string& bytes) {
  std::ofstream file(path_, std::ios::binary | std::ios::trunc);
  file << bytes;
}

}  // namespace sluice::adapters::sqlite
