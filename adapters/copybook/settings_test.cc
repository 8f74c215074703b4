#include "adapters/copybook/settings.h"

#include "gateway/base/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice::adapters::copybook {
namespace {

using testing::HasSubstr;

Settings With(Settings more) {
  more.insert({{"file", "/srv/a.dat"}, {"copybook", "/srv/a.cob"}, {"encoding", "cp037"}});
  return more;
}

TEST(CopybookSettingsTest, DefaultsAreAMainframes) {
  const auto parsed = ParseSettings(With({}));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  const CopybookSettings& format = parsed->format;
  EXPECT_EQ(format.records.format, RecordFormat::kFixed);
  EXPECT_TRUE(format.records.rdw.counts_itself && !format.records.rdw.little);
  EXPECT_TRUE(format.variable_occurs && format.low_values_null && format.blank_numbers_null);
  EXPECT_FALSE(format.comp_little || format.native_little || format.relaxed || format.underscores);
  EXPECT_EQ(format.floats, FloatForm::kIbm);
  EXPECT_EQ(format.trim, Trim::kRight);
  EXPECT_TRUE(format.page->ebcdic() && format.page->single_byte());
}

TEST(CopybookSettingsTest, NamesEveryMistakeAtOnce) {
  const Settings wrong = {{"copybook", "a.cob"},
                          {"encoding", "cp99999"},
                          {"record_format", "vb"},
                          {"copybook_format", "loose"},
                          {"trim", "yes"},
                          {"float_format", "vax"},
                          {"binary_sizes", "8"},
                          {"digits", "any"},
                          {"occurs", "rows"},
                          {"redefines.A", "B"},
                          {"null_if.A", "=1"},
                          {"length_of.A", ""},
                          {"rows", ""},
                          {"segment.a/b", "1"},
                          {"binary_format", "octal"},
                          {"skip_records", "-1"},
                          {"separator", "comma"},
                          {"leave_out", "\"a"}};
  const absl::Status status = ParseSettings(wrong).status();
  EXPECT_EQ(ReasonOf(status), v1::REASON_DEFINITION_INVALID);
  for (const auto& [name, value] : wrong)
    EXPECT_THAT(std::string(status.message()), HasSubstr("'" + name + "'"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("'file' is missing"));
}

TEST(CopybookSettingsTest, SettingsThatDoNotGoTogetherAreMistakes) {
  for (const Settings& wrong :
       {Settings{{"rdw_order", "big"}}, Settings{{"record_format", "rdw"}, {"record_length", "5"}},
        Settings{{"bdw_order", "big"}, {"record_format", "rdw"}}, Settings{{"length_field", "A"}},
        Settings{{"record_format", "length_field"}}, Settings{{"last_line_end", "optional"}},
        Settings{{"record_format", "lines"}}, Settings{{"segment.A", "1"}},
        Settings{{"segment_field", "A"}}, Settings{{"other_segments", "skip"}},
        Settings{{"segment_field", "A"}, {"segment_group.X", "G"}},
        Settings{{"record_format", "counted"}, {"depending_on", "fixed"}},
        Settings{{"record_format", "blocked"}, {"skip_records", "1"}},
        Settings{{"record_format", "rdw"}, {"skip_last_records", "1"}}})
    EXPECT_EQ(ReasonOf(ParseSettings(With(wrong)).status()), v1::REASON_DEFINITION_INVALID)
        << wrong.begin()->first;
}

TEST(CopybookSettingsTest, WhatIsNeededIsNeeded) {
  const absl::Status status = ParseSettings({{"file", "/srv/a.dat"}}).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("'copybook' is missing"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("'encoding' is missing"));
}

TEST(CopybookSettingsTest, AnyCodePageOfSingleDigitsIsTaken) {
  for (const char* name : {"cp037", "ibm-273", "IBM1047", "cp500", "cp935", "ibm-1388", "gb18030",
                           "us-ascii", "utf-8", "windows-1252", "Shift_JIS"})
    EXPECT_TRUE(files::CodePage::Of(name).ok()) << name;
  for (const char* name :
       {"", "utf-16", "utf-16le", "../x", "/etc/passwd", "no such page", "utf-32"})
    EXPECT_FALSE(files::CodePage::Of(name).ok()) << name;
}

TEST(CopybookSettingsTest, TheNarrowestHoldsForATable) {
  const auto parsed = ParseSettings(
      With({{"rows", "A"}, {"rows.t", "B"}, {"rows.t/x", "C"}, {"occurs.t", "columns"}}));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->format.ForTable("rows", "t", "t/x"), "C");
  EXPECT_EQ(parsed->format.ForTable("rows", "t", "t/y"), "B");
  EXPECT_EQ(parsed->format.ForTable("rows", "u", "u"), "A");
  EXPECT_EQ(parsed->format.ForTable("occurs", "u", "u"), "");
}

}  // namespace
}  // namespace sluice::adapters::copybook
