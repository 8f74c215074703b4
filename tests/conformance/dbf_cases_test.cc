// Tables as they are found, of dBase III and IV, FoxPro and shape files. They stand outside of this
// tree: SLUICE_CASES names their folder, with what must be read from each beside it.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "adapters/registry.h"
#include "gateway/base/crypto.h"
#include "gateway/base/error.h"
#include "gateway/base/fake_clock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/conformance/adapter_under_test.h"

namespace sluice::adapters::conformance {
namespace {

using DbfJson = nlohmann::ordered_json;
using records::TypeId;

// Numbers as the text that they are.
class ExactParser : public nlohmann::detail::json_sax_dom_parser<DbfJson> {
 public:
  explicit ExactParser(DbfJson& json) : json_sax_dom_parser(json, true) {}
  bool number_float(double, const std::string& text) { return Take(text); }
  bool number_integer(int64_t value) { return Take(absl::StrCat(value)); }
  bool number_unsigned(uint64_t value) { return Take(absl::StrCat(value)); }

 private:
  bool Take(std::string text) { return string(text); }
};

DbfJson ParseExactly(const std::string& text) {
  DbfJson json;
  ExactParser parser(json);
  EXPECT_TRUE(DbfJson::sax_parse(text, &parser));
  return json;
}

std::string DbfCases() {
  const char* const folder = std::getenv("SLUICE_CASES");
  return std::filesystem::absolute(folder != nullptr ? folder : SLUICE_CASES_DEFAULT)
             .lexically_normal()
             .string() +
         "/dbf";
}

struct WholeTable {
  std::vector<ColumnDescription> columns;
  std::vector<Row> rows;
  std::set<std::pair<int64_t, int>> bad;  // row, column
  absl::Status status;
};

// All columns, as text or as they are described.
WholeTable ReadTableFile(const std::string& file, Settings settings, bool as_text) {
  const FakeClock clock;
  const CallContext context{&clock, 0, nullptr};
  settings["file"] = file;
  WholeTable whole;
  const auto adapter = FindKind("dbf")->open(settings);
  whole.status = adapter.status();
  if (!adapter.ok()) return whole;
  const auto described = (*adapter)->Describe("", context);
  whole.status = described.status();
  if (!described.ok() || described->size() != 1) return whole;
  whole.columns = (*described)[0].columns;
  ScanRequest request;
  request.table = (*described)[0].table;
  request.on_bad_value = OnBadValue::kNullAndCount;
  for (const ColumnDescription& column : whole.columns) {
    const records::DataType text{TypeId::kUtf8};
    request.fields.push_back({column.name, {column.name, as_text ? text : column.type}});
  }
  auto reader = (*adapter)->Scan(request, context);
  std::vector<records::RecordBatch> batches;
  int64_t rows = 0;
  for (;;) {
    auto batch = (*reader)->Next();
    whole.status = batch.status();
    if (!batch.ok() || !batch->has_value()) break;
    for (const BadCell& cell : (*reader)->bad_cells())
      whole.bad.insert({rows + cell.row, cell.field});
    rows += (*batch)->rows();
    batches.push_back(**std::move(batch));
  }
  whole.rows = RowsOf(batches);
  return whole;
}

std::string WithoutLineEnd(std::string text) {
  while (text.ends_with('\r') || text.ends_with('\n')) text.pop_back();
  return text;
}

class DbfCasesTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(DbfCases())) GTEST_SKIP() << "no cases under " << DbfCases();
  }

  static void ExpectColumns(const WholeTable& whole, const DbfJson& described) {
    std::vector<std::string> names, types, expected_names, expected_types;
    for (const ColumnDescription& column : whole.columns) {
      names.push_back(column.name);
      types.push_back(column.source_type);
    }
    for (const DbfJson& column : described["columns"]) {
      std::string name = column["name"];
      // The second of a name is numbered.
      if (std::find(expected_names.begin(), expected_names.end(), name) != expected_names.end())
        name += "_2";
      expected_names.push_back(name);
      const std::string decimals = column["decimals"];
      expected_types.push_back(absl::StrCat(column["type"].get<std::string>(), "(",
                                            column["length"].get<std::string>(),
                                            decimals == "0" ? "" : "," + decimals, ")"));
    }
    EXPECT_EQ(names, expected_names);
    EXPECT_EQ(types, expected_types);
  }

  static void ExpectCell(const WholeTable& whole, int64_t row, int column,
                         const DbfJson& expected) {
    const records::Scalar& value = whole.rows[row][column];
    const std::string where = absl::StrCat("row ", row, " ", whole.columns[column].name);
    EXPECT_EQ(whole.bad.contains({row, column}), expected.is_object()) << where;
    if (expected.is_null() || expected.is_object()) {
      EXPECT_TRUE(std::holds_alternative<std::monostate>(value)) << where;
    } else if (expected.is_boolean()) {
      EXPECT_EQ(std::get<std::string>(value), expected.get<bool>() ? "true" : "false") << where;
    } else {
      ASSERT_TRUE(std::holds_alternative<std::string>(value)) << where;
      EXPECT_EQ(WithoutLineEnd(std::get<std::string>(value)),
                WithoutLineEnd(expected.get<std::string>()))
          << where;
    }
  }

  static void ExpectRow(const WholeTable& whole, int64_t row, const DbfJson& expected) {
    ASSERT_EQ(expected.size(), whole.columns.size());
    int column = 0;
    for (const auto& item : expected.items()) ExpectCell(whole, row, column++, item.value());
  }
};

