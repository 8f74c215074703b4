// Order by key, and going on behind any position: no gap, no repeat.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "tests/conformance/adapter_under_test.h"

namespace sluice::adapters::conformance {
namespace {

using records::Scalar;
using records::TypeId;

KeyPosition PositionOf(const TableData& table, const Row& row) {
  KeyPosition position;
  for (const int field : table.key) position.push_back(row[field]);
  return position;
}

TableData OneKey(records::DataType type, std::vector<Scalar> ascending) {
  TableData table;
  table.name = "keyed";
  table.fields = {{"k", type}, {"n", {TypeId::kInt64}}};
  table.key = {0};
  int64_t n = 0;
  for (Scalar& value : ascending) table.rows.push_back({std::move(value), n++});
  return table;
}

std::vector<TableData> KeyedTables(const KindUnderTest& kind) {
  std::vector<TableData> tables;
  // By code point: not by case, not by alphabet, and U+FFFD before what UTF-16 writes as
  // surrogates.
  tables.push_back(
      OneKey({TypeId::kUtf8},
             {std::monostate(), std::string(), std::string("1"), std::string("10"),
              std::string("2"), std::string("A"), std::string("Z"), std::string("a"),
              std::string("a "), std::string("aB"), std::string("ab"), std::string("é"),
              std::string("北京"), std::string("龘"), std::string("\uFFFD"), std::string("𠮷")}));
  tables.push_back(OneKey({TypeId::kInt64}, {std::monostate(), INT64_MIN, int64_t{-1}, int64_t{0},
                                             int64_t{9}, int64_t{10}, INT64_MAX}));
  tables.push_back(OneKey({TypeId::kDate32}, {std::monostate(), int32_t{-719'162}, int32_t{-1},
                                              int32_t{0}, int32_t{20'000}, int32_t{2'932'896}}));
  tables.push_back(
      OneKey({TypeId::kBinary}, {std::string(), std::string("\0", 1), std::string("\0\1", 2),
                                 std::string("\x7f"), std::string("\x80"), std::string("\xff")}));
  TableData two;
  two.name = "keyed";
  two.fields = {{"n", {TypeId::kInt64}}, {"b", {TypeId::kUtf8}}, {"a", {TypeId::kInt64}}};
  two.key = {2, 1};
  int64_t n = 0;
  const std::vector<Scalar> outer = {std::monostate(), int64_t{1}, int64_t{2}, int64_t{10}};
  const std::vector<Scalar> inner = {std::monostate(), std::string("B"), std::string("a"),
                                     std::string("市")};
  for (const Scalar& a : outer)
    for (const Scalar& b : inner) two.rows.push_back({n++, b, a});
  tables.push_back(std::move(two));
  std::erase_if(tables, [&kind](const TableData& table) {
    const TypeId type = table.fields[table.key[0]].type.id;
    return std::find(kind.no_key_of.begin(), kind.no_key_of.end(), type) != kind.no_key_of.end();
  });
  return tables;
}

TEST_P(AdapterConformance, RowsComeInTheOrderOfTheKey) {
  for (const TableData& table : KeyedTables(GetParam())) {
    source_ = GetParam().make();
    TableData shuffled = table;
    std::reverse(shuffled.rows.begin(), shuffled.rows.end());
    std::rotate(shuffled.rows.begin(), shuffled.rows.begin() + 2, shuffled.rows.end());
    source_->Make(shuffled);
    const auto adapter = source_->Open();
    EXPECT_EQ(RowsOf(ScanAll(*adapter, RequestFor(table))), table.rows)
        << records::ToString(table.fields[table.key[0]].type);
  }
}

TEST_P(AdapterConformance, AScanGoesOnBehindEachPosition) {
  for (const TableData& table : KeyedTables(GetParam())) {
    source_ = GetParam().make();
    source_->Make(table);
    const auto adapter = source_->Open();
    for (size_t i = 0; i < table.rows.size(); ++i) {
      ScanRequest request = RequestFor(table);
      request.after = PositionOf(table, table.rows[i]);
      const std::vector<Row> behind(table.rows.begin() + static_cast<int64_t>(i) + 1,
                                    table.rows.end());
      EXPECT_EQ(RowsOf(ScanAll(*adapter, request)), behind)
          << "behind row " << i << ": " << Show(table.rows[i]);
    }
  }
}

TEST_P(AdapterConformance, APositionThatNoRowHasIsAPlaceBetween) {
  const TableData table = OneKey({TypeId::kUtf8}, {std::string("a"), std::string("c")});
  source_->Make(table);
  const auto adapter = source_->Open();
  ScanRequest request = RequestFor(table);
  request.after = KeyPosition{std::string("b")};
  EXPECT_EQ(RowsOf(ScanAll(*adapter, request)), std::vector<Row>{table.rows[1]});
}

TEST_P(AdapterConformance, PagesOfAnySizeJoinWithoutGapOrRepeat) {
  const TableData table = Numbers(1'000);
  source_->Make(table);
  const auto adapter = source_->Open();
  for (const size_t page : {1u, 3u, 100u, 333u}) {
    std::vector<Row> all;
    std::optional<KeyPosition> after;
    // Pages of one row are tried on the last rows only.
    if (page == 1) after = KeyPosition{int64_t{980}};
    const size_t expected = page == 1 ? 20 : 1'000;
    for (;;) {
      ScanRequest request = RequestFor(table);
      request.after = after;
      request.rows_wanted = static_cast<int64_t>(page);
      auto reader = adapter->Scan(request, Context());
      ASSERT_TRUE(reader.ok()) << reader.status();
      const auto batch = (*reader)->Next();
      ASSERT_TRUE(batch.ok()) << batch.status();
      if (!batch->has_value()) break;
      std::vector<Row> rows = RowsOf({**batch});
      rows.resize(std::min(rows.size(), page));
      after = PositionOf(table, rows.back());
      all.insert(all.end(), rows.begin(), rows.end());
    }
    EXPECT_EQ(all.size(), expected) << "page of " << page;
    EXPECT_EQ(all.back(), table.rows.back());
    EXPECT_TRUE(std::adjacent_find(all.begin(), all.end()) == all.end());
  }
}

}  // namespace
}  // namespace sluice::adapters::conformance
