// Push-down never decides: a scan with a predicate, evaluated again, keeps exactly the rows that
// evaluating over the whole table keeps. Seeded, so that a failure comes again.
#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "adapters/check/random_predicates.h"
#include "gateway/base/sanitized_testing.h"
#include "gateway/records/predicate.h"
#include "tests/conformance/adapter_under_test.h"

namespace sluice::adapters::conformance {
namespace {

using records::Decimal128;
using records::Op;
using records::Predicate;
using records::RecordBatch;
using records::Scalar;
using records::TypeId;

constexpr int kRows = 400;

TableData Mixed() {
  TableData table;
  table.name = "mixed";
  table.fields = {{"id", {TypeId::kInt64}, false},
                  {"flag", {TypeId::kBool}},
                  {"whole", {TypeId::kInt64}},
                  {"real", {TypeId::kFloat64}},
                  {"money", {TypeId::kDecimal128, 12, 2}},
                  {"day", {TypeId::kDate32}},
                  {"instant", {TypeId::kTimestamp, 0, 0, true}},
                  {"wall_clock", {TypeId::kTimestamp, 0, 0, false}},
                  {"text", {TypeId::kUtf8}},
                  {"bytes", {TypeId::kBinary}}};
  table.key = {0};
  return table;
}

std::vector<records::DataType> TypesOf(const TableData& table) {
  std::vector<records::DataType> types;
  for (const records::Field& field : table.fields) types.push_back(field.type);
  return types;
}

class Generator {
 public:
  Generator(const TableData& table, uint32_t seed) : predicates_(TypesOf(table), seed) {}

  // From a small pool, so that equal values meet.
  Scalar Value(const records::DataType& type) {
    static const std::vector<std::string> kTexts = {
        "",       "a",           "A",      "a ",  " a",
        "ab",     "AB",          "aB",     "b",   "é",
        "É",      "北京",        "北京市", "市",  "𠮷",
        "12",     "12.0",        "012",    "1e1", "9",
        "10",     "' OR 1=1 --", "%",      "a%",  std::string("a\0", 2),
        "\uFFFD", "2026-01-01",  "null"};
    static const std::vector<int64_t> kInts = {
        0, 1, -1, 9, 10, 12, (int64_t{1} << 53), (int64_t{1} << 53) + 1, INT64_MAX, INT64_MIN};
    static const std::vector<double> kReals = {
        0.0, -0.0, 1.0, -1.5, 0.1, 9007199254740992.0, 1e300, HUGE_VAL, -HUGE_VAL, 5e-324};
    switch (type.id) {
      case TypeId::kBool:
        return Below(2) == 1;
      case TypeId::kInt64:
        return kInts[Below(kInts.size())];
      case TypeId::kFloat64:
        return kReals[Below(kReals.size())];
      case TypeId::kDecimal128:
        return static_cast<Decimal128>(static_cast<int64_t>(Below(7)) * 50 - 150);
      case TypeId::kDate32:
        return static_cast<int32_t>(Below(5)) - 2;
      case TypeId::kTimestamp:
        return (static_cast<int64_t>(Below(5)) - 2) * (kDay / 2) + static_cast<int64_t>(Below(2));
      default:
        return kTexts[Below(kTexts.size())];
    }
  }

  Row MakeRow(const TableData& table, int64_t id) {
    Row row = {id};
    for (size_t i = 1; i < table.fields.size(); ++i)
      row.push_back(Below(6) == 0 ? Scalar() : Value(table.fields[i].type));
    return row;
  }

  Predicate Make(const TableData& table, int depth) {
    return predicates_.Make(depth, [&](int field) { return Value(table.fields[field].type); });
  }

 private:
  size_t Below(size_t bound) { return predicates_.Below(bound); }

  check::RandomPredicates predicates_;
};

std::vector<int64_t> Kept(const std::vector<RecordBatch>& batches, const Predicate& predicate) {
  std::vector<int64_t> ids;
  for (const RecordBatch& batch : batches) {
    records::ColumnView view;
    for (const records::Column& column : batch.columns()) view.push_back(&column);
    for (const int64_t row : records::Evaluate(predicate, view, batch.rows()))
      ids.push_back(batch.column(0).Int64(row));
  }
  return ids;
}

std::string ShowPredicate(const Predicate& predicate) {
  std::string text = absl::StrCat("op ", static_cast<int>(predicate.op));
  if (predicate.field >= 0) absl::StrAppend(&text, " field ", predicate.field);
  if (!predicate.values.empty()) absl::StrAppend(&text, " [", Show(Row(predicate.values)), "]");
  if (predicate.children.empty()) return text;
  text += " (";
  for (const Predicate& child : predicate.children) text += ShowPredicate(child) + "; ";
  return text + ")";
}

TEST_P(AdapterConformance, PushDownEqualsTheEvaluator) {
  TableData table = Mixed();
  Generator generator(table, 20'261'124);
  for (int64_t id = 0; id < kRows; ++id) table.rows.push_back(generator.MakeRow(table, id));
  Fit(table);
  source_->Make(table);
  const auto adapter = source_->Open();
  const auto whole = ScanAll(*adapter, RequestFor(table));
  ASSERT_EQ(RowsOf(whole).size(), table.rows.size());
  const int predicates = kSanitized ? std::min(GetParam().predicates, 60) : GetParam().predicates;
  for (int i = 0; i < predicates; ++i) {
    const Predicate predicate = generator.Make(table, 3);
    for (const OnBadValue on_bad_value : {OnBadValue::kStop, OnBadValue::kNullAndCount}) {
      ScanRequest request = RequestFor(table);
      request.predicate = predicate;
      request.on_bad_value = on_bad_value;
      ASSERT_EQ(Kept(ScanAll(*adapter, request), predicate), Kept(whole, predicate))
          << "predicate " << i << ": " << ShowPredicate(predicate);
    }
  }
}

TEST_P(AdapterConformance, PushDownAndPositionHoldTogether) {
  TableData table = Mixed();
  Generator generator(table, 7);
  for (int64_t id = 0; id < kRows; ++id) table.rows.push_back(generator.MakeRow(table, id));
  Fit(table);
  source_->Make(table);
  const auto adapter = source_->Open();
  const auto whole = ScanAll(*adapter, RequestFor(table));
  for (int i = 0; i < 100; ++i) {
    ScanRequest request = RequestFor(table);
    request.predicate = generator.Make(table, 2);
    request.rows_wanted = 3;
    const int64_t after = i * 4;
    request.after = KeyPosition{after};
    std::vector<int64_t> expected;
    for (const int64_t id : Kept(whole, request.predicate))
      if (id > after) expected.push_back(id);
    ASSERT_EQ(Kept(ScanAll(*adapter, request), request.predicate), expected)
        << ShowPredicate(request.predicate);
  }
}

TEST_P(AdapterConformance, AListOfAThousandValuesFindsThemAll) {
  const TableData table = Numbers(3'000);
  source_->Make(table);
  const auto adapter = source_->Open();
  Predicate in{Op::kIn, 0, {}, {}};
  std::vector<int64_t> expected;
  for (int64_t id = 3; id <= 3'000; id += 3) {
    in.values.emplace_back(id);
    expected.push_back(id);
  }
  ScanRequest request = RequestFor(table);
  request.predicate = in;
  EXPECT_EQ(Kept(ScanAll(*adapter, request), in), expected);
}

}  // namespace
}  // namespace sluice::adapters::conformance
