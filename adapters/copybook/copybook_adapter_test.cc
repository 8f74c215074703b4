// Whole files: how records end, which rows and columns they give, and what is refused.
#include "adapters/copybook/copybook_adapter.h"

#include <functional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "adapters/files/files_testing.h"
#include "gateway/base/crypto.h"
#include "gateway/base/error.h"
#include "gateway/base/fake_clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice::adapters::copybook {
namespace {

using files::TestFolder;
using records::TypeId;
using testing::ElementsAre;
using testing::HasSubstr;

class CopybookAdapterTest : public testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<Adapter>> TryOpen(const std::string& copybook, Settings settings) {
    beside_.Write("t.cob", copybook);
    settings.insert({{"folder", folder_.path()},
                     {"work_folder", beside_.path()},
                     {"copybook", beside_.PathOf("t.cob")},
                     {"copybook_format", "free"},
                     {"encoding", "us-ascii"}});
    return OpenCopybook(settings);
  }
  struct Outcome {
    std::vector<std::string> columns, types;
    std::vector<std::string> rows;  // values joined by bars, "∅" for null
    int64_t bad = 0;
    absl::Status status;
    std::string version;
  };
  // All columns as described, or as `types` say; in the order of `key` where it is given.
  Outcome Read(Adapter& adapter, const std::string& table = "t",
               const std::map<std::string, std::string>& types = {},
               OnBadValue on_bad = OnBadValue::kStop, const std::string& key = "") {
    Outcome outcome;
    const CallContext context{&clock_, 0, nullptr};
    const auto described = adapter.Describe(table, context);
    outcome.status = described.status();
    if (!described.ok()) return outcome;
    ScanRequest request;
    request.table = table;
    request.on_bad_value = on_bad;
    for (const ColumnDescription& column : (*described)[0].columns) {
      const auto type = types.find(column.name);
      records::Field field = {column.name, column.type, true};
      if (type != types.end()) field.type = *records::ParseDataType(type->second);
      if (column.name == key) request.key = {static_cast<int>(request.fields.size())};
      request.fields.push_back({column.name, field});
      outcome.columns.push_back(column.name);
      outcome.types.push_back(records::ToString(column.type));
    }
    const files::Scanned scanned = files::ScanShown(adapter, request);
    outcome.rows = scanned.rows;
    outcome.status = scanned.status;
    outcome.version = scanned.version.version;
    outcome.bad = scanned.bad_values;
    return outcome;
  }
  Outcome ReadFile(const std::string& copybook, const std::string& bytes, const Settings& settings,
                   const std::map<std::string, std::string>& types = {},
                   OnBadValue on_bad = OnBadValue::kStop) {
    folder_.Write("t.dat", bytes);
    auto adapter = TryOpen(copybook, settings);
    Outcome outcome;
    outcome.status = adapter.status();
    return adapter.ok() ? Read(**adapter, "t", types, on_bad) : outcome;
  }
  std::string Refusal(const std::string& copybook, const std::string& bytes,
                      const Settings& settings) {
    const Outcome outcome = ReadFile(copybook, bytes, settings);
    EXPECT_FALSE(outcome.status.ok()) << absl::StrJoin(outcome.rows, "\n");
    return absl::StrCat(v1::Reason_Name(ReasonOf(outcome.status)), " ", outcome.status.message());
  }

  TestFolder folder_, beside_;
  FakeClock clock_;
};

constexpr char kAb[] = "01 R.\n 05 A PIC X(3).\n 05 B PIC 9(2).\n";

