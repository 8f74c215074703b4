// Records of fixed width: how a layout is written, where records end, what a field's text becomes.
#include "adapters/fixed/fixed_adapter.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "adapters/files/files_testing.h"
#include "gateway/base/error.h"
#include "gateway/base/fake_clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice::adapters::fixed {
namespace {

using files::Encoded;
using files::Encoding;
using files::TestFolder;
using records::TypeId;
using testing::ElementsAre;
using testing::HasSubstr;

using Texts = std::vector<std::vector<std::string>>;

class FixedAdapterTest : public testing::Test {
 protected:
  struct Outcome {
    Texts rows;
    absl::Status status;
  };
  // Every value as text, "∅" for null; `types` by column, utf8 where there are fewer.
  Outcome Scan(Settings settings, const std::vector<std::string>& columns,
               const std::vector<records::DataType>& types = {}) {
    settings.insert({{"folder", folder_.path()}, {"work_folder", folder_.path()}});
    const auto adapter = OpenFixed(settings);
    if (!adapter.ok()) return {{}, adapter.status()};
    ScanRequest request;
    request.table = "t";
    for (size_t i = 0; i < columns.size(); ++i)
      request.fields.push_back(
          {columns[i],
           {columns[i], i < types.size() ? types[i] : records::DataType{TypeId::kUtf8}}});
    const files::Scanned scanned = files::ScanShown(**adapter, request);
    Outcome outcome{{}, scanned.status};
    for (const std::string& row : scanned.rows) outcome.rows.push_back(absl::StrSplit(row, '|'));
    return outcome;
  }

