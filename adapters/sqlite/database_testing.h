// A database in a folder of its own, as an owner's application would keep it. For tests.
#pragma once

#include <string>

#include "sqlite3.h"

namespace sluice::adapters::sqlite {

class TestDatabase {
 public:
  TestDatabase();
  ~TestDatabase();  // removes the folder
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;

  const std::string& path() const { return path_; }
  const std::string& folder() const { return folder_; }
  sqlite3* db() const { return db_; }
  // The owner's connection runs it; a failure fails the test. TryExec gives SQLite's code.
  void Exec(const std::string& sql);
  int TryExec(const std::string& sql);
  // The owner's application ends; Exec starts it again.
  void Close();

  // The file as bytes, for tests that damage it.
  std::string ReadFile() const;
  void WriteFile(const std::string& bytes);

 private:
  void Open();

  std::string folder_;
  std::string path_;
  sqlite3* db_ = nullptr;
};

}  // namespace sluice::adapters::sqlite
