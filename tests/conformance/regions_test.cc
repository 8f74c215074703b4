// The divisions of China, as published, in a legacy database: real text, real keys, 41,352 rows.
// The files stand outside of this tree: SLUICE_CASES names their folder.
#include <cstdlib>
#include <fstream>
#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "adapters/registry.h"
#include "adapters/sqlite/database_testing.h"
#include "gateway/base/fake_clock.h"
#include "gtest/gtest.h"
#include "tests/conformance/adapter_under_test.h"

namespace sluice::adapters::conformance {
namespace {

using records::Op;
using records::Predicate;
using records::TypeId;

std::string RegionsFolder() {
  const char* const folder = std::getenv("SLUICE_CASES");
  return folder != nullptr ? folder : SLUICE_CASES_DEFAULT;
}

class RegionsTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* table : {"provinces", "cities", "areas", "streets"})
      if (!Load(table)) GTEST_SKIP() << "no regions under " << RegionsFolder();
    auto opened = FindKind("sqlite")->open({{"file", database_.path()}});
    ASSERT_TRUE(opened.ok()) << opened.status();
    adapter_ = *std::move(opened);
  }

  // These files quote names and nothing else, and no name holds a quote or a comma.
  bool Load(const std::string& table) {
    std::ifstream file(RegionsFolder() + "/regions/" + table + ".csv");
    std::string line;
    if (!std::getline(file, line)) return false;
    const std::vector<std::string> header = absl::StrSplit(line, ',');
    std::string columns;
    for (const std::string& name : header)
      absl::StrAppend(&columns, columns.empty() ? "" : ", ", name, " TEXT",
                      name == "code" ? " PRIMARY KEY" : "");
    database_.Exec(absl::StrCat("CREATE TABLE ", table, " (", columns, "); BEGIN"));
    while (std::getline(file, line)) {
      std::string values;
      for (absl::string_view value : absl::StrSplit(line, ',')) {
        if (!value.empty() && value[0] == '"') value = value.substr(1, value.size() - 2);
        absl::StrAppend(&values, values.empty() ? "'" : ", '", value, "'");
      }
      database_.Exec(absl::StrCat("INSERT INTO ", table, " VALUES (", values, ")"));
    }
    database_.Exec("COMMIT");
    return true;
  }

  std::vector<Row> Scan(const std::string& table, const std::vector<std::string>& columns,
                        Predicate predicate = {}) {
    ScanRequest request;
    request.table = table;
    for (const std::string& column : columns)
      request.fields.push_back({column, {column, {TypeId::kUtf8}}});
    request.key = {0};
    request.predicate = std::move(predicate);
    auto reader = adapter_->Scan(request, {&clock_, 0, nullptr});
    std::vector<records::RecordBatch> batches;
    for (;;) {
      auto batch = (*reader)->Next();
      EXPECT_TRUE(batch.ok()) << batch.status();
      if (!batch.ok() || !batch->has_value()) break;
      batches.push_back(**std::move(batch));
    }
    return RowsOf(batches);
  }

  sqlite::TestDatabase database_;
  FakeClock clock_;
  std::unique_ptr<Adapter> adapter_;
};

TEST_F(RegionsTest, EveryStreetHasItsAreaCityAndProvince) {
  std::map<records::Scalar, Row> areas, cities, provinces;
  for (Row& row : Scan("areas", {"code", "name", "cityCode", "provinceCode"})) areas[row[0]] = row;
  for (Row& row : Scan("cities", {"code", "name", "provinceCode"})) cities[row[0]] = row;
  for (Row& row : Scan("provinces", {"code", "name"})) provinces[row[0]] = row;
  EXPECT_EQ(areas.size(), 2978u);
  EXPECT_EQ(cities.size(), 342u);
  EXPECT_EQ(provinces.size(), 31u);
  const auto streets = Scan("streets", {"code", "name", "areaCode", "provinceCode", "cityCode"});
  EXPECT_EQ(streets.size(), 41'352u);
  for (const Row& street : streets) {
    ASSERT_TRUE(areas.contains(street[2])) << Show(street);
    ASSERT_EQ(areas[street[2]][2], street[4]) << Show(street);
    ASSERT_TRUE(cities.contains(street[4]) && provinces.contains(street[3])) << Show(street);
  }
}

TEST_F(RegionsTest, FourAreasBearTheSameName) {
  const auto rows =
      Scan("areas", {"code", "name"}, Predicate{Op::kEqual, 1, {std::string("鼓楼区")}, {}});
  EXPECT_EQ(rows.size(), 4u);
}

TEST_F(RegionsTest, APrefixOfTheCodeIsAProvince) {
  const auto rows =
      Scan("streets", {"code", "name"}, Predicate{Op::kStartsWith, 0, {std::string("11")}, {}});
  ASSERT_FALSE(rows.empty());
  EXPECT_LT(rows.size(), 1'000u) << "the prefix did not go down";
  for (const Row& row : rows) EXPECT_TRUE(std::get<std::string>(row[0]).starts_with("11"));
}

}  // namespace
}  // namespace sluice::adapters::conformance
