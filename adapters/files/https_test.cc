// Files on a web server: a real nginx.
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

class HttpsTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (TestHttpsServer::Installed()) server_ = new TestHttpsServer();
  }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }
  void SetUp() override {
    if (server_ == nullptr) GTEST_SKIP() << TestHttpsServer::kNotInstalled;
    for (const std::string& name : server_->served().Names()) server_->Remove(name);
  }

  Settings With(const std::string& path, Settings more = {}) const {
    more.insert({{"url", server_->url(path)},
                 {"ca_file", server_->file("ca.crt")},
                 {"work_folder", work_.path()}});
    return more;
  }
  std::unique_ptr<Adapter> OpenAt(const std::string& path, Settings more = {}) const {
    auto adapter = OpenDelimited(With(path, std::move(more)));
    EXPECT_TRUE(adapter.ok()) << adapter.status();
    return adapter.ok() ? *std::move(adapter) : nullptr;
  }
  // Why the source cannot be opened.
  absl::Status Refused(const Settings& settings) const {
    const auto adapter = OpenDelimited(settings);
    EXPECT_EQ(ReasonOf(adapter.status()), v1::REASON_SOURCE_UNAVAILABLE) << adapter.status();
    const std::string all =
        absl::StrCat(adapter.status().ToString(), OperatorNoteOf(adapter.status()));
    EXPECT_FALSE(absl::StrContains(all, "horse")) << all;
    EXPECT_TRUE(absl::StrContains(all, absl::StrCat(":", server_->port(), "/"))) << all;
    return adapter.status();
  }
  ScannedTexts Ids(Adapter& adapter, const std::string& table = "persons") {
    return ScanAll(adapter, TextRequest(table, {"id"}), context_);
  }
  static std::string DigestOf(const std::string& bytes) {
    return HexEncode(AsBytes(Sha256(bytes)));
  }

  static TestHttpsServer* server_;
  TestFolder work_;
  FakeClock clock_;
  CallContext context_{&clock_, 0, nullptr};
};

TestHttpsServer* HttpsTest::server_ = nullptr;

