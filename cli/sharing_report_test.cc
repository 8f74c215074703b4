// The scorecard as its readers get it: tables, files, and a page for a wall.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/methods.h"
#include "cli/sharing_score.h"
#include "cli/tool_testing.h"
#include "gateway/base/error.h"
#include "nlohmann/json.hpp"

namespace sluice::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

v1::ReportSharingResponse Scored() {
  v1::ReportSharingResponse answer;
  for (const char* month : {"2026-10", "2026-11"}) {
    v1::SharingScore& police = *answer.add_scores();
    police.set_month(month);
    police.set_agency("police");
    police.set_submitted(4);
    police.set_replies_met(2);
    police.set_replies_missed(1);
    police.set_grants(5);
    police.set_datasets(3);
    police.set_datasets_overdue(2);
    police.set_corrections_raised(7);
    police.set_corrections_met(3);
    police.set_corrections_missed(1);
    police.add_reply_days(3);
    police.add_reply_days(6);
    v1::SharingScore& tax = *answer.add_scores();
    tax.set_month(month);
    tax.set_agency("<tax>");
    tax.set_replies_met(1);
    tax.set_replies_overdue(4);
    tax.add_reply_days(9);
  }
  v1::SharingRefusal& refusal = *answer.add_refusals();
  refusal.set_month("2026-11");
  refusal.set_agency("police");
  refusal.set_law("反恐怖主义法");
  refusal.set_article("第四十八条");
  refusal.set_count(2);
  v1::SharingBreach& breach = *answer.add_breaches();
  breach.set_month("2026-11");
  breach.set_agency("<tax>");
  breach.set_clock("reply_conditional");
  breach.set_access_request("r-7q4m2k");
  breach.set_working_days_late(4);
  breach.set_open(true);
  v1::SharingBreach& doubted = *answer.add_breaches();
  doubted.set_month("2026-11");
  doubted.set_agency("police");
  doubted.set_clock("correction");
  doubted.set_correction("c-3k9x2p");
  doubted.set_working_days_late(1);
  v1::UnusedGrant& unused = *answer.add_unused();
  unused.set_agency("police");
  unused.set_grant("9x2b4c");
  *unused.mutable_since() = At("2026-10-01T09:00:00+08:00");
  answer.set_records(1234);
  answer.set_read_index(1234);
  answer.set_erased(2);
  return answer;
}

Ran Reported(Tool& tool, std::vector<std::string> arguments) {
  tool.gateway.Answer(kReportSharing, Scored());
  return tool.Run(std::move(arguments));
}

TEST(SharingReportTest, TablesShowTheWorstFirstAndWhatIsLate) {
  Tool tool;
  const Ran ran = Reported(tool, {"report", "sharing", "--since", "2026-10", "--until", "2026-12"});
  ASSERT_EQ(ran.code, 0) << ran.err;
  const auto asked = tool.gateway.Asked(kReportSharing)[0];
  EXPECT_EQ(asked.since().seconds(), At("2026-10-01T00:00:00+08:00").seconds());
  EXPECT_EQ(asked.until().seconds(), At("2026-12-01T00:00:00+08:00").seconds());
  EXPECT_EQ(asked.utc_offset_minutes(), 480);
  EXPECT_THAT(ran.out, AllOf(HasSubstr("4 of 6 (66 %)"), HasSubstr("2 of 10 (20 %)")));
  EXPECT_LT(ran.out.find("<tax>"), ran.out.find("police"));
  EXPECT_THAT(ran.out, AllOf(HasSubstr("corrected in time"), HasSubstr("6 of 8 (75 %)"),
                             HasSubstr("c-3k9x2p"), HasSubstr("overdue")));
  EXPECT_THAT(ran.out, AllOf(HasSubstr("反恐怖主义法 第四十八条"), HasSubstr("r-7q4m2k"),
                             HasSubstr("9x2b4c"), HasSubstr("never")));
  EXPECT_THAT(ran.err, AllOf(HasSubstr("2026-10 to 2026-11 +08:00 · from 1,234 records"),
                             HasSubstr("2 changes have no details any more")));
}

