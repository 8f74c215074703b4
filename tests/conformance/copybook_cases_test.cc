// Files of COBOL programs with their copybooks, and what must be read from each, as published by a
// project that reads such files elsewhere. They stand outside of this tree: SLUICE_CASES names
// their folder. Every value of every expected record is compared, numbers as decimals.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "adapters/registry.h"
#include "gateway/base/error.h"
#include "gateway/base/fake_clock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/conformance/adapter_under_test.h"

namespace sluice::adapters::conformance {
namespace {

using CobolJson = nlohmann::json;

std::string CobolFolder() {
  const char* const folder = std::getenv("SLUICE_CASES");
  return (std::filesystem::absolute(folder != nullptr ? folder : SLUICE_CASES_DEFAULT) / "cobol")
      .lexically_normal()
      .string();
}

// Numbers that are no int64 stay as they are written, behind a '#'.
class ExactNumbers : public nlohmann::detail::json_sax_dom_parser<CobolJson> {
 public:
  using Base = nlohmann::detail::json_sax_dom_parser<CobolJson>;
  explicit ExactNumbers(CobolJson& root) : Base(root, false) {}
  bool number_float(double, const std::string& text) {
    std::string kept = "#" + text;
    return Base::string(kept);
  }
};

CobolJson ExactJson(const std::string& text) {
  CobolJson json;
  ExactNumbers handler(json);
  EXPECT_TRUE(CobolJson::sax_parse(text, &handler));
  return json;
}

using FlatRecord = std::map<std::string, std::string>;

// Groups by points, occurrences as numbers behind the name; lists of nothing leave nothing.
void Flatten(const CobolJson& json, const std::string& name, const std::string& occurrences,
             FlatRecord& flat) {
  if (json.is_object()) {
    for (const auto& [key, inner] : json.items())
      Flatten(inner, absl::StrCat(name, name.empty() ? "" : ".", key), occurrences, flat);
  } else if (json.is_array()) {
    for (size_t i = 0; i < json.size(); ++i)
      Flatten(json[i], name, absl::StrCat(occurrences, "_", i + 1), flat);
  } else if (!json.is_null()) {
    flat[name + occurrences] =
        json.is_string() ? json.get<std::string>() : absl::StrCat("#", json.dump());
  }
}

// "-12.50" and "-12.5" are the same; so are 1230.0 and 1230.
std::string Plain(std::string number) {
  if (number.find('.') == number.npos) return number;
  while (number.back() == '0') number.pop_back();
  if (number.back() == '.') number.pop_back();
  return number == "-0" ? "0" : number;
}

struct CobolCase {
  std::string folder;
  std::string copybook = "copybook.cob";
  std::string data = "data.dat";
  std::string expected = "expected.txt";
  Settings settings;
  std::vector<std::string> order;       // columns by which the expected records are sorted
  std::set<std::string> left_out = {};  // columns that the expected records know nothing of
  std::function<std::string(std::string)> text = nullptr;  // what is done to both texts
};

struct CobolRows {
  std::vector<std::string> columns;
  std::vector<records::DataType> types;
  std::vector<Row> rows;
  std::vector<BadCell> bad;
  absl::Status status;
};

CobolRows ReadCobol(const CobolCase& one, const std::string& part = "") {
  const FakeClock clock;
  const CallContext context{&clock, 0, nullptr};
  const std::string folder = absl::StrCat(CobolFolder(), "/", one.folder, "/");
  Settings settings = one.settings;
  settings.insert({{"file", folder + one.data},
                   {"copybook", folder + one.copybook},
                   {"encoding", "cp037"},
                   {"trim", "both"},
                   {"hyphens", "underscore"},
                   {"qualified", "always"},
                   {"edited", "numbers"}});
  CobolRows read;
  const auto adapter = FindKind("copybook")->open(settings);
  read.status = adapter.status();
  if (!adapter.ok()) return read;
  const std::string file = std::filesystem::path(one.data).stem();
  const std::string table = part.empty() ? file : absl::StrCat(file, "/", part);
  const auto described = (*adapter)->Describe(table, context);
  read.status = described.status();
  if (!described.ok()) return read;
  ScanRequest request;
  request.table = table;
  request.on_bad_value = OnBadValue::kNullAndCount;
  for (const ColumnDescription& column : (*described)[0].columns) {
    read.columns.push_back(column.name);
    read.types.push_back(column.type);
    request.fields.push_back({column.name, {column.name, column.type, true}});
  }
  auto reader = *(*adapter)->Scan(request, context);
  for (;;) {
    auto batch = reader->Next();
    read.status = batch.status();
    if (!batch.ok() || !batch->has_value()) return read;
    for (BadCell cell : reader->bad_cells()) {
      cell.row += static_cast<int64_t>(read.rows.size());
      read.bad.push_back(cell);
    }
    for (Row& row : RowsOf({**batch})) read.rows.push_back(std::move(row));
  }
}

// As the expected files write it; numbers behind a '#'.
std::string Shown(const records::Scalar& value, const records::DataType& type) {
  if (const auto* const number = std::get_if<int64_t>(&value)) return absl::StrCat("#", *number);
  if (const auto* const decimal = std::get_if<records::Decimal128>(&value))
    return "#" + records::FormatDecimal(*decimal, type.scale);
  return std::get<std::string>(value);
}

std::vector<FlatRecord> ExpectedRecords(const CobolCase& one) {
  std::ifstream file(absl::StrCat(CobolFolder(), "/", one.folder, "/", one.expected));
  std::stringstream text;
  text << file.rdbuf();
  std::vector<FlatRecord> records;
  const auto add = [&records](const CobolJson& json) {
    Flatten(json, "", "", records.emplace_back());
  };
  if (text.str().starts_with("[")) {
    for (const CobolJson& json : ExactJson(text.str())) add(json);
  } else {
    for (std::string line; std::getline(text, line);)
      if (!line.empty()) add(ExactJson(line));
  }
  return records;
}

void SortCobol(CobolRows& read, const std::vector<std::string>& order) {
  std::vector<size_t> keys;
  for (const std::string& column : order)
    keys.push_back(static_cast<size_t>(std::find(read.columns.begin(), read.columns.end(), column) -
                                       read.columns.begin()));
  std::stable_sort(read.rows.begin(), read.rows.end(), [&](const Row& a, const Row& b) {
    for (const size_t key : keys)
      if (a.at(key) != b.at(key)) return a.at(key) < b.at(key);
    return false;
  });
}

// Every value that is expected is there, and nothing but null where none is.
void ExpectRecords(const CobolCase& one) {
  SCOPED_TRACE(absl::StrCat(one.folder, "/", one.expected, " ", one.data));
  CobolRows read = ReadCobol(one);
  ASSERT_TRUE(read.status.ok()) << read.status;
  const auto expected = ExpectedRecords(one);
  ASSERT_FALSE(expected.empty());
  ASSERT_LE(expected.size(), read.rows.size());
  SortCobol(read, one.order);
  const auto same = one.text ? one.text : [](std::string text) { return text; };
  for (size_t row = 0; row < expected.size(); ++row) {
    FlatRecord left = expected[row];
    for (size_t i = 0; i < read.columns.size(); ++i) {
      const std::string& name = read.columns[i];
      if (one.left_out.contains(name)) continue;
      const records::Scalar& value = read.rows[row][i];
      const auto found = left.find(name);
      if (found == left.end()) {
        // What published them holds numbers of up to nine digits in 32 bits, signed.
        const auto* const number = std::get_if<int64_t>(&value);
        if (number != nullptr && *number > INT32_MAX) continue;
        EXPECT_TRUE(std::holds_alternative<std::monostate>(value))
            << "record " << row << " " << name << ": " << Show({value});
        continue;
      }
      const std::string want = found->second;
      left.erase(found);
      // Bytes that mean nothing: the published record has a mark for them, we have none.
      if (want.find("\uFFFD") != want.npos && std::holds_alternative<std::monostate>(value))
        continue;
      ASSERT_FALSE(std::holds_alternative<std::monostate>(value))
          << "record " << row << " " << name << " is null and not " << want;
      if (const auto* const real = std::get_if<double>(&value)) {
        const double wanted = std::stod(want.substr(1));
        EXPECT_TRUE(*real == wanted || static_cast<float>(*real) == static_cast<float>(wanted))
            << "record " << row << " " << name << ": " << *real << ", not " << want;
      } else if (want.starts_with("#")) {
        EXPECT_EQ(Plain(Shown(value, read.types[i])), Plain(want))
            << "record " << row << " " << name;
      } else {
        EXPECT_EQ(same(Shown(value, read.types[i])), same(want)) << "record " << row << " " << name;
      }
    }
    for (const auto& [name, value] : left)
      if (!one.left_out.contains(name))
        ADD_FAILURE() << "record " << row << " lacks " << name << ", which is " << value;
    if (testing::Test::HasFailure()) return;
  }
}

// Controls as blanks, in UTF-8; what decodes code pages elsewhere has its own ideas of them.
std::string BlankControls(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    const bool c1 =
        c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (c1) ++i;
    out.push_back(c1 || c < 0x20 || c == 0x7F ? ' ' : text[i]);
  }
  return out;
}

// The published records know those characters alone that all code pages of EBCDIC share.
std::string Invariant(const std::string& text) {
  std::string out;
  for (const char c : BlankControls(text)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 || byte >= 0xC0) out.push_back(byte < 0x80 ? c : ' ');
  }
  return out;
}