TEST_F(DbfCasesTest, EveryTableIsReadAsItsJsonSays) {
  int files = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(DbfCases())) {
    if (entry.path().extension() != ".dbf") continue;
    SCOPED_TRACE(entry.path().string());
    const std::string stem = std::filesystem::path(entry.path()).replace_extension("").string();
    std::ifstream columns_file(stem + ".columns.json");
    const DbfJson described = ParseExactly(
        {std::istreambuf_iterator<char>(columns_file), std::istreambuf_iterator<char>()});
    Settings settings;
    if (described["decoded_with"] == "latin1") settings["encoding"] = "latin-1";
    if (stem.ends_with("no_memofile")) settings["missing_memos"] = "null";
    const WholeTable whole = ReadTableFile(entry.path(), settings, true);
    ASSERT_TRUE(whole.status.ok()) << whole.status;
    ExpectColumns(whole, described);
    EXPECT_EQ(absl::StrCat(whole.rows.size()), described["live"].get<std::string>());
    const WholeTable typed = ReadTableFile(entry.path(), settings, false);
    ASSERT_TRUE(typed.status.ok()) << typed.status;
    EXPECT_EQ(typed.bad, whole.bad) << "a described type that values do not fit";
    ++files;
    std::ifstream expected_file(stem + ".expected.jsonl");
    if (!expected_file) continue;
    std::string line;
    int64_t row = 0;
    while (std::getline(expected_file, line)) {
      const DbfJson record = ParseExactly(line);
      if (record["deleted"].get<bool>()) continue;
      ASSERT_LT(row, static_cast<int64_t>(whole.rows.size()));
      ExpectRow(whole, row++, record.contains("row") ? record["row"] : record["values"]);
    }
    EXPECT_EQ(row, static_cast<int64_t>(whole.rows.size()));
  }
  EXPECT_EQ(files, 10);
}

TEST_F(DbfCasesTest, TheCensusAddsUpExactly) {
  const std::string stem = DbfCases() + "/pyshp/blockgroups";
  const WholeTable whole = ReadTableFile(stem + ".dbf", {}, true);
  ASSERT_EQ(whole.rows.size(), 663u) << whole.status;
  std::ifstream file(stem + ".expected.json");
  const DbfJson expected =
      ParseExactly({std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()});
  for (int64_t i = 0; i < 3; ++i) {
    ExpectRow(whole, i, expected["first"][i]);
    ExpectRow(whole, 660 + i, expected["last"][i]);
  }
  size_t summed = 0;
  for (size_t column = 0; column < whole.columns.size(); ++column) {
    const std::string& name = whole.columns[column].name;
    if (!expected["sum"].contains(name)) continue;
    ++summed;
    constexpr int kScale = 6;
    const auto parse = [](const std::string& text) {
      return *records::ParseDecimal(text, 38, kScale);
    };
    records::Decimal128 sum = 0, least = 0, most = 0;
    for (const Row& row : whole.rows) {
      const records::Decimal128 value = parse(std::get<std::string>(row[column]));
      least = &row == &whole.rows[0] ? value : std::min(least, value);
      most = &row == &whole.rows[0] ? value : std::max(most, value);
      sum += value;
    }
    EXPECT_TRUE(sum == parse(expected["sum"][name])) << name;
    EXPECT_TRUE(least == parse(expected["min"][name])) << name;
    EXPECT_TRUE(most == parse(expected["max"][name])) << name;
  }
  EXPECT_EQ(summed, expected["sum"].size());
}

TEST_F(DbfCasesTest, WhatNeedsASettingIsRefusedWithoutIt) {
  const WholeTable no_memos = ReadTableFile(DbfCases() + "/dbfread/no_memofile.dbf", {}, true);
  EXPECT_EQ(ReasonOf(no_memos.status), v1::REASON_SOURCE_UNAVAILABLE) << no_memos.status;
  const WholeTable no_page = ReadTableFile(DbfCases() + "/pyshp/latin1.dbf", {}, true);
  EXPECT_EQ(no_page.bad.size(), 1u) << "one name beyond ASCII, and no code page";
}

}  // namespace
}  // namespace sluice::adapters::conformance
