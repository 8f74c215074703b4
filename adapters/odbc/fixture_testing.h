// Sources of each tested dialect, and scans of them, for the tests of this kind.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/odbc/odbc_adapter.h"
#include "adapters/odbc/server_testing.h"
#include "adapters/postgres/server_testing.h"
#include "adapters/sqlite/database_testing.h"
#include "gateway/base/error.h"
#include "gateway/base/fake_clock.h"
#include "gtest/gtest.h"

namespace sluice::adapters::odbc {

class OverOdbcTest : public testing::Test {
 protected:
  // With these settings besides, or in place of, the usual ones; empty ones are left out.
  static Settings With(Settings settings, const Settings& more) {
    for (const auto& [name, value] : more) settings[name] = value;
    std::erase_if(settings, [](const auto& setting) { return setting.second.empty(); });
    return settings;
  }
  static std::unique_ptr<Adapter> Open(const Settings& settings) {
    auto adapter = OpenOdbc(settings);
    EXPECT_TRUE(adapter.ok()) << adapter.status();
    return adapter.ok() ? *std::move(adapter) : nullptr;
  }
  static ScanRequest Ids(const std::string& table, bool keyed = true) {
    ScanRequest request;
    request.table = table;
    request.fields = {{"id", {"id", {records::TypeId::kInt64}}}};
    if (keyed) request.key = {0};
    return request;
  }
  // Column `v` as that type, by `id`.
  static ScanRequest Values(const std::string& table, records::DataType type) {
    ScanRequest request = Ids(table);
    request.fields.push_back({"v", {"v", type}});
    return request;
  }
  std::unique_ptr<RecordReader> Scan(Adapter& adapter, ScanRequest request) {
    return *adapter.Scan(std::move(request), {&clock_, 0, nullptr});
  }
  static std::vector<records::RecordBatch> All(RecordReader& reader,
                                               absl::Status* status = nullptr) {
    std::vector<records::RecordBatch> batches;
    for (;;) {
      auto batch = reader.Next();
      if (status != nullptr) *status = batch.status();
      EXPECT_TRUE(status != nullptr || batch.ok()) << batch.status();
      if (!batch.ok() || !batch->has_value()) return batches;
      batches.push_back(**std::move(batch));
    }
  }
  static int64_t Count(RecordReader& reader, absl::Status* status = nullptr) {
    int64_t rows = 0;
    for (const records::RecordBatch& batch : All(reader, status)) rows += batch.rows();
    return rows;
  }
  absl::Status ScanStatus(Adapter& adapter, ScanRequest request) {
    absl::Status status;
    Count(*Scan(adapter, std::move(request)), &status);
    return status;
  }
  // What the scan of a table's column `v` gives, null as "null", other texts in quotes.
  std::vector<std::string> Read(Adapter& adapter, const std::string& table, records::DataType type);

  FakeClock clock_;
};

class OnMariadb : public OverOdbcTest {
 protected:
  void SetUp() override {
    if (!MariadbServer::Installed()) GTEST_SKIP() << MariadbServer::kNotInstalled;
    server_ = &MariadbServer::Shared();
    database_.emplace();
  }
  Settings With(const Settings& more) const {
    return OverOdbcTest::With(database_->settings(), more);
  }
  std::unique_ptr<Adapter> OpenSource(const Settings& more = {}) { return Open(With(more)); }
  absl::Status OpenStatus(const Settings& more) { return OpenOdbc(With(more)).status(); }
  // `people` with ids from 1; the name is "p<id>".
  void MakePeople(int count) {
    database_->Exec("CREATE TABLE people (id int PRIMARY KEY, name varchar(20), age int)");
    database_->Exec("INSERT INTO people SELECT seq, CONCAT('p', seq), seq % 100 FROM seq_1_to_" +
                    std::to_string(count));
  }

  MariadbServer* server_ = nullptr;
  std::optional<MariadbDatabase> database_;
};

class OnPostgres : public OverOdbcTest {
 protected:
  void SetUp() override {
    if (!postgres::TestServer::Installed()) GTEST_SKIP() << postgres::TestServer::kNotInstalled;
    if (!DriverInstalled(kPostgresDriver)) GTEST_SKIP() << "SKIPPED: no odbc-postgresql";
    server_ = &postgres::TestServer::Shared();
    schema_.emplace();
  }
  Settings With(const Settings& more) const {
    return OverOdbcTest::With(OverOdbc(schema_->settings()), more);
  }
  std::unique_ptr<Adapter> OpenSource(const Settings& more = {}) { return Open(With(more)); }
  absl::Status OpenStatus(const Settings& more) { return OpenOdbc(With(more)).status(); }
  void MakePeople(int count) {
    schema_->Exec(
        "CREATE TABLE people (id int PRIMARY KEY, name varchar(20), age int);"
        "INSERT INTO people SELECT i, 'p' || i, i % 100 FROM generate_series(1, " +
        std::to_string(count) + ") AS i; ANALYZE people");
  }

  postgres::TestServer* server_ = nullptr;
  std::optional<postgres::TestSchema> schema_;
};

class OnSqlite : public OverOdbcTest {
 protected:
  void SetUp() override {
    if (!DriverInstalled(kSqliteDriver)) GTEST_SKIP() << "SKIPPED: no libsqliteodbc";
    database_.emplace();
  }
  Settings With(const Settings& more) const {
    return OverOdbcTest::With({{"driver", kSqliteDriver}, {"database", database_->path()}}, more);
  }
  std::unique_ptr<Adapter> OpenSource(const Settings& more = {}) { return Open(With(more)); }

  std::optional<sqlite::TestDatabase> database_;
};

}  // namespace sluice::adapters::odbc