std::string Trimmed(std::string text) {
  text.erase(0, std::min(text.find_first_not_of(' '), text.size()));
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

std::string WithoutControls(std::string text) {
  std::erase_if(text, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
  return Trimmed(text);
}

class CopybookCasesTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(CobolFolder())) GTEST_SKIP() << "no cases under " << CobolFolder();
  }
  static absl::Status Refusal(CobolCase one) { return ReadCobol(one).status; }
};

TEST_F(CopybookCasesTest, FixedRecordsWithCountsAndRedefines) {
  CobolCase one{.folder = "fixed-odo-redefines", .settings = {{"depending_on", "fixed"}}};
  one.text = [](const std::string& text) { return Trimmed(BlankControls(text)); };
  ExpectRecords(one);
}

TEST_F(CopybookCasesTest, NumbersOfEveryTypeAndEveryDigit) {
  ExpectRecords(
      {.folder = "numeric-types", .settings = {{"float_format", "ieee"}}, .order = {"ID"}});
}

TEST_F(CopybookCasesTest, DisplayNumbersThatAreBlankOrBad) {
  CobolCase one{.folder = "display-numbers",
                .settings = {{"record_number", "Record_Id"}},
                .left_out = {"File_Id", "Record_Id", "WS_AMOUNT_FRACTION"}};
  ExpectRecords(one);
  const CobolRows read = ReadCobol(one);
  ASSERT_EQ(read.rows.size(), 7u);
  // Three numbers of the last record hold letters.
  ASSERT_EQ(read.bad.size(), 3u);
  for (const BadCell& cell : read.bad) EXPECT_EQ(cell.row, 6);
  EXPECT_EQ(Shown(read.rows[0][5], read.types[5]), "#12134568.76");
  EXPECT_EQ(read.rows[5][5], records::Scalar()) << "blank is null";
}

