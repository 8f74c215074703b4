// Keys as bytes, the marks on them, and sorting them with little memory.
#include "adapters/files/key.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "adapters/files/files_testing.h"
#include "adapters/files/key_sorter.h"
#include "gateway/base/error.h"
#include "gtest/gtest.h"

namespace sluice::adapters::files {
namespace {

using records::Decimal128;
using records::Op;
using records::Predicate;
using records::Scalar;

std::string Key(const std::vector<Scalar>& values) {
  std::string key;
  for (const Scalar& value : values) AppendKey(ValueOf(value), key);
  return key;
}

TEST(KeyTest, BytesSortAsValuesDo) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<std::vector<Scalar>> ascending = {
      {Scalar(), INT64_MIN, int64_t{-1}, int64_t{0}, int64_t{255}, int64_t{256}, INT64_MAX},
      {Scalar(), -HUGE_VAL, -1.0, -5e-324, 0.0, 5e-324, 1.0, HUGE_VAL, nan},
      {Scalar(), INT32_MIN, -1, 0, 1},
      {Scalar(), Decimal128{-300}, Decimal128{-1}, Decimal128{0}, Decimal128{300}},
      {Scalar(), false, true},
      {Scalar(), std::string(), std::string("\0", 1), std::string("\0\0", 2),
       std::string("\0\1", 2), std::string("\1"), std::string("a"), std::string("a\0", 2),
       std::string("a\0b", 3), std::string("ab"), std::string("\xff")}};
  for (const auto& values : ascending)
    for (size_t i = 1; i < values.size(); ++i)
      EXPECT_LT(Key({values[i - 1]}), Key({values[i]})) << values.back().index() << " at " << i;
  EXPECT_EQ(Key({-0.0}), Key({0.0}));
  // The first column decides, whatever its length.
  EXPECT_LT(Key({std::string("a"), std::string("z")}), Key({std::string("ab"), std::string("a")}));
}

bool Holds(const std::vector<KeyRange>& ranges, const std::string& key) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const KeyRange& range) {
    return key >= range.low && (range.high.empty() || key < range.high);
  });
}

// Small integers in a nullable column, and any predicate over it: where it is TRUE, the ranges are.
TEST(KeyTest, RangesHoldEveryRowForWhichThePredicateIsTrue) {
  std::mt19937 random(7);
  const auto leaf = [&] {
    const Op ops[] = {Op::kEqual,   Op::kNotEqual,       Op::kLess, Op::kLessOrEqual,
                      Op::kGreater, Op::kGreaterOrEqual, Op::kIn,   Op::kIsNull};
    Predicate one{ops[random() % 8], static_cast<int>(random() % 2), {}, {}};
    for (size_t i = one.op == Op::kIn ? 3 : one.op == Op::kIsNull ? 0 : 1; i > 0; --i)
      one.values.emplace_back(static_cast<int64_t>(random() % 8));
    return one;
  };
  records::ColumnBuilder builder({records::TypeId::kInt64});
  builder.AppendNull();
  for (int64_t i = -1; i < 9; ++i) builder.AppendInt64(i);
  const records::Column column = builder.Finish();
  for (int i = 0; i < 2'000; ++i) {
    Predicate predicate{random() % 2 == 0 ? Op::kAnd : Op::kOr, -1, {}, {leaf(), leaf(), leaf()}};
    if (random() % 4 == 0) predicate = Predicate{Op::kNot, -1, {}, {predicate}};
    const auto ranges = RangesOf(predicate, 0);
    for (size_t n = 1; n < ranges.size(); ++n) ASSERT_LT(ranges[n - 1].high, ranges[n].low);
    for (const int64_t row : records::Evaluate(predicate, {&column, &column}, column.length())) {
      const Scalar value = column.IsNull(row) ? Scalar() : Scalar(column.Int64(row));
      ASSERT_TRUE(Holds(ranges, Key({value}))) << "predicate " << i << ", row " << row;
    }
  }
}

