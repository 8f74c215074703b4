// What an operator runs against the owner's own server (adapters/check) finds nothing wrong with
// any kind; and says what is wrong with a table.
#include "absl/strings/str_cat.h"
#include "adapters/check/check.h"
#include "tests/conformance/adapter_under_test.h"

namespace sluice::adapters::conformance {
namespace {

using records::TypeId;

TableData Residents(int64_t rows) {
  TableData table;
  table.name = "residents";
  table.fields = {{"id", {TypeId::kInt64}, false},
                  {"name", {TypeId::kUtf8}},
                  {"born", {TypeId::kDate32}},
                  {"income", {TypeId::kDecimal128, 12, 2}}};
  table.key = {0};
  for (int64_t i = 1; i <= rows; ++i) {
    Row row = {i, absl::StrCat(i % 7 == 0 ? "王" : "'; DROP TABLE people; --", i % 11),
               static_cast<int32_t>(i % 300), records::Decimal128{i * 100}};
    if (i % 5 == 0) row[1 + i % 3] = std::monostate();
    table.rows.push_back(std::move(row));
  }
  return table;
}

TEST_P(AdapterConformance, TheOwnersCheckFindsNothingWrong) {
  const TableData table = Residents(3'000);
  source_->Make(table);
  const auto adapter = source_->Open();
  check::Options options;
  options.rows = 1'000;
  options.predicates = 25;
  const auto report = check::CheckTable(*adapter, table.name, {"id"}, Context(), options);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->rows, 1'000);
  ASSERT_EQ(report->findings.size(), check::Names().size());
  for (const check::Finding& finding : report->findings)
    EXPECT_EQ(finding.outcome, check::Outcome::kHolds) << finding.check << ": " << finding.words;
}

TEST_P(AdapterConformance, TheOwnersCheckNamesAKeyThatIsNone) {
  source_->Make(Numbers(3));
  const auto adapter = source_->Open();
  EXPECT_EQ(check::CheckTable(*adapter, "nobody", {}, Context(), {}).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_FALSE(check::CheckTable(*adapter, "numbers", {"salary"}, Context(), {}).ok());
}

}  // namespace
}  // namespace sluice::adapters::conformance