TEST_F(HttpsTest, AFileIsFetchedOnceAndTheNextWhenItIsTimeToLook) {
  server_->Put("persons.csv", People(1'000), 2'000);
  server_->Put("persons.csv.sha256", DigestOf(People(1'000)));
  const auto adapter =
      OpenAt("persons.csv", {{"check_every", "5m"}, {"key", "id"}, {"checksum", "{name}.sha256"}});
  const auto described = adapter->Describe("", context_);
  ASSERT_TRUE(described.ok()) << described.status();
  EXPECT_EQ((*described)[0].table, "persons");
  EXPECT_TRUE(Ids(*adapter).status.ok());
  const size_t before = server_->log().size();
  for (int i = 0; i < 3; ++i) {
    const ScannedTexts scanned = Ids(*adapter);
    EXPECT_EQ(scanned.rows.size(), 1'000u) << scanned.status;
    EXPECT_EQ(scanned.version, DigestOf(People(1'000)));
  }
  EXPECT_EQ(server_->log().substr(before), "") << "nothing is asked again";
  const Micros as_of = *(*adapter->Describe("", context_))[0].version.as_of;
  EXPECT_LT(as_of, MakeSystemClock()->Now() - 1'990 * kSecond);
  server_->Put("persons.csv", People(1'001), 1'000);
  server_->Put("persons.csv.sha256", DigestOf(People(1'001)));
  clock_.Advance(4 * 60 * kSecond);
  EXPECT_EQ(Ids(*adapter).rows.size(), 1'000u);
  clock_.Advance(61 * kSecond);
  EXPECT_EQ(Ids(*adapter).rows.size(), 1'001u);
  EXPECT_TRUE(OpenFilesUnder(work_.path()).find("somebody") == std::string::npos) << "encrypted";
}

TEST_F(HttpsTest, ReadersOfTheOldOneFinishOnIt) {
  server_->Put("persons.csv", People(50'000), 2'000);
  const auto adapter = OpenAt("persons.csv", {{"check_every", "0s"}});
  auto reader = *adapter->Scan(TextRequest("persons", {"id"}), context_);
  ASSERT_TRUE(reader->Next().ok());
  server_->Put("persons.csv", People(3), 1'000);
  EXPECT_EQ(Ids(*adapter).rows.size(), 3u);
  const ScannedTexts rest = Drain(*reader);
  EXPECT_TRUE(rest.status.ok()) << rest.status;
  EXPECT_EQ(rest.rows.back(), "50000");
  EXPECT_EQ(rest.version, DigestOf(People(50'000)));
}

TEST_F(HttpsTest, AServerThatIsNotProvenIsRefused) {
  server_->Put("persons.csv", People(1));
  Settings settings = With("persons.csv");
  settings["ca_file"] = server_->file("other-ca.crt");
  EXPECT_TRUE(absl::StrContains(Refused(settings).message(), "set it as ca_file"));
  settings = With("persons.csv");
  settings["url"] = server_->url("persons.csv", "127.0.0.2");
  EXPECT_TRUE(absl::StrContains(Refused(settings).message(), "of another name than the url's"));
  settings = With("persons.csv");
  settings.erase("ca_file");  // the system's authorities
  EXPECT_TRUE(absl::StrContains(Refused(settings).message(), "set it as ca_file"));
  settings = With("persons.csv");
  settings["ca_file"] = server_->file("nobody.crt");
  const auto none = OpenDelimited(settings);
  EXPECT_TRUE(absl::StrContains(none.status().message(), "the file of ca_file cannot be read"));
  settings["ca_file"] = server_->file("ca.key");
  EXPECT_TRUE(absl::StrContains(Refused(settings).message(), "ca_file"));
}

TEST_F(HttpsTest, ThePasswordComesFromAFileAndIsNowhereSaid) {
  server_->Put("persons.csv", People(1));
  server_->WriteSecret("password", "correct horse\n");
  server_->WriteSecret("wrong", "another horse\n");
  Settings settings = With("private/persons.csv");
  settings["url"] = server_->url("private/persons.csv", "127.0.0.1", "reader");
  EXPECT_TRUE(absl::StrContains(Refused(settings).message(), "HTTP status 401"));
  settings["password_file"] = server_->file("wrong");
  EXPECT_TRUE(absl::StrContains(Refused(settings).message(), "password_file"));
  settings["password_file"] = server_->file("password");
  const auto adapter = OpenDelimited(settings);
  ASSERT_TRUE(adapter.ok()) << adapter.status();
  EXPECT_EQ(Ids(**adapter).rows.size(), 1u);
}

TEST_F(HttpsTest, TheGatewaysCertificateLetsItIn) {
  server_->Put("persons.csv", People(1));
  Settings settings = With("certified/persons.csv");
  EXPECT_TRUE(absl::StrContains(Refused(settings).message(), "client_certificate_file"));
  settings["client_certificate_file"] = server_->file("stranger.crt");
  settings["client_key_file"] = server_->file("stranger.key");
  EXPECT_TRUE(absl::StrContains(Refused(settings).message(), "client_certificate_file"));
  settings["client_key_file"] = server_->file("client.key");
  EXPECT_TRUE(absl::StrContains(Refused(settings).message(), "no pair"));
  settings["client_certificate_file"] = server_->file("client.crt");
  const auto adapter = OpenDelimited(settings);
  ASSERT_TRUE(adapter.ok()) << adapter.status();
  EXPECT_EQ(Ids(**adapter).rows.size(), 1u);
}

TEST_F(HttpsTest, WhatIsNoPlainAnswerIsRefused) {
  server_->Put("persons.csv", People(1));
  EXPECT_TRUE(absl::StrContains(Refused(With("moved/persons.csv")).message(), "HTTP status 302"));
  EXPECT_TRUE(absl::StrContains(Refused(With("untold/persons.csv")).message(), "an ETag"));
  const auto gone = OpenDelimited(With("none.csv"));
  EXPECT_EQ(ReasonOf(gone.status()), v1::REASON_SOURCE_UNAVAILABLE);
  EXPECT_TRUE(absl::StrContains(gone.status().message(), "not there"));
  const auto large = OpenAt("persons.csv", {{"most_fetched_bytes", "10"}});
  const absl::Status status = Ids(*large).status;
  EXPECT_TRUE(absl::StrContains(status.message(), "10 bytes (most_fetched_bytes)")) << status;
}

TEST_F(HttpsTest, AFolderIsWhatItsListSays) {
  server_->Put("persons-20260101.csv", People(1));
  server_->Put("persons 20260102.csv", People(9));
  server_->Put("cars & more-20260102.csv", People(2));
  server_->Put("files.txt",
               "persons-20260101.csv\r\n../persons-20260103.csv\n/etc/persons-20260104.csv\n"
               "a/persons-20260105.csv\n.persons-20260106.csv\n\ncars & more-20260102.csv\n");
  Settings settings = {{"list", "files.txt"}, {"pattern", "{table}-{yyyyMMdd}.csv"}};
  settings["check_every"] = "0s";
  const auto adapter = OpenAt("", settings);
  const auto described = adapter->Describe("", context_);
  ASSERT_TRUE(described.ok()) << described.status();
  EXPECT_EQ(described->size(), 2u);
  EXPECT_EQ(Ids(*adapter).rows.size(), 1u);
  EXPECT_EQ(Ids(*adapter, "cars & more").rows.size(), 2u);
  server_->Put("persons-20260201.csv", People(3));
  server_->Put("files.txt", "persons-20260101.csv\npersons-20260201.csv\n");
  EXPECT_EQ(Ids(*adapter).rows.size(), 3u);
  // What the list names and is not there is not taken for the table.
  server_->Put("files.txt", "persons-20260101.csv\npersons-20260301.csv\n");
  EXPECT_EQ(Ids(*adapter).rows.size(), 1u);
  server_->Remove("files.txt");
  EXPECT_TRUE(absl::StrContains(Ids(*adapter).status.message(), "the file of list is not there"));
}

TEST_F(HttpsTest, NamesAreEscapedOnTheWay) {
  server_->Put("人 & \"more\" 100%.csv", People(2));
  const auto adapter = OpenAt("%E4%BA%BA%20&%20%22more%22%20100%25.csv");
  EXPECT_EQ(Ids(*adapter, "人 & \"more\" 100%").rows.size(), 2u);
}

TEST_F(HttpsTest, WhatIsKeptOfFetchedFilesIsBounded) {
  server_->Put("a.csv", People(1'000));
  server_->Put("b.csv", People(1'000));
  server_->Put("files.txt", "a.csv\nb.csv\n");
  const auto fetches = [&](const std::string& most) {
    const auto adapter = OpenAt("", {{"list", "files.txt"}, {"most_fetched_bytes", most}});
    const size_t before = server_->log().size();
    for (int i = 0; i < 3; ++i)
      for (const char* table : {"a", "b"}) EXPECT_EQ(Ids(*adapter, table).rows.size(), 1'000u);
    const std::string log = server_->log().substr(before);
    int count = 0;
    for (size_t at = log.find("GET /"); at != log.npos; at = log.find("GET /", at + 1)) ++count;
    return count;
  };
  EXPECT_EQ(fetches("100000"), 2);
  EXPECT_EQ(fetches("20000"), 6) << "there is room for one";
}

TEST_F(HttpsTest, AFetchThatIsCutIsGoneOnWithByTheNextCall) {
  const std::string bytes = People(9'000);  // 130 KiB: two seconds
  server_->Put("persons.csv", bytes);
  const auto adapter = OpenAt("slow/persons.csv");
  const auto clock = MakeSystemClock();
  const auto try_once = [&] {
    const CallContext hasty{clock.get(), clock->Monotonic() + 700 * kMillisecond, nullptr};
    return ScanAll(*adapter, TextRequest("persons", {"id"}), hasty);
  };
  ScannedTexts scanned = try_once();
  EXPECT_EQ(ReasonOf(scanned.status), v1::REASON_DEADLINE_EXCEEDED) << scanned.status;
  for (int i = 0; i < 20 && !scanned.status.ok(); ++i) scanned = try_once();
  EXPECT_EQ(scanned.rows.size(), 9'000u) << scanned.status;
  EXPECT_EQ(scanned.version, DigestOf(bytes));
  EXPECT_TRUE(absl::StrContains(server_->log(), " 206 bytes="));
}

TEST_F(HttpsTest, AFileThatChangesWhileItIsFetchedIsNoMixture) {
  server_->Put("persons.csv", People(9'000), 2'000);
  const auto adapter = OpenAt("slow/persons.csv");
  const auto clock = MakeSystemClock();
  const CallContext hasty{clock.get(), clock->Monotonic() + 700 * kMillisecond, nullptr};
  EXPECT_EQ(ReasonOf(ScanAll(*adapter, TextRequest("persons", {"id"}), hasty).status),
            v1::REASON_DEADLINE_EXCEEDED);
  server_->Put("persons.csv", People(100), 1'000);
  const CallContext patient{clock.get(), 0, nullptr};
  EXPECT_EQ(ReasonOf(ScanAll(*adapter, TextRequest("persons", {"id"}), patient).status),
            v1::REASON_SOURCE_CHANGED);
  EXPECT_EQ(ScanAll(*adapter, TextRequest("persons", {"id"}), patient).rows.size(), 100u);
}

TEST_F(HttpsTest, AFileWrittenJustNowIsHeldBack) {
  server_->Put("persons.csv", People(1), 0);
  const absl::Status young = Ids(*OpenAt("persons.csv")).status;
  EXPECT_EQ(ReasonOf(young), v1::REASON_SOURCE_UNAVAILABLE);
  EXPECT_EQ(ErrorInfoOf(young)->metadata().at("held_back"), "settle");
  EXPECT_EQ(Ids(*OpenAt("persons.csv", {{"settle", "0s"}})).rows.size(), 1u);
}

TEST_F(HttpsTest, AServerThatIsGoneIsSaidToBeAndReadersGoOn) {
  TestHttpsServer mortal;
  mortal.Put("persons.csv", People(50'000));
  Settings settings = With("persons.csv", {{"check_every", "1m"}});
  settings["url"] = mortal.url("persons.csv");
  settings["ca_file"] = mortal.file("ca.crt");
  const auto adapter = OpenDelimited(settings);
  ASSERT_TRUE(adapter.ok()) << adapter.status();
  auto reader = *(*adapter)->Scan(TextRequest("persons", {"id"}), context_);
  ASSERT_TRUE(reader->Next().ok());
  mortal.Stop();
  EXPECT_TRUE(Drain(*reader).status.ok());
  EXPECT_EQ(Ids(**adapter).rows.size(), 50'000u) << "as it was a short time ago";
  clock_.Advance(61 * kSecond);
  const absl::Status gone = Ids(**adapter).status;
  EXPECT_EQ(ReasonOf(gone), v1::REASON_SOURCE_UNAVAILABLE);
  EXPECT_TRUE(absl::StrContains(gone.message(), "cannot be reached")) << gone;
  mortal.Start();
  EXPECT_EQ(Ids(**adapter).rows.size(), 50'000u);
}

}  // namespace
}  // namespace sluice::adapters::files
