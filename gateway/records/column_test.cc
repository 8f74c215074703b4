#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "gateway/records/batch_testing.h"
#include "gateway/records/types.h"

namespace sluice::records {
namespace {

using Bytes = std::vector<uint8_t>;

TEST(Columns, HaveArrowsLayout) {
  ColumnBuilder bits(TypeOf("bool"));
  for (bool value : {true, false, true, true, false, false, false, false, true}) {
    bits.AppendBool(value);
  }
  EXPECT_EQ(*bits.Finish().data(), (Bytes{0b00001101, 0b1}));

  ColumnBuilder numbers(TypeOf("int64"));
  numbers.AppendInt64(1);
  numbers.AppendNull();
  numbers.AppendInt64(-2);
  const Column column = numbers.Finish();
  EXPECT_EQ(*column.validity(), Bytes{0b101});
  EXPECT_EQ(*column.data(), (Bytes{1,    0,    0,    0,    0,    0,    0,    0,  //
                                   0,    0,    0,    0,    0,    0,    0,    0,  //
                                   0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}));

  ColumnBuilder texts(TypeOf("utf8"));
  texts.AppendBytes("hi");
  texts.AppendNull();
  texts.AppendBytes("");
  const Column text = texts.Finish();
  EXPECT_EQ(*text.validity(), Bytes{0b101});
  EXPECT_EQ(*text.offsets(), (Bytes{0, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0}));
  EXPECT_EQ(*text.data(), (Bytes{'h', 'i'}));

  ColumnBuilder amounts(TypeOf("decimal128(12,2)"));
  amounts.AppendDecimal(-1);
  amounts.AppendDecimal(258);
  Bytes expected(16, 0xFF);
  expected.resize(32);
  expected[16] = 2;
  expected[17] = 1;
  EXPECT_EQ(*amounts.Finish().data(), expected);
}

TEST(Columns, WithoutNullsHaveNoBitmap) {
  ColumnBuilder builder(TypeOf("date32"));
  builder.AppendDate32(1);
  const Column column = builder.Finish();
  EXPECT_EQ(column.validity(), nullptr);
  EXPECT_EQ(column.offsets(), nullptr);
  EXPECT_EQ(column.null_count(), 0);
}

TEST(Columns, OfNoRowsStillHaveOneOffset) {
  const Column column = ColumnBuilder(TypeOf("binary")).Finish();
  EXPECT_EQ(column.length(), 0);
  EXPECT_EQ(*column.offsets(), Bytes(4));
  ASSERT_NE(column.data(), nullptr);
  EXPECT_TRUE(column.data()->empty());
}

// The bitmap comes into being with the first null, wherever that is.
TEST(Columns, FirstNullAtAnyPlace) {
  for (int64_t first = 0; first < 20; ++first) {
    ColumnBuilder builder(TypeOf("bool"));
    for (int64_t i = 0; i < 21; ++i) {
      if (i == first) {
        builder.AppendNull();
      } else {
        builder.AppendBool(true);
      }
    }
    const Column column = builder.Finish();
    EXPECT_EQ(column.null_count(), 1);
    ASSERT_EQ(column.validity()->size(), 3u);
    for (int64_t i = 0; i < 21; ++i) {
      EXPECT_EQ(column.IsNull(i), i == first);
      EXPECT_EQ(column.Bool(i), i != first);
    }
    EXPECT_EQ(column.validity()->back() & 0b11100000, 0) << "bits past the end";
  }
}

TEST(Columns, HoldExtremes) {
  ColumnBuilder numbers(TypeOf("int64"));
  numbers.AppendInt64(std::numeric_limits<int64_t>::min());
  numbers.AppendInt64(std::numeric_limits<int64_t>::max());
  const Column column = numbers.Finish();
  EXPECT_EQ(column.Int64(0), std::numeric_limits<int64_t>::min());
  EXPECT_EQ(column.Int64(1), std::numeric_limits<int64_t>::max());
}

TEST(ColumnBuilders, AreEmptyAgainAfterFinish) {
  ColumnBuilder builder(TypeOf("utf8"));
  builder.AppendBytes("first");
  builder.AppendNull();
  const Column first = builder.Finish();
  EXPECT_EQ(builder.length(), 0);
  EXPECT_EQ(builder.bytes(), 4);
  builder.AppendBytes("second");
  const Column second = builder.Finish();
  EXPECT_EQ(first.Bytes(0), "first");
  EXPECT_EQ(second.Bytes(0), "second");
  EXPECT_EQ(second.length(), 1);
  EXPECT_EQ(second.null_count(), 0);
}

TEST(ColumnBuildersDeathTest, RefuseAnotherType) {
  ColumnBuilder builder(TypeOf("date32"));
  EXPECT_DEATH(builder.AppendInt64(1), "broken invariant");
  EXPECT_DEATH(builder.AppendBytes("x"), "broken invariant");
}

// Rows anywhere, or runs of them.
std::vector<int64_t> RandomRows(std::mt19937_64& random, int64_t rows, bool in_runs) {
  std::vector<int64_t> wanted;
  for (uint64_t left = random() % 50; left > 0; --left) {
    const bool next = in_runs && random() % 12 != 0 && !wanted.empty();
    wanted.push_back(next ? (wanted.back() + 1) % rows
                          : static_cast<int64_t>(random() % static_cast<uint64_t>(rows)));
  }
  return wanted;
}

TEST(Take, GivesTheSameBuffersAsBuildingValueByValue) {
  std::mt19937_64 random(11);
  for (int round = 0; round < 120; ++round) {
    const auto rows = static_cast<int64_t>(random() % 40) + 1;
    const RecordBatch batch = RandomBatch(random, rows);
    const std::vector<int64_t> wanted = RandomRows(random, rows, round % 2 == 0);
    const RecordBatch taken = batch.Take(wanted);
    ASSERT_EQ(taken.rows(), static_cast<int64_t>(wanted.size()));
    EXPECT_EQ(taken.schema(), batch.schema());
    int64_t bytes = 0;
    for (size_t c = 0; c < batch.columns().size(); ++c) {
      ColumnBuilder builder(batch.column(c).type());
      for (int64_t row : wanted) builder.AppendFrom(batch.column(c), row);
      bytes += builder.bytes();
      const Column expected = builder.Finish();
      const Column& column = taken.column(c);
      ASSERT_EQ(column.type(), expected.type());
      ASSERT_EQ(column.length(), expected.length());
      ASSERT_EQ(column.null_count(), expected.null_count());
      ASSERT_EQ(column.validity() == nullptr, expected.validity() == nullptr);
      if (column.validity() != nullptr) {
        ASSERT_EQ(*column.validity(), *expected.validity());
      }
      ASSERT_EQ(column.offsets() == nullptr, expected.offsets() == nullptr);
      if (column.offsets() != nullptr) {
        ASSERT_EQ(*column.offsets(), *expected.offsets());
      }
      ASSERT_EQ(*column.data(), *expected.data()) << c;
    }
    EXPECT_EQ(taken.bytes(), bytes);
  }
}

TEST(Join, GivesTheSameRowsAsTakingThem) {
  std::mt19937_64 random(12);
  for (int round = 0; round < 60; ++round) {
    const auto rows = static_cast<int64_t>(random() % 100) + 1;
    const RecordBatch batch = RandomBatch(random, rows);
    std::vector<RowRange> ranges;
    std::vector<int64_t> wanted;
    for (int part = 0; part < 5; ++part) {
      const auto begin = static_cast<int64_t>(random() % static_cast<uint64_t>(rows));
      const auto count = static_cast<int64_t>(random() % static_cast<uint64_t>(rows - begin + 1));
      ranges.push_back({batch, begin, count});
      for (int64_t row = begin; row < begin + count; ++row) wanted.push_back(row);
    }
    const RecordBatch joined = Join(batch.schema(), ranges), taken = batch.Take(wanted);
    ASSERT_EQ(joined.rows(), taken.rows());
    for (size_t c = 0; c < taken.columns().size(); ++c) {
      EXPECT_EQ(joined.column(c).null_count(), taken.column(c).null_count());
      EXPECT_EQ(*joined.column(c).data(), *taken.column(c).data());
    }
  }
  const RecordBatch batch = RandomBatch(random, 9);
  EXPECT_EQ(Join(batch.schema(), {{batch, 0, 9}}).column(8).data(), batch.column(8).data());
}

TEST(Take, AllRowsShareTheBuffers) {
  std::mt19937_64 random(5);
  const RecordBatch batch = RandomBatch(random, 9);
  const RecordBatch all = batch.Take({0, 1, 2, 3, 4, 5, 6, 7, 8});
  EXPECT_EQ(all.column(8).data(), batch.column(8).data());
  const RecordBatch turned = batch.Take({1, 0, 2, 3, 4, 5, 6, 7, 8});
  EXPECT_NE(turned.column(8).data(), batch.column(8).data());
}

TEST(TakeDeathTest, RowsThatAreNotThere) {
  std::mt19937_64 random(5);
  const RecordBatch batch = RandomBatch(random, 3);
  EXPECT_DEATH(batch.Take({3}), "broken invariant");
  EXPECT_DEATH(batch.Take({-1}), "broken invariant");
}

TEST(Take, OfNoColumnsKeepsTheCount) {
  const RecordBatch batch(std::make_shared<Schema>(std::vector<Field>()), {}, 5);
  EXPECT_EQ(batch.Take({4, 0}).rows(), 2);
  EXPECT_EQ(batch.bytes(), 0);
}

}  // namespace
}  // namespace sluice::records