TEST_F(CopybookAdapterTest, FixedRecordsByTheCopybookOrByASetting) {
  EXPECT_THAT(ReadFile(kAb, "abc12de 34", {}).rows, ElementsAre("abc|12", "de|34"));
  EXPECT_THAT(ReadFile(kAb, "abc12..de 34..", {{"record_length", "7"}}).rows,
              ElementsAre("abc|12", "de|34"));
  EXPECT_THAT(ReadFile(kAb, "HEAD<abc12>\n<de 34>\n!",
                       {{"file_start_bytes", "4"},
                        {"file_end_bytes", "1"},
                        {"record_start_bytes", "1"},
                        {"record_end_bytes", "2"}})
                  .rows,
              ElementsAre("abc|12", "de|34"));
  EXPECT_THAT(
      ReadFile(kAb, "headsabc12de 34total", {{"skip_records", "1"}, {"skip_last_records", "1"}})
          .rows,
      ElementsAre("abc|12", "de|34"));
  EXPECT_TRUE(ReadFile(kAb, "", {}).rows.empty());
  EXPECT_THAT(Refusal(kAb, "abc12d", {}), HasSubstr("BAD_VALUE table 't': the file has 6 bytes"));
  EXPECT_THAT(Refusal(kAb, "abc12", {{"skip_records", "2"}}), HasSubstr("fewer records than"));
  EXPECT_THAT(Refusal(kAb, "abc12", {{"record_length", "4"}}), HasSubstr("leaves 4 bytes"));
}

std::string Rdw(const std::string& record, bool counts = true, bool little = false) {
  const size_t size = record.size() + (counts ? 4 : 0);
  const char low = static_cast<char>(size), high = static_cast<char>(size >> 8);
  const std::string word = little ? std::string("\0\0", 2) + low + high
                                  : std::string(1, high) + low + std::string("\0\0", 2);
  return word + record;
}

TEST_F(CopybookAdapterTest, DescriptorWordsOfRecordsAndBlocks) {
  const Settings rdw = {{"record_format", "rdw"}};
  EXPECT_THAT(ReadFile(kAb, Rdw("abc12") + Rdw("de 34"), rdw).rows, ElementsAre("abc|12", "de|34"));
  EXPECT_THAT(
      ReadFile(kAb, Rdw("abc12", false, true),
               {{"record_format", "rdw"}, {"rdw_order", "little"}, {"rdw_counts_itself", "no"}})
          .rows,
      ElementsAre("abc|12"));
  EXPECT_THAT(ReadFile(kAb, Rdw("abc12xx"), {{"record_format", "rdw"}, {"rdw_adjustment", "-2"}})
                  .status.message(),
              HasSubstr("descriptor word"));
  const std::string blocks = Rdw(Rdw("abc12") + Rdw("de 34")) + Rdw(Rdw("ghi56"));
  EXPECT_THAT(ReadFile(kAb, blocks, {{"record_format", "blocked"}}).rows,
              ElementsAre("abc|12", "de|34", "ghi|56"));
  EXPECT_THAT(
      ReadFile(kAb, Rdw("abc12de 34") + Rdw("ghi56"), {{"record_format", "fixed_blocked"}}).rows,
      ElementsAre("abc|12", "de|34", "ghi|56"));
  const std::string large = std::string("\x80\0\0\x0D", 4) + Rdw("abc12");
  EXPECT_THAT(ReadFile(kAb, large, {{"record_format", "blocked"}}).rows, ElementsAre("abc|12"));
}

