// What an auditor takes along from a gateway that runs, checked by programs that share no code with
// ours, and by ours without the gateway.
#include <csignal>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/system/deployment.h"

namespace sluice::system_test {
namespace {

using testing::HasSubstr;
using testing::Not;

class EvidenceTest : public testing::Test {
 protected:
  EvidenceTest() {
    gateway_.Replace("sluiced.yaml", "listen: \"\"                 # heads",
                     "listen: 127.0.0.1:0  #                  # heads");
    gateway_.Start();
    gateway_.OfferSample();
    vkey_ = gateway_.Read("log.vkey");
    vkey_ = vkey_.substr(0, vkey_.find('\n'));
  }

  int64_t Ask(const std::string& id, const std::string& case_reference) {
    v1::QueryRequest request = Deployment::PersonsQuery(id);
    request.set_case_reference(case_reference);
    request.set_end_user("wang.fang");
    const auto reply = Call(gateway_.As("relief"), cli::kQuery, request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? reply->receipt().index() : -1;
  }

  nlohmann::json Python(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(),
                     {"/usr/bin/python3", SLUICE_TEST_SCRIPTS "/pack_reader.py"});
    const Finished ran = Execute(arguments);
    EXPECT_EQ(ran.code, 0) << ran.errors;
    return ran.code == 0 ? nlohmann::json::parse(ran.output) : nlohmann::json();
  }

  std::string Verify(const std::string& what, int code = 0) {
    const Finished ran = gateway_.Local({"audit", "verify", what, "--key", "log.vkey"});
    EXPECT_EQ(ran.code, code) << ran.all();
    return ran.all();
  }

