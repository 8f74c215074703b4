// A database that fails under a gateway harms nobody who asks another one, and is found again when
// it is back.
#include <atomic>
#include <csignal>
#include <functional>
#include <memory>
#include <thread>

#include "absl/strings/str_cat.h"
#include "adapters/postgres/server_testing.h"
#include "gateway/base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/system/deployment.h"

namespace sluice::system_test {
namespace {

using adapters::postgres::TestSchema;
using adapters::postgres::TestServer;
using testing::HasSubstr;

constexpr char kRegions[] = "civil-affairs/regions";

class SourceFaultsTest : public testing::Test {
 protected:
  // The residents in SQLite; the regions in PostgreSQL, in place of the sample's.
  void SetUp() override {
    if (!TestServer::Installed()) GTEST_SKIP() << TestServer::kNotInstalled;
    server_ = &TestServer::Shared();
    schema_ = std::make_unique<TestSchema>();
    schema_->Exec(
        "CREATE TABLE region (code text PRIMARY KEY, name text NOT NULL);"
        "INSERT INTO region SELECT lpad(i::text, 6, '0'), '区' || i FROM generate_series(1, 50) i;"
        "ANALYZE region");
    // The sample's quota is for people who try things out.
    gateway_.Replace("grants/persons-relief.yaml", "\nquota:", "\n# quota:");
    gateway_.Start();
    gateway_.OfferSample();
    std::string source = "source: regions\nowner: civil-affairs\nkind: postgres\n";
    for (const auto& [name, value] : schema_->settings())
      absl::StrAppend(&source, name, ": \"", value, "\"\n");
    absl::StrAppend(&source, "limits: {connections: 2, queue: 8, statement: 2s}\n",
                    "breaker: {open_after: 3, try_again: 1s}\n");
    gateway_.Write("sources/regions.yaml", source);
    gateway_.Done("operator", {"source", "apply", "sources/regions.yaml"});
    // As the operator and the owner would: draft, decide, apply.
    std::string draft = gateway_.Done("regions-owner", {"source", "describe", "regions", "region"});
    gateway_.Write("draft.yaml", draft);
    gateway_.Replace("draft.yaml", "dataset: civil-affairs/region",
                     "dataset: civil-affairs/regions");
    gateway_.Replace("draft.yaml", "purposes: []", "purposes: [planning]");
    gateway_.Done("regions-owner", {"catalogue", "apply", "draft.yaml"});
    gateway_.AddSystem("public-security", "planning");
    gateway_.Write(
        "grant.yaml",
        "grant: new\ndataset: civil-affairs/regions\nto: public-security\n"
        "systems: [planning]\npurposes: [planning]\nbasis: {law: \"测试\", article: \"1\"}\n"
        "fields: [{name: code}, {name: name}]\nexpires: 2099-01-01T00:00:00Z\n");
    gateway_.Done("regions-owner", {"grant", "apply", "grant.yaml"});
  }
  void TearDown() override {
    if (server_ != nullptr) server_->SignalAll(SIGCONT);
  }

  absl::Status AskRegions() {
    v1::QueryRequest request;
    request.set_dataset(kRegions);
    request.set_purpose("planning");
    return Call(gateway_.As("planning"), cli::kQuery, request).status();
  }
  // Lookups of residents go on while `act` runs: how many, and the slowest.
  struct Beside {
    int answered = 0, failed = 0;
    Micros slowest = 0;
  };
  Beside LookupsBeside(const std::function<void()>& act) {
    std::atomic<bool> over{false};
    Beside beside;
    const auto connection = gateway_.Connect("relief");
    std::thread asking([&] {
      const auto clock = MakeSystemClock();
      while (!over) {
        const Micros begin = clock->Monotonic();
        const bool ok =
            Call(*connection, cli::kQuery, Deployment::PersonsQuery(SampleIds()[0])).ok();
        ++(ok ? beside.answered : beside.failed);
        beside.slowest = std::max(beside.slowest, clock->Monotonic() - begin);
      }
    });
    act();
    over = true;
    asking.join();
    return beside;
  }

  Deployment gateway_;
  TestServer* server_ = nullptr;
  std::unique_ptr<TestSchema> schema_;
};

TEST_F(SourceFaultsTest, AServerThatHangsHoldsUpNoOtherSource) {
  EXPECT_TRUE(AskRegions().ok()) << AskRegions();
  const Beside beside = LookupsBeside([this] {
    server_->SignalAll(SIGSTOP);
    for (int i = 0; i < 3; ++i) {
      const absl::Status status = AskRegions();
      EXPECT_THAT(ReasonOf(status),
                  testing::AnyOf(v1::REASON_DEADLINE_EXCEEDED, v1::REASON_SOURCE_UNAVAILABLE))
          << status;
    }
    server_->SignalAll(SIGCONT);
  });
  EXPECT_EQ(beside.failed, 0);
  EXPECT_GT(beside.answered, 50);
  // Three calls of two seconds: whoever waited for one of them would show it.
  EXPECT_LT(beside.slowest, 2 * kSecond);
  EXPECT_TRUE(Eventually([this] { return AskRegions().ok(); })) << AskRegions();
}

TEST_F(SourceFaultsTest, AServerThatIsGoneIsFoundAgainByItself) {
  EXPECT_TRUE(AskRegions().ok()) << AskRegions();
  const Beside beside = LookupsBeside([this] {
    server_->Stop();
    for (int i = 0; i < 4; ++i)
      EXPECT_EQ(ReasonOf(AskRegions()), v1::REASON_SOURCE_UNAVAILABLE) << AskRegions();
    EXPECT_EQ(gateway_.Sluice("operator", {"source", "probe", "regions"}).code, 1);
  });
  EXPECT_EQ(beside.failed, 0);
  EXPECT_GT(beside.answered, 0);
  server_->Start();
  // The gateway's own probe is the trial: no call of a consumer's has to fail for it.
  EXPECT_TRUE(Eventually([this] {
    const std::string list = gateway_.Done("operator", {"--format", "table", "source", "list"});
    return list.find("does not answer") == list.npos && list.find("is tried again") == list.npos;
  }));
  EXPECT_TRUE(AskRegions().ok()) << AskRegions();
}

}  // namespace
}  // namespace sluice::system_test
