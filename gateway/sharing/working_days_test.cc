#include "gateway/sharing/working_days.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/identity/documented_testing.h"
#include "gateway/sharing/rules.h"

namespace sluice::sharing {
namespace {

using ::testing::HasSubstr;

const WorkingDays& ChinaDays() {
  static const auto* const days =
      new WorkingDays(*WorkingDays::Parse(ShippedCalendars()[0].text, ShippedCalendars()[0].file));
  return *days;
}

absl::CivilDay Day(const std::string& text) {
  absl::CivilDay day;
  EXPECT_TRUE(absl::ParseCivilTime(text, &day)) << text;
  return day;
}

TEST(WorkingDaysTest, HandWorkedCasesThatCrossHolidays) {
  const struct {
    const char* from;
    int days;
    const char* to;
  } cases[] = {
      // Spring Festival 2024: off 02-12 to 02-16; Sundays 02-04 and 02-18 are worked.
      {"2024-02-02", 1, "2024-02-04"},
      {"2024-02-09", 1, "2024-02-18"},
      {"2024-02-09", 2, "2024-02-19"},
      {"2024-02-07", 10, "2024-02-27"},
      // National Day 2024: off 10-01 to 10-07; Sunday 09-29 and Saturday 10-12 are worked.
      {"2024-09-27", 1, "2024-09-29"},
      {"2024-09-30", 1, "2024-10-08"},
      {"2024-09-27", 10, "2024-10-16"},
      // Spring Festival 2025: off 01-28 to 02-04; Sunday 01-26 and Saturday 02-08 are worked.
      {"2025-01-24", 1, "2025-01-26"},
      {"2025-01-27", 1, "2025-02-05"},
      {"2025-02-07", 1, "2025-02-08"},
      {"2025-01-24", 10, "2025-02-13"},
      // National Day and Mid-Autumn 2025: off 10-01 to 10-08; Sunday 09-28, Saturday 10-11 worked.
      {"2025-09-30", 1, "2025-10-09"},
      {"2025-09-26", 10, "2025-10-16"},
      // Spring Festival 2026: off 02-16 to 02-23; Saturdays 02-14 and 02-28 are worked.
      {"2026-02-13", 1, "2026-02-14"},
      {"2026-02-14", 1, "2026-02-24"},
      {"2026-02-13", 10, "2026-03-05"},
      // Mid-Autumn and National Day 2026: off 09-25, 10-01 to 10-07; Sunday 09-20 and Saturday
      // 10-10 are worked.
      {"2026-09-18", 1, "2026-09-20"},
      {"2026-09-24", 1, "2026-09-28"},
      {"2026-09-18", 10, "2026-10-09"},
      {"2026-09-18", 11, "2026-10-10"},
      // Across the year; and from a day off, which does not count anyway.
      {"2024-12-30", 3, "2025-01-03"},
      {"2026-02-21", 1, "2026-02-24"},
      {"2026-02-21", 0, "2026-02-21"},
  };
  for (const auto& one : cases) {
    const auto to = ChinaDays().Add(Day(one.from), one.days);
    ASSERT_TRUE(to.ok()) << one.from << to.status();
    EXPECT_EQ(*to, Day(one.to)) << one.from << " + " << one.days;
    EXPECT_EQ(*ChinaDays().CountBetween(Day(one.from), Day(one.to)), one.days) << one.from;
    EXPECT_EQ(*ChinaDays().CountBetween(Day(one.to), Day(one.from)), -one.days) << one.from;
  }
}

TEST(WorkingDaysTest, YearsHaveAsManyWorkingDaysAsTheirNoticesLeave) {
  // Weekdays of the year, less those off, and the weekend days worked.
  EXPECT_EQ(*ChinaDays().CountBetween(Day("2024-01-01"), Day("2024-12-31")), 262 - 19 + 8);
  EXPECT_EQ(*ChinaDays().CountBetween(Day("2024-12-31"), Day("2025-12-31")), 261 - 18 + 5);
  EXPECT_EQ(*ChinaDays().CountBetween(Day("2025-12-31"), Day("2026-12-31")), 261 - 19 + 6);
}

TEST(WorkingDaysTest, AYearThatIsNotCoveredIsAnErrorAndNeverAGuess) {
  EXPECT_EQ(ChinaDays().last_year(), 2026);
  const auto beyond = ChinaDays().Add(Day("2026-12-30"), 2);
  EXPECT_EQ(ReasonOf(beyond.status()), v1::REASON_CALENDAR_YEAR_MISSING);
  EXPECT_THAT(std::string(beyond.status().message()),
              HasSubstr("Calendar cn (calendar-cn.yaml (shipped)) does not cover 2027"));
  EXPECT_TRUE(ChinaDays().Add(Day("2026-12-30"), 1).ok());
  EXPECT_EQ(ReasonOf(ChinaDays().IsWorkingDay(Day("2023-12-29")).status()),
            v1::REASON_CALENDAR_YEAR_MISSING);
  EXPECT_EQ(ReasonOf(ChinaDays().CountBetween(Day("2027-01-05"), Day("2026-12-01")).status()),
            v1::REASON_CALENDAR_YEAR_MISSING);
}

TEST(WorkingDaysTest, DaysBeginAtMidnightOfTheJurisdiction) {
  Micros before = 0, at = 0;
  ASSERT_TRUE(ParseTime("2026-02-13T15:59:59Z", &before));
  ASSERT_TRUE(ParseTime("2026-02-14T00:00:00+08:00", &at));
  EXPECT_EQ(ChinaDays().DayOf(before), Day("2026-02-13"));
  EXPECT_EQ(ChinaDays().DayOf(at), Day("2026-02-14"));
  EXPECT_EQ(ChinaDays().StartOf(Day("2026-02-14")), at);
  // Where clocks are put forward at midnight, the day begins when it does.
  const auto cairo = WorkingDays::Parse(
      "calendar: eg\ntime_zone: Africa/Cairo\nweekend: [Fri, Sat]\n"
      "years: [{year: 2024, source: \"a test\", off: [], worked: []}]\n",
      "eg.yaml");
  ASSERT_TRUE(cairo.ok()) << cairo.status();
  EXPECT_EQ(cairo->DayOf(cairo->StartOf(Day("2024-04-26"))), Day("2024-04-26"));
  EXPECT_EQ(cairo->DayOf(cairo->StartOf(Day("2024-04-26")) - 1), Day("2024-04-25"));
  EXPECT_FALSE(*cairo->IsWorkingDay(Day("2024-04-26")));
  EXPECT_TRUE(*cairo->IsWorkingDay(Day("2024-04-28")));  // a Sunday
}

// Ten years in which days are off and worked at random.
std::string TenYears(std::mt19937& random) {
  std::string text = "calendar: x\ntime_zone: Asia/Shanghai\nweekend: [Sat, Sun]\nyears:\n";
  for (int year = 2020; year < 2030; ++year) {
    std::string off, worked;
    for (absl::CivilDay day(year, 1, 1); day.year() == year; ++day) {
      const auto weekday = absl::GetWeekday(day);
      const bool weekend = weekday == absl::Weekday::saturday || weekday == absl::Weekday::sunday;
      if (random() % (weekend ? 10 : 8) != 0) continue;
      absl::StrAppend(weekend ? &worked : &off, (weekend ? worked : off).empty() ? "" : ", ",
                      std::string(absl::FormatCivilTime(day)).substr(5));
    }
    absl::StrAppend(&text, "  - {year: ", year, ", source: \"a test\", off: [", off, "], worked: [",
                    worked, "]}\n");
  }
  return text;
}

TEST(WorkingDaysTest, AddingDaysAndCountingThemGivesAsManyOverTenYears) {
  std::mt19937 random(20261127);
  const auto days = WorkingDays::Parse(TenYears(random), "ten.yaml");
  ASSERT_TRUE(days.ok()) << days.status();
  EXPECT_EQ(days->last_year(), 2029);
  const absl::CivilDay first(2020, 1, 1);
  // All days of nine years, so that the last of them has a year in front of it.
  for (absl::CivilDay from = first; from.year() < 2029; ++from) {
    const int n = static_cast<int>(random() % 200);
    const auto to = days->Add(from, n);
    ASSERT_TRUE(to.ok()) << to.status();
    ASSERT_EQ(*days->CountBetween(from, *to), n) << from;
    if (n > 0) {
      ASSERT_TRUE(*days->IsWorkingDay(*to)) << from;
      ASSERT_EQ(*days->CountBetween(from, *to - 1), n - 1) << from;
    }
    // In parts it is the same.
    const int part = n == 0 ? 0 : static_cast<int>(random() % static_cast<unsigned>(n));
    ASSERT_EQ(*days->Add(*days->Add(from, part), n - part), *to) << from;
  }
}

TEST(WorkingDaysTest, MistakesOfAFileAreToldWithLineAndRemedy) {
  const auto days = WorkingDays::Parse(R"yaml(calendar: Not An Id
time_zone: Mars/Olympus
weekend: [Sat, Sunday]
years:
  - year: 2026
    source: ""
    off: [01-01, 02-14, 02-30, 1-1, 01-01, 05-01..05-04]
    worked: [01-05, 01-04]
  - year: 2026
    source: "a test"
    off: []
    work: []
)yaml",
                                       "bad.yaml");
  ASSERT_FALSE(days.ok());
  EXPECT_EQ(ReasonOf(days.status()), v1::REASON_DEFINITION_INVALID);
  const std::string told(days.status().message());
  for (const char* line :
       {"bad.yaml:1: calendar: 1 to 63 of a-z, 0-9 and inner hyphens",
        "bad.yaml:2: time_zone: must be a time zone that this machine knows, such as Asia/Shanghai",
        "bad.yaml:3: weekend[1]: must be one of Mon, Tue, Wed, Thu, Fri, Sat, Sun",
        "bad.yaml:6: years[0].source: must say where these days are published",
        "bad.yaml:7: years[0].off[1]: 02-14 is a Sat, which is off anyway",
        "bad.yaml:7: years[0].off[2]: a day as MM-DD, or several as MM-DD..MM-DD",
        "bad.yaml:7: years[0].off[3]: a day as MM-DD",
        "bad.yaml:7: years[0].off[4]: 01-01 is listed twice",
        "bad.yaml:7: years[0].off[5]: 05-02 is a Sat, which is off anyway",
        "bad.yaml:8: years[0].worked[0]: 01-05 is a Mon, which is worked anyway",
        "bad.yaml:9: years[1].year: stands twice",
        "years[1].worked: ", "bad.yaml:12: years[1].work: "})
    EXPECT_THAT(told, HasSubstr(line));
}

TEST(WorkingDaysTest, TheDocumentedOneIsRead) {
  const auto days = WorkingDays::Parse(identity::DocumentedYaml("calendar"), "yaml.md");
  ASSERT_TRUE(days.ok()) << days.status();
  EXPECT_EQ(days->name(), "cn");
  EXPECT_TRUE(*days->IsWorkingDay(Day("2026-02-14")));
}

TEST(WorkingDaysTest, YearsBehindAGapAreNotCountedOn) {
  const auto days = WorkingDays::Parse(
      "calendar: x\ntime_zone: \"+08:00\"\nweekend: [Sun]\nyears:\n"
      "  - {year: 2024, source: s, off: [], worked: []}\n"
      "  - {year: 2026, source: s, off: [], worked: []}\n",
      "gap.yaml");
  ASSERT_TRUE(days.ok()) << days.status();
  EXPECT_EQ(days->last_year(), 2024);
  EXPECT_FALSE(days->Add(Day("2024-12-31"), 1).ok());
  EXPECT_TRUE(*days->IsWorkingDay(Day("2026-01-03")));  // a Saturday
}

}  // namespace
}  // namespace sluice::sharing