TEST(KeyTest, ALookupIsOneNarrowRange) {
  const auto ranges = RangesOf(Predicate{Op::kEqual, 0, {std::string("b")}, {}}, 0);
  ASSERT_EQ(ranges.size(), 1u);
  EXPECT_TRUE(Holds(ranges, Key({std::string("b"), int64_t{7}})));
  for (const char* other : {"a", "ba", "c"}) EXPECT_FALSE(Holds(ranges, Key({std::string(other)})));
  const auto prefix = RangesOf(Predicate{Op::kStartsWith, 0, {std::string("b")}, {}}, 0);
  EXPECT_TRUE(Holds(prefix, Key({std::string("ba")})));
  EXPECT_FALSE(Holds(prefix, Key({std::string("c")})));
  EXPECT_TRUE(RangesOf(Predicate{Op::kFalse, -1, {}, {}}, 0).empty());
}

TEST(KeyTest, MarksStayWithinTheirBytes) {
  Marks marks(4'096, 1);
  for (int64_t i = 0; i < 100'000; ++i) marks.Offer(Key({i}), {i, i});
  EXPECT_LE(marks.bytes(), 4'096u);
  EXPECT_GE(marks.count(), 20u);
  for (const int64_t i : {0, 1, 999, 54'321, 99'999}) {
    const auto mark = marks.Find(Key({i}));
    ASSERT_TRUE(mark.has_value());
    EXPECT_LE(mark->at, i);
    EXPECT_LT(i - mark->at, 4'096);
  }
  EXPECT_FALSE(marks.Find(Key({int64_t{-1}})).has_value());
}

class KeySorterTest : public testing::Test {
 protected:
  KeySorterTest() : scratch_(*Scratch::Make(folder_.path(), 4'096)) {}

  TestFolder folder_;
  const Budgets budgets_{.sort_bytes = 4'096, .block_bytes = 4'096, .merge_width = 3};
  std::unique_ptr<Scratch> scratch_;
  const CallContext context_;
  const Watch watch_{context_};
  Marks marks_{1 << 20, 1};
  KeyRun run_;
};

TEST_F(KeySorterTest, SortsManyTimesWhatItHolds) {
  KeySorter sorter(*scratch_, budgets_, "t", "line");
  for (int64_t i = 0; i < 20'000; ++i) {
    const int64_t value = i * 7'919 % 20'011;
    ASSERT_TRUE(sorter.Add(Key({value}), {value, i}).ok());
  }
  ASSERT_TRUE(sorter.Finish(watch_, marks_, run_).ok());
  KeyRunReader reader(*scratch_, run_, run_.first);
  std::string last;
  int64_t count = 0;
  for (auto more = reader.Next(); more.ok() && *more; more = reader.Next(), ++count) {
    ASSERT_LT(last, reader.entry().key);
    ASSERT_EQ(Key({reader.entry().place.offset}), reader.entry().key);
    last = reader.entry().key;
  }
  EXPECT_EQ(count, 20'000);
  EXPECT_EQ(marks_.count(), static_cast<size_t>(run_.blocks));
}

TEST_F(KeySorterTest, ARepeatedKeyNamesBothLinesHoweverFarApart) {
  KeySorter sorter(*scratch_, budgets_, "t", "line");
  for (int64_t i = 0; i < 5'000; ++i)
    ASSERT_TRUE(sorter.Add(Key({i == 4'000 ? int64_t{17} : i}), {i, i + 2}).ok());
  const absl::Status status = sorter.Finish(watch_, marks_, run_);
  EXPECT_EQ(ReasonOf(status), v1::REASON_SCHEMA_DRIFT);
  EXPECT_TRUE(absl::StrContains(status.message(), "lines 19 and 4002")) << status;
}

TEST_F(KeySorterTest, AnIndexLeavesNoFileAndNoKeyToRead) {
  const std::string id = "440304199001011234";
  KeySorter sorter(*scratch_, budgets_, "t", "line");
  for (int64_t i = 0; i < 5'000; ++i)
    ASSERT_TRUE(sorter.Add(absl::StrCat(id, 9'999 - i), {i, i}).ok());
  ASSERT_TRUE(sorter.Finish(watch_, marks_, run_).ok());
  EXPECT_EQ(folder_.Names(), std::vector<std::string>());
  const std::string stored = OpenFilesUnder(folder_.path());
  EXPECT_GT(stored.size(), 5'000u);
  EXPECT_EQ(stored.find(id.substr(0, 8)), std::string::npos);
}

}  // namespace
}  // namespace sluice::adapters::files
