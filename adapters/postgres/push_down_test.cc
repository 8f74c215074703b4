// Which statement a predicate makes, and that the server answers it by its index.
#include "adapters/postgres/push_down.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/postgres/fixture_testing.h"
#include "adapters/postgres/plan.h"
#include "adapters/postgres/pool.h"

namespace sluice::adapters::postgres {
namespace {

using records::DataType;
using records::Op;
using records::Predicate;
using records::TypeId;

class PostgresPushDown : public OnServer {
 protected:
  void Make(const std::string& columns) { schema_->Exec("CREATE TABLE t (" + columns + ")"); }
  void Field(const std::string& column, DataType type) {
    request_.table = "t";
    request_.fields.push_back({column, {column, type}});
  }

  Plan MakePlanFor(const PositionShape& position = {}) {
    const auto settings = ParseSettings(schema_->settings());
    const CallContext context;
    const Watch watch(context);
    const auto connection = Connection::Open(*settings, watch);
    EXPECT_TRUE(connection.ok()) << connection.status();
    const auto table = ReadTable(**connection, *settings, request_.table, watch);
    EXPECT_TRUE(table.ok()) << table.status();
    table_ = *table;
    auto plan = MakePlan(*table_, request_, position, Passing::kBound);
    EXPECT_TRUE(plan.ok()) << plan.status();
    return *plan;
  }

  // EXPLAIN, with small tables taken for large ones, and unknown values for parameters.
  std::string Explain(const PositionShape& position = {}) {
    Plan plan = MakePlanFor(position);
    for (int i = plan.limit_parameter; i > 0; --i) {
      const std::string parameter = absl::StrCat("$", i);
      for (size_t at = plan.sql.find(parameter); at != std::string::npos;
           at = plan.sql.find(parameter))
        plan.sql.replace(at, parameter.size(), i == plan.limit_parameter ? "'1'" : "''");
    }
    std::string steps;
    schema_->Exec("SET enable_seqscan = off; SET enable_sort = off; SET enable_bitmapscan = off");
    PGresult* const result =
        PQexec(server_->owner(), ("EXPLAIN (COSTS off) " + Valued(plan.sql)).c_str());
    EXPECT_EQ(PQresultStatus(result), PGRES_TUPLES_OK) << PQresultErrorMessage(result) << plan.sql;
    for (int i = 0; i < PQntuples(result); ++i)
      absl::StrAppend(&steps, PQgetvalue(result, i, 0), "\n");
    PQclear(result);
    schema_->Exec("RESET ALL");
    return steps;
  }

  bool GoesDown(Predicate predicate) {
    request_.predicate = std::move(predicate);
    return absl::StrContains(MakePlanFor().sql, " WHERE ");
  }

  std::shared_ptr<const TableInfo> table_;
  ScanRequest request_;