  Deployment gateway_;
  std::string vkey_;
};

TEST_F(EvidenceTest, APackIsVerifiedFromTheSpecificationsAlone) {
  const int64_t first = Ask(SampleIds()[3], "R-0118");
  Ask(SampleIds()[3], "R-0200");
  const int64_t second = Ask(SampleIds()[4], "R-0118");
  gateway_.Done("auditor", {"audit", "export", "--case", "R-0118", "-o", "case.zip"});
  const std::string pack = gateway_.Path("case.zip");

  const nlohmann::json checked = Python({"check", pack, vkey_});
  ASSERT_FALSE(checked.is_null());
  ASSERT_EQ(checked.at("records").size(), 3u);
  EXPECT_EQ(checked.at("records")[0], first);
  EXPECT_EQ(checked.at("records")[1], second);
  EXPECT_EQ(checked.at("details"), 3);

  // What its page tells a stranger to do.
  const std::string folder = gateway_.Path("unpacked");
  Python({"unpack", pack, folder});
  const Finished sums = Execute({"sha256sum", "-c", "--quiet", "SHA256SUMS"}, {.folder = folder});
  EXPECT_EQ(sums.code, 0) << sums.all();
  const Finished program =
      Execute({"python3", "check.py", gateway_.Path("log.vkey")}, {.folder = folder});
  EXPECT_EQ(program.code, 0) << program.all();
  EXPECT_THAT(program.output, HasSubstr("3 records are under the checkpoint of"));

  gateway_.Stop();
  EXPECT_THAT(Verify("case.zip"), HasSubstr("verified 2 records of"));
  gateway_.Start();
  // One record for the whole of it.
  int readings = 0;
  for (const v1::Record& record : gateway_.Records(v1::RECORD_KIND_READ))
    if (record.envelope().count() == 2) ++readings;
  EXPECT_EQ(readings, 1);
}

TEST_F(EvidenceTest, EachRoleExportsWhatItMaySeeAndNoIdentifierIsInIt) {
  const std::string sought = SampleIds()[3];
  Ask(sought, "R-0118");
  gateway_.Done("auditor",
                {"audit", "export", "--subject", "CN-RID:-", "--certain", "-o", "person.zip"},
                sought + "\n");
  EXPECT_THAT(gateway_.Read("person.zip"), Not(HasSubstr(sought)));
  EXPECT_EQ(Python({"check", gateway_.Path("person.zip"), vkey_}).at("records").size(), 2u);
  gateway_.Done("relief", {"audit", "export", "-o", "own.zip"});
  Verify("own.zip");
  gateway_.Done("residents-owner", {"audit", "export", "--kind", "released", "-o", "owner.zip"});
  Verify("owner.zip");
  EXPECT_EQ(gateway_.Sluice("operator", {"audit", "export", "-o", "none.zip"}).code, 3);
  EXPECT_FALSE(std::filesystem::exists(gateway_.Path("none.zip")));
  gateway_.Done("auditor", {"audit", "export", "--without-details", "-o", "bare.zip"});
  EXPECT_THAT(gateway_.Read("bare.zip"), Not(HasSubstr("R-0118")));
  EXPECT_THAT(gateway_.Read("own.zip"), HasSubstr("R-0118"));
}

TEST_F(EvidenceTest, ALogIsPulledAsItGrowsAndVerifiedWithoutTheGateway) {
  Ask(SampleIds()[3], "R-0118");
  EXPECT_EQ(gateway_.Sluice("relief", {"audit", "pull", "copy"}).code, 3);
  gateway_.Done("auditor", {"audit", "pull", "copy"});
  const std::string first = Verify("copy");
  for (int i = 0; i < 300; ++i) gateway_.RecordAt(0);
  gateway_.Done("auditor", {"audit", "pull", "copy"});
  EXPECT_NE(Verify("copy"), first);
  EXPECT_TRUE(std::filesystem::exists(gateway_.Path("copy/tile/1/000.p/1")));
  EXPECT_EQ(gateway_.Read("copy/checkpoint"), gateway_.Read("copy/newest-head"));
  // By its tiles, over HTTPS, as the copy says it.
  const std::string url = absl::StrCat(
      "https://", gateway_.Events("http_listening").at(0).at("address").get<std::string>());
  const Finished tiles =
      gateway_.Sluice("auditor", {"audit", "verify", url, "--key", gateway_.Path("log.vkey")});
  EXPECT_EQ(tiles.code, 0) << tiles.all();
  EXPECT_THAT(tiles.output, HasSubstr("tiles"));
  const Finished refused =
      gateway_.Sluice("operator", {"audit", "verify", url, "--key", gateway_.Path("log.vkey")});
  EXPECT_EQ(refused.code, 3) << refused.all();
}

TEST_F(EvidenceTest, APullThatIsKilledGoesOn) {
  for (int i = 0; i < 600; ++i) gateway_.RecordAt(0);
  for (int milliseconds = 0; milliseconds < 80; milliseconds += 8) {
    Process pull({"sluice", "--profile", gateway_.Path("profiles/auditor.yaml"), "audit", "pull",
                  gateway_.Path("copy")},
                 {});
    // Any moment of it serves.
    Nap(milliseconds);
    pull.Signal(SIGKILL);
    pull.Wait();
    gateway_.RecordAt(0);
    if (std::filesystem::exists(gateway_.Path("copy/checkpoint"))) Verify("copy");
  }
  gateway_.Done("auditor", {"audit", "pull", "copy"});
  Verify("copy");
}

TEST_F(EvidenceTest, ALogThatWasSetBackIsRefusedAndBothHeadsAreKept) {
  namespace fs = std::filesystem;
  const auto set_aside = [&](const char* to) {
    for (const char* folder : {"audit", "state", "store", "derived"})
      if (fs::exists(gateway_.Path(folder)))
        fs::copy(gateway_.Path(folder), gateway_.Path(absl::StrCat(to, "/", folder)),
                 fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  };
  Ask(SampleIds()[3], "R-0118");
  gateway_.Stop();
  fs::create_directories(gateway_.Path("backup"));
  set_aside("backup");
  gateway_.Start();
  for (int i = 0; i < 20; ++i) Ask(SampleIds()[3], "R-0200");
  gateway_.Done("auditor", {"audit", "pull", "copy"});
  gateway_.Stop();
  // The operator goes back to the backup, and with it the heads that were kept.
  for (const char* folder : {"audit", "state", "store", "derived"}) {
    if (!fs::exists(gateway_.Path(absl::StrCat("backup/", folder)))) continue;
    fs::remove_all(gateway_.Path(folder));
    fs::copy(gateway_.Path(absl::StrCat("backup/", folder)), gateway_.Path(folder),
             fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  }
  gateway_.Start();
  const Finished shorter = gateway_.Sluice("auditor", {"audit", "pull", "copy"});
  EXPECT_EQ(shorter.code, 1) << shorter.all();
  EXPECT_THAT(shorter.errors, HasSubstr("LOG_CONFLICT: the log is shorter than it was"));
  for (int i = 0; i < 40; ++i) Ask(SampleIds()[3], "R-0300");
  const Finished other = gateway_.Sluice("auditor", {"audit", "pull", "copy"});
  EXPECT_EQ(other.code, 1) << other.all();
  EXPECT_THAT(other.errors, HasSubstr("does not continue the head that was kept"));
  EXPECT_THAT(other.errors, HasSubstr("kept"));
  EXPECT_GE(std::distance(fs::directory_iterator(gateway_.Path("copy/conflict")), {}), 3);
  Verify("copy");
}

TEST_F(EvidenceTest, AnAnswerIsHeldAgainstACopy) {
  gateway_.Done("auditor", {"audit", "pull", "copy"});
  const Finished held = gateway_.Sluice(
      "auditor", {"audit", "search", "--agency", "civil-affairs", "--copy", "copy"});
  EXPECT_EQ(held.code, 0) << held.all();
  EXPECT_THAT(held.errors, HasSubstr("and none is missing"));
}

TEST_F(EvidenceTest, AnAnswerAboutACaseOrAPersonIsHeldAgainstACopy) {
  Ask(SampleIds()[3], "R-0118");
  Ask(SampleIds()[4], "R-0118");
  Ask(SampleIds()[3], "R-0200");
  gateway_.Done("auditor", {"audit", "pull", "copy"});
  const std::string person = absl::StrCat("CN-RID:", SampleIds()[3]);
  for (const std::vector<std::string>& asked :
       {std::vector<std::string>{"--case", "R-0118"},
        {"--subject", person},
        {"--subject", person, "--case", "R-0118", "--certain"}}) {
    std::vector<std::string> command = {"audit", "search", "--copy", "copy"};
    command.insert(command.end(), asked.begin(), asked.end());
    const Finished held = gateway_.Sluice("auditor", command);
    EXPECT_EQ(held.code, 0) << held.all();
    EXPECT_THAT(held.errors, HasSubstr("and none is missing"));
    EXPECT_THAT(held.errors, Not(HasSubstr(" 0 of ")));
    EXPECT_THAT(held.errors, Not(HasSubstr("does not tell")));
  }
}

}  // namespace
}  // namespace sluice::system_test
