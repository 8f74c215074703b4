#include "gateway/policy/group_counter.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/policy/policy_testing.h"

namespace sluice::policy {
namespace {

using records::DataType;
using records::TypeId;

GroupRows RowsOf(std::initializer_list<int64_t> numbers) {
  GroupRows rows;
  char key = 'a';
  for (const int64_t number : numbers) rows[std::string(1, key++)] = number;
  return rows;
}

// "bD": b has no number since it is small, D since it would tell of b.
std::string SuppressedIn(std::initializer_list<int64_t> numbers, int64_t least) {
  std::string names;
  for (const auto& [key, small] : Suppressed(RowsOf(numbers), least))
    names += small ? key[0] : static_cast<char>(key[0] - 'a' + 'A');
  return names;
}

TEST(GroupCounterTest, SmallGroupsAreHiddenAndWhatWouldTellOfThem) {
  EXPECT_EQ(SuppressedIn({10, 20, 30}, 10), "");
  EXPECT_EQ(SuppressedIn({9, 30, 20}, 10), "aC") << "else all less the others were nine";
  EXPECT_EQ(SuppressedIn({4, 5, 30, 20}, 10), "abD") << "nine together are few too";
  EXPECT_EQ(SuppressedIn({5, 5, 30}, 10), "ab");
  EXPECT_EQ(SuppressedIn({3}, 10), "a");
  EXPECT_EQ(SuppressedIn({0}, 10), "a");
  EXPECT_EQ(SuppressedIn({1, 10}, 2), "aB");
}

records::SchemaPtr SchemaOf(std::initializer_list<records::Field> fields) {
  return std::make_shared<const records::Schema>(std::vector<records::Field>(fields));
}

records::RecordBatch BatchOf(const records::SchemaPtr& schema, const Table& table) {
  std::vector<records::Column> columns;
  for (size_t i = 0; i < schema->size(); ++i) {
    std::vector<records::Scalar> values;
    for (const Row& row : table) values.push_back(row[i]);
    columns.push_back(ColumnOf(schema->field(i).type, values));
  }
  return {schema, std::move(columns), static_cast<int64_t>(table.size())};
}

TEST(GroupCounterTest, GroupsComeInTheirOrderWithNullFirst) {
  const auto schema = SchemaOf({{"born", {.id = TypeId::kInt64}, true}, {"county", {}, true}});
  GroupCounter counter(schema);
  const Table table = {{int64_t{-5}, std::string("b")},      {int64_t{7}, std::string("a")},
                       {std::monostate(), std::string("a")}, {int64_t{-5}, std::string("b")},
                       {int64_t{7}, std::string("a")},       {std::monostate(), std::string("a")},
                       {int64_t{7}, std::string("ab")},      {int64_t{7}, std::string("ab")},
                       {int64_t{7}, std::string("z")}};
  ASSERT_TRUE(counter.Take(BatchOf(schema, table)).ok());
  ASSERT_TRUE(counter.Take(BatchOf(schema, {{int64_t{7}, std::string("a")}})).ok());
  const GroupCounter::Told told = counter.Tell(counter.rows(), 2);
  EXPECT_EQ(told.suppressed, 2) << "z, and one that would tell of it";
  EXPECT_EQ(told.batch.schema()->field(2).name, "rows");
  std::string text;
  for (int64_t row = 0; row < told.batch.rows(); ++row) {
    const auto& born = told.batch.column(0);
    const auto& count = told.batch.column(2);
    absl::StrAppend(&text, born.IsNull(row) ? "null" : absl::StrCat(born.Int64(row)), " ",
                    std::string(told.batch.column(1).Bytes(row)), " ",
                    count.IsNull(row) ? "?" : absl::StrCat(count.Int64(row)), "\n");
  }
  EXPECT_EQ(text, "null a ?\n-5 b 2\n7 a 3\n7 ab 2\n");
}

TEST(GroupCounterTest, AllTogetherAreOneGroupThoughThereBeNone) {
  const auto schema = SchemaOf({});
  GroupCounter none(schema);
  EXPECT_EQ(none.Tell(none.rows(), 10).batch.rows(), 1);
  EXPECT_TRUE(none.Tell(none.rows(), 10).batch.column(0).IsNull(0));
  GroupCounter some(schema);
  ASSERT_TRUE(some.Take(records::RecordBatch(schema, {}, 12)).ok());
  EXPECT_EQ(some.Tell(some.rows(), 10).batch.column(0).Int64(0), 12);
}

TEST(GroupCounterTest, TheCountsNameStandsBesideAFieldOfThatName) {
  const auto schema = SchemaOf({{"rows", {.id = TypeId::kInt64}, true}});
  GroupCounter counter(schema);
  ASSERT_TRUE(counter.Take(BatchOf(schema, {{int64_t{1}}, {int64_t{1}}})).ok());
  EXPECT_EQ(counter.Tell(counter.rows(), 2).batch.schema()->field(1).name, "rows_");
}

TEST(GroupCounterTest, TooManyGroupsAreRefused) {
  const auto schema = SchemaOf({{"n", {.id = TypeId::kInt64}, true}});
  GroupCounter counter(schema);
  absl::Status status;
  for (int64_t n = 0; n <= kMostGroups && status.ok(); ++n)
    status = counter.Take(BatchOf(schema, {{n}}));
  EXPECT_EQ(ReasonOf(status), v1::REASON_RESULT_TOO_LARGE);
  EXPECT_EQ(static_cast<int64_t>(counter.rows().size()), kMostGroups);
}

}  // namespace
}  // namespace sluice::policy