TEST_F(CopybookCasesTest, SignsThatShareAByteWithADigit) {
  for (const bool ascii : {false, true}) {
    Settings settings = {{"encoding", ascii ? "us-ascii" : "cp037"},
                         {"record_format", ascii ? "lines" : "fixed"}};
    if (ascii) settings["last_line_end"] = "optional";
    CobolCase one{.folder = "sign-overpunch",
                  .data = ascii ? "data.ascii.txt" : "data.ebcdic.dat",
                  .expected = "expected-strict.json",
                  .settings = settings};
    ExpectRecords(one);
    one.settings["digits"] = "relaxed";
    one.expected = "expected-relaxed.json";
    ExpectRecords(one);
    one.copybook = "copybook-relaxed-only.cob";
    one.data = ascii ? "data-relaxed-only.ascii.txt" : "data-relaxed-only.ebcdic.dat";
    one.expected = "expected-relaxed-only.json";
    ExpectRecords(one);
    one.settings["digits"] = "strict";
    const CobolRows strict = ReadCobol(one);
    ASSERT_EQ(strict.rows.size(), 1u) << strict.status;
    EXPECT_EQ(strict.bad.size(), 1u);
  }
}

TEST_F(CopybookCasesTest, EachValueThatCannotBeReadIsCounted) {
  CobolCase one{.folder = "corrupt-fields", .expected = "expected-hex.json"};
  const CobolRows read = ReadCobol(one);
  ASSERT_TRUE(read.status.ok()) << read.status;
  std::set<std::string> bad, expected;
  for (const BadCell& cell : read.bad)
    bad.insert(absl::StrCat(cell.row, " ", read.columns[static_cast<size_t>(cell.field)]));
  const auto records = ExpectedRecords(one);
  for (size_t row = 0; row < records.size(); ++row) {
    for (const auto& [name, value] : records[row]) {
      if (!name.starts_with("_corrupt_fields.field_name")) continue;
      const size_t bracket = value.find('[');
      const std::string index =
          bracket == value.npos ? "" : absl::StrCat("_", value[bracket + 1] - '0' + 1);
      expected.insert(absl::StrCat(row, " ", value.substr(0, bracket), index));
      one.left_out.insert(name);
      one.left_out.insert(absl::StrCat("_corrupt_fields.raw_value", name.substr(26)));
    }
  }
  EXPECT_EQ(bad, expected);
  ExpectRecords(one);
}

