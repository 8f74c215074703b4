// What an auditor asks of a gateway that runs, by the tool, and what is left of it in files.
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/system/deployment.h"

namespace sluice::system_test {
namespace {

using testing::HasSubstr;
using testing::Not;

class AuditTest : public testing::Test {
 protected:
  AuditTest() {
    gateway_.Start();
    gateway_.OfferSample();
  }

  // Asks for that resident, as the case and the end user need it.
  int64_t Ask(const std::string& id, const std::string& case_reference, const std::string& user) {
    v1::QueryRequest request = Deployment::PersonsQuery(id);
    request.set_case_reference(case_reference);
    request.set_end_user(user);
    const auto reply = Call(gateway_.As("relief"), cli::kQuery, request);
    EXPECT_TRUE(reply.ok()) << reply.status();
    return reply.ok() ? reply->receipt().index() : -1;
  }

  // `audit search ARGUMENTS` as a script reads it: the indices that were found.
  std::vector<int64_t> Search(std::vector<std::string> arguments, const std::string& input = "") {
    arguments.insert(arguments.begin(), {"--format", "json", "audit", "search"});
    std::istringstream lines(gateway_.Done("auditor", arguments, input));
    std::vector<int64_t> found;
    for (std::string line; std::getline(lines, line);)
      found.push_back(nlohmann::json::parse(line).at("index"));
    return found;
  }

