// What is a workbook's own: its cells, headers, sheets, and archives that mean harm.
#include "adapters/xlsx/xlsx_adapter.h"

#include <filesystem>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/files/files_testing.h"
#include "adapters/xlsx/values.h"
#include "adapters/xlsx/workbook.h"
#include "adapters/xlsx/xlsx_testing.h"
#include "gateway/base/error.h"
#include "gateway/base/fake_clock.h"
#include "gtest/gtest.h"

namespace sluice::adapters::xlsx {
namespace {

using records::DataType;
using records::TypeId;
using Table = std::vector<std::vector<std::string>>;
using Columns = std::vector<std::pair<std::string, DataType>>;

constexpr DataType kTextType{TypeId::kUtf8};
constexpr DataType kDateType{TypeId::kDate32};
constexpr DataType kClockType{TypeId::kTimestamp};

class XlsxAdapterTest : public testing::Test {
 protected:
  std::unique_ptr<Adapter> Open(Settings settings = {}) {
    settings.insert({{"folder", folder_.path()}, {"work_folder", work_.path()}});
    auto adapter = OpenXlsx(settings);
    EXPECT_TRUE(adapter.ok()) << adapter.status();
    return adapter.ok() ? *std::move(adapter) : nullptr;
  }
  struct Outcome {
    Table rows;
    absl::Status status;
    int64_t bad_values = 0;
  };
  Outcome Scan(Adapter& adapter, const Columns& columns, const std::string& table = "t",
               OnBadValue on_bad_value = OnBadValue::kStop) {
    ScanRequest request;
    request.table = table;
    request.on_bad_value = on_bad_value;
    for (const auto& [name, type] : columns) request.fields.push_back({name, {name, type}});
    Outcome outcome;
    auto reader = *adapter.Scan(request, {&clock_, 0, nullptr});
    for (;;) {
      const auto batch = reader->Next();
      outcome.status = batch.status();
      outcome.bad_values = reader->bad_values();
      if (!batch.ok() || !batch->has_value()) return outcome;
      for (int64_t i = 0; i < (*batch)->rows(); ++i) {
        auto& row = outcome.rows.emplace_back();
        for (const records::Column& column : (*batch)->columns())
          row.push_back(column.IsNull(i) ? "∅" : TextOf(column, i));
      }
    }
  }
  static std::string TextOf(const records::Column& column, int64_t i) {
    switch (column.type().id) {
      case TypeId::kBool:
        return column.Bool(i) ? "true" : "false";
      case TypeId::kInt64:
        return absl::StrCat(column.Int64(i));
      case TypeId::kFloat64:
        return absl::StrCat(column.Float64(i));
      case TypeId::kDecimal128:
        return records::FormatDecimal(column.Decimal(i), column.type().scale);
      case TypeId::kDate32:
        return records::FormatDate(column.Date32(i));
      case TypeId::kTimestamp:
        return records::FormatTimestamp(column.Int64(i), column.type().utc);
      default:
        return std::string(column.Bytes(i));
    }
  }
  std::vector<std::string> NamesOf(const std::string& table, const Settings& settings = {}) {
    const auto described = Open(settings)->Describe(table, {&clock_, 0, nullptr});
    EXPECT_TRUE(described.ok()) << described.status();
    std::vector<std::string> names;
    if (described.ok())
      for (const auto& column : (*described)[0].columns) names.push_back(column.name);
    return names;
  }
  void Write(const TestSheet& sheet, TestWorkbook book = {}) {
    book.sheets.insert(book.sheets.begin(), {"Sheet1", sheet.Xml()});
    folder_.Write("t.xlsx", book.Bytes());
  }
  // Column A, headed "a", of one cell.
  Outcome ReadCell(const std::string& cell, const DataType& type, TestWorkbook book = {},
                   const Settings& settings = {}) {
    TestSheet sheet;
    sheet.Row({TextCell("a")});
    sheet.Row({cell});
    Write(sheet, std::move(book));
    return Scan(*Open(settings), {{"a", type}});
  }
  absl::Status StatusOfBytes(const std::string& bytes, const Settings& settings = {}) {
    folder_.Write("t.xlsx", bytes);
    return Scan(*Open(settings), {{"a", kTextType}}).status;
  }

