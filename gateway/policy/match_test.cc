#include "gateway/policy/match.h"

#include <gtest/gtest.h>

#include "gateway/policy/conditions.h"

namespace sluice::policy {
namespace {

struct Written {
  v1::MatchRule rule;
  const char* named;
  const char* stored;
  bool same;
};

TEST(MatchRules, WhatMeansTheSameIsTheSame) {
  const Written rows[] = {
      // Width, spaces, case, dots, simplified and traditional.
      {v1::MATCH_RULE_NAME, "王小明", " 王 小　明 ", true},
      {v1::MATCH_RULE_NAME, "Ａｎｎ Ｌｅｅ", "ann lee", true},
      {v1::MATCH_RULE_NAME, "劉國強", "刘国强", true},
      {v1::MATCH_RULE_NAME, "阿布都·卡德尔", "阿布都•卡德尔", true},
      {v1::MATCH_RULE_NAME, "阿布都・卡德尔", "阿布都.卡德尔", true},
      {v1::MATCH_RULE_NAME, "Ｍüller", "mu\xcc\x88ller", true},
      {v1::MATCH_RULE_NAME, "王小明", "王小鸣", false},
      {v1::MATCH_RULE_NAME, "Ann Lee", "Lee Ann", false},
      // Case of the check character, 15 and 18 characters, spaces.
      {v1::MATCH_RULE_ID_NUMBER, "11010519491231002X", "11010519491231002x", true},
      {v1::MATCH_RULE_ID_NUMBER, "11010519491231002X", "110105491231002", true},
      {v1::MATCH_RULE_ID_NUMBER, "11010519491231002X", "110105 19491231 002X", true},
      {v1::MATCH_RULE_ID_NUMBER, "11010519491231002X", "110105194912310038", false},
      {v1::MATCH_RULE_DATE, "1990-01-02", "1990年1月2日", true},
      {v1::MATCH_RULE_DATE, "19900102", "1990/1/2", true},
      {v1::MATCH_RULE_DATE, "１９９０．０１．０２", "1990-01-02", true},
      {v1::MATCH_RULE_DATE, "1990-01-02", "1990-02-01", false},
      {v1::MATCH_RULE_PHONE, "138-0013 8000", "+86 13800138000", true},
      {v1::MATCH_RULE_PHONE, "8613800138000", "(0086)13800138000", true},
      {v1::MATCH_RULE_PHONE, "010-88886666", "01088886666", true},
      {v1::MATCH_RULE_PHONE, "13800138000", "13800138001", false},
      {v1::MATCH_RULE_EXACT, "a", "A", false},
  };
  for (const Written& row : rows) {
    const Comparable named = MakeComparable(row.rule, row.named);
    const Comparable stored = MakeComparable(row.rule, row.stored);
    EXPECT_TRUE(named.valid) << row.named;
    EXPECT_EQ(named.text == stored.text, row.same) << row.named << " and " << row.stored;
  }
}

TEST(MatchRules, WhatIsNoneOfItsKindIsSaidToBe) {
  const std::pair<v1::MatchRule, const char*> rows[] = {
      {v1::MATCH_RULE_ID_NUMBER, "110105194912310021"},
      {v1::MATCH_RULE_ID_NUMBER, "1101051949"},
      {v1::MATCH_RULE_ID_NUMBER, "11010519491331002X"},
      {v1::MATCH_RULE_DATE, "1990-02-30"},
      {v1::MATCH_RULE_DATE, "90-01-02"},
      {v1::MATCH_RULE_DATE, "born 1990-01-02"},
      {v1::MATCH_RULE_DATE, "1990"},
      {v1::MATCH_RULE_PHONE, "1380"},
      {v1::MATCH_RULE_PHONE, "call 13800138000"},
      {v1::MATCH_RULE_NAME, " \xe3\x80\x80"},
  };
  for (const auto& [rule, text] : rows) EXPECT_FALSE(MakeComparable(rule, text).valid) << text;
}

TEST(MatchRules, FitTheirTypes) {
  const records::DataType text, day{.id = records::TypeId::kDate32},
      number{.id = records::TypeId::kInt64}, real{.id = records::TypeId::kFloat64};
  EXPECT_TRUE(RuleFits(v1::MATCH_RULE_NAME, false, text));
  EXPECT_FALSE(RuleFits(v1::MATCH_RULE_NAME, true, text)) << "a name finds nobody";
  EXPECT_TRUE(RuleFits(v1::MATCH_RULE_ID_NUMBER, true, text));
  EXPECT_FALSE(RuleFits(v1::MATCH_RULE_ID_NUMBER, true, number));
  EXPECT_TRUE(RuleFits(v1::MATCH_RULE_DATE, false, day));
  EXPECT_FALSE(RuleFits(v1::MATCH_RULE_DATE, true, day));
  EXPECT_TRUE(RuleFits(v1::MATCH_RULE_EXACT, true, number));
  EXPECT_FALSE(RuleFits(v1::MATCH_RULE_EXACT, false, real));
}

TEST(Conditions, NetworksHoldTheirAddressesAndNoOthers) {
  struct Held {
    const char *network, *peer;
    bool held;
  };
  const Held rows[] = {
      {"10.2.0.0/16", "ipv4:10.2.255.7:41522", true},
      {"10.2.0.0/16", "ipv4:10.3.0.1:41522", false},
      {"10.2.128.0/17", "ipv4:10.2.127.255:1", false},
      {"10.2.3.4", "ipv4:10.2.3.4:1", true},
      {"10.2.3.4", "ipv4:10.2.3.5:1", false},
      {"0.0.0.0/0", "ipv4:203.0.113.9:1", true},
      {"0.0.0.0/0", "ipv6:%5B2001:db8::1%5D:1", false},
      {"2001:db8::/32", "ipv6:%5B2001:db8:ffff::1%5D:41522", true},
      {"2001:db8::/32", "ipv6:[2001:db9::1]:41522", false},
      {"10.2.0.0/16", "ipv6:%5B::ffff:10.2.9.9%5D:41522", true},
      {"10.2.0.0/16", "ipv6:%5B::ffff:10.9.9.9%5D:41522", false},
      {"10.2.0.0/16", "unix:/run/socket", false},
      {"10.2.0.0/16", "", false},
  };
  for (const Held& row : rows) {
    const auto network = Network::Parse(row.network);
    ASSERT_TRUE(network.ok()) << row.network;
    EXPECT_EQ(network->Holds(row.peer), row.held) << row.network << " " << row.peer;
  }
  for (const char* wrong : {"", "10.2.0.0/33", "10.2.3.4/16", "10.2/16", "2001:db8::/129", "x/8",
                            "2001:db8::1/32", "10.2.0.0/-1", "10.2.0.0/"})
    EXPECT_FALSE(Network::Parse(wrong).ok()) << wrong;
}

TEST(Conditions, HoursAreThoseOfTheirPlace) {
  v1::Conditions definition;
  definition.add_hours("Mon-Fri 08:00-18:00");
  definition.set_time_zone("+08:00");
  const auto conditions = Conditions::Make(definition);
  ASSERT_TRUE(conditions.ok()) << conditions.status();
  constexpr Micros kMonday = 1'764'000'000 / 86'400 * kDay;  // 2025-11-24, 00:00 UTC
  EXPECT_TRUE(conditions->AnswersAt(kMonday));               // 08:00 in Beijing
  EXPECT_FALSE(conditions->AnswersAt(kMonday - 1));
  EXPECT_TRUE(conditions->AnswersAt(kMonday + 10 * kHour - 1));
  EXPECT_FALSE(conditions->AnswersAt(kMonday + 10 * kHour));
  EXPECT_FALSE(conditions->AnswersAt(kMonday + 5 * kDay)) << "a Saturday";
  EXPECT_TRUE(Conditions().AnswersAt(kMonday + 5 * kDay));
}

}  // namespace
}  // namespace sluice::policy
