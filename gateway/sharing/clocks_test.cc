// Clocks against hand-worked cases: RunsOf through Rules.
#include <gmock/gmock.h>
#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gateway/base/error.h"
#include "gateway/identity/documented_testing.h"
#include "gateway/sharing/rules.h"

namespace sluice::sharing {
namespace {

using google::protobuf::util::TimeUtil;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// "2026-02-13 10:00" in China.
Micros ChinaTime(const std::string& text) {
  Micros time = 0;
  EXPECT_TRUE(ParseTime(absl::StrCat(text.substr(0, 10), "T", text.substr(11), ":00+08:00"), &time))
      << text;
  return time;
}

std::string ChinaText(const google::protobuf::Timestamp& time) {
  return absl::FormatTime("%Y-%m-%d %H:%M",
                          absl::FromUnixMicros(TimeUtil::TimestampToMicroseconds(time)),
                          absl::FixedTimeZone(8 * 3600));
}

struct At {
  const char* what;
  const char* when;
};

// The runs of one clock of the shipped profile.
std::vector<v1::Clock> Runs(const std::string& name, const std::vector<At>& happened,
                            const std::string& now, const Rules& rules = *Rules::Shipped(),
                            const std::string& owner = "police") {
  std::vector<ClockEvent> events;
  for (const At& at : happened) events.push_back({at.what, ChinaTime(at.when)});
  std::vector<v1::Clock> runs;
  for (v1::Clock& clock :
       rules.ClocksOf(owner, name == "reply_unconditional", events, ChinaTime(now)))
    if (clock.name() == name) runs.push_back(std::move(clock));
  return runs;
}

v1::Clock OneRun(const std::string& name, const std::vector<At>& happened, const std::string& now) {
  const auto runs = Runs(name, happened, now);
  EXPECT_THAT(runs, SizeIs(1)) << name;
  return runs.empty() ? v1::Clock() : runs[0];
}

TEST(ClocksTest, EachArticleHasItsDaysAcrossTheHolidays) {
  const struct {
    const char* clock;
    const char* article;
    std::vector<At> events;
    const char* due;
    v1::SharingOffice office;
  } cases[] = {
      // Friday, and the Saturday behind it is worked.
      {"reply_unconditional",
       "第二十一条",
       {{"submit", "2026-02-13 10:00"}},
       "2026-02-15 00:00",
       v1::SHARING_OFFICE_OWNER_OFFICE},
      {"reply_unconditional",
       "第二十一条",
       {{"submit", "2026-02-14 10:00"}},
       "2026-02-25 00:00",
       v1::SHARING_OFFICE_OWNER_OFFICE},
      {"reply_conditional",
       "第二十一条",
       {{"submit", "2025-01-24 10:00"}},
       "2025-02-14 00:00",
       v1::SHARING_OFFICE_OWNER_OFFICE},
      {"reply_conditional",
       "第二十一条",
       {{"submit", "2024-02-07 10:00"}},
       "2024-02-28 00:00",
       v1::SHARING_OFFICE_OWNER_OFFICE},
      // Ten days more.
      {"reply_conditional",
       "第二十一条",
       {{"submit", "2024-09-27 10:00"},
        {"ask_extension", "2024-10-14 09:00"},
        {"consent_extension", "2024-10-15 09:00"}},
       "2024-10-31 00:00",
       v1::SHARING_OFFICE_OWNER_OFFICE},
      // Asked for alone, or declined, it stays what it was.
      {"reply_conditional",
       "第二十一条",
       {{"submit", "2024-09-27 10:00"},
        {"ask_extension", "2024-10-14 09:00"},
        {"decline_extension", "2024-10-15 09:00"}},
       "2024-10-17 00:00",
       v1::SHARING_OFFICE_OWNER_OFFICE},
      {"provide",
       "第二十二条",
       {{"agree", "2026-02-13 10:00"}, {"grant", "2026-02-14 10:00"}},
       "2026-03-20 00:00",
       v1::SHARING_OFFICE_OWNER_OFFICE},
      {"catalogue_update",
       "第十七条",
       {{"duty_change", "2025-09-26 10:00"}},
       "2025-10-17 00:00",
       v1::SHARING_OFFICE_OWNER_OFFICE},
      // Five days more: 10-17, 10-20 to 10-23.
      {"catalogue_update",
       "第十七条",
       {{"duty_change", "2025-09-26 10:00"}, {"consent_catalogue_extension", "2025-10-14 10:00"}},
       "2025-10-24 00:00",
       v1::SHARING_OFFICE_OWNER_OFFICE},
      {"catalogue_review",
       "第十七条",
       {{"catalogue_update", "2025-09-30 10:00"}},
       "2025-10-11 00:00",
       v1::SHARING_OFFICE_AUTHORITY},
      {"correction",
       "第二十六条",
       {{"correction_file", "2026-09-18 10:00"}},
       "2026-10-10 00:00",
       v1::SHARING_OFFICE_OWNER_OFFICE},
  };
  for (const auto& one : cases) {
    const v1::Clock clock = OneRun(one.clock, one.events, "2024-01-02 00:00");
    EXPECT_EQ(ChinaText(clock.due()), one.due) << one.clock;
    EXPECT_EQ(clock.law(), "政务数据共享条例");
    EXPECT_EQ(clock.article(), one.article);
    EXPECT_EQ(clock.office(), one.office);
    EXPECT_EQ(clock.escalates_to(), v1::SHARING_OFFICE_AUTHORITY);
    EXPECT_EQ(clock.profile(), "decree-809");
    EXPECT_EQ(clock.calendar(), "cn");
    EXPECT_EQ(clock.trouble(), "");
  }
}

TEST(ClocksTest, ItWarnsInItsLastDaysAndIsBreachedAtMidnight) {
  const std::vector<At> submitted = {{"submit", "2025-01-24 10:00"}};
  const struct {
    const char* now;
    v1::ClockState state;
    int left, late;
  } cases[] = {
      {"2025-01-24 10:00", v1::CLOCK_STATE_RUNNING, 10, 0},
      {"2025-01-25 10:00", v1::CLOCK_STATE_RUNNING, 10, 0},
      {"2025-02-04 23:59", v1::CLOCK_STATE_RUNNING, 8, 0},
      {"2025-02-08 10:00", v1::CLOCK_STATE_RUNNING, 4, 0},
      {"2025-02-09 10:00", v1::CLOCK_STATE_RUNNING, 4, 0},
      {"2025-02-10 00:00", v1::CLOCK_STATE_WARNING, 3, 0},
      {"2025-02-13 23:59", v1::CLOCK_STATE_WARNING, 0, 0},
      {"2025-02-14 00:00", v1::CLOCK_STATE_BREACHED, 0, 1},
      {"2025-02-16 10:00", v1::CLOCK_STATE_BREACHED, 0, 1},
      {"2025-02-17 10:00", v1::CLOCK_STATE_BREACHED, 0, 2},
      {"2026-12-31 10:00", v1::CLOCK_STATE_BREACHED, 0, 469},
  };
  for (const auto& one : cases) {
    const v1::Clock clock = OneRun("reply_conditional", submitted, one.now);
    EXPECT_EQ(clock.state(), one.state) << one.now;
    EXPECT_EQ(clock.working_days_left(), one.left) << one.now;
    EXPECT_EQ(clock.working_days_late(), one.late) << one.now;
    EXPECT_EQ(ChinaText(clock.due()), "2025-02-14 00:00");
  }
}

TEST(ClocksTest, ItStandsStillWhilePapersAreAwaited) {
  // 02-10 and 02-11 count; 02-12, when it was returned, to 02-24, when it came back, do not.
  std::vector<At> events = {{"submit", "2026-02-09 10:00"}, {"return", "2026-02-12 16:00"}};
  v1::Clock clock = OneRun("reply_conditional", events, "2026-02-27 10:00");
  EXPECT_EQ(clock.state(), v1::CLOCK_STATE_STOPPED);
  EXPECT_EQ(clock.working_days_left(), 8);
  EXPECT_FALSE(clock.has_due());
  // For years, if need be, and nothing of it depends on what the calendar knows.
  clock = OneRun("reply_conditional", events, "2031-01-01 10:00");
  EXPECT_EQ(clock.state(), v1::CLOCK_STATE_STOPPED);
  EXPECT_EQ(clock.trouble(), "");
  events.push_back({"submit", "2026-02-24 09:00"});
  clock = OneRun("reply_conditional", events, "2026-03-02 10:00");
  EXPECT_EQ(ChinaText(clock.due()), "2026-03-06 00:00");
  EXPECT_EQ(clock.state(), v1::CLOCK_STATE_WARNING);
  EXPECT_EQ(clock.working_days_left(), 3);
  EXPECT_EQ(ChinaText(clock.started()), "2026-02-09 10:00");
  // Returned when it was late, it stays late.
  clock =
      OneRun("reply_conditional", {{"submit", "2026-01-05 10:00"}, {"return", "2026-01-22 10:00"}},
             "2026-01-23 10:00");
  EXPECT_EQ(clock.state(), v1::CLOCK_STATE_BREACHED);
}

TEST(ClocksTest, ItEndsInTimeOrLateAndBeginsAnew) {
  v1::Clock clock =
      OneRun("reply_conditional", {{"submit", "2025-01-24 10:00"}, {"agree", "2025-02-13 23:59"}},
             "2026-12-31 10:00");
  EXPECT_EQ(clock.state(), v1::CLOCK_STATE_MET);
  EXPECT_EQ(clock.working_days_late(), 0);
  clock =
      OneRun("reply_conditional", {{"submit", "2025-01-24 10:00"}, {"refuse", "2025-02-17 08:00"}},
             "2026-12-31 10:00");
  EXPECT_EQ(clock.state(), v1::CLOCK_STATE_MISSED);
  EXPECT_EQ(clock.working_days_late(), 2);
  EXPECT_EQ(ChinaText(clock.ended()), "2025-02-17 08:00");

  const auto runs = Runs("reply_conditional",
                         {{"submit", "2025-01-24 10:00"},
                          {"refuse", "2025-02-17 08:00"},
                          {"dispute", "2025-02-18 08:00"},
                          {"reopen", "2025-09-26 10:00"}},
                         "2025-09-26 11:00");
  ASSERT_THAT(runs, SizeIs(2));
  EXPECT_EQ(runs[0].state(), v1::CLOCK_STATE_MISSED);
  EXPECT_EQ(ChinaText(runs[1].due()), "2025-10-17 00:00");
  EXPECT_THAT(Runs("reply_conditional", {}, "2025-09-26 11:00"), SizeIs(0));
}

// Consent that comes too late would else make a breach that everybody saw undone.
TEST(ClocksTest, WhatIsLateAlreadyIsNotMadeLonger) {
  // The tenth working day is 2025-02-13.
  std::vector<At> events = {{"submit", "2025-01-24 10:00"}, {"ask_extension", "2025-02-12 09:00"}};
  const auto with = [&events](const char* consented) {
    std::vector<At> all = events;
    all.push_back({"consent_extension", consented});
    return OneRun("reply_conditional", all, "2025-02-17 10:00");
  };
  v1::Clock clock = with("2025-02-13 23:59");
  EXPECT_EQ(clock.working_days(), 20);
  EXPECT_NE(clock.state(), v1::CLOCK_STATE_BREACHED);
  clock = with("2025-02-14 00:00");
  EXPECT_EQ(clock.working_days(), 10);
  EXPECT_EQ(clock.state(), v1::CLOCK_STATE_BREACHED);
  EXPECT_EQ(clock.working_days_late(), 2);
  events.push_back({"consent_extension", "2025-02-14 09:00"});
  events.push_back({"agree", "2025-02-17 09:00"});
  clock = OneRun("reply_conditional", events, "2025-02-17 10:00");
  EXPECT_EQ(clock.state(), v1::CLOCK_STATE_MISSED);
  EXPECT_EQ(ChinaText(clock.due()), "2025-02-14 00:00");
  // Days on which it stood still are none of those that it had.
  clock = OneRun("reply_conditional",
                 {{"submit", "2025-01-24 10:00"},
                  {"return", "2025-02-12 09:00"},
                  {"submit", "2025-03-03 09:00"},
                  {"consent_extension", "2025-03-04 09:00"}},
                 "2025-03-04 10:00");
  EXPECT_EQ(clock.working_days(), 20);
}

TEST(ClocksTest, OnlyTheReplyThatFitsTheDatasetRuns) {
  const auto rules = Rules::Shipped();
  const std::vector<ClockEvent> submitted = {{"submit", ChinaTime("2026-03-02 10:00")}};
  for (const bool unconditional : {false, true}) {
    const auto clocks =
        rules->ClocksOf("police", unconditional, submitted, ChinaTime("2026-03-02 11:00"));
    ASSERT_THAT(clocks, SizeIs(1));
    EXPECT_EQ(clocks[0].name(), unconditional ? "reply_unconditional" : "reply_conditional");
    EXPECT_EQ(clocks[0].working_days(), unconditional ? 1 : 10);
  }
}

TEST(ClocksTest, WhereTheCalendarEndsItSaysSoAndNeverGuesses) {
  // 12-28 to 12-31 count; the rest is 2027's.
  const std::vector<At> submitted = {{"submit", "2026-12-25 10:00"}};
  v1::Clock clock = OneRun("reply_conditional", submitted, "2026-12-30 10:00");
  EXPECT_EQ(clock.state(), v1::CLOCK_STATE_RUNNING);
  EXPECT_FALSE(clock.has_due());
  EXPECT_THAT(clock.trouble(), HasSubstr("does not cover 2027"));
  clock = OneRun("reply_conditional", submitted, "2027-01-04 10:00");
  EXPECT_EQ(clock.state(), v1::CLOCK_STATE_UNSPECIFIED);
  EXPECT_THAT(clock.trouble(), HasSubstr("does not cover 2027"));
  clock =
      OneRun("reply_conditional", {{"submit", "2026-12-25 10:00"}, {"agree", "2026-12-31 10:00"}},
             "2027-02-01 10:00");
  EXPECT_EQ(clock.state(), v1::CLOCK_STATE_MET);
  clock =
      OneRun("reply_conditional", {{"submit", "2026-12-25 10:00"}, {"agree", "2027-01-02 10:00"}},
             "2027-02-01 10:00");
  EXPECT_EQ(clock.state(), v1::CLOCK_STATE_UNSPECIFIED);
  // Late for certain, how late not.
  clock = OneRun("reply_conditional", {{"submit", "2026-12-01 10:00"}}, "2027-02-01 10:00");
  EXPECT_EQ(clock.state(), v1::CLOCK_STATE_BREACHED);
  EXPECT_EQ(clock.working_days_late(), 0);
  EXPECT_THAT(clock.trouble(), HasSubstr("does not cover 2027"));
}

// The same recorded events by a calendar that was mended.
TEST(ClocksTest, AMendedCalendarMendsEveryClock) {
  const std::string shipped = ShippedCalendars()[0].text;
  const std::string mended =
      absl::StrReplaceAll(shipped, {{"worked: [01-26, 02-08, 04-27", "worked: [02-08, 04-27"}});
  ASSERT_NE(mended, shipped);
  const auto rules = Rules::Make({{"rules/cn.yaml", mended}}, {});
  ASSERT_TRUE(rules.ok()) << rules.status();
  const std::vector<At> submitted = {{"submit", "2025-01-24 10:00"}};
  EXPECT_EQ(ChinaText(Runs("reply_conditional", submitted, "2025-02-14 10:00")[0].due()),
            "2025-02-14 00:00");
  const v1::Clock clock = Runs("reply_conditional", submitted, "2025-02-14 10:00", **rules)[0];
  EXPECT_EQ(ChinaText(clock.due()), "2025-02-15 00:00");
  EXPECT_EQ(clock.state(), v1::CLOCK_STATE_WARNING);
}

constexpr char kLocalProfile[] = R"yaml(profile: guizhou
law: 贵州省政府数据共享开放条例
calendar: local
agencies: [gz-police, gz-tax]
clocks:
  - clock: reply_conditional
    article: 第一条
    for: conditional
    office: owner_office
    from: [submit]
    to: [agree, refuse, grant, withdraw]
    working_days: 5
    warn: 1
    escalates_to: authority
)yaml";
constexpr char kLocalCalendar[] =
    "calendar: local\ntime_zone: Asia/Shanghai\nweekend: [Sun]\n"
    "years: [{year: 2026, source: \"a test\", off: [], worked: []}]\n";

TEST(ClocksTest, ALocalProfileStandsBesideTheLaws) {
  const auto rules =
      Rules::Make({{"local.yaml", kLocalCalendar}}, {{"guizhou.yaml", kLocalProfile}});
  ASSERT_TRUE(rules.ok()) << rules.status();
  const std::vector<At> events = {{"submit", "2026-03-02 10:00"}, {"agree", "2026-03-03 10:00"}};
  const v1::Clock reply =
      Runs("reply_conditional", events, "2026-03-03 11:00", **rules, "gz-tax")[0];
  EXPECT_EQ(reply.profile(), "guizhou");
  EXPECT_EQ(reply.law(), "贵州省政府数据共享开放条例");
  // Saturdays are worked there.
  EXPECT_EQ(ChinaText(reply.due()), "2026-03-08 00:00");
  // What it leaves out is the law's.
  const v1::Clock provide = Runs("provide", events, "2026-03-03 11:00", **rules, "gz-tax")[0];
  EXPECT_EQ(provide.law(), "政务数据共享条例");
  EXPECT_EQ(provide.calendar(), "local");
  EXPECT_EQ(Runs("reply_conditional", events, "2026-03-03 11:00", **rules)[0].profile(),
            "decree-809");
}

TEST(ClocksTest, MistakesOfAProfileAreToldWithLineAndRemedy) {
  const auto bad = Rules::Make(
      {{"a.yaml", kLocalCalendar}, {"b.yaml", kLocalCalendar}},
      {{"one.yaml", kLocalProfile},
       {"two.yaml", absl::StrReplaceAll(kLocalProfile, {{"calendar: local", "calendar: lokal"}})},
       {"three.yaml",
        absl::StrReplaceAll(kLocalProfile, {{"[submit]", "[sbumit]"},
                                            {"working_days: 5", "working_days: 0"},
                                            {"office: owner_office", "office: someone"}})}});
  ASSERT_FALSE(bad.ok());
  const std::string told(bad.status().message());
  for (const char* line :
       {"b.yaml: calendar: local stands in a.yaml as well; keep one of the two",
        "two.yaml: agencies: gz-police has one in one.yaml; keep one of the two",
        "two.yaml:3: calendar: there is no calendar \"lokal\"; name its file in sharing.calendars",
        "three.yaml:9: clocks[0].office: one of requester, requester_office, owner_office, owner, "
        "authority",
        "three.yaml:10: clocks[0].from[0]: one of agree, ",
        "three.yaml:12: clocks[0].working_days: "})
    EXPECT_THAT(told, HasSubstr(line));
}

TEST(ClocksTest, TheDocumentedProfileIsRead) {
  const auto rules = Rules::Make({}, {{"yaml.md", identity::DocumentedYaml("clocks")}});
  ASSERT_TRUE(rules.ok()) << rules.status();
  EXPECT_EQ((*rules)->ProfileOf("guizhou-police").clocks[0].extension, 5);
  EXPECT_EQ((*rules)->ProfileOf("police").name, "decree-809");
}

TEST(ClocksTest, TheNextClockIsTheOneThatIsOverFirst) {
  std::vector<v1::Clock> clocks(4);
  clocks[0].mutable_due()->set_seconds(1);
  clocks[0].mutable_ended()->set_seconds(1);
  clocks[2].mutable_due()->set_seconds(20);
  clocks[3].mutable_due()->set_seconds(10);
  EXPECT_EQ(NextClock(clocks), &clocks[3]);
  clocks.resize(2);
  EXPECT_EQ(NextClock(clocks), &clocks[1]);  // stands still
  clocks.resize(1);
  EXPECT_EQ(NextClock(clocks), nullptr);
}

}  // namespace
}  // namespace sluice::sharing