TEST_F(CopybookCasesTest, TextInNamedCodePages) {
  CobolCase one{.folder = "code-pages", .expected = "expected-cp037.txt"};
  one.text = [](const std::string& text) { return Trimmed(BlankControls(text)); };
  ExpectRecords(one);
  one.expected = "expected-cp273.txt";
  one.settings = {{"encoding", "cp273"}, {"trim", "none"}};
  one.text = [](const std::string& text) { return BlankControls(text); };
  ExpectRecords(one);
}

TEST_F(CopybookCasesTest, AHeaderAndATrailerOfTheFile) {
  CobolCase one{.folder = "file-header-footer",
                .settings = {{"file_start_bytes", "10"}, {"file_end_bytes", "12"}},
                .order = {"COMPANY_ID", "AMOUNT"}};
  ExpectRecords(one);
  EXPECT_EQ(ReadCobol(one).rows.size(), 50u);
  one.settings = {};
  EXPECT_EQ(ReasonOf(Refusal(one)), v1::REASON_SOURCE_BAD_VALUE);
}

TEST_F(CopybookCasesTest, FillersLeftOutAndKept) {
  // The published records know no items in groups without a name.
  CobolCase one{.folder = "fillers", .order = {"AMOUNT"}, .left_out = {"STR1", "STR2", "STR4"}};
  one.text = [](const std::string& text) { return Trimmed(BlankControls(text)); };
  ExpectRecords(one);
  one.expected = "expected-keep-fillers.txt";
  one.settings = {{"fillers", "keep"}};
  one.left_out = {"STR1",          "STR2",          "STR4",      "FILLER_1.STR1",
                  "FILLER_1.STR2", "FILLER_2.STR4", "FILLER_P4", "FILLER_1.FILLER_P4"};
  const auto records = ExpectedRecords(one);
  CobolRows read = ReadCobol(one);
  ASSERT_TRUE(read.status.ok()) << read.status;
  EXPECT_EQ(read.columns,
            (std::vector<std::string>{"FILLER_P1", "COMPANY_PREFIX", "FILLER_P2", "FILLER_P3",
                                      "COMPANY_NAME", "STR1", "STR2", "FILLER_P4", "ADDRESS",
                                      "STR4", "FILLER_P5", "FILLER_P6", "FILLER_P7",
                                      "CONTACT_PERSON.FIRST_NAME", "AMOUNT"}));
  SortCobol(read, one.order);
  for (size_t row = 0; row < records.size(); ++row) {
    for (const auto& [path, value] : records[row]) {
      // Groups without a name have none here.
      std::string name = path;
      for (const char* group : {"FILLER_1.", "FILLER_2.", "FILL_FIELD."})
        if (name.starts_with(group)) name.erase(0, std::string(group).size());
      const auto column = std::find(read.columns.begin(), read.columns.end(), name);
      ASSERT_NE(column, read.columns.end()) << name;
      const auto i = static_cast<size_t>(column - read.columns.begin());
      EXPECT_EQ(one.text(Plain(Shown(read.rows[row][i], read.types[i]))), one.text(Plain(value)))
          << row << " " << name;
    }
  }
}

