// What every kind must do: values as they are, bounded batches, description, strings as data.
#include <cfloat>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/base/sanitized_testing.h"
#include "gateway/records/predicate.h"
#include "tests/conformance/adapter_under_test.h"

namespace sluice::adapters::conformance {
namespace {

using records::DataType;
using records::Decimal128;
using records::Op;
using records::Predicate;
using records::RecordBatch;
using records::TypeId;

constexpr int64_t kMostRows = 16'384;
constexpr int64_t kMostBytes = 1 << 20;

// A key and one column of each type.
TableData AllTypes() {
  TableData table;
  table.name = "all_types";
  table.fields = {{"id", {TypeId::kInt64}, false},
                  {"flag", {TypeId::kBool}},
                  {"whole", {TypeId::kInt64}},
                  {"real", {TypeId::kFloat64}},
                  {"money", {TypeId::kDecimal128, 38, 4}},
                  {"day", {TypeId::kDate32}},
                  {"instant", {TypeId::kTimestamp, 0, 0, true}},
                  {"wall_clock", {TypeId::kTimestamp, 0, 0, false}},
                  {"text", {TypeId::kUtf8}},
                  {"bytes", {TypeId::kBinary}}};
  table.key = {0};
  return table;
}

Decimal128 MostDecimal() {
  Decimal128 value = 0;
  for (int i = 0; i < 38; ++i) value = value * 10 + 9;
  return value;
}

void AddExtremes(TableData& table) {
  const int64_t first = -62'135'596'800'000'000;  // 0001-01-01T00:00:00
  const int64_t last = 253'402'300'799'999'999;   // 9999-12-31T23:59:59.999999
  std::string all_bytes;
  for (int i = 0; i < 256; ++i) all_bytes.push_back(static_cast<char>(i));
  table.rows = {
      {std::numeric_limits<int64_t>::min(), false, std::numeric_limits<int64_t>::min(), -DBL_MAX,
       -MostDecimal(), int32_t{-719'162}, first, first, std::string(), std::string()},
      {int64_t{-1}, true, int64_t{0}, DBL_TRUE_MIN, Decimal128{0}, int32_t{0}, int64_t{0},
       int64_t{0}, std::string("a\0b", 3), std::string("\0", 1)},
      {int64_t{0}, true, int64_t{1} << 53, HUGE_VAL, Decimal128{1}, int32_t{11'016},
       int64_t{951'782'400'000'001}, int64_t{-1}, std::string("龘𠮷 é e\u0301 \U0010FFFF"),
       all_bytes},
      {std::numeric_limits<int64_t>::max(), false, std::numeric_limits<int64_t>::max(), DBL_MAX,
       MostDecimal(), int32_t{2'932'896}, last, last, std::string(1000, 'x'),
       std::string(1000, '\xff')},
  };
}

TEST_P(AdapterConformance, EveryTypeKeepsItsExtremes) {
  TableData table = AllTypes();
  AddExtremes(table);
  Fit(table);
  source_->Make(table);
  const auto adapter = source_->Open();
  const auto rows = RowsOf(ScanAll(*adapter, RequestFor(table)));
  ASSERT_EQ(rows.size(), table.rows.size());
  for (size_t i = 0; i < rows.size(); ++i)
    EXPECT_EQ(rows[i], table.rows[i]) << Show(rows[i]) << "\ninstead of\n" << Show(table.rows[i]);
}

TEST_P(AdapterConformance, NullsStayNullsInEveryColumn) {
  TableData table = AllTypes();
  AddExtremes(table);
  Fit(table);
  for (size_t i = 0; i < table.rows.size(); ++i)
    for (size_t field = 1; field < table.fields.size(); ++field)
      if ((i + field) % 2 == 0) table.rows[i][field] = std::monostate();
  source_->Make(table);
  const auto adapter = source_->Open();
  const auto batches = ScanAll(*adapter, RequestFor(table));
  EXPECT_EQ(RowsOf(batches), table.rows);
  ASSERT_EQ(batches.size(), 1u);
  for (size_t field = 1; field < table.fields.size(); ++field)
    EXPECT_EQ(batches[0].column(field).null_count(), 2) << table.fields[field].name;
}

TEST_P(AdapterConformance, AnEmptyTableEndsAtOnce) {
  const TableData table = AllTypes();
  source_->Make(table);
  const auto adapter = source_->Open();
  auto reader = adapter->Scan(RequestFor(table), Context());
  ASSERT_TRUE(reader.ok()) << reader.status();
  for (int i = 0; i < 2; ++i) {
    const auto batch = (*reader)->Next();
    ASSERT_TRUE(batch.ok()) << batch.status();
    EXPECT_FALSE(batch->has_value());
  }
}

TEST_P(AdapterConformance, FieldsComeAsAskedForInOrderAndName) {
  TableData table = Numbers(3);
  source_->Make(table);
  const auto adapter = source_->Open();
  ScanRequest request = RequestFor(table);
  request.fields = {{"name", {"label", {TypeId::kUtf8}}}, {"id", {"number", {TypeId::kInt64}}}};
  request.key = {1};
  const auto batches = ScanAll(*adapter, request);
  ASSERT_EQ(batches.size(), 1u);
  EXPECT_EQ(batches[0].schema()->field(0).name, "label");
  EXPECT_EQ(batches[0].schema()->field(1).name, "number");
  EXPECT_EQ(batches[0].column(0).Bytes(2).substr(0, 1), "3");
  EXPECT_EQ(batches[0].column(1).Int64(2), 3);
}

TEST_P(AdapterConformance, AHugeTableComesWholeInBoundedBatches) {
  const TableData table = Numbers(kSanitized ? 20'000 : 100'000, 20);
  source_->Make(table);
  const auto adapter = source_->Open();
  int64_t next = 1;
  for (const RecordBatch& batch : ScanAll(*adapter, RequestFor(table))) {
    EXPECT_GE(batch.rows(), 1);
    EXPECT_LE(batch.rows(), kMostRows);
    EXPECT_LE(batch.bytes(), kMostBytes);
    for (int64_t i = 0; i < batch.rows(); ++i, ++next) ASSERT_EQ(batch.column(0).Int64(i), next);
  }
  EXPECT_EQ(static_cast<size_t>(next), table.rows.size() + 1);
}

TEST_P(AdapterConformance, LargeRowsMakeSmallBatches) {
  const TableData table = Numbers(10, 300'000);
  source_->Make(table);
  const auto adapter = source_->Open();
  const auto batches = ScanAll(*adapter, RequestFor(table));
  EXPECT_GE(batches.size(), 4u);
  for (const RecordBatch& batch : batches) EXPECT_LE(batch.bytes(), kMostBytes);
  EXPECT_EQ(RowsOf(batches), table.rows);
}

TEST_P(AdapterConformance, ARowOverOneMebibyteIsABatchOfItsOwn) {
  const TableData table = Numbers(3, 2 << 20);
  source_->Make(table);
  const auto adapter = source_->Open();
  const auto batches = ScanAll(*adapter, RequestFor(table));
  ASSERT_EQ(batches.size(), 3u);
  EXPECT_EQ(RowsOf(batches), table.rows);
}

TEST_P(AdapterConformance, FewRowsWantedIsNoReasonToEndEarly) {
  const TableData table = Numbers(1'000);
  source_->Make(table);
  const auto adapter = source_->Open();
  for (const int64_t wanted : {1, 7, 999, 1'000, 5'000}) {
    ScanRequest request = RequestFor(table);
    request.rows_wanted = wanted;
    EXPECT_EQ(RowsOf(ScanAll(*adapter, request)), table.rows) << wanted;
  }
}

std::vector<std::string> HostileTexts() {
  return {"'; DROP TABLE people; --",
          "\" OR \"\"=\"",
          "` OR 1=1 --",
          "1 OR 1=1",
          "?1",
          ":name",
          "%",
          "_",
          "\\",
          "[a-z]*",
          "{{7*7}}",
          "../../etc/passwd",
          "<x>&amp;</x>",
          "a\r\nb",
          std::string("nul\0nul", 7),
          "\u202Eright to left",
          "null",
          "NULL",
          ""};
}

TEST_P(AdapterConformance, HostileStringsAreDataInValuesAndInParameters) {
  TableData table;
  table.name = "people";
  table.fields = {{"id", {TypeId::kInt64}, false}, {"name", {TypeId::kUtf8}}};
  table.key = {0};
  auto texts = HostileTexts();
  for (std::string& text : texts) text = Fitting(std::move(text));
  for (size_t i = 0; i < texts.size(); ++i)
    table.rows.push_back({static_cast<int64_t>(i), texts[i]});
  source_->Make(table);
  const auto adapter = source_->Open();
  EXPECT_EQ(RowsOf(ScanAll(*adapter, RequestFor(table))), table.rows);
  for (size_t i = 0; i < texts.size(); ++i) {
    ScanRequest request = RequestFor(table);
    request.predicate = Predicate{Op::kEqual, 1, {texts[i]}, {}};
    int found = 0;
    for (const RecordBatch& batch : ScanAll(*adapter, request)) {
      const records::ColumnView view = {&batch.column(0), &batch.column(1)};
      for (const int64_t row : records::Evaluate(request.predicate, view, batch.rows())) {
        EXPECT_EQ(batch.column(0).Int64(row), static_cast<int64_t>(i));
        ++found;
      }
    }
    EXPECT_EQ(found, 1) << texts[i];
  }
  EXPECT_EQ(RowsOf(ScanAll(*adapter, RequestFor(table))).size(), texts.size());
}

TEST_P(AdapterConformance, HostileNamesOfTablesAndColumnsAreNames) {
  TableData table;
  table.name = "odd `\"' ] name; DROP TABLE x";
  table.fields = {{"select", {TypeId::kInt64}, false}, {"a`b\"c'd]e, 1", {TypeId::kUtf8}}};
  table.key = {0};
  table.rows = {{int64_t{1}, std::string("x")}};
  source_->Make(table);
  const auto adapter = source_->Open();
  EXPECT_EQ(RowsOf(ScanAll(*adapter, RequestFor(table))), table.rows);
}

TEST_P(AdapterConformance, DescribesTablesWithColumnsAndKeys) {
  const TableData table = Numbers(1);
  source_->Make(table);
  const auto adapter = source_->Open();
  const auto described = adapter->Describe("numbers", Context());
  ASSERT_TRUE(described.ok()) << described.status();
  ASSERT_EQ(described->size(), 1u);
  const TableDescription& description = (*described)[0];
  EXPECT_EQ(description.table, "numbers");
  ASSERT_EQ(description.columns.size(), 2u);
  EXPECT_EQ(description.columns[0].name, "id");
  EXPECT_EQ(description.columns[0].type, DataType{TypeId::kInt64});
  EXPECT_EQ(description.columns[1].type, DataType{TypeId::kUtf8});
  ASSERT_FALSE(description.unique_keys.empty());
  EXPECT_EQ(description.unique_keys[0], std::vector<std::string>{"id"});
  const auto all = adapter->Describe("", Context());
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(all->size(), 1u);
}

TEST_P(AdapterConformance, ProbeSaysThatTheSourceCanBeRead) {
  source_->Make(Numbers(1));
  const auto adapter = source_->Open();
  EXPECT_TRUE(adapter->Probe(Context()).ok());
}

}  // namespace
}  // namespace sluice::adapters::conformance
