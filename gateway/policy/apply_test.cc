#include "gateway/policy/apply.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/policy/policy_testing.h"

namespace sluice::policy {
namespace {

using records::Column;
using records::RecordBatch;
using records::Scalar;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ApplyTest : public ::testing::Test {
 protected:
  Plan Planned(std::string_view filter, std::initializer_list<const char*> fields = {"points"}) {
    v1::QueryRequest request = world_.Request(filter);
    for (const char* field : fields) request.add_fields(field);
    Decision decision = world_.Ask(request);
    EXPECT_TRUE(decision.plan) << TextOf(decision.denial->status);
    return *std::move(decision.plan);
  }
  static RecordBatch Scanned(const Plan& plan, const Table& table) {
    std::vector<records::Field> fields;
    std::vector<Column> columns;
    for (const int field : plan.scan_fields) {
      std::vector<Scalar> values;
      for (const Row& row : table) values.push_back(row[field]);
      fields.push_back(plan.dataset->schema->field(field));
      columns.push_back(ColumnOf(fields.back().type, values));
    }
    return RecordBatch(std::make_shared<const records::Schema>(std::move(fields)),
                       std::move(columns), static_cast<int64_t>(table.size()));
  }
  std::vector<int64_t> Kept(std::string_view filter, const Table& table, int64_t most = 1000) {
    const Plan plan = Planned(filter);
    const auto applied = Apply(plan, Scanned(plan, table), most, world_.pseudonyms);
    EXPECT_TRUE(applied.ok()) << applied.status();
    return applied.ok() ? applied->kept : std::vector<int64_t>{-1};
  }

  PolicyWorld world_;
};

TEST_F(ApplyTest, WhatASourceSendsTooMuchIsDropped) {
  v1::Grant grant = GrantDefinition();
  grant.set_row_filter("county = \"Dongcheng\"");
  world_.Add(grant);
  Table table;
  for (int i = 0; i < 6; ++i) table.push_back(PersonRow(i));  // whatever was pushed down
  EXPECT_THAT(Kept("", table), ElementsAre(0, 2, 4));
  EXPECT_THAT(Kept("points > 0", table), ElementsAre(2, 4));
  EXPECT_THAT(Kept("county = \"Xicheng\"", table), IsEmpty());
  EXPECT_THAT(Kept("county = \"Xicheng\" OR points >= 0", table), ElementsAre(0, 2, 4));
  EXPECT_THAT(Kept("NOT (county = \"Dongcheng\")", table), IsEmpty());
}

TEST_F(ApplyTest, OnlyWhatIsTrueIsKept) {
  world_.Add(GrantDefinition());
  Table table = {PersonRow(0), PersonRow(1), PersonRow(2)};
  table[1][4] = std::monostate();  // county
  EXPECT_THAT(Kept("county = \"Dongcheng\"", table), ElementsAre(0, 2));
  EXPECT_THAT(Kept("county != \"Dongcheng\"", table), IsEmpty());
  EXPECT_THAT(Kept("NOT (county = \"Dongcheng\")", table), IsEmpty());
  EXPECT_THAT(Kept("county = \"Dongcheng\" OR county != \"Dongcheng\"", table), ElementsAre(0, 2));
  EXPECT_THAT(Kept("county = null", table), ElementsAre(1));
  EXPECT_THAT(Kept("county != null", table), ElementsAre(0, 2));
  EXPECT_THAT(Kept("county = \"x\" OR points = 1", table), ElementsAre(1));
  EXPECT_THAT(Kept("NOT (county = \"x\" AND points = 1)", table), ElementsAre(0, 2));
}

TEST_F(ApplyTest, ARowFilterThatIsUnknownHidesTheRow) {
  v1::Grant grant = GrantDefinition();
  grant.set_row_filter("NOT (county = \"Xicheng\")");
  world_.Add(grant);
  Table table = {PersonRow(0), PersonRow(1), PersonRow(2)};
  table[2][4] = std::monostate();
  EXPECT_THAT(Kept("", table), ElementsAre(0));
  EXPECT_THAT(Kept("county = null", table), IsEmpty());
}

TEST_F(ApplyTest, NoMoreThanAskedForAreKept) {
  world_.Add(GrantDefinition());
  const Table table = {PersonRow(0), PersonRow(1), PersonRow(2)};
  EXPECT_THAT(Kept("", table, 2), ElementsAre(0, 1));
  EXPECT_THAT(Kept("", table, 0), IsEmpty());
  EXPECT_THAT(Kept("", table, -5), IsEmpty());
  EXPECT_THAT(Kept("", {}, 2), IsEmpty());
}

TEST_F(ApplyTest, AFilterOnAMaskedValueSeesWhatTheConsumerSees) {
  v1::Grant grant = GrantDefinition();
  MaskField(grant, "income", "bucket(1000)", v1::MASKED_FILTER_MASKED_VALUE);
  MaskField(grant, "name", "prefix(1)", v1::MASKED_FILTER_MASKED_VALUE);
  world_.Add(grant);
  Table table = {PersonRow(0), PersonRow(1)};
  table[0][3] = records::Decimal128{123456};  // 1234.56
  table[1][3] = records::Decimal128{199999};
  const auto kept = [&](const char* filter, const v1::Value& value) {
    v1::QueryRequest request = world_.Request(filter);
    PolicyWorld::Bind(request, "v", {value});
    const Decision decision = world_.Ask(request);
    EXPECT_TRUE(decision.plan) << filter;
    const auto applied =
        Apply(*decision.plan, Scanned(*decision.plan, table), 9, world_.pseudonyms);
    return applied->kept;
  };
  EXPECT_THAT(kept("income = $v", TextValue("1000")), ElementsAre(0, 1));
  EXPECT_THAT(kept("income = $v", TextValue("1234.56")), IsEmpty());
  EXPECT_THAT(kept("income > $v", TextValue("1000")), IsEmpty());
  EXPECT_THAT(kept("income <= $v", TextValue("1000")), ElementsAre(0, 1));
  EXPECT_THAT(kept("name = $v", TextValue("N")), ElementsAre(0, 1));
  EXPECT_THAT(kept("starts_with(name, $v)", TextValue("Name0")), IsEmpty());
}

TEST_F(ApplyTest, AnAdapterThatGivesOtherColumnsIsRefused) {
  world_.Add(GrantDefinition());
  const Plan plan = Planned("county = \"x\"", {"name"});
  const RecordBatch good = Scanned(plan, {PersonRow(0), PersonRow(1)});
  const auto refused = [&](std::vector<Column> columns, int64_t rows) {
    const auto applied =
        Apply(plan, RecordBatch(good.schema(), std::move(columns), rows), 9, world_.pseudonyms);
    return absl::IsInternal(applied.status());
  };
  std::vector<Column> columns = good.columns();
  columns.pop_back();
  EXPECT_TRUE(refused(columns, 2));
  columns = good.columns();
  columns.push_back(columns[0]);
  EXPECT_TRUE(refused(columns, 2));
  columns = good.columns();
  columns[0] = ColumnOf({.id = records::TypeId::kInt64}, {int64_t{1}, int64_t{2}});
  EXPECT_TRUE(refused(columns, 2));
  columns = good.columns();
  columns[0] = columns[0].Take({0});
  EXPECT_TRUE(refused(columns, 2));
  EXPECT_TRUE(refused(good.columns(), 3));
  EXPECT_FALSE(refused(good.columns(), 2));
}

TEST_F(ApplyTest, TheShuffledOrderDependsOnNothingThatIsHidden) {
  const records::DataType text{.id = records::TypeId::kUtf8};
  const auto schema = std::make_shared<const records::Schema>(
      std::vector<records::Field>{{.name = "a", .type = text}, {.name = "b", .type = text}});
  const auto batch = [&](std::vector<Scalar> a, std::vector<Scalar> b) {
    const auto rows = static_cast<int64_t>(a.size());
    return RecordBatch(schema, {ColumnOf(text, a), ColumnOf(text, b)}, rows);
  };
  const auto told = [&](const RecordBatch& rows, std::string_view key) {
    const RecordBatch shuffled = rows.Take(ShuffleOrder(rows, key));
    std::string seen;
    for (int64_t i = 0; i < shuffled.rows(); ++i)
      for (const Column& column : shuffled.columns())
        absl::StrAppend(&seen, column.IsNull(i) ? "null" : std::string(column.Bytes(i)), "|");
    return seen;
  };
  const std::string x = "x", y = "y", z = "z", empty;
  const std::string one = told(batch({x, y, z, z}, {y, x, empty, Scalar()}), "key");
  EXPECT_EQ(one, told(batch({z, x, z, y}, {Scalar(), y, empty, x}), "key"));
  EXPECT_EQ(one, told(batch({z, z, y, x}, {empty, Scalar(), x, y}), "key"));
  // The key matters: nobody can foretell the order.
  int other = 0;
  for (const char* key : {"a", "b", "c", "d", "e"})
    other += told(batch({x, y, z, z}, {y, x, empty, Scalar()}), key) != one;
  EXPECT_GT(other, 0);
}

}  // namespace
}  // namespace sluice::policy