  files::TestFolder folder_, work_;
  FakeClock clock_;
};

TEST_F(XlsxAdapterTest, TextsAreSharedInlineRichAndEscaped) {
  TestSheet sheet;
  sheet.Row({SharedCell(0), TextCell("b")});
  sheet.Row({SharedCell(1), TextCell(" x_x000D_ <&> ")});
  sheet.Row({SharedCell(2), TypedCell("str", "of a formula")});
  sheet.Row({SharedCell(3), NoCell()});
  TestWorkbook book;
  book.shared =
      "<si><t>a</t></si>"
      "<si><r><rPr><b/></rPr><t>ri</t></r><r><t xml:space=\"preserve\">ch </t></r>"
      "<rPh sb=\"0\" eb=\"1\"><t>phonetic</t></rPh></si>"
      "<si><t>line_x000D_\nend_x0000_ _xD83D__xDE00_ _x005F_x0041_</t></si><si><t/></si>";
  Write(sheet, book);
  const Outcome outcome = Scan(*Open(), {{"a", kTextType}, {"b", kTextType}});
  EXPECT_EQ(outcome.rows, (Table{{"rich ", " x_x000D_ <&> "},
                                 {std::string("line\r\nend\0 😀 _x0041_", 23), "of a formula"},
                                 {"", "∅"}}))
      << outcome.status;
}

TEST_F(XlsxAdapterTest, NumbersAreWhatASpreadsheetShows) {
  struct Case {
    const char* cell;
    DataType type;
    const char* value;
  };
  for (const Case& one :
       {Case{"0.10000000000000001", {TypeId::kDecimal128, 10, 2}, "0.10"},
        Case{"0.10000000000000001", kTextType, "0.1"},
        Case{"0.30000000000000004", {TypeId::kDecimal128, 20, 15}, "0.300000000000000"},
        Case{"1.2345678901234501E-3", kTextType, "0.0012345678901234501"},
        Case{"12.5", {TypeId::kDecimal128, 5, 1}, "12.5"},
        Case{"1234567890123456789", {TypeId::kInt64}, "1234567890123456789"},
        Case{"1E+3", {TypeId::kInt64}, "1000"}, Case{"5.0", {TypeId::kInt64}, "5"},
        Case{"2.5", {TypeId::kFloat64}, "2.5"}, Case{"1.0000000000000002", {TypeId::kFloat64}, "1"},
        Case{"1E-300", kTextType, "1E-300"}, Case{"20260130", kTextType, "20260130"}}) {
    const Outcome outcome = ReadCell(NumberCell(one.cell), one.type);
    const bool rounded = std::string_view(one.cell) == "1.2345678901234501E-3";
    EXPECT_EQ(outcome.rows, (Table{{rounded ? "0.00123456789012345" : one.value}}))
        << one.cell << outcome.status;
  }
  EXPECT_FALSE(ReadCell(NumberCell("2.5"), {TypeId::kInt64}).status.ok());
  EXPECT_FALSE(ReadCell(NumberCell("abc"), kTextType).status.ok());
  EXPECT_FALSE(ReadCell(NumberCell("1.25"), {TypeId::kDecimal128, 5, 1}).status.ok());
  EXPECT_EQ(ReadCell(NumberCell("20260130"), kDateType, {}, {{"date_format", "yyyyMMdd"}}).rows,
            (Table{{"2026-01-30"}}));
  EXPECT_EQ(
      ReadCell(TextCell("1,5"), {TypeId::kDecimal128, 5, 1}, {}, {{"decimal_point", "comma"}}).rows,
      (Table{{"1.5"}}));
  EXPECT_EQ(
      ReadCell(NumberCell("1.5"), {TypeId::kDecimal128, 5, 1}, {}, {{"decimal_point", "comma"}})
          .rows,
      (Table{{"1.5"}}));
}

TEST_F(XlsxAdapterTest, DatesOfBothEpochsAreTakenByTheirFormats) {
  TestWorkbook book;
  book.formats = {"yyyy\\-mm\\-dd", "dd/mm/yyyy hh:mm:ss", "hh:mm", "[h]:mm"};
  struct Case {
    const char* serial;
    int style;
    bool from_1904;
    DataType type;
    const char* value;  // nothing for a bad one
  };
  for (const Case& one : {Case{"1", 1, false, kDateType, "1900-01-01"},
                          Case{"59", 1, false, kDateType, "1900-02-28"},
                          Case{"60", 1, false, kDateType, nullptr},
                          Case{"61", 1, false, kDateType, "1900-03-01"},
                          Case{"0", 1, false, kDateType, nullptr},
                          Case{"-1", 1, false, kDateType, nullptr},
                          Case{"46052", 1, false, kDateType, "2026-01-30"},
                          Case{"2958465", 1, false, kDateType, "9999-12-31"},
                          Case{"2958466", 1, false, kDateType, nullptr},
                          Case{"0", 1, true, kDateType, "1904-01-01"},
                          Case{"44590", 1, true, kDateType, "2026-01-30"},
                          Case{"46052.5", 1, false, kDateType, nullptr},
                          Case{"46052.5", 2, false, kClockType, "2026-01-30T12:00:00"},
                          Case{"46052.999999999993", 2, false, kClockType, "2026-01-31T00:00:00"},
                          Case{"46052", 2, false, kTextType, "2026-01-30"},
                          Case{"46052.75", 2, false, kTextType, "2026-01-30T18:00:00"},
                          Case{"0.75", 3, false, kTextType, "18:00:00"},
                          Case{"0.75", 3, false, kClockType, nullptr},
                          Case{"1.5", 4, false, kTextType, "1.5"},
                          Case{"46052", 0, false, kDateType, nullptr},
                          Case{"46052", 1, false, {TypeId::kInt64}, nullptr}}) {
    book.from_1904 = one.from_1904;
    const Outcome outcome = ReadCell(NumberCell(one.serial, one.style), one.type, book);
    if (one.value == nullptr) {
      EXPECT_EQ(ReasonOf(outcome.status), v1::REASON_SOURCE_BAD_VALUE) << one.serial;
    } else {
      EXPECT_EQ(outcome.rows, (Table{{one.value}})) << one.serial << outcome.status;
    }
  }
  EXPECT_EQ(ReadCell(TypedCell("d", "2026-01-30T00:00:00"), kDateType).rows,
            (Table{{"2026-01-30"}}));
}

TEST(XlsxFormatTest, FormatsThatShowDatesAreTold) {
  for (const char* code :
       {"yyyy-mm-dd", "d.m.yy", "mmm", "[$-409]d\\ mmm", "yyyy\"年\"m\"月\"d\"日\"",
        "[Red]dd/mm/yyyy;@", "m/d/yy h:mm", "e\\.mm\\.dd"})
    EXPECT_EQ(KindOfFormat(code), NumberKind::kDate) << code;
  for (const char* code : {"h:mm", "hh:mm:ss.000", "h:mm AM/PM", "mm:ss"})
    EXPECT_EQ(KindOfFormat(code), NumberKind::kTime) << code;
  for (const char* code : {"General", "0.00", "#,##0 \"days\"", "[h]:mm:ss", "0.00E+00", "@",
                           "\"d\"0", "\\d0", "0;yyyy", "#,##0.00\\ [$EUR]", "_-* #,##0_-"})
    EXPECT_EQ(KindOfFormat(code), NumberKind::kNumber) << code;
  for (const int id : {14, 17, 22, 27, 57}) EXPECT_EQ(KindOfBuiltIn(id), NumberKind::kDate) << id;
  for (const int id : {0, 1, 4, 13, 46, 49})
    EXPECT_EQ(KindOfBuiltIn(id), NumberKind::kNumber) << id;
}

TEST_F(XlsxAdapterTest, BooleansErrorsAndFormulasWithoutAValue) {
  EXPECT_EQ(ReadCell(TypedCell("b", "1"), {TypeId::kBool}).rows, (Table{{"true"}}));
  EXPECT_EQ(ReadCell(TypedCell("b", "0"), kTextType).rows, (Table{{"false"}}));
  const absl::Status error = ReadCell(TypedCell("e", "#N/A"), kTextType).status;
  EXPECT_TRUE(absl::StrContains(error.message(), "row 2, column 'a': an error")) << error;
  const absl::Status unknown = ReadCell("<c><f>B1+1</f></c>", kTextType).status;
  EXPECT_TRUE(absl::StrContains(unknown.message(), "a formula whose value")) << unknown;
  EXPECT_EQ(ReadCell("<c><f>1+1</f><v>2</v></c>", {TypeId::kInt64}).rows, (Table{{"2"}}));
  TestSheet sheet;
  sheet.Row({TextCell("a")});
  sheet.Row({TypedCell("e", "#REF!")});
  sheet.Row({TextCell("x")});
  Write(sheet);
  const Outcome counted = Scan(*Open(), {{"a", kTextType}}, "t", OnBadValue::kNullAndCount);
  EXPECT_EQ(counted.rows, (Table{{"∅"}, {"x"}}));
  EXPECT_EQ(counted.bad_values, 1);
}

TEST_F(XlsxAdapterTest, HeadersOfSeveralRowsAreJoined) {
  TestSheet sheet;
  sheet.Row({TextCell("A title")});
  sheet.Row({TextCell("id"), TextCell("name"), NoCell(), TextCell("when")}, 3);
  sheet.Row({NoCell(), TextCell("first"), TextCell("last"), NumberCell("2026")});
  sheet.Row({NumberCell("1"), TextCell("Ann"), TextCell("Bee"), TextCell("now")});
  sheet.Merge("A3:A4");
  sheet.Merge("B3:C3");
  sheet.Merge("A9:B9");
  Write(sheet);
  const Settings settings = {{"first_row", "3"}, {"header_rows.t", "2"}};
  EXPECT_EQ(NamesOf("t", settings),
            (std::vector<std::string>{"id", "name first", "name last", "when 2026"}));
  EXPECT_EQ(Scan(*Open(settings), {{"name last", kTextType}, {"id", {TypeId::kInt64}}}).rows,
            (Table{{"Bee", "1"}}));
  EXPECT_EQ(NamesOf("t"), std::vector<std::string>{"A title"});
}

TEST_F(XlsxAdapterTest, EmptyRowsAreSkippedBehindTheTableAndRefusedWithin) {
  TestSheet sheet;
  sheet.Row({TextCell("a"), NoCell(), TextCell("c")}, 2);
  sheet.Row({TextCell("1")});
  sheet.Row({NoCell(), NoCell(), TextCell("2")}, 6);
  sheet.Row({});
  sheet.Row({NumberCell("", 0)});
  Write(sheet);
  const Columns columns = {{"a", kTextType}, {"B", kTextType}, {"c", kTextType}};
  const absl::Status status = Scan(*Open(), columns).status;
  EXPECT_TRUE(absl::StrContains(status.message(), "row 4: an empty row")) << status;
  EXPECT_EQ(Scan(*Open({{"blank_rows", "skip"}}), columns).rows,
            (Table{{"1", "∅", "∅"}, {"∅", "∅", "2"}}));
}

TEST_F(XlsxAdapterTest, CellsBesideTheTableAreRefusedOrIgnored) {
  TestSheet sheet;
  sheet.Row({TextCell("a")});
  sheet.Row({TextCell("1"), TextCell("a note")});
  Write(sheet);
  const absl::Status status = Scan(*Open(), {{"a", kTextType}}).status;
  EXPECT_TRUE(absl::StrContains(status.message(), "row 2: a cell in column B")) << status;
  EXPECT_EQ(Scan(*Open({{"extra_cells", "ignore"}}), {{"a", kTextType}}).rows, (Table{{"1"}}));
}

TEST_F(XlsxAdapterTest, SheetsAreTablesOfTheirFile) {
  TestWorkbook book;
  for (const char* name : {"People & all", "Places", "Secret"}) {
    TestSheet sheet;
    sheet.Row({TextCell("a")});
    sheet.Row({TextCell(name)});
    book.sheets.emplace_back(name, sheet.Xml());
  }
  book.hidden = {"Secret"};
  folder_.Write("t.xlsx", book.Bytes());
  const auto described = Open()->Describe("", {&clock_, 0, nullptr});
  ASSERT_TRUE(described.ok()) << described.status();
  ASSERT_EQ(described->size(), 2u);
  EXPECT_EQ((*described)[0].table, "t/People & all");
  const Columns a = {{"a", kTextType}};
  EXPECT_EQ(Scan(*Open(), a, "t/Places").rows, (Table{{"Places"}}));
  for (const char* table : {"t", "t/Secret", "t/None"})
    EXPECT_EQ(ReasonOf(Scan(*Open(), a, table).status), v1::REASON_SCHEMA_DRIFT) << table;
  EXPECT_EQ(Scan(*Open({{"sheet", "Secret"}}), a).rows, (Table{{"Secret"}}));
  EXPECT_EQ(Scan(*Open({{"sheet.t", "2"}}), a).rows, (Table{{"Places"}}));
  EXPECT_EQ(ReasonOf(Scan(*Open({{"sheet", "7"}}), a).status), v1::REASON_SOURCE_BAD_VALUE);
}

TEST_F(XlsxAdapterTest, WhatIsUnpackedLeavesNothingBehind) {
  TestSheet sheet;
  sheet.Row({TextCell("a")});
  for (int i = 0; i < 3'000; ++i) sheet.Row({TextCell("a secret name")});
  Write(sheet);
  const auto adapter = Open();
  EXPECT_EQ(Scan(*adapter, {{"a", kTextType}}).rows.size(), 3'000u);
  EXPECT_TRUE(work_.Names().empty());
  const std::string open = files::OpenFilesUnder(work_.path());
  EXPECT_GT(open.size(), 40'000u);
  EXPECT_FALSE(absl::StrContains(open, "secret"));
}

TEST_F(XlsxAdapterTest, ADeadlineLeavesWhatWasUnpackedToTheNextCall) {
  TestSheet sheet;
  sheet.Row({TextCell("a")});
  for (int i = 0; i < 60'000; ++i) sheet.Row({NumberCell(absl::StrCat(i))});
  Write(sheet);
  const auto adapter = Open();
  ScanRequest request;
  request.table = "t";
  request.rows_wanted = 100;
  request.fields = {{"a", {"a", {TypeId::kInt64}}}};
  int tries = 0;
  absl::Status status;
  do {
    // Each look at the clock takes a millisecond, and each call has twenty.
    class Ticking : public FakeClock {
     public:
      Micros Monotonic() const override { return ++now_ * 1'000; }

     private:
      mutable Micros now_ = 0;
    } clock;
    auto reader = *adapter->Scan(request, {&clock, 20'000, nullptr});
    status = reader->Next().status();
    ++tries;
  } while (ReasonOf(status) == v1::REASON_DEADLINE_EXCEEDED && tries < 50);
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_GT(tries, 1);
}

TEST_F(XlsxAdapterTest, ArchivesThatMeanHarmAreRefused) {
  TestSheet sheet;
  sheet.Row({TextCell("a")});
  sheet.Row({TextCell("x")});
  TestWorkbook book;
  book.sheets = {{"S", sheet.Xml()}};
  const auto with = [&](const std::string& part, const std::string& bytes) {
    auto parts = book.Parts();
    std::erase_if(parts, [&](const auto& one) { return one.first == part; });
    parts.emplace_back(part, bytes);
    return TestArchive(parts);
  };
  const std::string good = book.Bytes(), part = "xl/worksheets/sheet1.xml";
  ASSERT_TRUE(StatusOfBytes(good).ok());
  const std::string xml = sheet.Xml();
  const auto main = xml.substr(0, xml.find("<sheetData>"));
  struct Case {
    std::string bytes;
    const char* says;
  };
  std::string encrypted = good;
  encrypted[encrypted.find("PK\1\2") + 8] |= 1;
  std::string damaged = good;
  damaged[damaged.find("sheet1.xml") + 20] ^= 0x55;
  const std::string zeros(80 << 20, ' ');
  for (const Case& one :
       {Case{"", "no zip archive"},
        Case{"PK\3\4", "no zip archive"},
        Case{good.substr(0, good.size() / 2), "no zip archive"},
        Case{std::string("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", 8) + std::string(600, '\0'),
             ".xls workbook"},
        Case{encrypted, "encrypted"},
        Case{damaged, "damaged"},
        Case{with("../../etc/passwd", "x"), "leads out"},
        Case{with("/etc/passwd", "x"), "leads out"},
        Case{with("a\\b", "x"), "leads out"},
        Case{with("XL/workbook.xml", "x"), "same name"},
        Case{with("_rels/.rels",
                  "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/"
                  "2006/relationships\"><Relationship Id=\"1\" "
                  "Type=\"x/officeDocument\" Target=\"xl/workbook.bin\"/>"
                  "</Relationships>"),
             ".xlsb"},
        Case{with("_rels/.rels", "<Relationships/>"), "holds no workbook"},
        Case{with(part, "<!DOCTYPE x [<!ENTITY a \"b\">]>" + xml.substr(xml.find("?>") + 2)),
             "document type"},
        Case{with(part, xml.substr(0, xml.size() - 4)), "well-formed"},
        Case{with(part, main + "<sheetData><row><c><v>&a;</v></c></row></sheetData></worksheet>"),
             "undefined entity"},
        Case{with(part, main + zeros + xml.substr(main.size())), "burst"},
        Case{with(part, main + "<sheetData x=\"" + std::string(3 << 20, 'x')), "a tag of over"},
        Case{with(part, main + "<sheetData><row r=\"2\"/><row r=\"2\"/></sheetData></worksheet>"),
             "does not follow"},
        Case{with(part,
                  main + "<sheetData><row r=\"1\"><c r=\"A2\"/></row></sheetData></worksheet>"),
             "reference"},
        Case{with(part, main + "<sheetData><row><c t=\"s\"><v>0</v></c></row></sheetData>"
                               "</worksheet>"),
             "shared text"},
        Case{with(part, main + "<sheetData/></worksheet>"), "no header"}}) {
    const absl::Status status = StatusOfBytes(one.bytes);
    EXPECT_EQ(ReasonOf(status), v1::REASON_SOURCE_BAD_VALUE) << one.says << status;
    EXPECT_TRUE(absl::StrContains(status.message(), one.says)) << one.says << ": " << status;
    // What Describe reads of it is refused, or is what stands before the harm.
    (void)Open()->Describe("t", {&clock_, 0, nullptr});
  }
  std::string random;
  for (uint32_t i = 0, x = 1; i < 2 << 20; ++i)
    random.push_back(static_cast<char>('a' + ((x = x * 1'664'525 + 1'013'904'223) >> 24) % 26));
  EXPECT_TRUE(absl::StrContains(
      StatusOfBytes(with(part, main + "<!--" + random + "-->" + xml.substr(main.size())),
                    {{"most_unpacked_bytes", "1048576"}})
          .message(),
      "most_unpacked_bytes"));
  EXPECT_TRUE(absl::StrContains(
      StatusOfBytes(with(part, main + "<sheetData><row><c t=\"str\"><v>" + random +
                                   "</v></c></row></sheetData></worksheet>"),
                    {{"most_row_bytes", "65536"}})
          .message(),
      "most_row_bytes"));
}

TEST_F(XlsxAdapterTest, RowsWithoutAKeyAreKeptForTheirOwnerWithTheirCells) {
  TestSheet sheet;
  sheet.Row({TextCell("a"), TextCell("b")});
  sheet.Row({NumberCell("1"), TextCell("x")});
  sheet.Row({TextCell("none"), TextCell("y")});
  sheet.Row({NumberCell("2"), TextCell("z")});
  Write(sheet);
  const files::TestFolder rejects;
  ScanRequest request;
  request.table = "t";
  request.fields = {{"a", {"a", {TypeId::kInt64}}}, {"b", {"b", kTextType}}};
  request.key = {0};
  const auto adapter = Open({{"reject_folder", rejects.path()}});
  EXPECT_EQ(ReasonOf(files::ScanShown(*adapter, request).status), v1::REASON_SOURCE_BAD_VALUE);
  request.on_bad_record = OnBadRecord::kRejectAndCount;
  const files::Scanned scanned = files::ScanShown(*adapter, request);
  EXPECT_EQ(scanned.rows.size(), 2U) << scanned.status;
  EXPECT_EQ(scanned.version.rejected_records, 1);
  ASSERT_EQ(rejects.Names().size(), 1U);
  const std::string kept = rejects.Read(rejects.Names()[0]);
  EXPECT_TRUE(absl::StrContains(kept, "3,")) << kept;
  EXPECT_TRUE(absl::StrContains(kept, ",6e6f6e650979\n")) << kept;
}

TEST_F(XlsxAdapterTest, WorkbooksOfSeveralDatesAreOneTable) {
  const auto write = [this](const std::string& name, const std::string& number) {
    TestSheet sheet;
    sheet.Row({TextCell("a")});
    sheet.Row({NumberCell(number)});
    TestWorkbook book;
    book.sheets.insert(book.sheets.begin(), {"Sheet1", sheet.Xml()});
    folder_.Write(name, book.Bytes());
  };
  write("p-20261001.xlsx", "1");
  write("p-20261101.xlsx", "2");
  const auto adapter =
      Open({{"pattern", "p-{yyyyMMdd}.xlsx"}, {"pick", "all"}, {"file_name_column", "file"}});
  const Outcome outcome = Scan(*adapter, {{"a", {TypeId::kInt64}}, {"file", kTextType}}, "p");
  EXPECT_EQ(outcome.rows, (Table{{"1", "p-20261001.xlsx"}, {"2", "p-20261101.xlsx"}}))
      << outcome.status;
}

TEST_F(XlsxAdapterTest, AWorkbookChangedWhileItIsReadEndsTheRead) {
  TestSheet sheet;
  sheet.Row({TextCell("a")});
  for (int i = 0; i < 40'000; ++i) sheet.Row({NumberCell(absl::StrCat(i))});
  Write(sheet);
  const auto adapter = Open();
  ScanRequest request;
  request.table = "t";
  request.fields = {{"a", {"a", {TypeId::kInt64}}}};
  auto reader = *adapter->Scan(request, {&clock_, 0, nullptr});
  ASSERT_TRUE(reader->Next().ok());
  std::ofstream(folder_.PathOf("t.xlsx"), std::ios::app) << "more";
  EXPECT_EQ(ReasonOf(reader->Next().status()), v1::REASON_SOURCE_CHANGED);
}

TEST_F(XlsxAdapterTest, SettingsAreCheckedAtOnce) {
  const absl::Status status = CheckXlsxSettings({{"folder", "/srv/x"},
                                                 {"header_rows", "0"},
                                                 {"first_row.t", "x"},
                                                 {"sheet", ""},
                                                 {"most_unpacked_bytes", "1"},
                                                 {"separator", ","}});
  for (const char* name :
       {"header_rows", "first_row.t", "sheet", "most_unpacked_bytes", "separator"})
    EXPECT_TRUE(absl::StrContains(status.message(), name)) << status;
  EXPECT_TRUE(CheckXlsxSettings({{"file", "/srv/x.xlsx"}, {"sheet", "2"}}).ok());
}

}  // namespace
}  // namespace sluice::adapters::xlsx
