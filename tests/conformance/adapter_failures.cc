// What every kind must do when things go wrong: end soon, say why, skip nothing.
#include <limits>
#include <thread>

#include "absl/strings/match.h"
#include "gateway/base/error.h"
#include "tests/conformance/adapter_under_test.h"

namespace sluice::adapters::conformance {
namespace {

using records::TypeId;

TEST_P(AdapterConformance, CancelFromAnotherThreadEndsTheScan) {
  const TableData table = Numbers(50'000);
  source_->Make(table);
  const auto adapter = source_->Open();
  auto reader = adapter->Scan(RequestFor(table), Context());
  ASSERT_TRUE(reader.ok()) << reader.status();
  ASSERT_TRUE((*reader)->Next().ok());
  std::thread([&] { (*reader)->Cancel(); }).join();
  EXPECT_EQ(ReasonOf((*reader)->Next().status()), v1::REASON_CANCELLED);
  EXPECT_EQ(ReasonOf((*reader)->Next().status()), v1::REASON_CANCELLED) << "and stays ended";
}

TEST_P(AdapterConformance, CancelWhileNextRunsHarmsNoOtherScan) {
  const TableData table = Numbers(50'000);
  source_->Make(table);
  const auto adapter = source_->Open();
  for (int i = 0; i < 20; ++i) {
    auto reader = adapter->Scan(RequestFor(table), Context());
    ASSERT_TRUE(reader.ok()) << reader.status();
    absl::Status last;
    std::thread reading([&] {
      for (;;) {
        const auto batch = (*reader)->Next();
        last = batch.status();
        if (!batch.ok() || !batch->has_value()) return;
      }
    });
    (*reader)->Cancel();
    reading.join();
    EXPECT_TRUE(last.ok() || ReasonOf(last) == v1::REASON_CANCELLED) << last;
    ScanRequest few = RequestFor(table);
    few.after = KeyPosition{int64_t{49'990}};
    EXPECT_EQ(RowsOf(ScanAll(*adapter, few)).size(), 10u);
  }
}

TEST_P(AdapterConformance, TheStopTokenEndsTheScan) {
  const TableData table = Numbers(50'000);
  source_->Make(table);
  const auto adapter = source_->Open();
  auto reader = adapter->Scan(RequestFor(table), Context());
  ASSERT_TRUE(reader.ok()) << reader.status();
  ASSERT_TRUE((*reader)->Next().ok());
  stop_->Stop();
  EXPECT_EQ(ReasonOf((*reader)->Next().status()), v1::REASON_CANCELLED);
}

TEST_P(AdapterConformance, TheDeadlineEndsTheScan) {
  const TableData table = Numbers(50'000);
  source_->Make(table);
  const auto adapter = source_->Open();
  CallContext context = Context();
  context.deadline = clock_.Monotonic() + kSecond;
  auto reader = adapter->Scan(RequestFor(table), context);
  ASSERT_TRUE(reader.ok()) << reader.status();
  ASSERT_TRUE((*reader)->Next().ok());
  clock_.Advance(2 * kSecond);
  EXPECT_EQ(ReasonOf((*reader)->Next().status()), v1::REASON_DEADLINE_EXCEEDED);
  EXPECT_EQ(ReasonOf(adapter->Probe(context)), v1::REASON_DEADLINE_EXCEEDED);
  EXPECT_EQ(ReasonOf(adapter->Describe("", context).status()), v1::REASON_DEADLINE_EXCEEDED);
}

TEST_P(AdapterConformance, ASourceThatDiesMidwayIsNoEndOfData) {
  const TableData table = Numbers(50'000);
  source_->Make(table);
  const auto adapter = source_->Open();
  auto reader = adapter->Scan(RequestFor(table), Context());
  ASSERT_TRUE(reader.ok()) << reader.status();
  ASSERT_TRUE((*reader)->Next().ok());
  source_->Break();
  absl::Status status;
  for (int i = 0; i < 100 && status.ok(); ++i) {
    const auto batch = (*reader)->Next();
    ASSERT_FALSE(batch.ok() && !batch->has_value()) << "ended as if all had been read";
    status = batch.status();
  }
  EXPECT_EQ(ReasonOf(status), v1::REASON_SOURCE_UNAVAILABLE) << status;
  EXPECT_EQ(ReasonOf(adapter->Probe(Context())), v1::REASON_SOURCE_UNAVAILABLE);
}

// Every type but text, which some kinds cannot spoil.
TableData Spoilable() {
  TableData table;
  table.name = "spoilable";
  table.fields = {{"id", {TypeId::kInt64}, false},
                  {"flag", {TypeId::kBool}},
                  {"whole", {TypeId::kInt64}},
                  {"real", {TypeId::kFloat64}},
                  {"money", {TypeId::kDecimal128, 10, 2}},
                  {"day", {TypeId::kDate32}},
                  {"instant", {TypeId::kTimestamp, 0, 0, true}}};
  table.key = {0};
  for (int64_t i = 0; i < 20; ++i) {
    table.rows.push_back({i, i % 2 == 0, i, 0.5 + static_cast<double>(i), records::Decimal128{i},
                          static_cast<int32_t>(i), i * kDay});
  }
  return table;
}

TEST_P(AdapterConformance, ABadValueStopsTheScanAndSaysWhere) {
  for (int field = 1; field < 7; ++field) {
    source_ = GetParam().make();
    const TableData table = Spoilable();
    source_->Make(table);
    source_->SpoilValue(table, field, 12);
    const auto adapter = source_->Open();
    const absl::Status status = ScanStatus(*adapter, RequestFor(table));
    EXPECT_EQ(ReasonOf(status), v1::REASON_SOURCE_BAD_VALUE) << table.fields[field].name;
    const auto info = ErrorInfoOf(status);
    ASSERT_TRUE(info.has_value());
    EXPECT_EQ(info->metadata().at("row"), "13") << "the thirteenth of the scan";
    EXPECT_EQ(info->metadata().at("field"), table.fields[field].name);
  }
}

TEST_P(AdapterConformance, ABadValueBecomesNullAndIsCountedWhereAskedFor) {
  const TableData table = Spoilable();
  source_->Make(table);
  for (int field = 1; field < 7; ++field) source_->SpoilValue(table, field, 12);
  source_->SpoilValue(table, 2, 3);
  const auto adapter = source_->Open();
  ScanRequest request = RequestFor(table);
  request.on_bad_value = OnBadValue::kNullAndCount;
  auto reader = adapter->Scan(request, Context());
  ASSERT_TRUE(reader.ok()) << reader.status();
  std::vector<records::RecordBatch> batches;
  size_t cells = 0;
  for (auto batch = (*reader)->Next(); batch.ok() && batch->has_value();
       batch = (*reader)->Next()) {
    batches.push_back(**batch);
    cells += (*reader)->bad_cells().size();
    for (const BadCell& cell : (*reader)->bad_cells())
      EXPECT_TRUE((*batch)->column(cell.field).IsNull(cell.row));
  }
  std::vector<Row> expected = table.rows;
  for (int field = 1; field < 7; ++field) expected[12][field] = std::monostate();
  expected[3][2] = std::monostate();
  EXPECT_EQ(RowsOf(batches), expected);
  EXPECT_EQ((*reader)->bad_values(), 7);
  if (GetParam().tells_cells) {
    EXPECT_EQ(cells, 7u);
  }
}

TEST_P(AdapterConformance, ABadValueCountedAsNullIsFoundByIsNull) {
  const TableData table = Spoilable();
  source_->Make(table);
  source_->SpoilValue(table, 2, 12);
  const auto adapter = source_->Open();
  ScanRequest request = RequestFor(table);
  request.on_bad_value = OnBadValue::kNullAndCount;
  request.predicate = records::Predicate{records::Op::kIsNull, 2, {}, {}};
  bool found = false;
  for (const Row& row : RowsOf(ScanAll(*adapter, request)))
    found = found || std::get<int64_t>(row[0]) == 12;
  EXPECT_TRUE(found);
}

TEST_P(AdapterConformance, ABadValueInTheKeyAlwaysStops) {
  const TableData table = Spoilable();
  source_->Make(table);
  source_->SpoilValue(table, 2, 12);
  const auto adapter = source_->Open();
  ScanRequest request = RequestFor(table);
  request.key = {2};
  request.on_bad_value = OnBadValue::kNullAndCount;
  EXPECT_EQ(ReasonOf(ScanStatus(*adapter, request)), v1::REASON_SOURCE_BAD_VALUE);
}

TEST_P(AdapterConformance, ANullWhereNoneMayBeIsABadValue) {
  TableData table = Numbers(3);
  table.rows[1][1] = std::monostate();
  source_->Make(table);
  const auto adapter = source_->Open();
  ScanRequest request = RequestFor(table);
  request.fields[1].field.nullable = false;
  EXPECT_EQ(ReasonOf(ScanStatus(*adapter, request)), v1::REASON_SOURCE_BAD_VALUE);
}

TEST_P(AdapterConformance, ErrorsHoldNoValue) {
  TableData table = Numbers(5);
  for (Row& row : table.rows) row[1] = std::string("440304199001011234");
  source_->Make(table);
  const auto adapter = source_->Open();
  ScanRequest request = RequestFor(table);
  request.fields[1].field.type = {TypeId::kDate32};
  const absl::Status status = ScanStatus(*adapter, request);
  EXPECT_EQ(ReasonOf(status), v1::REASON_SOURCE_BAD_VALUE);
  EXPECT_FALSE(absl::StrContains(status.ToString(), "440304199001011234"));
}

TEST_P(AdapterConformance, UnknownTablesAndColumnsAreSchemaDrift) {
  const TableData table = Numbers(3);
  source_->Make(table);
  const auto adapter = source_->Open();
  ScanRequest request = RequestFor(table);
  request.table = "nobody";
  EXPECT_EQ(ReasonOf(ScanStatus(*adapter, request)), v1::REASON_SCHEMA_DRIFT);
  request = RequestFor(table);
  request.fields.push_back({"salary", {"salary", {TypeId::kInt64}}});
  EXPECT_EQ(ReasonOf(ScanStatus(*adapter, request)), v1::REASON_SCHEMA_DRIFT);
  EXPECT_EQ(adapter->Describe("nobody", Context()).status().code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace sluice::adapters::conformance
