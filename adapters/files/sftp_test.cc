// Files on an SSH server: a real OpenSSH.
#include <filesystem>

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

class SftpTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (TestSftpServer::Installed()) server_ = new TestSftpServer();
  }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }
  void SetUp() override {
    if (server_ == nullptr) GTEST_SKIP() << TestSftpServer::kNotInstalled;
    for (const std::string& name : server_->served().Names())
      std::filesystem::remove_all(server_->served().PathOf(name));
  }

  Settings With(const std::string& name, Settings more = {}) const {
    more.insert({{"url", server_->url(name)},
                 {"private_key_file", server_->file("reader")},
                 {"host_key", server_->Fingerprint("host")},
                 {"work_folder", work_.path()}});
    return more;
  }
  std::unique_ptr<Adapter> OpenAt(const std::string& name, Settings more = {}) const {
    auto adapter = OpenDelimited(With(name, std::move(more)));
    EXPECT_TRUE(adapter.ok()) << adapter.status();
    return adapter.ok() ? *std::move(adapter) : nullptr;
  }
  // Why the source cannot be opened: the sentence.
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

  static TestSftpServer* server_;
  TestFolder work_;
  FakeClock clock_;
  CallContext context_{&clock_, 0, nullptr};
};

TestSftpServer* SftpTest::server_ = nullptr;