TEST_F(CopybookAdapterTest, WrongDescriptorWordsAreErrorsWithARemedy) {
  const Settings rdw = {{"record_format", "rdw"}}, blocked = {{"record_format", "blocked"}};
  const std::string good = Rdw("abc12");
  EXPECT_THAT(Refusal(kAb, good + std::string("\0\0\0\0", 4), rdw),
              HasSubstr("record 2: the descriptor word of a record says no length"));
  EXPECT_THAT(Refusal(kAb,
                      good + std::string("\0\x09\0\x01"
                                         "abc12",
                                         9),
                      rdw),
              HasSubstr("reserved bytes that are not zero: look at rdw_order"));
  EXPECT_THAT(Refusal(kAb, good + "\x01", rdw), HasSubstr("ends within the descriptor word"));
  EXPECT_THAT(Refusal(kAb, Rdw("abc12").substr(0, 7), rdw), HasSubstr("3 are left of the file"));
  EXPECT_THAT(Refusal(kAb, Rdw("abc123"), rdw), HasSubstr("long_records"));
  EXPECT_THAT(Refusal(kAb, Rdw("abc1"), rdw), HasSubstr("short_records"));
  EXPECT_THAT(Refusal(kAb, Rdw("abc12", true, true), rdw), HasSubstr("rdw_order"));
  EXPECT_THAT(Refusal(kAb, Rdw("abc12", false), rdw), HasSubstr("record 1"));
  EXPECT_THAT(Refusal(kAb, Rdw(good) + "x", blocked), HasSubstr("descriptor word of a block"));
  EXPECT_THAT(Refusal(kAb, Rdw(good).substr(0, 10), blocked), HasSubstr("left of the file"));
  EXPECT_THAT(Refusal(kAb, Rdw(good.substr(0, 8)), blocked), HasSubstr("left of its block"));
  EXPECT_THAT(Refusal(kAb, Rdw("abc1"), {{"record_format", "fixed_blocked"}}),
              HasSubstr("no multiple"));
  EXPECT_THAT(
      ReadFile(kAb, Rdw("abc123") + Rdw("ab"),
               {{"record_format", "rdw"}, {"long_records", "cut"}, {"short_records", "null"}})
          .rows,
      ElementsAre("abc|12", "ab|∅"));
}

TEST_F(CopybookAdapterTest, LinesAndWhatTheyLack) {
  const Settings lines = {{"record_format", "lines"}};
  EXPECT_THAT(ReadFile(kAb, "abc12\nde 34\r\nfgh\nj\n\n", lines).rows,
              ElementsAre("abc|12", "de|34", "fgh|∅", "j|∅", "∅|∅"));
  EXPECT_THAT(Refusal(kAb, "abc12\nde 34", lines), HasSubstr("last_line_end"));
  EXPECT_THAT(
      ReadFile(kAb, "abc12\nde 34", {{"record_format", "lines"}, {"last_line_end", "optional"}})
          .rows,
      ElementsAre("abc|12", "de|34"));
  EXPECT_THAT(Refusal(kAb, "abc123\n", lines), HasSubstr("long_records"));
  EXPECT_THAT(Refusal(kAb, "abc12345678\n", lines), HasSubstr("a line of over 5 bytes"));
  EXPECT_THAT(Refusal("01 R.\n 05 A PIC 9(3) COMP-3.\n", "\n", lines),
              HasSubstr("DEFINITION_INVALID setting 'record_format' is lines"));
  EXPECT_THAT(
      ReadFile(kAb, "abc12345678\nde 34\n", {{"record_format", "lines"}, {"long_records", "cut"}})
          .rows,
      ElementsAre("abc|12", "de|34"));
}

constexpr char kCounted[] =
    "01 R.\n 05 N PIC 9.\n 05 T OCCURS 0 TO 3 DEPENDING ON N.\n  10 A PIC X.\n"
    "  10 B PIC 9 OCCURS 2.\n 05 Z PIC X(2).\n";

