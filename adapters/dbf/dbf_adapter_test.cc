// What is a table's own: its dialects, types and memos, its faults.
#include "adapters/dbf/dbf_adapter.h"

#include <cstring>
#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/dbf/dbf_testing.h"
#include "adapters/files/files_testing.h"
#include "gateway/base/crypto.h"
#include "gateway/base/error.h"
#include "gateway/base/fake_clock.h"
#include "gtest/gtest.h"

namespace sluice::adapters::dbf {
namespace {

using records::DataType;
using records::TypeId;
using Table = std::vector<std::vector<std::string>>;

class DbfAdapterTest : public testing::Test {
 protected:
  std::unique_ptr<Adapter> Open(Settings settings = {}) {
    settings.insert({{"folder", folder_.path()}, {"work_folder", work_.path()}});
    auto adapter = OpenDbf(settings);
    EXPECT_TRUE(adapter.ok()) << adapter.status();
    return adapter.ok() ? *std::move(adapter) : nullptr;
  }
  struct Outcome {
    Table rows;
    absl::Status status;
    std::string version;
    int64_t bad_values = 0;
  };
  static ScanRequest Request(const std::vector<std::pair<std::string, DataType>>& columns) {
    ScanRequest request;
    request.table = "t";
    for (const auto& [name, type] : columns) request.fields.push_back({name, {name, type}});
    return request;
  }
  // Values as text, "∅" for null.
  Outcome Scan(Adapter& adapter, const ScanRequest& request) {
    Outcome outcome;
    auto reader = *adapter.Scan(request, {&clock_, 0, nullptr});
    for (;;) {
      const auto batch = reader->Next();
      outcome.status = batch.status();
      outcome.version = reader->version().version;
      outcome.bad_values = reader->bad_values();
      if (!batch.ok() || !batch->has_value()) return outcome;
      for (int64_t i = 0; i < (*batch)->rows(); ++i) {
        auto& row = outcome.rows.emplace_back();
        for (const records::Column& column : (*batch)->columns())
          row.push_back(files::Shown(column, i));
      }
    }
  }
  // All columns of table t as Describe types them.
  Outcome ScanAll(const Settings& settings = {}, OnBadValue on_bad_value = OnBadValue::kStop) {
    const auto adapter = Open(settings);
    const auto described = adapter->Describe("t", {&clock_, 0, nullptr});
    if (!described.ok()) return {{}, described.status(), ""};
    ScanRequest request;
    request.table = "t";
    request.on_bad_value = on_bad_value;
    for (const ColumnDescription& column : (*described)[0].columns)
      request.fields.push_back({column.name, {column.name, column.type}});
    return Scan(*adapter, request);
  }
  void WriteMemoTable(uint8_t version, TestMemoForm form, std::string_view ending,
                      const std::vector<std::string>& texts, size_t block = 512) {
    TestMemos memos(form, block);
    const bool four = version == kVisualFoxProTable;
    TestTable table({{"ID", 'N', 4}, {"NOTE", 'M', four ? 4u : 10u}}, version);
    for (size_t i = 0; i < texts.size(); ++i)
      table.Add({absl::StrCat(i + 1), TestMemos::Pointer(memos.Add(texts[i]), four)});
    table.Add({"99", four ? LittleBytes(0, 4) : ""});
    folder_.Write(absl::StrCat("t", std::string(ending)), memos.Bytes());
    folder_.Write("t.dbf", table.Bytes());
  }