 private:
  // An empty text is no value of most types.
  static std::string Valued(std::string sql) {
    const auto all = [&sql](const std::string& from, const std::string& to) {
      for (size_t at = sql.find(from); at != std::string::npos; at = sql.find(from))
        sql.replace(at, from.size(), to);
    };
    all("CAST('' AS pg_catalog.int8)", "CAST('7' AS pg_catalog.int8)");
    all("CAST('' AS pg_catalog.uuid)",
        "CAST('00000000-0000-0000-0000-000000000000' AS pg_catalog.uuid)");
    all("CAST('' AS pg_catalog.text[])", "CAST('{a,b}' AS pg_catalog.text[])");
    return sql;
  }
};

TEST_F(PostgresPushDown, ALookupUsesTheIndexWhateverTheCollation) {
  Make("code text COLLATE \"en-x-icu\" PRIMARY KEY, name text");
  Field("code", {TypeId::kUtf8});
  request_.predicate = {Op::kEqual, 0, {std::string("110101")}, {}};
  EXPECT_TRUE(absl::StrContains(Explain(), "Index Cond: (code = ")) << Explain();
  request_.predicate = {Op::kIn, 0, {std::string("a"), std::string("b")}, {}};
  EXPECT_TRUE(absl::StrContains(Explain(), "Index Cond: (code = ANY")) << Explain();
}

TEST_F(PostgresPushDown, ALookupByVarcharSmallintAndUuidUsesTheIndex) {
  Make("a varchar(18) UNIQUE, b smallint UNIQUE, c uuid UNIQUE");
  Field("a", {TypeId::kUtf8});
  Field("b", {TypeId::kInt64});
  Field("c", {TypeId::kUtf8});
  request_.predicate = {Op::kEqual, 0, {std::string("x")}, {}};
  EXPECT_TRUE(absl::StrContains(Explain(), "Index Cond")) << Explain();
  request_.predicate = {Op::kEqual, 1, {int64_t{7}}, {}};
  EXPECT_TRUE(absl::StrContains(Explain(), "Index Cond: (b = ")) << Explain();
  request_.predicate = {Op::kEqual, 2, {std::string("01234567-89ab-cdef-0123-456789abcdef")}, {}};
  EXPECT_TRUE(absl::StrContains(Explain(), "Index Cond: (c = ")) << Explain();
}

TEST_F(PostgresPushDown, ARangeBehindAPositionNeedsNoSort) {
  Make("a int NOT NULL, b text NOT NULL, PRIMARY KEY (a, b)");
  Field("a", {TypeId::kInt64});
  Field("b", {TypeId::kUtf8});
  request_.key = {0, 1};
  const std::string steps = Explain({.present = true, .inclusive = false, .nulls = {false, false}});
  EXPECT_TRUE(absl::StrContains(steps, "Index Cond: (ROW(a, b) > ")) << steps;
  EXPECT_FALSE(absl::StrContains(steps, "Sort")) << steps;
  EXPECT_TRUE(MakePlanFor().order_is_free);
}

TEST_F(PostgresPushDown, AnIndexInTheOrderOfCodePointsServesAKeyOfAnotherCollation) {
  Make("code text COLLATE \"en-x-icu\" NOT NULL UNIQUE");
  Field("code", {TypeId::kUtf8});
  request_.key = {0};
  EXPECT_FALSE(MakePlanFor().order_is_free);
  schema_->Exec("CREATE INDEX ON t (code COLLATE \"C\")");
  EXPECT_TRUE(MakePlanFor().order_is_free);
  const std::string steps = Explain({.present = true, .inclusive = false, .nulls = {false}});
  EXPECT_FALSE(absl::StrContains(steps, "Sort")) << steps;
}

TEST_F(PostgresPushDown, WhatMayBeNullIsSortedUntilAPositionIsBehindTheNulls) {
  Make("id int UNIQUE");
  Field("id", {TypeId::kInt64});
  request_.key = {0};
  EXPECT_TRUE(absl::StrContains(MakePlanFor().sql, "NULLS FIRST"));
  const PositionShape behind = {.present = true, .inclusive = false, .nulls = {false}};
  EXPECT_FALSE(absl::StrContains(MakePlanFor(behind).sql, "NULLS FIRST"));
  EXPECT_TRUE(MakePlanFor(behind).order_is_free);
}

TEST_F(PostgresPushDown, WhatMeansAnotherThingToTheServerStaysHere) {
  Make("fixed char(4), id uuid, doc jsonb, number text, real float8");
  Field("fixed", {TypeId::kUtf8});
  Field("id", {TypeId::kUtf8});
  Field("doc", {TypeId::kUtf8});
  Field("number", {TypeId::kInt64});
  Field("real", {TypeId::kFloat64});
  EXPECT_TRUE(GoesDown({Op::kLess, 0, {std::string("ab")}, {}}));
  EXPECT_FALSE(GoesDown({Op::kLess, 0, {std::string("ab ")}, {}})) << "blanks count for nothing";
  EXPECT_FALSE(GoesDown({Op::kNotEqual, 0, {std::string("ab ")}, {}}));
  EXPECT_FALSE(GoesDown({Op::kLess, 1, {std::string("ab")}, {}})) << "no uuid";
  EXPECT_FALSE(GoesDown({Op::kEqual, 2, {std::string("{}")}, {}})) << "json is text to us";
  EXPECT_FALSE(GoesDown({Op::kEqual, 3, {int64_t{7}}, {}})) << "a number in text";
  EXPECT_TRUE(GoesDown({Op::kIsNull, 3, {}, {}}));
  request_.on_bad_value = OnBadValue::kNullAndCount;
  EXPECT_FALSE(GoesDown({Op::kIsNull, 3, {}, {}})) << "a bad value is no null there";
}

TEST_F(PostgresPushDown, WhatNothingCanEqualReadsNothing) {
  Make("name text, id uuid");
  Field("name", {TypeId::kUtf8});
  Field("id", {TypeId::kUtf8});
  request_.predicate = {Op::kEqual, 0, {std::string("a\0b", 3)}, {}};
  EXPECT_TRUE(absl::StrContains(MakePlanFor().sql, "WHERE FALSE")) << MakePlanFor().sql;
  request_.predicate = {Op::kIn, 1, {std::string("garbage"), std::string()}, {}};
  EXPECT_TRUE(absl::StrContains(MakePlanFor().sql, "WHERE FALSE")) << MakePlanFor().sql;
}

TEST(PostgresParameters, TheTextBehindAPrefixIsOneOfCodePoints) {
  const ColumnInfo column;
  const DataType text{TypeId::kUtf8};
  const auto behind = [&](const std::string& prefix) {
    return TextOf({0, Form::kPrefixEnd}, {Op::kStartsWith, 0, {prefix}, {}}, text, column);
  };
  EXPECT_EQ(behind("ab"), "ac");
  EXPECT_EQ(behind("a\x7F"), "a\u0080");
  EXPECT_EQ(behind("\u07FF"), "\u0800");
  EXPECT_EQ(behind("\uD7FF"), "\uE000") << "no surrogates";
  EXPECT_EQ(behind("\uFFFF"), "\U00010000");
  EXPECT_EQ(behind("a\U0010FFFF"), "b");
}

TEST(PostgresParameters, ListsAreArraysWhateverTheyHold) {
  const Predicate leaf{
      Op::kIn, 0, {std::string("a\"b\\c"), std::string("{x},NULL"), std::string()}, {}};
  EXPECT_EQ(TextOf({0, Form::kList}, leaf, {TypeId::kUtf8}, {}), R"({"a\"b\\c","{x},NULL",""})");
}

}  // namespace
}  // namespace sluice::adapters::postgres
