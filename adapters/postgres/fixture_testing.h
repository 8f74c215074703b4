// A schema on a real server, and scans of it, for the tests of this kind.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "adapters/postgres/postgres_adapter.h"
#include "adapters/postgres/server_testing.h"
#include "gateway/base/error.h"
#include "gateway/base/fake_clock.h"
#include "gtest/gtest.h"

namespace sluice::adapters::postgres {

class OnServer : public testing::Test {
 protected:
  void SetUp() override {
    if (!TestServer::Installed()) GTEST_SKIP() << TestServer::kNotInstalled;
    server_ = &TestServer::Shared();
    schema_.emplace();
  }

  // With these settings besides, or in place of, the usual ones.
  Settings With(const Settings& more) const {
    Settings settings = schema_->settings();
    for (const auto& [name, value] : more) settings[name] = value;
    std::erase_if(settings, [](const auto& setting) { return setting.second.empty(); });
    return settings;
  }
  std::unique_ptr<Adapter> Open(const Settings& more = {}) {
    auto adapter = OpenPostgres(With(more));
    EXPECT_TRUE(adapter.ok()) << adapter.status();
    return adapter.ok() ? *std::move(adapter) : nullptr;
  }
  absl::Status OpenStatus(const Settings& more) { return OpenPostgres(With(more)).status(); }

  // `people` with ids from 1; the name is "p<id>".
  void MakePeople(int count) {
    schema_->Exec(
        "CREATE TABLE people (id int PRIMARY KEY, name text, age int);"
        "INSERT INTO people SELECT i, 'p' || i, i % 100 FROM generate_series(1, " +
        std::to_string(count) + ") AS i; ANALYZE people");
  }

  static ScanRequest Ids(const std::string& table, bool keyed = true) {
    ScanRequest request;
    request.table = table;
    request.fields = {{"id", {"id", {records::TypeId::kInt64}}}};
    if (keyed) request.key = {0};
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

  TestServer* server_ = nullptr;
  std::optional<TestSchema> schema_;
  FakeClock clock_;
};

}  // namespace sluice::adapters::postgres
