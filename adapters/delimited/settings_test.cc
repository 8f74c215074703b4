#include "adapters/delimited/settings.h"

#include "gateway/base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice::adapters::delimited {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(SettingsTest, DefaultsAreStrict) {
  const auto settings = ParseSettings({{"folder", "/srv/drop"}});
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->format.dialect.separator, ',');
  EXPECT_EQ(settings->format.dialect.quote, '"');
  EXPECT_TRUE(settings->format.dialect.needs_last_line_end);
  EXPECT_FALSE(settings->format.dialect.stray_quotes || settings->format.dialect.backslash ||
               settings->format.dialect.skips_blank_lines ||
               settings->format.dialect.drops_trailing_separator);
  EXPECT_TRUE(settings->format.nulls.empty);
  EXPECT_FALSE(settings->format.nulls.quoted_empty);
}

TEST(SettingsTest, WhatIsSaidOfAColumnIsTheNarrowest) {
  const auto settings = ParseSettings({{"folder", "/srv/drop"},
                                       {"date_format", "yyyyMMdd"},
                                       {"date_format.born", "dd.MM.yyyy"},
                                       {"date_format.people/born", "yyyy-MM-dd"},
                                       {"type.id", "int64"},
                                       {"key.people", "area,\"a,b\""},
                                       {"bool_words.alive", "Y,N"}});
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_TRUE(settings->format.rules.RuleOf("people", "born").date->Days("2026-11-24"));
  EXPECT_TRUE(settings->format.rules.RuleOf("others", "born").date->Days("24.11.2026"));
  EXPECT_TRUE(settings->format.rules.RuleOf("people", "died").date->Days("20261124"));
  EXPECT_EQ(settings->format.rules.RuleOf("people", "alive").true_word, "Y");
  EXPECT_EQ(settings->format.rules.TypeOf("people", "id")->id, records::TypeId::kInt64);
  EXPECT_FALSE(settings->format.rules.TypeOf("people", "name"));
  EXPECT_THAT(settings->files.KeyOf("people"), ElementsAre("area", "a,b"));
  EXPECT_TRUE(settings->files.KeyOf("others").empty());
}

TEST(SettingsTest, NamesEveryMistakeAtOnce) {
  const Settings wrong = {{"path", "/x"},         {"separator", "ab"}, {"quote", "`"},
                          {"encoding", "ebcdic"}, {"header", "maybe"}, {"skip_lines", "-1"},
                          {"type.id", "integer"}, {"type", "int64"},   {"date_format.born", "yy"},
                          {"work_folder", "tmp"}, {"escape", "both"},  {"null_words", "\"a"}};
  const absl::Status status = ParseSettings(wrong).status();
  EXPECT_EQ(ReasonOf(status), v1::REASON_DEFINITION_INVALID);
  EXPECT_EQ(BadRequestOf(status)->field_violations_size(), static_cast<int>(wrong.size()) + 1);
  for (const auto& [name, value] : wrong)
    EXPECT_THAT(std::string(status.message()), HasSubstr("'" + name + "'"));
}

TEST(SettingsTest, SettingsThatContradictEachOtherAreMistakes) {
  for (const Settings& wrong :
       {Settings{{"file", "/a.csv"}, {"folder", "/b"}},
        Settings{{"file", "/a"}, {"suffix", ".csv"}}, Settings{{"file", "/a"}, {"columns", "a,b"}},
        Settings{{"file", "/a"}, {"quote", "single"}, {"separator", "'"}},
        Settings{{"file", "/a"}, {"quote", "none"}, {"stray_quotes", "keep"}},
        Settings{{"file", "/a"}, {"header", "no"}, {"columns", "a,a"}}})
    EXPECT_FALSE(ParseSettings(wrong).ok()) << wrong.rbegin()->first;
}

TEST(SettingsTest, PathsAreAbsoluteAndNeverLeadUp) {
  for (const char* path : {"", "drop", "../drop", "/srv/../etc", "/srv/.."})
    EXPECT_FALSE(ParseSettings({{"folder", path}}).ok()) << path;
  EXPECT_FALSE(ParseSettings({{"file", std::string("/a\0b", 4)}}).ok());
  EXPECT_TRUE(ParseSettings({{"folder", "/srv/..drop"}}).ok());
}

}  // namespace
}  // namespace sluice::adapters::delimited