TEST_F(CopybookAdapterTest, CountsMoveWhatFollowsOrOnlySayWhatIsThere) {
  const Settings counted = {{"record_format", "counted"}};
  const Outcome moved = ReadFile(kCounted, "0yy2a12b34zz1c56ww", counted);
  EXPECT_THAT(moved.columns, ElementsAre("N", "A_1", "A_2", "A_3", "B_1_1", "B_1_2", "B_2_1",
                                         "B_2_2", "B_3_1", "B_3_2", "Z"));
  EXPECT_THAT(moved.rows, ElementsAre("0|∅|∅|∅|∅|∅|∅|∅|∅|∅|yy", "2|a|b|∅|1|2|3|4|∅|∅|zz",
                                      "1|c|∅|∅|5|6|∅|∅|∅|∅|ww"));
  const std::string still = "1a12b34c56zz";
  EXPECT_THAT(ReadFile(kCounted, still, {{"depending_on", "fixed"}}).rows,
              ElementsAre("1|a|∅|∅|1|2|∅|∅|∅|∅|zz"));
  EXPECT_THAT(ReadFile(kCounted, still, {{"depending_on", "fixed"}, {"occurs", "columns"}}).rows,
              ElementsAre("1|a|b|c|1|2|3|4|5|6|zz"));
  EXPECT_THAT(ReadFile(kCounted, Rdw("1c56ww"), {{"record_format", "rdw"}}).rows,
              ElementsAre("1|c|∅|∅|5|6|∅|∅|∅|∅|ww"));
  EXPECT_THAT(Refusal(kCounted, Rdw("1c56"), {{"record_format", "rdw"}}),
              HasSubstr("short_records"));
  EXPECT_THAT(Refusal(kCounted, Rdw("1c56wwx"), {{"record_format", "rdw"}}),
              HasSubstr("long_records"));
  EXPECT_THAT(Refusal(kCounted, "4yy", counted), HasSubstr("'N' is more than its OCCURS has"));
  EXPECT_THAT(Refusal(kCounted, "xyy", counted), HasSubstr("'N' is no number"));
  EXPECT_THAT(Refusal(kCounted, "2a12b", counted), HasSubstr("left of the file"));
  EXPECT_THAT(Refusal(kAb, "abc12", counted), HasSubstr("no OCCURS DEPENDING ON"));
  const Outcome bad = ReadFile(kCounted, "4a12b34c56zz", {{"depending_on", "fixed"}}, {},
                               OnBadValue::kNullAndCount);
  EXPECT_THAT(bad.rows, ElementsAre("4|∅|∅|∅|∅|∅|∅|∅|∅|∅|zz"));
  EXPECT_EQ(bad.bad, 9);
}

TEST_F(CopybookAdapterTest, OccurrencesAsRowsWithAKeyOfTheirOwn) {
  const Settings rows = {{"record_format", "counted"},
                         {"rows", "T"},
                         {"record_number", "REC"},
                         {"occurrence_number", "OCC"}};
  const Outcome read = ReadFile(kCounted, "2a12b34zz0yy1c56ww", rows);
  EXPECT_THAT(read.columns, ElementsAre("REC", "OCC", "N", "A", "B_1", "B_2", "Z"));
  EXPECT_THAT(read.rows, ElementsAre("1|1|2|a|1|2|zz", "1|2|2|b|3|4|zz", "3|1|1|c|5|6|ww"));
  auto adapter = TryOpen(kCounted, rows);
  const Outcome sorted = Read(**adapter, "t", {}, OnBadValue::kStop, "B_2");
  EXPECT_EQ(sorted.rows, read.rows);
  folder_.Write("t.dat", "2b34a12zz0yy1c56ww");
  EXPECT_THAT(Read(**adapter, "t", {}, OnBadValue::kStop, "A").rows,
              ElementsAre("1|2|2|a|1|2|zz", "1|1|2|b|3|4|zz", "3|1|1|c|5|6|ww"));
  Settings inner = rows;
  inner["rows.t"] = "B";
  EXPECT_THAT(ReadFile(kCounted, "2a12b34zz0yy1c56ww", inner).rows,
              ElementsAre("1|1|2|a|1|zz", "1|2|2|a|2|zz", "1|3|2|b|3|zz", "1|4|2|b|4|zz",
                          "3|1|1|c|5|ww", "3|2|1|c|6|ww"));
}

