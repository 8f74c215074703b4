// Which statement a predicate makes, and that SQLite answers it by its index.
#include "adapters/sqlite/push_down.h"

#include <cmath>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/sqlite/database_testing.h"
#include "adapters/sqlite/plan.h"
#include "adapters/sqlite/statement.h"
#include "gateway/base/error.h"
#include "gtest/gtest.h"

namespace sluice::adapters::sqlite {
namespace {

using records::DataType;
using records::Op;
using records::Predicate;
using records::TypeId;

class PushDownTest : public testing::Test {
 protected:
  void Make(const std::string& columns) { database_.Exec("CREATE TABLE t (" + columns + ")"); }

  void Field(const std::string& column, DataType type) {
    request_.table = "t";
    request_.fields.push_back({column, {column, type}});
  }

  Plan MakePlanFor(const PositionShape& position = {}) {
    const auto table = ReadTable(database_.db(), request_.table);
    EXPECT_TRUE(table.ok()) << table.status();
    auto plan = MakePlan(**table, request_, FilterPlace::kWhere, position);
    EXPECT_TRUE(plan.ok()) << plan.status();
    return *plan;
  }

  // EXPLAIN QUERY PLAN, a line a step.
  std::string Explain(const PositionShape& position = {}) {
    const Plan plan = MakePlanFor(position);
    auto statement = Prepare(database_.db(), "EXPLAIN QUERY PLAN " + plan.sql);
    EXPECT_TRUE(statement.ok()) << statement.status() << plan.sql;
    std::string steps;
    while (sqlite3_step(statement->get()) == SQLITE_ROW)
      absl::StrAppend(&steps, std::string(ColumnText(statement->get(), 3)), "\n");
    return steps;
  }

  bool GoesDown(Predicate predicate) {
    request_.predicate = std::move(predicate);
    return MakePlanFor().filtered;
  }

