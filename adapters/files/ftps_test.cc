// Files on an FTP server over TLS: a real vsftpd.
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/delimited/delimited_adapter.h"
#include "adapters/files/servers_testing.h"
#include "adapters/files/source_testing.h"
#include "gateway/base/crypto.h"
#include "gateway/base/error.h"
#include "gtest/gtest.h"

namespace sluice::adapters::files {
namespace {

class FtpsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (TestFtpsServer::Installed()) server_ = new TestFtpsServer();
  }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }
  void SetUp() override {
    if (server_ == nullptr) GTEST_SKIP() << TestFtpsServer::kNotInstalled;
    for (const std::string& name : server_->served().Names()) server_->Remove(name);
    server_->WriteSecret("password", "correct horse\n");
  }

  Settings With(const std::string& name, Settings more = {}) const {
    more.insert({{"url", server_->url(name)},
                 {"password_file", server_->file("password")},
                 {"ca_file", server_->file("ca.crt")},
                 {"work_folder", work_.path()}});
    return more;
  }
  std::string Refused(const Settings& settings) const {
    const auto adapter = OpenDelimited(settings);
    EXPECT_EQ(ReasonOf(adapter.status()), v1::REASON_SOURCE_UNAVAILABLE) << adapter.status();
    const std::string all =
        absl::StrCat(adapter.status().ToString(), OperatorNoteOf(adapter.status()));
    EXPECT_FALSE(absl::StrContains(all, "horse")) << all;
    return std::string(adapter.status().message());
  }
  ScannedTexts Ids(Adapter& adapter, const std::string& table = "persons") {
    return ScanAll(adapter, TextRequest(table, {"id"}), context_);
  }

  static TestFtpsServer* server_;
  TestFolder work_;
  FakeClock clock_;
  CallContext context_{&clock_, 0, nullptr};
};

TestFtpsServer* FtpsTest::server_ = nullptr;

TEST_F(FtpsTest, DropsAreListedFetchedAndFollowed) {
  server_->Put("persons-20260101.csv", People(1));
  server_->Put("persons-20260201.csv", People(20'000), 2'000);
  const auto adapter = OpenDelimited(
      With("", {{"pattern", "persons-{yyyyMMdd}.csv"}, {"check_every", "0s"}, {"key", "id"}}));
  ASSERT_TRUE(adapter.ok()) << adapter.status();
  const ScannedTexts scanned = Ids(**adapter);
  EXPECT_EQ(scanned.rows.size(), 20'000u) << scanned.status;
  EXPECT_EQ(scanned.version, HexEncode(AsBytes(Sha256(People(20'000)))));
  server_->Put("persons-20260201.csv", People(20'001), 1'000);
  EXPECT_EQ(Ids(**adapter).rows.size(), 20'001u);
  server_->Put("persons-20260301.csv", People(3));
  EXPECT_EQ(Ids(**adapter).rows.size(), 3u);
  server_->Put("persons-20260401.csv", People(4), 0);
  EXPECT_EQ(Ids(**adapter).rows.size(), 3u);
  EXPECT_TRUE(absl::StrContains((*adapter)->Notes().at(0), "'persons-20260401.csv' is held back"));
}

TEST_F(FtpsTest, ServersAndPasswordsThatAreWrongAreRefused) {
  server_->Put("persons.csv", People(1));
  const auto adapter = OpenDelimited(With("persons.csv"));
  ASSERT_TRUE(adapter.ok()) << adapter.status();
  EXPECT_EQ(Ids(**adapter).rows.size(), 1u);
  Settings settings = With("persons.csv");
  settings["ca_file"] = server_->file("other-ca.crt");
  EXPECT_TRUE(absl::StrContains(Refused(settings), "set it as ca_file"));
  settings = With("persons.csv");
  server_->WriteSecret("wrong", "another horse\n");
  settings["password_file"] = server_->file("wrong");
  EXPECT_TRUE(absl::StrContains(Refused(settings), "see the url's user and password_file"));
  EXPECT_TRUE(absl::StrContains(Refused(With("none.csv")), "not there"));
}

}  // namespace
}  // namespace sluice::adapters::files