  files::TestFolder folder_, work_;
  FakeClock clock_;
};

TEST_F(DbfAdapterTest, EveryTypeOfDbase3IsRead) {
  TestTable table({{"NAME", 'C', 8},
                   {"WHOLE", 'N', 5},
                   {"MONEY", 'N', 10, 2},
                   {"REAL", 'F', 20, 5},
                   {"BORN", 'D', 8},
                   {"ALIVE", 'L', 1}});
  table.Add({"Ann", "17", "-12.50", "1.25000", "19990228", "T"});
  table.Add({"", "", "", "", "", ""});
  table.Add({"  Bob", "-0", ".5", "1.5e+003", "00000000", "?"});
  table.Add({"gone", "1", "1", "1", "19990101", "F"}, '*');
  table.Add({"Cy", "0099", "99999999.9", "-2E-2", "20240229", "n"});
  folder_.Write("t.dbf", table.Bytes());
  const Outcome outcome = ScanAll();
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.rows, (Table{{"Ann", "17", "-12.50", "1.25000", "1999-02-28", "true"},
                                 {"", "∅", "∅", "∅", "∅", "∅"},
                                 {"  Bob", "0", "0.50", "1500.00000", "∅", "∅"},
                                 {"Cy", "99", "99999999.90", "-0.02000", "2024-02-29", "false"}}));
}

TEST_F(DbfAdapterTest, NumbersGoThroughNoDouble) {
  TestTable table({{"N", 'N', 30, 12}});
  table.Add({"12345678901234567.123456789012"});
  folder_.Write("t.dbf", table.Bytes());
  EXPECT_EQ(Scan(*Open(), Request({{"N", {TypeId::kDecimal128, 38, 12}}})).rows,
            (Table{{"12345678901234567.123456789012"}}));
  EXPECT_EQ(Scan(*Open(), Request({{"N", {TypeId::kUtf8}}})).rows,
            (Table{{"12345678901234567.123456789012"}}));
}

TEST_F(DbfAdapterTest, EveryTypeOfVisualFoxProIsReadWithItsNulls) {
  const double pi = 3.25;
  std::string pi_bytes(8, '\0');
  std::memcpy(pi_bytes.data(), &pi, 8);
  const std::string noon = LittleBytes(2'440'588 + 365, 4) + LittleBytes(43'200'500, 4);
  TestTable table({{"I", 'I', 4, 0, kMayBeNull},
                   {"Y", 'Y', 8, 4},
                   {"T", 'T', 8, 0, kMayBeNull},
                   {"B", 'B', 8, 2},
                   {"V", 'V', 6, 0, kMayBeNull},
                   {"Q", 'Q', 4},
                   {"C", 'C', 3, 0, kMayBeNull},
                   {"X", 'C', 2, 0, kNoText}},
                  kVisualFoxProTable, 0x03);
  const std::vector<std::string> full = {LittleBytes(uint64_t(-5), 4),
                                         LittleBytes(uint64_t(-123'456), 8),
                                         noon,
                                         pi_bytes,
                                         "ab ",
                                         std::string("\0\xFF", 2),
                                         "caf",
                                         "\x01\xFE"};
  table.Add(full);
  auto longest = full;
  longest[4] = "abcdef";
  longest[5] = "\1\2\3\4";
  longest[6] = "\xE9t\xE9";
  table.Add(longest);
  table.AddWithNulls(full, {true, false, true, false, true, false, true, false});
  folder_.Write("t.dbf", table.Bytes());
  const Outcome outcome = ScanAll();
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  const std::string when = "1971-01-01T12:00:00.5";
  EXPECT_EQ(outcome.rows,
            (Table{{"-5", "-12.3456", when, "3.25", "ab ", "00ff", "caf", "01fe"},
                   {"-5", "-12.3456", when, "3.25", "abcdef", "01020304", "été", "01fe"},
                   {"∅", "-12.3456", "∅", "3.25", "∅", "00ff", "∅", "01fe"}}));
}

TEST_F(DbfAdapterTest, Dbase7IsRead) {
  const std::string two_and_half = std::string("\xC0\x04", 2) + std::string(6, '\0');
  const std::string minus_one = std::string("\x40\x0F", 2) + std::string(6, '\xFF');
  TestTable table({{"A_NAME_OF_MORE_THAN_TEN_LETTERS", 'I', 4}, {"D", 'O', 8}, {"N", 'N', 4}},
                  kDbase7);
  table.Add({std::string("\x80\0\0\x07", 4), two_and_half, "1"});
  table.Add({"\x7F\xFF\xFF\xFF", minus_one, "2"});
  table.Add({std::string(4, '\0'), std::string(8, '\0'), "3"});
  folder_.Write("t.dbf", table.Bytes());
  const Outcome outcome = ScanAll();
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.rows, (Table{{"7", "2.5", "1"}, {"-1", "-1", "2"}, {"∅", "∅", "3"}}));
}

TEST_F(DbfAdapterTest, Dbase2IsRead) {
  std::string bytes = {0x02, 2, 0, 1, 1, 83, 9, 0};
  bytes +=
      std::string("EMP:NMBR\0\0\0N\3\0\0\0", 16) + std::string("LAST\0\0\0\0\0\0\0C\5\0\0\0", 16);
  bytes.push_back('\r');
  bytes.resize(521, '\0');
  bytes += "  7Smith*  8Jones";
  bytes.insert(521, " ");
  folder_.Write("t.dbf", bytes);
  const Outcome outcome = ScanAll();
  ASSERT_TRUE(outcome.status.ok()) << outcome.status;
  EXPECT_EQ(outcome.rows, (Table{{"7", "Smith"}}));
}

TEST_F(DbfAdapterTest, MemosOfEveryKindAreRead) {
  const std::string longer(20'000, 'x');
  struct Case {
    uint8_t version;
    TestMemoForm form;
    const char* ending;
    size_t block;
  };
  for (const Case& one : {Case{kDbase3WithMemos, TestMemoForm::kDbase3, ".dbt", 512},
                          Case{kDbase4WithMemos, TestMemoForm::kDbase4, ".DBT", 1'024},
                          Case{kFoxPro2WithMemos, TestMemoForm::kFoxPro, ".FPT", 64},
                          Case{kVisualFoxProTable, TestMemoForm::kFoxPro, ".Fpt", 33}}) {
    WriteMemoTable(one.version, one.form, one.ending, {"first", longer, "a\r\nb"}, one.block);
    const Outcome outcome = ScanAll();
    ASSERT_TRUE(outcome.status.ok()) << outcome.status;
    EXPECT_EQ(outcome.rows, (Table{{"1", "first"}, {"2", longer}, {"3", "a\r\nb"}, {"99", "∅"}}))
        << int{one.version};
    std::filesystem::remove(folder_.PathOf(absl::StrCat("t", one.ending)));
  }
}

TEST_F(DbfAdapterTest, BadMemosAreBadValues) {
  WriteMemoTable(kDbase4WithMemos, TestMemoForm::kDbase4, ".dbt", {"good", "spoilt", "cut"});
  const std::string memos = folder_.Read("t.dbt");
  std::string bad = memos;
  bad.replace(1'024, 4, "????");
  bad.resize(bad.size() - 1);
  folder_.Write("t.dbt", bad);
  const Outcome outcome = ScanAll({}, OnBadValue::kNullAndCount);
  EXPECT_EQ(outcome.rows, (Table{{"1", "good"}, {"2", "∅"}, {"3", "∅"}, {"99", "∅"}}));
  EXPECT_EQ(outcome.bad_values, 2);
  EXPECT_TRUE(absl::StrContains(ScanAll().status.message(), "record 2, column 'NOTE': a memo"));
  WriteMemoTable(kDbase3WithMemos, TestMemoForm::kDbase3, ".dbt", {std::string(5'000, 'x')});
  EXPECT_TRUE(absl::StrContains(ScanAll({{"most_memo_bytes", "1024"}}).status.message(),
                                "most_memo_bytes"));
  EXPECT_TRUE(ScanAll().status.ok());
  WriteMemoTable(kDbase3WithMemos, TestMemoForm::kDbase3, ".dbt", {"x"});
  folder_.Write("t.dbt", folder_.Read("t.dbt").substr(0, 513));
  EXPECT_TRUE(absl::StrContains(ScanAll().status.message(), "a memo that has no end"));
}

TEST_F(DbfAdapterTest, AMissingMemoFileHidesNoOtherColumn) {
  WriteMemoTable(kDbase3WithMemos, TestMemoForm::kDbase3, ".dbt", {"x"});
  std::filesystem::remove(folder_.PathOf("t.dbt"));
  const absl::Status status = ScanAll().status;
  EXPECT_EQ(ReasonOf(status), v1::REASON_SOURCE_UNAVAILABLE);
  EXPECT_TRUE(absl::StrContains(status.message(), "the memo file is not there")) << status;
  EXPECT_EQ(Scan(*Open(), Request({{"ID", {TypeId::kInt64}}})).rows, (Table{{"1"}, {"99"}}));
  EXPECT_EQ(ScanAll({{"missing_memos", "null"}}).rows, (Table{{"1", "∅"}, {"99", "∅"}}));
}

TEST_F(DbfAdapterTest, TheMemoFileIsPartOfTheVersion) {
  WriteMemoTable(kDbase3WithMemos, TestMemoForm::kDbase3, ".dbt", {"one"});
  const std::string table = folder_.Read("t.dbf"), memos = folder_.Read("t.dbt");
  const auto adapter = Open();
  const ScanRequest request = Request({{"ID", {TypeId::kInt64}}});
  const std::string before = Scan(*adapter, request).version;
  const auto digest = [](std::string_view bytes) { return HexEncode(AsBytes(Sha256(bytes))); };
  EXPECT_EQ(before, digest(digest(table) + "\n" + digest(memos) + "\n"));
  folder_.Write("t.dbt", memos);
  EXPECT_EQ(Scan(*adapter, request).version, before) << "brought again, the same";
  std::string other = memos;
  other.replace(512, 3, "two");
  folder_.Write("t.dbt", other);
  EXPECT_NE(Scan(*adapter, request).version, before);
  std::filesystem::remove(folder_.PathOf("t.dbt"));
  EXPECT_EQ(Scan(*adapter, request).version, digest(table));
}

TEST_F(DbfAdapterTest, AMemoFileChangedUnderAReadEndsIt) {
  const std::vector<std::string> texts(9'000, "text");
  for (const bool gone : {false, true}) {
    WriteMemoTable(kDbase4WithMemos, TestMemoForm::kDbase4, ".dbt", texts);
    const auto adapter = Open();
    ScanRequest request = Request({{"NOTE", {TypeId::kUtf8}}});
    request.rows_wanted = 10;
    auto reader = *adapter->Scan(request, {&clock_, 0, nullptr});
    ASSERT_TRUE(reader->Next().ok());
    if (gone) {
      std::filesystem::remove(folder_.PathOf("t.dbt"));
    } else {
      std::ofstream(folder_.PathOf("t.dbt"), std::ios::app) << "more";
    }
    EXPECT_EQ(ReasonOf(reader->Next().status()),
              gone ? v1::REASON_SOURCE_UNAVAILABLE : v1::REASON_SOURCE_CHANGED);
  }
}

TEST_F(DbfAdapterTest, NoMemoFileIsReachedByALinkOrTakenOfTwo) {
  files::TestFolder secret;
  WriteMemoTable(kDbase3WithMemos, TestMemoForm::kDbase3, ".dbt", {"x"});
  secret.Write("t.dbt", folder_.Read("t.dbt"));
  folder_.Write("T.DBT", folder_.Read("t.dbt"));
  EXPECT_TRUE(absl::StrContains(ScanAll().status.message(), "two files"));
  std::filesystem::remove(folder_.PathOf("T.DBT"));
  EXPECT_TRUE(ScanAll().status.ok());
  std::filesystem::remove(folder_.PathOf("t.dbt"));
  std::filesystem::create_symlink(secret.PathOf("t.dbt"), folder_.PathOf("t.dbt"));
  EXPECT_TRUE(absl::StrContains(ScanAll().status.message(), "symbolic link"));
}

TEST_F(DbfAdapterTest, TextIsInTheCodePageOfTheHeaderOrOfTheSettings) {
  struct Case {
    uint8_t driver;
    std::string bytes, text;
  };
  for (const Case& one : {Case{0x01, "\x82", "é"}, Case{0x65, "\x80", "А"}, Case{0xC9, "\xC0", "А"},
                          Case{0x57, "\x80", "€"}, Case{0x4D, "\xD6\xD0", "中"},
                          Case{0x13, "\x82\xA0", "あ"}, Case{0xC8, "\x8A", "Š"}}) {
    TestTable table({{"A", 'C', 6}}, kDbase3, one.driver);
    table.Add({one.bytes});
    folder_.Write("t.dbf", table.Bytes());
    EXPECT_EQ(ScanAll().rows, (Table{{one.text}})) << int{one.driver};
  }
  for (const uint8_t driver : {0x00, 0x69}) {
    TestTable unknown({{"A", 'C', 6}}, kDbase3, driver);
    unknown.Add({"plain"});
    folder_.Write("t.dbf", unknown.Bytes());
    EXPECT_EQ(ScanAll().rows, (Table{{"plain"}}));
    unknown.Add({"\xE9"});
    folder_.Write("t.dbf", unknown.Bytes());
    const absl::Status status = ScanAll().status;
    EXPECT_EQ(ReasonOf(status), v1::REASON_SOURCE_BAD_VALUE);
    EXPECT_TRUE(absl::StrContains(status.message(), "the setting encoding says it")) << status;
    EXPECT_EQ(ScanAll({{"encoding", "latin-1"}}).rows, (Table{{"plain"}, {"é"}}));
  }
}

TEST_F(DbfAdapterTest, BadValuesAreNamed) {
  TestTable table({{"N", 'N', 5}, {"D", 'D', 8}, {"L", 'L', 1}});
  table.Add({"*****", "20260230", "X"});
  table.Add({"1,5", "2026 101", "1"});
  table.Add({"1.5", "NotAYear", "\x80"});
  folder_.Write("t.dbf", table.Bytes());
  EXPECT_TRUE(absl::StrContains(ScanAll().status.message(), "record 1, column 'N': a number that"));
  const Outcome outcome = ScanAll({}, OnBadValue::kNullAndCount);
  EXPECT_EQ(outcome.rows, Table(3, {"∅", "∅", "∅"}));
  EXPECT_EQ(outcome.bad_values, 9);
}

TEST_F(DbfAdapterTest, DeletedRecordsAreLeftOutOrRefused) {
  TestTable table({{"A", 'C', 1}});
  table.Add({"x"}, '*');
  table.Add({"y"});
  folder_.Write("t.dbf", table.Bytes());
  EXPECT_EQ(ScanAll().rows, (Table{{"y"}}));
  EXPECT_TRUE(absl::StrContains(ScanAll({{"deleted", "refuse"}}).status.message(),
                                "record 1: the record is deleted"));
  table.Add({"z"}, '\x07');
  folder_.Write("t.dbf", table.Bytes());
  EXPECT_TRUE(absl::StrContains(ScanAll().status.message(), "record 3: the record is marked"));

  const files::TestFolder rejects;
  ScanRequest request = Request({{"A", {TypeId::kUtf8}}});
  request.on_bad_record = OnBadRecord::kRejectAndCount;
  const files::Scanned scanned =
      files::ScanShown(*Open({{"deleted", "refuse"}, {"reject_folder", rejects.path()}}), request);
  EXPECT_EQ(scanned.rows, std::vector<std::string>{"y"}) << scanned.status;
  EXPECT_EQ(scanned.version.rejected_records, 2);
  ASSERT_EQ(rejects.Names().size(), 1U);
  EXPECT_TRUE(absl::StrContains(rejects.Read(rejects.Names()[0]), ",2a78\n"));
}

TEST_F(DbfAdapterTest, AFileOfAnotherLengthThanItsHeaderSays) {
  TestTable table({{"A", 'C', 4}});
  table.Add({"one"});
  table.Add({"two"});
  folder_.Write("t.dbf", table.Bytes(-1, "1234"));
  EXPECT_EQ(ScanAll().rows.size(), 2u) << "bytes behind the last record are none";
  folder_.Write("t.dbf", table.Bytes(-1, ""));
  EXPECT_EQ(ScanAll().rows.size(), 2u) << "no mark of the end";
  folder_.Write("t.dbf", table.Bytes(-1, "\x1A" + std::string(600, '\0')));
  EXPECT_EQ(ScanAll().rows.size(), 2u) << "padded behind the mark";
  folder_.Write("t.dbf", table.Bytes(1));
  EXPECT_TRUE(absl::StrContains(ScanAll().status.message(), "says 1 records"));
  EXPECT_EQ(ScanAll({{"records_behind", "ignore"}}).rows, (Table{{"one"}}));
  folder_.Write("t.dbf", table.Bytes(3));
  EXPECT_EQ(ReasonOf(ScanAll().status), v1::REASON_SOURCE_BAD_VALUE);
  EXPECT_EQ(ScanAll({{"short_file", "read"}}).rows.size(), 2u);
  folder_.Write("t.dbf", table.Bytes().substr(0, table.Bytes().size() - 3));
  EXPECT_TRUE(absl::StrContains(ScanAll().status.message(), "cut short"));
}

TEST_F(DbfAdapterTest, HeadersThatMakeNoSenseAreRefused) {
  TestTable table({{"A", 'C', 4}});
  table.Add({"one"});
  const std::string good = table.Bytes();
  const auto with = [&](size_t at, std::string_view bytes) {
    std::string bad = good;
    return bad.replace(at, bytes.size(), bytes);
  };
  for (const std::string& bad :
       {std::string(), std::string("\x03"), good.substr(0, 31), good.substr(0, 40), with(0, "\x99"),
        with(10, "\x07"), with(10, std::string(2, '\0')), with(8, "\x21"), with(8, "\xFF\xFF"),
        with(48, "\x05"), with(32, "\xE9")}) {
    folder_.Write("t.dbf", bad);
    EXPECT_EQ(ReasonOf(ScanAll().status), v1::REASON_SOURCE_BAD_VALUE) << bad.size();
  }
}

TEST_F(DbfAdapterTest, ColumnsOfOneNameAreNumbered) {
  TestTable table({{"ID", 'C', 2}, {"id", 'N', 2}, {"ID_2", 'C', 2}, {"", 'C', 1}});
  table.Add({"a", "1", "b", "c"});
  folder_.Write("t.dbf", table.Bytes());
  const auto described = Open()->Describe("t", {&clock_, 0, nullptr});
  ASSERT_TRUE(described.ok()) << described.status();
  std::vector<std::string> names;
  for (const ColumnDescription& column : (*described)[0].columns) names.push_back(column.name);
  EXPECT_EQ(names, (std::vector<std::string>{"ID", "id_2", "ID_2_2", "column4"}));
  EXPECT_EQ((*described)[0].columns[1].source_type, "N(2)");
}

TEST_F(DbfAdapterTest, TextLongerThanOneByteSaysIsRead) {
  const std::string longer(700, 'y');
  TestTable table({{"A", 'C', 700}, {"B", 'C', 1}}, kFoxPro2WithMemos);
  table.Add({longer, "z"});
  folder_.Write("t.dbf", table.Bytes());
  EXPECT_EQ(ScanAll().rows, (Table{{longer, "z"}}));
}

TEST_F(DbfAdapterTest, SettingsAreCheckedAtOnce) {
  const absl::Status status = CheckDbfSettings({{"folder", "/srv/x"},
                                                {"encoding", "klingon"},
                                                {"deleted", "keep"},
                                                {"most_memo_bytes", "1"},
                                                {"separator", ","}});
  for (const char* name : {"encoding", "deleted", "most_memo_bytes", "separator"})
    EXPECT_TRUE(absl::StrContains(status.message(), name)) << status;
  EXPECT_TRUE(CheckDbfSettings({{"file", "/srv/x.dbf"}, {"date_format.A", "d.M.yyyy"}}).ok());
}

}  // namespace
}  // namespace sluice::adapters::dbf