  TestDatabase database_;
  ScanRequest request_;
};

TEST_F(PushDownTest, ALookupByATextKeyUsesItsIndex) {
  Make("code TEXT PRIMARY KEY, name TEXT");
  Field("code", {TypeId::kUtf8});
  request_.key = {0};
  request_.predicate = {Op::kEqual, 0, {std::string("110101")}, {}};
  const std::string steps = Explain();
  EXPECT_TRUE(absl::StartsWith(steps, "SEARCH t USING")) << steps;
  EXPECT_FALSE(absl::StrContains(steps, "TEMP B-TREE")) << steps;
}

TEST_F(PushDownTest, ALookupByACaseBlindKeyUsesItsIndex) {
  Make("code TEXT COLLATE NOCASE PRIMARY KEY");
  Field("code", {TypeId::kUtf8});
  request_.predicate = {Op::kIn, 0, {std::string("a"), std::string("b")}, {}};
  EXPECT_TRUE(absl::StartsWith(Explain(), "SEARCH t USING")) << Explain();
}

TEST_F(PushDownTest, ALookupByAnIntegerKeyUsesItsIndex) {
  Make("id INTEGER PRIMARY KEY, number INT UNIQUE");
  Field("id", {TypeId::kInt64});
  Field("number", {TypeId::kInt64});
  request_.key = {0};
  request_.predicate = {Op::kEqual, 0, {int64_t{7}}, {}};
  EXPECT_TRUE(absl::StrContains(Explain(), "INTEGER PRIMARY KEY (rowid=?)")) << Explain();
  request_.predicate = {Op::kEqual, 1, {int64_t{7}}, {}};
  EXPECT_TRUE(absl::StrContains(Explain(), "(number=?)")) << Explain();
}

TEST_F(PushDownTest, ALookupThroughAViewUsesTheIndex) {
  Make("code TEXT PRIMARY KEY, name TEXT");
  database_.Exec("CREATE VIEW v AS SELECT code, name FROM t WHERE name IS NOT NULL");
  Field("code", {TypeId::kUtf8});
  request_.table = "v";
  request_.key = {0};
  request_.predicate = {Op::kEqual, 0, {std::string("110101")}, {}};
  EXPECT_TRUE(absl::StrContains(Explain(), "(code=?)")) << Explain();
}

TEST_F(PushDownTest, APrefixUsesTheIndex) {
  Make("code TEXT PRIMARY KEY");
  Field("code", {TypeId::kUtf8});
  request_.predicate = {Op::kStartsWith, 0, {std::string("11")}, {}};
  EXPECT_TRUE(absl::StrContains(Explain(), "(code>? AND code<?)")) << Explain();
}

TEST_F(PushDownTest, ARangeBehindAPositionNeedsNoSort) {
  Make("a INTEGER NOT NULL, b TEXT NOT NULL, PRIMARY KEY (a, b)");
  Field("b", {TypeId::kUtf8});
  Field("a", {TypeId::kInt64});
  request_.key = {1, 0};
  const std::string steps = Explain({true, true, {false, false}});
  EXPECT_TRUE(absl::StrContains(steps, "SEARCH")) << steps;
  EXPECT_FALSE(absl::StrContains(steps, "TEMP B-TREE")) << steps;
  EXPECT_TRUE(MakePlanFor().key_is_unique);
}

TEST_F(PushDownTest, OnlyComparisonsThatMeanTheSameGoDown) {
  Make("txt TEXT, num INTEGER, any, dec DECIMAL(10,2), stamp DATETIME, odd STRING");
  for (const char* column : {"txt", "num", "any", "dec", "stamp", "odd"}) {
    Field(column, {TypeId::kInt64});
    Field(column, {TypeId::kUtf8});
  }
  const auto integer = [](int field) { return Predicate{Op::kLess, field, {int64_t{5}}, {}}; };
  const auto text = [](int field) { return Predicate{Op::kLess, field, {std::string("5")}, {}}; };
  EXPECT_FALSE(GoesDown(integer(0))) << "a text column holds no integer: all its values are bad";
  EXPECT_TRUE(GoesDown(text(1)));
  EXPECT_TRUE(GoesDown(integer(2)));
  EXPECT_FALSE(GoesDown(text(3))) << "would compare as numbers";
  EXPECT_FALSE(GoesDown(integer(4))) << "may be text";
  EXPECT_TRUE(GoesDown(text(5)));
  EXPECT_TRUE(GoesDown(integer(6)));
  EXPECT_FALSE(GoesDown(text(11))) << "STRING is numeric to SQLite";
}

TEST_F(PushDownTest, NoDecimalNoNanAndNoNullGoesDown) {
  Make("money TEXT, real REAL");
  Field("money", {TypeId::kDecimal128, 10, 2});
  Field("real", {TypeId::kFloat64});
  EXPECT_FALSE(GoesDown({Op::kEqual, 0, {records::Decimal128{5}}, {}}));
  EXPECT_TRUE(GoesDown({Op::kEqual, 1, {5.0}, {}}));
  EXPECT_FALSE(GoesDown({Op::kNotEqual, 1, {std::nan("")}, {}}));
  EXPECT_FALSE(GoesDown({Op::kEqual, 1, {records::Scalar()}, {}}));
}

TEST_F(PushDownTest, APartThatCannotGoDownTakesItsAlternativesWithIt) {
  Make("id INTEGER PRIMARY KEY, money TEXT");
  Field("id", {TypeId::kInt64});
  Field("money", {TypeId::kDecimal128, 10, 2});
  const Predicate id{Op::kEqual, 0, {int64_t{1}}, {}};
  const Predicate money{Op::kEqual, 1, {records::Decimal128{5}}, {}};
  EXPECT_FALSE(GoesDown({Op::kOr, -1, {}, {id, money}}));
  EXPECT_TRUE(MakePlanFor().bindings.empty()) << "no parameter without its place";
  EXPECT_TRUE(GoesDown({Op::kAnd, -1, {}, {id, money}}));
  const Predicate both{Op::kAnd, -1, {}, {id, money}};
  EXPECT_FALSE(GoesDown({Op::kNot, -1, {}, {both}})) << "NOT of AND is OR";
}

TEST_F(PushDownTest, AViewWithAUnionIsNotTrusted) {
  Make("code TEXT, n INTEGER");
  database_.Exec("CREATE VIEW v AS SELECT n AS c FROM t UNION ALL SELECT code FROM t");
  request_.table = "v";
  request_.fields.push_back({"c", {"c", {TypeId::kInt64}}});
  EXPECT_FALSE(GoesDown({Op::kLess, 0, {int64_t{5}}, {}}));
}

TEST_F(PushDownTest, ShapesTellStatementsApartAndHoldNoValue) {
  Make("code TEXT, n INTEGER");
  Field("code", {TypeId::kUtf8});
  request_.predicate = {Op::kEqual, 0, {std::string("440304199001011234")}, {}};
  const std::string shape = ShapeOf(request_);
  EXPECT_FALSE(absl::StrContains(shape, "4403"));
  request_.predicate.values[0] = std::string("another");
  EXPECT_EQ(ShapeOf(request_), shape);
  request_.predicate.op = Op::kLess;
  EXPECT_NE(ShapeOf(request_), shape);
  request_.predicate = {Op::kIn, 0, {std::string("a"), std::string("b"), std::string("c")}, {}};
  const std::string three = ShapeOf(request_);
  request_.predicate.values.emplace_back(std::string("d"));
  EXPECT_EQ(ShapeOf(request_), three) << "lists are padded to powers of two";
  request_.predicate.values.emplace_back(std::string("e"));
  EXPECT_NE(ShapeOf(request_), three);
}

TEST_F(PushDownTest, AKeyWhoseTextsSortOtherwiseIsRefused) {
  Make("at TEXT PRIMARY KEY");
  Field("at", {TypeId::kTimestamp, 0, 0, true});
  request_.key = {0};
  const auto table = ReadTable(database_.db(), "t");
  EXPECT_EQ(ReasonOf(MakePlan(**table, request_, FilterPlace::kWhere, {}).status()),
            v1::REASON_SCHEMA_DRIFT);
}

}  // namespace
}  // namespace sluice::adapters::sqlite