  Deployment gateway_;
};

TEST_F(AuditTest, FindsByCaseAndByPersonAndLeavesNoIdentifierAnywhere) {
  const std::string sought = SampleIds()[3], other = SampleIds()[4];
  const int64_t first = Ask(sought, "R-0118", "wang.fang");
  const int64_t second = Ask(other, "R-0118", "li.na");
  const int64_t third = Ask(sought, "R-0200", "li.na");
  EXPECT_EQ(Search({"--case", "R-0118"}), (std::vector<int64_t>{second, first}));
  EXPECT_EQ(Search({"--case", "R-0118", "--user", "li.na"}), std::vector<int64_t>{second});
  EXPECT_EQ(Search({"--subject", "CN-RID:-", "--outcome", "let-go"}, sought + "\n"),
            (std::vector<int64_t>{third, first}));
  EXPECT_EQ(Search({"--subject", "CN-RID:" + other, "--kind", "released"}),
            std::vector<int64_t>{second});
  // In a field where it does not belong, and by those who may not ask.
  Search({"--case", sought});
  Search({"--user", sought});
  for (const char* party : {"operator", "relief", "residents-owner"})
    gateway_.Sluice(party, {"audit", "search", "--subject", "CN-RID:" + sought});
  gateway_.Sluice("auditor", {"audit", "search", "--subject", sought + ":" + sought});
  const Finished tail = gateway_.Sluice(
      "auditor", {"audit", "tail", "--from", "0", "--limit", "1", "--subject", "CN-RID:" + sought});
  EXPECT_EQ(tail.code, 0) << tail.all();
  gateway_.Done("auditor", {"audit", "report", "--html", gateway_.Path("report.html")});

  // The owner's own file holds them, of course.
  const auto expect_clean = [&](const std::string& where, const std::string& text) {
    for (const std::string& id : {sought, other})
      EXPECT_EQ(text.find(id), std::string::npos) << where;
  };
  expect_clean("operational log", gateway_.daemon().Errors() + gateway_.daemon().Output());
  const std::string before = gateway_.daemon().Errors();
  EXPECT_EQ(gateway_.Stop().code, 0);
  size_t files = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(gateway_.Path(""))) {
    const std::string path = file.path();
    if (!file.is_regular_file() || path.find("/sources/") != std::string::npos) continue;
    std::ifstream in(path, std::ios::binary);
    expect_clean(path, path + std::string((std::istreambuf_iterator<char>(in)), {}));
    ++files;
  }
  EXPECT_GT(files, 20u);
  gateway_.Start();
  expect_clean("operational log", gateway_.daemon().Errors());
}

TEST_F(AuditTest, AReportSumsUpWhatEachMaySee) {
  Ask(SampleIds()[1], "R-0118", "wang.fang");
  Ask(SampleIds()[2], "R-0118", "wang.fang");
  v1::QueryRequest denied = Deployment::PersonsQuery(SampleIds()[1]);
  denied.set_purpose("tax");
  EXPECT_FALSE(Call(gateway_.As("relief"), cli::kQuery, denied).ok());
  const auto report = nlohmann::json::parse(
      gateway_.Done("auditor", {"--format", "json", "audit", "report", "--since", "today"}));
  EXPECT_EQ(report.at("totals").at("answers"), 2);
  EXPECT_EQ(report.at("totals").at("denied"), 1);
  EXPECT_EQ(report.at("denials").at(0).at("agency"), "civil-affairs");
  ASSERT_FALSE(report.at("uses").empty());
  const auto again = nlohmann::json::parse(
      gateway_.Done("auditor", {"--format", "json", "audit", "report", "--since", "today"}));
  EXPECT_EQ(again.at("totals").at("read"), report.at("totals").value("read", 0) + 1);

  const std::string page = gateway_.Path("report.html");
  const std::string table = gateway_.Done(
      "auditor", {"--format", "table", "audit", "report", "--since", "today", "--html", page});
  EXPECT_THAT(table, HasSubstr("public-security/persons"));
  std::ifstream in(page);
  const std::string html((std::istreambuf_iterator<char>(in)), {});
  EXPECT_THAT(html, HasSubstr("</html>"));
  EXPECT_THAT(html, HasSubstr("PURPOSE_UNKNOWN"));
  EXPECT_THAT(html, Not(HasSubstr("http")));  // it needs nothing else
  EXPECT_THAT(html, Not(HasSubstr("<script")));

  EXPECT_EQ(gateway_.Sluice("operator", {"audit", "report"}).code, 3);
  const Finished wrong = gateway_.Sluice("auditor", {"audit", "report", "--month", "November"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.errors, HasSubstr("--month 2026-11"));
}

TEST_F(AuditTest, ErasedDetailsAreNotFoundAndTheIndexIsMadeAnew) {
  const int64_t index = Ask(SampleIds()[1], "R-0118", "wang.fang");
  ASSERT_EQ(Search({"--case", "R-0118"}), std::vector<int64_t>{index});
  // Somebody deletes the index under the running gateway.
  std::filesystem::remove_all(gateway_.Path("derived/index"));
  EXPECT_EQ(Search({"--case", "R-0118"}), std::vector<int64_t>{index});
  EXPECT_FALSE(gateway_.Events("index_trouble").empty());

  const std::string rebuilt = gateway_.Done("operator", {"audit", "rebuild-index"});
  EXPECT_THAT(rebuilt, HasSubstr("change_index"));
  EXPECT_EQ(Search({"--case", "R-0118"}), std::vector<int64_t>{index});
  EXPECT_EQ(gateway_.Sluice("relief", {"audit", "rebuild-index"}).code, 3);

  for (const auto& key : std::filesystem::directory_iterator(gateway_.Path("keys/details")))
    if (key.path().extension() == ".key") std::filesystem::remove(key.path());
  EXPECT_TRUE(Search({"--case", "R-0118"}).empty());
  for (const auto& file : std::filesystem::directory_iterator(gateway_.Path("derived/index")))
    EXPECT_THAT(file.path().string(), Not(HasSubstr("details")));
  const Finished said =
      gateway_.Sluice("auditor", {"--format", "table", "audit", "search", "--case", "R-0118"});
  EXPECT_THAT(said.errors, HasSubstr("have no details any more: their keys were dropped"));
}

TEST_F(AuditTest, ATailFollowsTheLogUntilTheGatewayDrains) {
  Process tail({"sluice", "--profile", gateway_.Path("profiles/auditor.yaml"), "--format", "json",
                "audit", "tail", "--kind", "released"},
               {});
  ASSERT_TRUE(tail.WaitForError("this reading is #")) << tail.Errors();
  const int64_t index = Ask(SampleIds()[1], "R-0118", "wang.fang");
  ASSERT_TRUE(Eventually([&] { return !tail.Output().empty(); })) << tail.Errors();
  EXPECT_EQ(nlohmann::json::parse(tail.Output()).at("index"), index);
  EXPECT_EQ(gateway_.Stop().code, 0);
  const Finished ended = tail.Wait();
  EXPECT_NE(ended.code, 0);
  EXPECT_THAT(ended.errors, HasSubstr("SHUTTING_DOWN"));
  EXPECT_THAT(ended.errors, HasSubstr(absl::StrCat("to go on: --from ")));
  gateway_.Start();
  const auto read = gateway_.Records(v1::RECORD_KIND_READ);
  ASSERT_GE(read.size(), 2u);
  const v1::AuditEnvelope& end = read[read.size() - 1].envelope();
  EXPECT_EQ(end.reason(), v1::REASON_SHUTTING_DOWN);
  EXPECT_EQ(end.count(), 1);
}

}  // namespace
}  // namespace sluice::system_test