CobolCase RdwCase(const std::string& folder, const std::string& order) {
  CobolCase one{.folder = folder,
                .settings = {{"record_format", "rdw"},
                             {"rdw_order", order},
                             {"rdw_counts_itself", "no"},
                             {"record_length_column", "Record_Byte_Length"}},
                .left_out = {"File_Id", "Record_Id", "Seg_Id0", "Seg_Id1"}};
  one.text = [](const std::string& text) { return Trimmed(Invariant(text)); };
  return one;
}

TEST_F(CopybookCasesTest, RecordDescriptorWordsOfBothOrders) {
  CobolCase little = RdwCase("ebcdic-rdw-le", "little"), big = RdwCase("ebcdic-rdw-be", "big");
  little.settings["low_values"] = big.settings["low_values"] = "text";
  ExpectRecords(little);
  ExpectRecords(big);
  EXPECT_EQ(ReadCobol(little).rows, ReadCobol(big).rows);
  EXPECT_EQ(ReadCobol(little).rows.size(), 1'000u);
  for (CobolCase wrong : {little, big}) {
    wrong.settings["rdw_order"] = wrong.settings["rdw_order"] == "big" ? "little" : "big";
    EXPECT_EQ(ReasonOf(Refusal(wrong)), v1::REASON_SOURCE_BAD_VALUE) << Refusal(wrong);
    wrong.settings["rdw_order"] = wrong.settings["rdw_order"] == "big" ? "little" : "big";
    wrong.settings["rdw_counts_itself"] = "yes";
    EXPECT_EQ(ReasonOf(Refusal(wrong)), v1::REASON_SOURCE_BAD_VALUE) << Refusal(wrong);
  }
}

TEST_F(CopybookCasesTest, SegmentsInAsciiTogetherAndApart) {
  CobolCase one = RdwCase("ascii-rdw-segments", "little");
  one.settings["encoding"] = "utf-8";
  one.text = WithoutControls;
  ExpectRecords(one);
  one.settings["segment_field"] = "SEGMENT-ID";
  one.settings["segment.companies"] = "C";
  one.settings["segment.contacts"] = "P";
  one.settings["segment_group.companies"] = "STATIC-DETAILS";
  one.settings["segment_group.contacts"] = "CONTACTS";
  one.settings["redefines.TAXPAYER-STR"] = "TAXPAYER-TYPE=A";
  one.settings["redefines.TAXPAYER-NUM"] = "TAXPAYER-TYPE=N";
  const CobolRows companies = ReadCobol(one, "companies"), contacts = ReadCobol(one, "contacts");
  ASSERT_TRUE(companies.status.ok() && contacts.status.ok()) << companies.status << contacts.status;
  EXPECT_EQ(companies.rows.size() + contacts.rows.size(), 1'000u);
  EXPECT_GT(contacts.rows.size(), 500u);
  EXPECT_TRUE(companies.bad.empty());
  EXPECT_TRUE(contacts.bad.empty());
  EXPECT_EQ(contacts.columns,
            (std::vector<std::string>{"Record_Byte_Length", "SEGMENT_ID", "COMPANY_ID",
                                      "CONTACTS.PHONE_NUMBER", "CONTACTS.CONTACT_PERSON"}));
  one.settings.erase("segment.contacts");
  one.settings.erase("segment_group.contacts");
  EXPECT_EQ(ReasonOf(ReadCobol(one, "companies").status), v1::REASON_SOURCE_BAD_VALUE);
  one.settings["other_segments"] = "skip";
  EXPECT_EQ(ReadCobol(one, "companies").rows, companies.rows);
}

TEST_F(CopybookCasesTest, TwoDescriptionsOfTheSameBytes) {
  CobolCase one{.folder = "nested-groups-ascii", .settings = {{"encoding", "us-ascii"}}};
  ExpectRecords(one);
  const std::string folder = CobolFolder() + "/nested-groups-ascii/";
  one.settings["copybook"] = absl::StrCat(folder, "copybook-a.cob,", folder, "copybook-b.cob");
  ExpectRecords(one);
}

TEST_F(CopybookCasesTest, RecordsAsLongAsTheirCountsSay) {
  CobolCase one{.folder = "odo-variable-ascii",
                .settings = {{"encoding", "us-ascii"}, {"record_format", "counted"}}};
  const CobolRows read = ReadCobol(one);
  ASSERT_TRUE(read.status.ok()) << read.status;
  const auto expected = ExpectedRecords(one);
  ASSERT_EQ(read.rows.size(), expected.size());
  for (size_t row = 0; row < expected.size(); ++row) {
    for (size_t i = 0; i < read.columns.size(); ++i) {
      const auto found = expected[row].find("RECORD." + read.columns[i]);
      if (found == expected[row].end()) {
        EXPECT_EQ(read.rows[row][i], records::Scalar()) << row << read.columns[i];
      } else {
        EXPECT_EQ(Shown(read.rows[row][i], read.types[i]), found->second) << read.columns[i];
      }
    }
  }
  one.settings["rows"] = "INNER-GROUP";
  const CobolRows rows = ReadCobol(one);
  ASSERT_TRUE(rows.status.ok()) << rows.status;
  std::string fields;
  for (const Row& row : rows.rows) fields += std::get<std::string>(row.back());
  EXPECT_EQ(fields, "ABABCAB") << "one row for each";
}

TEST_F(CopybookCasesTest, AnotherRecordsLengthIsRefused) {
  const std::string folder = testing::TempDir();
  std::ofstream(folder + "sixteen.cob") << "       01 R.\n           05 A PIC X(5).\n"
                                           "           05 B PIC X(11).\n";
  const FakeClock clock;
  const auto adapter = FindKind("copybook")
                           ->open({{"file", CobolFolder() + "/fixed-odo-redefines/data.dat"},
                                   {"copybook", folder + "sixteen.cob"},
                                   {"encoding", "cp037"}});
  ASSERT_TRUE(adapter.ok()) << adapter.status();
  const auto described = (*adapter)->Describe("data", {&clock, 0, nullptr});
  EXPECT_EQ(ReasonOf(described.status()), v1::REASON_SOURCE_BAD_VALUE) << described.status();
}

}  // namespace
}  // namespace sluice::adapters::conformance