TEST_F(CopybookAdapterTest, RowsInBlocksAreFoundAgainByTheirKeys) {
  std::string blocks;
  std::vector<std::string> expected;
  int number = 0;
  for (int block = 0; block < 40; ++block) {
    std::string records;
    for (int i = 0; i < 5; ++i, ++number) {
      const int value = number * 37 % 200;
      records += Rdw(absl::StrCat(i % 2 == 0 ? "K" : "x", 1'000 + value));
      if (i % 2 == 0) expected.push_back(absl::StrCat(number + 1, "|K|", 1'000 + value));
    }
    blocks += Rdw(records);
  }
  const std::string copybook = "01 R.\n 05 S PIC X.\n 05 V PIC 9(4).\n";
  const Settings settings = {{"record_format", "blocked"},
                             {"record_number", "N"},
                             {"segment_field", "S"},
                             {"segment.kept", "K"},
                             {"other_segments", "skip"}};
  folder_.Write("t.dat", blocks);
  auto adapter = TryOpen(copybook, settings);
  ASSERT_TRUE(adapter.ok()) << adapter.status();
  EXPECT_EQ(Read(**adapter, "t/kept").rows, expected);
  std::sort(expected.begin(), expected.end(), [](const auto& a, const auto& b) {
    return a.substr(a.size() - 4) < b.substr(b.size() - 4);
  });
  EXPECT_EQ(Read(**adapter, "t/kept", {}, OnBadValue::kStop, "V").rows, expected);
}

TEST_F(CopybookAdapterTest, VariantsBesideOneAnotherOrByWhatTellsThem) {
  const std::string copybook =
      "01 R.\n 05 K PIC X.\n 05 P.\n  10 NAME PIC X(4).\n 05 C REDEFINES P.\n  10 AMOUNT PIC "
      "9(4).\n";
  const Outcome both = ReadFile(copybook, "PmaryC0012", {}, {}, OnBadValue::kNullAndCount);
  EXPECT_THAT(both.rows, ElementsAre("P|mary|∅", "C|0012|12"));
  EXPECT_EQ(both.bad, 1);
  const Outcome told =
      ReadFile(copybook, "PmaryC0012", {{"redefines.P", "K=P"}, {"redefines.C", "K=C,D"}});
  ASSERT_TRUE(told.status.ok()) << told.status;
  EXPECT_THAT(told.rows, ElementsAre("P|mary|∅", "C|∅|12"));
  EXPECT_THAT(
      ReadFile("01 R1.\n 05 A PIC X(3).\n01 R2.\n 05 A PIC 9.\n 05 B PIC X(2).\n", "1bc", {})
          .columns,
      ElementsAre("R1.A", "R2.A", "B"));
}

TEST_F(CopybookAdapterTest, SegmentsArePartsOfTheFile) {
  const std::string copybook =
      "01 C.\n 05 S PIC X.\n 05 NAME PIC X(3).\n01 P.\n 05 FILLER PIC X.\n 05 PHONE PIC 9(2).\n";
  const Settings settings = {{"record_format", "rdw"},  {"segment_field", "S"},
                             {"segment.firms", "C"},    {"segment_group.firms", "C"},
                             {"segment.phones", "P,Q"}, {"segment_group.phones", "P"},
                             {"record_number", "N"}};
  folder_.Write("t.dat", Rdw("Cabc") + Rdw("P12") + Rdw("Q34") + Rdw("Cdef"));
  auto adapter = TryOpen(copybook, settings);
  ASSERT_TRUE(adapter.ok()) << adapter.status();
  const Outcome firms = Read(**adapter, "t/firms"), phones = Read(**adapter, "t/phones");
  EXPECT_THAT(firms.rows, ElementsAre("1|C|abc", "4|C|def"));
  EXPECT_THAT(phones.rows, ElementsAre("2|12", "3|34"));
  EXPECT_EQ((*adapter)->Describe("", {&clock_, 0, nullptr})->size(), 2u);
  EXPECT_TRUE(absl::IsNotFound((*adapter)->Describe("t/x", {&clock_, 0, nullptr}).status()));
  EXPECT_TRUE(absl::IsNotFound((*adapter)->Describe("t", {&clock_, 0, nullptr}).status()));
  folder_.Write("t.dat", Rdw("Cabc") + Rdw("Xyz"));
  EXPECT_THAT(std::string(Read(**adapter, "t/firms").status.message()),
              HasSubstr("record 2: its segment is none of those"));
}

TEST_F(CopybookAdapterTest, AFieldThatSaysTheRecordsLength) {
  const std::string copybook = "01 R.\n 05 L PIC 9(2).\n 05 A PIC X(6).\n";
  const Settings settings = {{"record_format", "length_field"},
                             {"length_field", "L"},
                             {"length_adjustment", "2"},
                             {"short_records", "null"}};
  EXPECT_THAT(ReadFile(copybook, "03abc06defghi00", settings).rows,
              ElementsAre("3|abc", "6|defghi", "0|∅"));
  EXPECT_THAT(Refusal(copybook, "xxabc", settings),
              HasSubstr("says the record's length holds none"));
  EXPECT_THAT(Refusal(copybook, "05abc", settings), HasSubstr("left of the file"));
}

TEST_F(CopybookAdapterTest, NumbersAsWhatTheDatasetDeclares) {
  const std::string copybook = "01 R.\n 05 D PIC 9(8).\n 05 C PIC 9(5).\n 05 M PIC S9(3)V99.\n";
  const std::string bytes = "202611240001212345";
  using Types = std::map<std::string, std::string>;
  const auto read = [&](const Types& types) { return ReadFile(copybook, bytes, {}, types).rows; };
  EXPECT_THAT(read({}), ElementsAre("20261124|12|123.45"));
  EXPECT_THAT(read({{"D", "date32"}, {"C", "utf8"}, {"M", "utf8"}}),
              ElementsAre("2026-11-24|00012|123.45"));
  EXPECT_THAT(read({{"D", "utf8"}, {"C", "decimal128(7,2)"}, {"M", "float64"}}),
              ElementsAre("20261124|12.00|123.45"));
  EXPECT_THAT(read({{"C", "binary"}}), ElementsAre("20261124|3030303132|123.45"));
  const Outcome bad =
      ReadFile(copybook, bytes, {}, {{"C", "date32"}, {"M", "int64"}, {"D", "decimal128(7,0)"}},
               OnBadValue::kNullAndCount);
  EXPECT_EQ(bad.bad, 3);
  EXPECT_THAT(
      ReadFile(copybook, bytes, {{"date_format.C", "yyyyMMdd"}, {"type.t/D", "date32"}}).rows,
      ElementsAre("2026-11-24|12|123.45"));
}

TEST_F(CopybookAdapterTest, TextsTrimmedNullAndOfTheirOwnLength) {
  const std::string copybook = "01 R.\n 05 L PIC 9.\n 05 A PIC X(4).\n";
  const std::string bytes =
      "2 ab "
      "1    " +
      std::string("0\0\0\0\0", 5);
  EXPECT_THAT(ReadFile(copybook, bytes, {}).rows, ElementsAre("2| ab", "1|", "0|∅"));
  EXPECT_THAT(ReadFile(copybook, bytes, {{"trim", "both"}, {"blank_text", "null"}}).rows,
              ElementsAre("2|ab", "1|∅", "0|∅"));
  EXPECT_THAT(ReadFile(copybook, bytes, {{"trim", "left"}, {"low_values", "text"}}).rows,
              ElementsAre("2|ab ", "1|", "0|"));
  EXPECT_THAT(ReadFile(copybook, bytes, {{"trim", "none"}, {"length_of.A", "L"}}).rows,
              ElementsAre("2| a", "1| ", "0|"));
  EXPECT_THAT(ReadFile(copybook, bytes, {{"null_if.A", "L=1,2"}}).rows,
              ElementsAre("2|∅", "1|∅", "0|∅"));
  EXPECT_THAT(Refusal(copybook, "9abcd", {{"length_of.A", "L"}}),
              HasSubstr("the field that says its length"));
  EXPECT_THAT(Refusal(copybook, "1ab\xFFz", {}), HasSubstr("mean nothing in the file's encoding"));
  const std::string numbers = "01 R.\n 05 A PIC 9(2).\n";
  EXPECT_THAT(ReadFile(numbers, "  ", {}).rows, ElementsAre("∅"));
  EXPECT_THAT(Refusal(numbers, "  ", {{"blank_numbers", "bad"}}), HasSubstr("blank_numbers"));
}

TEST_F(CopybookAdapterTest, ChineseInEbcdicWithAndWithoutShifts) {
  const std::string copybook = "01 R.\n 05 A PIC X(10).\n 05 G PIC G(2).\n 05 N PIC N(2).\n";
  // 中 is 5B CF in code page 935; between shifts in A.
  const std::string mixed = *HexDecode("c10e5bcf0fc240404040"), pure = *HexDecode("5bcf5bcf"),
                    national = *HexDecode("4e2d0020");
  const Outcome read = ReadFile(copybook, mixed + pure + national, {{"encoding", "ibm-935"}});
  ASSERT_TRUE(read.status.ok()) << read.status;
  EXPECT_THAT(read.rows, ElementsAre("A中B|中中|中"));
  EXPECT_THAT(Refusal(copybook, *HexDecode("c10eff0fc240404040ff") + pure + national,
                      {{"encoding", "ibm-935"}}),
              HasSubstr("mean nothing"));
}

TEST_F(CopybookAdapterTest, WhatSettingsNameMustBeInTheCopybook) {
  folder_.Write("t.dat", "");
  for (const auto& [name, value] :
       std::initializer_list<std::pair<const char*, const char*>>{{"rows", "A"},
                                                                  {"rows", "NONE"},
                                                                  {"leave_out", "NONE"},
                                                                  {"leave_out", "A,B"},
                                                                  {"redefines.NONE", "A=1"},
                                                                  {"redefines.A", "NONE=1"},
                                                                  {"null_if.NONE", "A=1"},
                                                                  {"null_if.A", "NONE=1"},
                                                                  {"length_of.A", "NONE"},
                                                                  {"length_of.B", "A"},
                                                                  {"record_number", "B"}})
    EXPECT_EQ(ReasonOf(TryOpen(kAb, {{name, value}}).status()), v1::REASON_DEFINITION_INVALID)
        << name << " " << value;
  const absl::Status status = TryOpen("01 R.\n 05 A PIC Q.\n", {}).status();
  EXPECT_EQ(ReasonOf(status), v1::REASON_DEFINITION_INVALID);
  EXPECT_THAT(std::string(status.message()), HasSubstr("setting 'copybook' line 2: PIC Q"));
  EXPECT_THAT(std::string(status.message()), testing::Not(HasSubstr(beside_.path())));
  auto missing = TryOpen(kAb, {{"copybook", "/nowhere/t.cob"}});
  EXPECT_EQ(ReasonOf(missing.status()), v1::REASON_SOURCE_UNAVAILABLE) << missing.status();
}

TEST_F(CopybookAdapterTest, AChangedCopybookIsAnotherVersionOrDrift) {
  folder_.Write("t.dat", "abc12");
  auto adapter = TryOpen(kAb, {});
  ASSERT_TRUE(adapter.ok()) << adapter.status();
  const Outcome before = Read(**adapter, "t", {}, OnBadValue::kStop, "A");
  EXPECT_THAT(before.rows, ElementsAre("abc|12"));
  beside_.Write("t.cob", "01 R.\n 05 A PIC X(2).\n 05 B PIC X(3).\n");
  const Outcome after = Read(**adapter, "t", {}, OnBadValue::kStop, "A");
  EXPECT_THAT(after.rows, ElementsAre("ab|c12"));
  EXPECT_NE(after.version, before.version) << "the same bytes, read in another way";
  EXPECT_EQ(after.version.substr(0, 64), before.version.substr(0, 64));
  beside_.Write("t.cob", "01 R.\n 05 A PIC\n");
  const Outcome broken = Read(**adapter);
  EXPECT_EQ(ReasonOf(broken.status), v1::REASON_SCHEMA_DRIFT);
  EXPECT_THAT(std::string(broken.status.message()), HasSubstr("line 2"));
  beside_.Remove();
  EXPECT_EQ(ReasonOf(Read(**adapter).status), v1::REASON_SOURCE_UNAVAILABLE);
}

TEST_F(CopybookAdapterTest, DescribesTypesAsTheCopybookCallsThem) {
  folder_.Write("t.dat", "");
  auto adapter = TryOpen(
      "01 R.\n 05 A PIC S9(7)V99 COMP-3.\n 05 B PIC 9(9) COMP.\n 05 C COMP-2.\n 05 D PIC ZZ9.9.\n"
      " 05 E PIC 9(20).\n",
      {});
  ASSERT_TRUE(adapter.ok()) << adapter.status();
  const auto described = (*adapter)->Describe("t", {&clock_, 0, nullptr});
  ASSERT_TRUE(described.ok()) << described.status();
  std::vector<std::string> types;
  for (const ColumnDescription& column : (*described)[0].columns)
    types.push_back(absl::StrCat(records::ToString(column.type), " ", column.source_type));
  EXPECT_THAT(types, ElementsAre("decimal128(9,2) PIC S9(7)V99 COMP-3", "int64 PIC 9(9) COMP",
                                 "float64 COMP-2", "utf8 PIC ZZ9.9", "decimal128(20,0) PIC 9(20)"));
}

TEST_F(CopybookAdapterTest, AGroupIsATextAsWellWhereASettingSaysSo) {
  const std::string copybook =
      "01 R.\n 05 BORN.\n  10 YY PIC 9(4).\n  10 MM PIC 99.\n  10 DD PIC 99.\n 05 N PIC X.\n"
      " 05 T OCCURS 2 DEPENDING ON N.\n  10 G.\n   15 X PIC X.\n   15 Y PIC X.\n";
  const Settings settings = {
      {"group_texts", "BORN,G"}, {"date_format.BORN", "yyyyMMdd"}, {"record_format", "counted"}};
  const Outcome read = ReadFile(copybook, "202611241ab199901020", settings, {{"BORN", "date32"}});
  ASSERT_TRUE(read.status.ok()) << read.status;
  EXPECT_THAT(read.columns,
              ElementsAre("BORN", "YY", "MM", "DD", "N", "G_1", "G_2", "X_1", "X_2", "Y_1", "Y_2"));
  EXPECT_THAT(read.rows, ElementsAre("2026-11-24|2026|11|24|1|ab|∅|a|∅|b|∅",
                                     "1999-01-02|1999|1|2|0|∅|∅|∅|∅|∅|∅"));
  for (const char* wrong : {"R", "N", "NONE"})
    EXPECT_EQ(ReasonOf(TryOpen(copybook, {{"group_texts", wrong}}).status()),
              v1::REASON_DEFINITION_INVALID)
        << wrong;
}

TEST_F(CopybookAdapterTest, SeveralCopybooksDescribeTheSameBytes) {
  beside_.Write("a.cob", "01 A.\n 05 X PIC X(3).\n");
  beside_.Write("b.cob", "01 B.\n 05 Y PIC 9.\n 05 Z PIC X(2).\n");
  const Settings both = {
      {"copybook", absl::StrCat(beside_.PathOf("a.cob"), ",", beside_.PathOf("b.cob"))}};
  EXPECT_THAT(ReadFile("", "1bc", both).rows, ElementsAre("1bc|1|bc"));
  beside_.Write("b.cob", "01 B.\n 05 Y PIC Q.\n");
  EXPECT_THAT(Refusal("", "1bc", both), HasSubstr("number 2, line 2: PIC Q"));
}

TEST_F(CopybookAdapterTest, ErrorsSayRecordAndOffsetAndNoValue) {
  const Outcome outcome = ReadFile(kAb, "abc12defxx", {});
  const auto info = ErrorInfoOf(outcome.status);
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->metadata().at("record"), "2");
  EXPECT_EQ(info->metadata().at("offset"), "5");
  EXPECT_THAT(outcome.status.ToString(), testing::Not(HasSubstr("xx")));
}

}  // namespace
}  // namespace sluice::adapters::copybook