TEST(SharingReportTest, WithoutMonthsItIsThePresentOne) {
  Tool tool;
  ASSERT_EQ(Reported(tool, {"report", "sharing"}).code, 0);
  ASSERT_EQ(Reported(tool, {"report", "sharing", "--month", "2026-09"}).code, 0);
  const auto asked = tool.gateway.Asked(kReportSharing);
  EXPECT_EQ(asked[0].since().seconds(), At("2026-11-01T00:00:00+08:00").seconds());
  EXPECT_EQ(asked[1].until().seconds(), At("2026-10-01T00:00:00+08:00").seconds());
  for (const auto& wrong :
       std::vector<std::vector<std::string>>{{"--month", "november"},
                                             {"--month", "2026-09", "--since", "2026-08"},
                                             {"--since", "2026-09", "--until", "2026-09"}}) {
    std::vector<std::string> arguments = {"report", "sharing"};
    arguments.insert(arguments.end(), wrong.begin(), wrong.end());
    EXPECT_EQ(Reported(tool, arguments).code, 2) << wrong[1];
  }
}

TEST(SharingReportTest, ThePublicOneNamesNoRequestAndNoGrantInAnyForm) {
  for (const char* format : {"table", "json", "csv"}) {
    Tool tool;
    const Ran ran = Reported(
        tool, {"--format", format, "report", "sharing", "--public", "--html", "/november.html"});
    ASSERT_EQ(ran.code, 0) << ran.err;
    const std::string page = *tool.files.ReadAll("/november.html", 1 << 20);
    for (const std::string& text : {ran.out, page})
      EXPECT_THAT(text, AllOf(Not(HasSubstr("r-7q4m2k")), Not(HasSubstr("9x2b4c")),
                              Not(HasSubstr("c-3k9x2p"))))
          << format;
    EXPECT_THAT(page, HasSubstr("reply_conditional")) << "that it is late is public";
  }
}

TEST(SharingReportTest, FilesForMachinesHaveEveryNumber) {
  Tool tool;
  const auto json =
      nlohmann::json::parse(Reported(tool, {"--format", "json", "report", "sharing"}).out);
  EXPECT_EQ(json["from"], "2026-11");
  EXPECT_EQ(json["records"], 1234);
  ASSERT_EQ(json["scores"].size(), 4u);
  EXPECT_EQ(json["scores"][0]["agency"], "police");
  EXPECT_EQ(json["scores"][0]["datasets_overdue"], 2);
  EXPECT_EQ(json["scores"][0]["corrections_raised"], 7);
  const Ran csv = Reported(tool, {"--format", "csv", "report", "sharing"});
  EXPECT_THAT(csv.out, HasSubstr("month,agency,submitted,agreed,refused,"));
  EXPECT_THAT(csv.out,
              HasSubstr("\r\n2026-10,police,4,0,0,0,0,0,0,0,0,2,1,0,0,0,0,3,2,5,0,0,0,7,3,1,"
                        "0,0,0,0,0,4.5"));
}

TEST(SharingReportTest, ThePageStandsAloneInBothLanguages) {
  Tool tool;
  ASSERT_EQ(Reported(tool, {"report", "sharing", "--html", "/r.html"}).code, 0);
  const std::string page = *tool.files.ReadAll("/r.html", 1 << 20);
  EXPECT_THAT(page,
              AllOf(HasSubstr("数据共享成效 · Scorecard"), HasSubstr("按期答复 replies in time"),
                    HasSubstr("按期校核 corrections in time"), HasSubstr("<svg"),
                    HasSubstr("&lt;tax&gt;"), HasSubstr("r-7q4m2k")));
  EXPECT_THAT(page, AllOf(Not(HasSubstr("<tax>")), Not(HasSubstr("http://")),
                          Not(HasSubstr("https://")), Not(HasSubstr("<script"))));
}

TEST(SharingReportTest, SharesAreNeverRoundedUp) {
  EXPECT_EQ(ShareWords(199, 200), "199 of 200 (99 %)");
  EXPECT_EQ(ShareWords(200, 200), "200 of 200 (100 %)");
  EXPECT_EQ(ShareWords(0, 0), "");
}

}  // namespace
}  // namespace sluice::cli
