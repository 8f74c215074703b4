// Files as they are found: awkward ones, ones that public bodies published, and a register as older
// systems hand it over. They stand outside of this tree: SLUICE_CASES names their folder, with what
// must be read from each beside it.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "absl/strings/str_cat.h"
#include "adapters/registry.h"
#include "gateway/base/error.h"
#include "gateway/base/fake_clock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/conformance/adapter_under_test.h"

namespace sluice::adapters::conformance {
namespace {

using Json = nlohmann::json;
using records::TypeId;

std::string CasesFolder() {
  const char* const folder = std::getenv("SLUICE_CASES");
  // Settings take no path with ".." in it.
  return std::filesystem::absolute(folder != nullptr ? folder : SLUICE_CASES_DEFAULT)
      .lexically_normal()
      .string();
}

struct Whole {
  std::vector<std::string> columns;
  std::vector<Row> rows;
  int64_t bad_values = 0;
  absl::Status status;
};

// All columns of the file as text, in the order of `key` where it is given.
Whole ReadWhole(const std::string& file, Settings settings, const std::string& key = "",
                OnBadValue on_bad_value = OnBadValue::kStop) {
  const FakeClock clock;
  const CallContext context{&clock, 0, nullptr};
  settings["file"] = file;
  settings["empty"] = "text";
  Whole whole;
  const auto adapter = FindKind("delimited")->open(settings);
  whole.status = adapter.status();
  if (!adapter.ok()) return whole;
  const auto described = (*adapter)->Describe("", context);
  whole.status = described.status();
  if (!described.ok() || described->size() != 1) return whole;
  ScanRequest request;
  request.table = (*described)[0].table;
  request.on_bad_value = on_bad_value;
  for (const ColumnDescription& column : (*described)[0].columns) {
    if (column.name == key) request.key = {static_cast<int>(whole.columns.size())};
    whole.columns.push_back(column.name);
    request.fields.push_back({column.name, {column.name, {TypeId::kUtf8}}});
  }
  auto reader = (*adapter)->Scan(request, context);
  std::vector<records::RecordBatch> batches;
  for (;;) {
    auto batch = (*reader)->Next();
    whole.status = batch.status();
    if (!batch.ok() || !batch->has_value()) break;
    batches.push_back(**std::move(batch));
  }
  whole.rows = RowsOf(batches);
  whole.bad_values = (*reader)->bad_values();
  return whole;
}

class DelimitedCasesTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(CasesFolder() + "/csv"))
      GTEST_SKIP() << "no cases under " << CasesFolder();
  }
};

TEST_F(DelimitedCasesTest, EveryAwkwardFileIsReadAsItsJsonSays) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(CasesFolder() + "/csv/spectrum")) {
    if (entry.path().extension() != ".csv") continue;
    const Whole whole = ReadWhole(entry.path(), {{"last_line_end", "optional"}});
    ASSERT_TRUE(whole.status.ok()) << entry.path() << whole.status;
    std::filesystem::path json = entry.path();
    std::ifstream expected_file(json.replace_extension(".expected.json"));
    const Json expected = Json::parse(expected_file);
    ASSERT_EQ(whole.rows.size(), expected.size()) << entry.path();
    for (size_t row = 0; row < expected.size(); ++row) {
      ASSERT_EQ(whole.columns.size(), expected[row].size());
      for (size_t i = 0; i < whole.columns.size(); ++i)
        EXPECT_EQ(std::get<std::string>(whole.rows[row][i]),
                  expected[row][whole.columns[i]].get<std::string>())
            << entry.path() << " row " << row;
    }
    ++files;
  }
  EXPECT_EQ(files, 11);
}