TEST_F(SftpTest, TheNewestDropIsServedAndTheNextWithoutARestart) {
  server_->Put("persons-20260101.csv", People(1));
  server_->Put("persons-20260201.csv", People(50'000));
  server_->Put("persons-20260301.csv.part", People(9));
  const auto adapter =
      OpenAt("", {{"pattern", "persons-{yyyyMMdd}.csv"}, {"check_every", "1m"}, {"key", "id"}});
  const auto described = adapter->Describe("", context_);
  ASSERT_TRUE(described.ok()) << described.status();
  ASSERT_EQ(described->size(), 1u);
  EXPECT_EQ((*described)[0].table, "persons");
  auto reader = *adapter->Scan(TextRequest("persons", {"id"}), context_);
  ASSERT_TRUE(reader->Next().ok());
  server_->Put("persons-20260301.csv", People(3));
  server_->Remove("persons-20260201.csv");
  const ScannedTexts rest = Drain(*reader);
  EXPECT_TRUE(rest.status.ok()) << rest.status;
  EXPECT_EQ(rest.version, HexEncode(AsBytes(Sha256(People(50'000)))));
  clock_.Advance(61 * kSecond);
  EXPECT_EQ(Ids(*adapter).rows.size(), 3u);
  EXPECT_EQ(ScanAll(*adapter, TextRequest("persons", {"id"}, 1), context_).rows.size(), 3u);
}

TEST_F(SftpTest, MarkersAndChecksumsAreLookedForBesideTheDrop) {
  server_->Put("persons-20260101.csv", People(1));
  server_->Put("persons-20260101.csv.done", "");
  server_->Put("persons-20260201.csv", People(2));
  const Settings drops = {{"pattern", "persons-{yyyyMMdd}.csv"}, {"check_every", "0s"}};
  Settings marked = drops;
  marked["marker"] = "{name}.done";
  const auto adapter = OpenAt("", marked);
  EXPECT_EQ(Ids(*adapter).rows.size(), 1u);
  EXPECT_TRUE(absl::StrContains(adapter->Notes().at(0), "'persons-20260201.csv' is held back"));
  server_->Put("persons-20260201.csv.done", "");
  EXPECT_EQ(Ids(*adapter).rows.size(), 2u);
  Settings summed = drops;
  summed["checksum"] = "{name}.sha256";
  const auto checked = OpenAt("", summed);
  server_->Put("persons-20260201.csv.sha256", std::string(64, '0') + "  persons-20260201.csv\n");
  server_->Put("persons-20260101.csv.sha256", HexEncode(AsBytes(Sha256(People(1)))));
  EXPECT_EQ(Ids(*checked).rows.size(), 1u);
  EXPECT_TRUE(absl::StrContains(checked->Notes().at(0), "another SHA-256"));
}

TEST_F(SftpTest, ALookFetchesNothing) {
  server_->Put("persons.csv", People(300'000));
  server_->Put("empty.csv", "");
  const size_t before = server_->log().size();
  const auto adapter = OpenAt("persons.csv");
  EXPECT_EQ(OpenFilesUnder(work_.path()), "");
  EXPECT_EQ(Ids(*adapter).rows.size(), 300'000u);
  EXPECT_EQ(absl::StrContains(server_->log().substr(before), "Accepted publickey"), true);
  const absl::Status empty = Ids(*OpenAt("empty.csv"), "empty").status;
  EXPECT_EQ(ReasonOf(empty), v1::REASON_SOURCE_BAD_VALUE) << empty;
}

TEST_F(SftpTest, AServerOfAnotherKeyIsRefused) {
  server_->Put("persons.csv", People(1));
  Settings settings = With("persons.csv");
  settings["host_key"] = server_->Fingerprint("stranger");
  EXPECT_TRUE(absl::StrContains(Refused(settings), "another host key than host_key says"));
  settings.erase("host_key");
  settings["known_hosts_file"] = server_->file("known");
  EXPECT_TRUE(absl::StrContains(Refused(settings), "the file of known_hosts_file cannot be read"));
  const std::string unknown = "another host key than known_hosts_file has for it";
  for (const std::string& hosts :
       {std::string(), server_->KnownHost("stranger"), std::string("rubbish\n"),
        absl::StrCat("other.example ", server_->KnownHost("host").substr(
                                           server_->KnownHost("host").find(' ') + 1))}) {
    server_->WriteSecret("known", hosts);
    EXPECT_TRUE(absl::StrContains(Refused(settings), unknown)) << hosts;
    // Nothing is learnt of it.
    EXPECT_TRUE(absl::StrContains(Refused(settings), unknown)) << hosts;
  }
  server_->WriteSecret("known", server_->KnownHost("host"));
  const auto adapter = OpenDelimited(settings);
  ASSERT_TRUE(adapter.ok()) << adapter.status();
  EXPECT_EQ(Ids(**adapter).rows.size(), 1u);
}

TEST_F(SftpTest, WhoIsNotLetInIsToldWhichSettingIsMeant) {
  server_->Put("persons.csv", People(1));
  Settings settings = With("persons.csv");
  settings["private_key_file"] = server_->file("stranger");
  EXPECT_TRUE(absl::StrContains(Refused(settings), "login: see the url's user and private_key"));
  settings["private_key_file"] = server_->file("nobody");
  EXPECT_TRUE(absl::StrContains(Refused(settings), "the file of private_key_file cannot be read"));
  settings["private_key_file"] = server_->file("locked");
  EXPECT_TRUE(absl::StrContains(Refused(settings), "private_key_file"));
  server_->WriteSecret("passphrase", "correct horse\n");
  settings["passphrase_file"] = server_->file("passphrase");
  const auto adapter = OpenDelimited(settings);
  ASSERT_TRUE(adapter.ok()) << adapter.status();
  EXPECT_EQ(Ids(**adapter).rows.size(), 1u);
  settings = With("persons.csv");
  settings.erase("private_key_file");
  server_->WriteSecret("password", "a horse that is wrong\n");
  settings["password_file"] = server_->file("password");
  EXPECT_TRUE(absl::StrContains(Refused(settings), "login: see the url's user and password_file"));
  EXPECT_FALSE(absl::StrContains(server_->log(), "horse"));
}

TEST_F(SftpTest, AnRsaKeyIsSaidToBeTooOld) {
  server_->Put("persons.csv", People(3));
  Settings settings = With("persons.csv");
  settings["private_key_file"] = server_->file("reader-rsa");
  EXPECT_TRUE(absl::StrContains(Refused(settings), "make one by ssh-keygen -t ed25519"));
}

TEST_F(SftpTest, APasswordLetsInWhereTheServerTakesOne) {
  if (!TestPasswordServer::Installed()) GTEST_SKIP() << TestPasswordServer::kNotInstalled;
  TestPasswordServer server;
  server.Put("persons.csv", People(3));
  server.WriteSecret("password", "correct horse\n");
  Settings settings = {{"url", server.url("persons.csv")},
                       {"password_file", server.file("password")},
                       {"host_key", server.Fingerprint()},
                       {"work_folder", work_.path()}};
  const auto adapter = OpenDelimited(settings);
  ASSERT_TRUE(adapter.ok()) << adapter.status() << server.log();
  EXPECT_EQ(Ids(**adapter).rows.size(), 3u);
  server.WriteSecret("password", "a horse that is wrong\n");
  EXPECT_TRUE(absl::StrContains(Refused(settings), "login: see the url's user and password_file"));
}

TEST_F(SftpTest, WhatIsNotThereIsSaidToBe) {
  EXPECT_TRUE(absl::StrContains(Refused(With("none.csv")), "the source's file is not there"));
  EXPECT_TRUE(absl::StrContains(Refused(With("none/")), "the source's folder is not there"));
  std::filesystem::create_directory(server_->served().PathOf("persons.csv"));
  const auto folder = OpenDelimited(With("persons.csv"));
  const absl::Status status = folder.ok() ? Ids(**folder).status : folder.status();
  EXPECT_EQ(ReasonOf(status), v1::REASON_SOURCE_UNAVAILABLE) << status;
}

TEST_F(SftpTest, AFileThatChangesIsAskedForAnew) {
  server_->Put("persons.csv", People(10), 2'000);
  const auto adapter = OpenAt("persons.csv", {{"check_every", "0s"}});
  EXPECT_EQ(Ids(*adapter).rows.size(), 10u);
  server_->Put("persons.csv", People(11), 2'000);
  EXPECT_EQ(Ids(*adapter).rows.size(), 11u) << "the size tells";
  std::string other = People(11);
  other.replace(other.find("somebody"), 8, "anybody_");
  server_->Put("persons.csv", other, 1'000);
  EXPECT_EQ(Ids(*adapter).version, HexEncode(AsBytes(Sha256(other)))) << "the time tells";
}

TEST_F(SftpTest, AServerThatEndsIsSaidToBeGoneAndIsFoundAgain) {
  TestSftpServer mortal;
  mortal.Put("persons.csv", People(10));
  const auto adapter = OpenDelimited({{"url", mortal.url("persons.csv")},
                                      {"private_key_file", mortal.file("reader")},
                                      {"host_key", mortal.Fingerprint("host")},
                                      {"check_every", "0s"}});
  ASSERT_TRUE(adapter.ok()) << adapter.status();
  EXPECT_EQ(Ids(**adapter).rows.size(), 10u);
  mortal.Stop();
  EXPECT_EQ(ReasonOf(Ids(**adapter).status), v1::REASON_SOURCE_UNAVAILABLE);
  EXPECT_TRUE(absl::StrContains(Ids(**adapter).status.message(), "cannot be reached"));
  mortal.Start();
  EXPECT_EQ(Ids(**adapter).rows.size(), 10u);
}

}  // namespace
}  // namespace sluice::adapters::files