  TestFolder folder_;
  FakeClock clock_;
};

TEST_F(FixedAdapterTest, ColumnsAreCutByWidthsOrByPlaces) {
  folder_.Write("t.txt", "001Anna  xxN\n002Li    yyS\n");
  const Texts expected = {{"001", "Anna", "N"}, {"002", "Li", "S"}};
  EXPECT_EQ(Scan({{"layout", "code:3,name:6,-:2,side:1"}}, {"code", "name", "side"}).rows,
            expected);
  EXPECT_EQ(Scan({{"layout", "code:1-3,name:4-9,side:12-12"}}, {"code", "name", "side"}).rows,
            expected);
  EXPECT_EQ(Scan({{"layout.t", "code:3\nname:6\r\n-:2\nside:1\n"}}, {"code", "name", "side"}).rows,
            expected);
}

TEST_F(FixedAdapterTest, MistakesInALayoutAreNamedByEntry) {
  const auto mistake = [](const std::string& layout) {
    return std::string(CheckFixedSettings({{"folder", "/srv"}, {"layout", layout}}).message());
  };
  EXPECT_THAT(mistake("code"), HasSubstr("entry 1: must be NAME:WIDTH or NAME:FIRST-LAST"));
  EXPECT_THAT(mistake("code:3,name:0"), HasSubstr("entry 2: the width must be"));
  EXPECT_THAT(mistake("code:9-3"), HasSubstr("counted from 1"));
  EXPECT_THAT(mistake("a:1,a:2"), HasSubstr("'a' stands there twice"));
  EXPECT_THAT(mistake("-:3"), HasSubstr("must name a column"));
  EXPECT_THAT(mistake(""), HasSubstr("must be a list"));
  EXPECT_THAT(mistake("a:99999999999999999999"), HasSubstr("the width must be"));
  EXPECT_THAT(std::string(CheckFixedSettings({{"folder", "/srv"}}).message()),
              HasSubstr("setting 'layout' is missing"));
}

TEST_F(FixedAdapterTest, EveryMistakeInTheSettingsIsNamedAtOnce) {
  const absl::Status status = CheckFixedSettings({{"file", "relative"},
                                                  {"layout", "a:1"},
                                                  {"encoding", "klingon"},
                                                  {"pad", "··"},
                                                  {"trim", "middle"},
                                                  {"record_end", "none"},
                                                  {"widths", "characters"},
                                                  {"skip_lines", "1"},
                                                  {"leading_zeros.a", "perhaps"},
                                                  {"colour", "red"}});
  EXPECT_EQ(ReasonOf(status), v1::REASON_DEFINITION_INVALID);
  for (const char* name :
       {"file", "encoding", "pad", "trim", "widths", "skip_lines", "leading_zeros.a", "colour"})
    EXPECT_THAT(std::string(status.message()), HasSubstr(absl::StrCat("setting '", name, "'")));
}

TEST_F(FixedAdapterTest, WidthsCountBytesOrCharacters) {
  folder_.Write("t.txt", Encoded("1王小明    北京\n2𠮷\n", Encoding::kGb18030));
  const Settings settings = {{"encoding", "gb18030"}, {"short_records", "pad"}};
  Settings bytes = settings, characters = settings;
  bytes["layout"] = "n:1,name:10,city:4";
  EXPECT_EQ(Scan(bytes, {"n", "name", "city"}).rows,
            (Texts{{"1", "王小明", "北京"}, {"2", "𠮷", "∅"}}));
  characters["layout"] = "n:1,name:7,city:2";
  characters["widths"] = "characters";
  EXPECT_EQ(Scan(characters, {"n", "name", "city"}).rows,
            (Texts{{"1", "王小明", "北京"}, {"2", "𠮷", "∅"}}));
}

TEST_F(FixedAdapterTest, ACharacterThatAWidthCutsIsABadValueAndNoQuestionMark) {
  folder_.Write("t.txt", Encoded("王小明\n", Encoding::kGbk));
  const Outcome outcome = Scan({{"encoding", "gbk"}, {"layout", "a:3,b:3"}}, {"a"});
  EXPECT_EQ(ReasonOf(outcome.status), v1::REASON_SOURCE_BAD_VALUE);
  EXPECT_THAT(std::string(outcome.status.message()),
              HasSubstr("record 1, column 'a': bytes that mean nothing in the file's encoding"));
}

TEST_F(FixedAdapterTest, AnyCodePageThatIcuKnows) {
  // "Ж1" in cp866; "Äé€" in windows-1252.
  folder_.Write("t.txt", "\x86\x31 7\n");
  EXPECT_EQ(Scan({{"layout", "a:3,n:1"}, {"encoding", "cp866"}}, {"a", "n"},
                 {{TypeId::kUtf8}, {TypeId::kInt64}})
                .rows,
            (Texts{{"Ж1", "7"}}));
  folder_.Write("t.txt", "\xC4\xE9\x80\n");
  EXPECT_EQ(Scan({{"layout", "a:2,b:1"}, {"encoding", "windows-1252"}, {"widths", "characters"}},
                 {"a", "b"})
                .rows,
            (Texts{{"Äé", "€"}}));
  // 日本 and half a character, in Shift_JIS: one that a width cuts is bad, one that counts is one.
  folder_.Write("t.txt", "\x93\xFA\x96\x7Bx\n");
  const Settings japanese = {{"layout", "a:1,b:1,c:1"}, {"encoding", "shift_jis"}};
  Settings by_character = japanese;
  by_character["widths"] = "characters";
  EXPECT_EQ(Scan(by_character, {"a", "b", "c"}).rows, (Texts{{"日", "本", "x"}}));
  folder_.Write("t.txt", "\x93\xFAx\n");
  EXPECT_EQ(ReasonOf(Scan(japanese, {"a"}).status), v1::REASON_SOURCE_BAD_VALUE);

  // Chinese EBCDIC with shifts, records one behind the other and with its next line.
  const std::string record = "\xC1\xF1\x0E\x59\xBA\x0F\x40\x40";
  folder_.Write("t.txt", record + record);
  const Settings ebcdic = {{"layout", "a:2,b:6"}, {"encoding", "ibm-1388"}, {"record_end", "none"}};
  const Outcome chinese = Scan(ebcdic, {"a", "b"});
  EXPECT_EQ(chinese.rows, (Texts{{"A1", "一"}, {"A1", "一"}})) << chinese.status;
  folder_.Write("t.txt", record + "\x15" + record + "\x15");
  Settings lines = ebcdic;
  lines["record_end"] = "nel";
  EXPECT_EQ(Scan(lines, {"a"}).rows, (Texts{{"A1"}, {"A1"}}));

  const auto mistake = [](const Settings& settings) {
    Settings all = settings;
    all.insert({{"folder", "/srv"}, {"layout", "a:1"}});
    return std::string(CheckFixedSettings(all).message());
  };
  EXPECT_THAT(mistake({{"encoding", "cp037"}}), HasSubstr("'record_end' is missing: in EBCDIC"));
  EXPECT_THAT(mistake({{"encoding", "cp866"}, {"record_end", "nel"}}),
              HasSubstr("nel is EBCDIC's"));
  EXPECT_THAT(mistake({{"encoding", "ibm-1388"}, {"record_end", "none"}, {"widths", "characters"}}),
              HasSubstr("shifts"));
  EXPECT_THAT(
      mistake({{"encoding", "shift_jis"}, {"record_end", "none"}, {"widths", "characters"}}),
      HasSubstr("no common length"));
}

TEST_F(FixedAdapterTest, RecordsOfTheWrongWidthAreNamedByNumberAndByte) {
  folder_.Write("t.txt", "abc\nab\nabc\n");
  const Outcome outcome = Scan({{"layout", "a:3"}}, {"a"});
  EXPECT_EQ(ReasonOf(outcome.status), v1::REASON_SOURCE_BAD_VALUE);
  EXPECT_THAT(std::string(outcome.status.message()),
              HasSubstr("record 2: it has 2 bytes, and the layout 3"));
  EXPECT_EQ(ErrorInfoOf(outcome.status)->metadata().at("offset"), "4");
  EXPECT_THAT(std::string(Scan({{"layout", "a:2"}}, {"a"}).status.message()),
              HasSubstr("record 1: it has 3 bytes, and the layout 2"));
}

TEST_F(FixedAdapterTest, RecordsWithoutEndsAreCutByTheirLength) {
  folder_.Write("t.txt", "ab1cd2ef3");
  EXPECT_EQ(Scan({{"layout", "a:2,b:1"}, {"record_end", "none"}}, {"a", "b"}).rows,
            (Texts{{"ab", "1"}, {"cd", "2"}, {"ef", "3"}}));
  const Outcome wrong = Scan({{"layout", "a:2,b:2"}, {"record_end", "none"}}, {"a"});
  EXPECT_EQ(ReasonOf(wrong.status), v1::REASON_SOURCE_BAD_VALUE);
  EXPECT_THAT(std::string(wrong.status.message()), HasSubstr("the file ends within it: 1 of 4"));
}

TEST_F(FixedAdapterTest, LineEndsAreTheOnesThatAreSaid) {
  folder_.Write("t.txt", "ab\r\ncd\n");
  EXPECT_EQ(Scan({{"layout", "a:2"}}, {"a"}).rows, (Texts{{"ab"}, {"cd"}}));
  EXPECT_THAT(
      std::string(Scan({{"layout", "a:2"}, {"record_end", "crlf"}}, {"a"}).status.message()),
      HasSubstr("record 2: it ends in LF alone"));
  EXPECT_THAT(std::string(Scan({{"layout", "a:2"}, {"record_end", "lf"}}, {"a"}).status.message()),
              HasSubstr("record 1: it has 3 bytes"));
  folder_.Write("t.txt", "ab\ncd");
  EXPECT_THAT(std::string(Scan({{"layout", "a:2"}}, {"a"}).status.message()),
              HasSubstr("may have been cut short"));
  EXPECT_EQ(Scan({{"layout", "a:2"}, {"last_record_end", "optional"}}, {"a"}).rows,
            (Texts{{"ab"}, {"cd"}}));
  // As programs under DOS end a file.
  folder_.Write("t.txt", "ab\r\n\x1A");
  EXPECT_EQ(Scan({{"layout", "a:2"}}, {"a"}).rows, (Texts{{"ab"}}));
}

TEST_F(FixedAdapterTest, LinesOfTitleAreSkipped) {
  folder_.Write("t.txt", "EXTRACT OF 2026-11-01, of any width\n\nab\n");
  EXPECT_EQ(Scan({{"layout", "a:2"}, {"skip_lines", "2"}}, {"a"}).rows, (Texts{{"ab"}}));
  EXPECT_THAT(std::string(Scan({{"layout", "a:2"}, {"skip_lines", "4"}}, {"a"}).status.message()),
              HasSubstr("ends before its first record"));
}

TEST_F(FixedAdapterTest, FillingIsTakenAwayAsIsSaid) {
  folder_.Write("t.txt", " a \n   \n");
  EXPECT_EQ(Scan({{"layout", "a:3"}}, {"a"}).rows, (Texts{{" a"}, {"∅"}}));
  EXPECT_EQ(Scan({{"layout", "a:3"}, {"trim", "both"}}, {"a"}).rows, (Texts{{"a"}, {"∅"}}));
  EXPECT_EQ(Scan({{"layout", "a:3"}, {"trim", "none"}}, {"a"}).rows, (Texts{{" a "}, {"∅"}}));
  EXPECT_EQ(Scan({{"layout", "a:3"}, {"blank", "text"}}, {"a"}).rows, (Texts{{" a"}, {""}}));
  folder_.Write("t.txt", std::string("a\0\0\n*N*\n", 8));
  EXPECT_EQ(Scan({{"layout", "a:3"}, {"pad", "0x00"}, {"null_words", "*N*"}}, {"a"}).rows,
            (Texts{{"a"}, {"∅"}}));
}

TEST_F(FixedAdapterTest, NumbersAreExactAndZerosInFrontAreNotLostUnasked) {
  folder_.Write("t.txt", "000123   -5\n  1234-0012\n");
  const std::vector<records::DataType> types = {{TypeId::kInt64}, {TypeId::kDecimal128, 38, 2}};
  const Settings settings = {{"layout", "a:6,b:5"}, {"implied_decimals.b", "2"}};
  const Outcome refused = Scan(settings, {"a", "b"}, types);
  EXPECT_THAT(std::string(refused.status.message()),
              HasSubstr("record 1, column 'a': not a int64"));
  Settings dropping = settings;
  dropping["leading_zeros"] = "drop";
  EXPECT_EQ(Scan(dropping, {"a", "b"}, types).rows, (Texts{{"123", "-0.05"}, {"1234", "-0.12"}}));
  folder_.Write("t.txt", "000001 1.25\n");
  EXPECT_THAT(std::string(Scan(dropping, {"a", "b"}, {{TypeId::kUtf8}, {TypeId::kDecimal128, 9, 2}})
                              .status.message()),
              HasSubstr("a point where implied_decimals says there is none"));
  folder_.Write("t.txt", "99999999999999999999999999999999999999\n");
  EXPECT_EQ(Scan({{"layout", "n:38"}}, {"n"}, {{TypeId::kDecimal128, 38, 0}}).rows,
            (Texts{{std::string(38, '9')}}));
}

TEST_F(FixedAdapterTest, DescribeSaysWhereColumnsStand) {
  folder_.Write("t.txt", "001Anna\n");
  const auto adapter = OpenFixed({{"folder", folder_.path()},
                                  {"layout", "code:3,name:4"},
                                  {"type.code", "int64"},
                                  {"key", "code"}});
  ASSERT_TRUE(adapter.ok()) << adapter.status();
  const auto described = (*adapter)->Describe("t", {&clock_, 0, nullptr});
  ASSERT_TRUE(described.ok()) << described.status();
  ASSERT_EQ((*described)[0].columns.size(), 2U);
  EXPECT_EQ((*described)[0].columns[1].source_type, "4-7");
  EXPECT_EQ((*described)[0].columns[0].type.id, TypeId::kInt64);
  EXPECT_THAT((*described)[0].unique_keys[0], ElementsAre("code"));
  EXPECT_TRUE(absl::IsNotFound((*adapter)->Describe("t/part", {&clock_, 0, nullptr}).status()));
}

// 2,978 areas of China in GBK are row for row those in UTF-8.
TEST_F(FixedAdapterTest, PublishedRegionsAreWhatTheyAreInUtf8) {
  const char* const cases = std::getenv("SLUICE_CASES");
  const std::string regions =
      absl::StrCat(cases != nullptr ? cases : SLUICE_CASES_DEFAULT, "/regions");
  if (!std::filesystem::exists(regions)) GTEST_SKIP() << "no regions under " << regions;
  std::filesystem::copy_file(regions + "/areas-fixed-gbk.txt", folder_.PathOf("t.txt"));
  const Outcome outcome = Scan({{"layout", "code:1-6,name:7-36,city:37-40,province:41-42"},
                                {"encoding", "gbk"},
                                {"record_end", "crlf"}},
                               {"code", "name", "city", "province"});
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  Texts expected;
  std::ifstream file(regions + "/areas.csv");
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::vector<std::string>& row = expected.emplace_back();
    for (absl::string_view value : absl::StrSplit(line, ',')) {
      if (absl::ConsumePrefix(&value, "\"")) value.remove_suffix(1);
      row.emplace_back(value);
    }
  }
  ASSERT_EQ(expected.size(), 2'978U);
  EXPECT_EQ(outcome.rows, expected);
}

}  // namespace
}  // namespace sluice::adapters::fixed