TEST_F(DelimitedCasesTest, EveryPublishedFileIsReadAsItsJsonSays) {
  const std::map<std::string, std::pair<Settings, size_t>> files = {
      {"spanish_chars", {{{"encoding", "latin-1"}, {"last_line_end", "optional"}}, 117}},
      {"utf-16le_encoded", {{{"encoding", "utf-16le"}}, 328}},
      {"begrotingsanalyse-2011", {{}, 43}},
      {"mixedGLB", {{{"line_ends", "cr"}, {"last_line_end", "optional"}}, 137}}};
  for (const auto& [name, how] : files) {
    const std::string path = CasesFolder() + "/csv/government/" + name;
    Settings settings = how.first;
    settings["header"] = "no";
    const Whole whole = ReadWhole(path + ".csv", settings);
    ASSERT_TRUE(whole.status.ok()) << name << ": " << whole.status;
    ASSERT_EQ(whole.rows.size(), how.second) << name;
    std::ifstream expected_file(path + ".expected.jsonl");
    std::string line;
    for (size_t row = 0; std::getline(expected_file, line); ++row) {
      const Json expected = Json::parse(line);
      ASSERT_EQ(whole.rows[row].size(), expected.size()) << name;
      for (size_t i = 0; i < expected.size(); ++i)
        EXPECT_EQ(std::get<std::string>(whole.rows[row][i]), expected[i].get<std::string>())
            << name << " row " << row;
    }
  }
}

TEST_F(DelimitedCasesTest, StrictSettingsRefuseWhatWasPublished) {
  for (const char* file :
       {"csv/government/spanish_chars.csv", "csv/government/utf-16le_encoded.csv",
        "csv/government/mixedGLB.csv", "csv/spectrum/empty.csv"}) {
    const Whole whole = ReadWhole(absl::StrCat(CasesFolder(), "/", file), {});
    EXPECT_EQ(ReasonOf(whole.status), v1::REASON_SOURCE_BAD_VALUE) << file << whole.status;
  }
}

std::map<std::string, Row> ByCode(const Whole& whole) {
  std::map<std::string, Row> rows;
  for (const Row& row : whole.rows) rows[std::get<std::string>(row[0])] = row;
  return rows;
}

TEST_F(DelimitedCasesTest, TheRegisterInGb18030IsTheOneInUtf8) {
  const std::string folder = CasesFolder() + "/regions/";
  const Whole plain = ReadWhole(folder + "areas.csv", {}, "code");
  const Whole old = ReadWhole(folder + "areas-gb18030.csv", {{"encoding", "gb18030"}}, "code");
  ASSERT_TRUE(plain.status.ok() && old.status.ok()) << plain.status << old.status;
  EXPECT_EQ(plain.rows.size(), 2'978u);
  EXPECT_EQ(old.rows, plain.rows);
}

TEST_F(DelimitedCasesTest, NamesThatGbkLacksAreReadInGb18030AndBadInGbk) {
  const std::string folder = CasesFolder() + "/regions/";
  const auto streets = ByCode(ReadWhole(folder + "streets.csv", {}, "code"));
  EXPECT_EQ(streets.size(), 41'352u);
  const Whole hard = ReadWhole(folder + "streets-hard-gb18030.csv", {{"encoding", "gb18030"}});
  ASSERT_TRUE(hard.status.ok()) << hard.status;
  ASSERT_EQ(hard.rows.size(), 14u);
  for (const Row& row : hard.rows)
    EXPECT_EQ(row, streets.at(std::get<std::string>(row[0]))) << Show(row);
  const Whole gbk = ReadWhole(folder + "streets-hard-gb18030.csv", {{"encoding", "gbk"}}, "",
                              OnBadValue::kNullAndCount);
  EXPECT_TRUE(gbk.status.ok()) << gbk.status;
  EXPECT_EQ(gbk.bad_values, 8);
}

TEST_F(DelimitedCasesTest, EveryStreetHasItsAreaCityAndProvince) {
  const std::string folder = CasesFolder() + "/regions/";
  const auto areas =
      ByCode(ReadWhole(folder + "areas-gb18030.csv", {{"encoding", "gb18030"}}, "code"));
  const auto cities = ByCode(ReadWhole(folder + "cities.csv", {}, "code"));
  const auto provinces = ByCode(ReadWhole(folder + "provinces.csv", {}, "code"));
  const Whole streets = ReadWhole(folder + "streets.csv", {}, "code");
  ASSERT_EQ(streets.columns,
            (std::vector<std::string>{"code", "name", "areaCode", "provinceCode", "cityCode"}));
  for (const Row& street : streets.rows) {
    ASSERT_TRUE(areas.contains(std::get<std::string>(street[2]))) << Show(street);
    ASSERT_TRUE(provinces.contains(std::get<std::string>(street[3]))) << Show(street);
    ASSERT_TRUE(cities.contains(std::get<std::string>(street[4]))) << Show(street);
  }
}

}  // namespace
}  // namespace sluice::adapters::conformance
