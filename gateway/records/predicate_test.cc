#include "gateway/records/predicate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <optional>
#include <random>

#include "gateway/records/batch_testing.h"
#include "gateway/records/types.h"

namespace sluice::records {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Rows = std::vector<int64_t>;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

Predicate Constant(Op op) { return {.op = op}; }
Predicate OnField(Op op, int field, std::vector<Scalar> values = {}) {
  return {.op = op, .field = field, .values = std::move(values)};
}
Predicate Of(Op op, std::vector<Predicate> children) {
  return {.op = op, .children = std::move(children)};
}

template <class T>
Column ColumnOf(std::string_view type, void (ColumnBuilder::*append)(T),
                const std::vector<std::optional<T>>& values) {
  ColumnBuilder builder(TypeOf(type));
  for (const auto& value : values) {
    if (value) {
      (builder.*append)(*value);
    } else {
      builder.AppendNull();
    }
  }
  return builder.Finish();
}

Rows Kept(const Predicate& predicate, const Column& column) {
  return Evaluate(predicate, {&column}, column.length());
}

// True, unknown and false, made from one row: 1 = 1, 1 = null, 1 = 0.
class TruthTable : public ::testing::Test {
 protected:
  enum Truth { kFalse, kUnknown, kTrue };
  static Predicate Make(Truth truth) {
    switch (truth) {
      case kFalse:
        return OnField(Op::kEqual, 0, {int64_t{0}});
      case kUnknown:
        return OnField(Op::kEqual, 0, {Scalar()});
      default:
        return OnField(Op::kEqual, 0, {int64_t{1}});
    }
  }
  // Only TRUE is kept, so that unknown is told from false by asking for the opposite as well.
  Truth TruthOf(const Predicate& predicate) const {
    const bool yes = !Kept(predicate, one_).empty();
    const bool no = !Kept(Of(Op::kNot, {predicate}), one_).empty();
    EXPECT_FALSE(yes && no);
    return yes ? kTrue : no ? kFalse : kUnknown;
  }
  const Column one_ = ColumnOf<int64_t>("int64", &ColumnBuilder::AppendInt64, {1});
};

TEST_F(TruthTable, AndIsTheLesserOrTheGreaterNotTheOpposite) {
  const Truth all[] = {kFalse, kUnknown, kTrue};
  for (Truth a : all) {
    EXPECT_EQ(TruthOf(Make(a)), a);
    EXPECT_EQ(TruthOf(Of(Op::kNot, {Make(a)})), kTrue - a);
    EXPECT_EQ(TruthOf(Of(Op::kAnd, {Make(a)})), a);
    EXPECT_EQ(TruthOf(Of(Op::kOr, {Make(a)})), a);
    for (Truth b : all) {
      EXPECT_EQ(TruthOf(Of(Op::kAnd, {Make(a), Make(b)})), std::min(a, b));
      EXPECT_EQ(TruthOf(Of(Op::kOr, {Make(a), Make(b)})), std::max(a, b));
      EXPECT_EQ(TruthOf(And(Make(a), Make(b))), std::min(a, b));
      for (Truth c : all) {
        EXPECT_EQ(TruthOf(Of(Op::kAnd, {Make(a), Make(b), Make(c)})), std::min({a, b, c}));
        EXPECT_EQ(TruthOf(Of(Op::kOr, {Make(a), Of(Op::kAnd, {Make(b), Make(c)})})),
                  std::max(a, std::min(b, c)));
      }
    }
  }
}

TEST_F(TruthTable, ConstantsAndEmptyLists) {
  EXPECT_EQ(TruthOf(Constant(Op::kTrue)), kTrue);
  EXPECT_EQ(TruthOf(Constant(Op::kFalse)), kFalse);
  EXPECT_EQ(TruthOf(Of(Op::kAnd, {})), kTrue);
  EXPECT_EQ(TruthOf(Of(Op::kOr, {})), kFalse);
  EXPECT_EQ(TruthOf(OnField(Op::kIn, 0)), kFalse);
  const Column null = ColumnOf<int64_t>("int64", &ColumnBuilder::AppendInt64, {std::nullopt});
  EXPECT_THAT(Kept(Of(Op::kNot, {OnField(Op::kIn, 0)}), null), ElementsAre(0));
}

TEST_F(TruthTable, NullAmongValues) {
  EXPECT_EQ(TruthOf(OnField(Op::kIn, 0, {Scalar(), int64_t{1}})), kTrue);
  EXPECT_EQ(TruthOf(OnField(Op::kIn, 0, {int64_t{2}, Scalar()})), kUnknown);
  EXPECT_EQ(TruthOf(OnField(Op::kIn, 0, {Scalar()})), kUnknown);
  for (Op op : {Op::kEqual, Op::kNotEqual, Op::kLess, Op::kLessOrEqual, Op::kGreater,
                Op::kGreaterOrEqual}) {
    EXPECT_EQ(TruthOf(OnField(op, 0, {Scalar()})), kUnknown);
  }
}

TEST(Evaluate, NullIsNeitherEqualNorUnequal) {
  const Column column =
      ColumnOf<int64_t>("int64", &ColumnBuilder::AppendInt64, {1, std::nullopt, 2});
  EXPECT_THAT(Kept(OnField(Op::kEqual, 0, {int64_t{0}}), column), IsEmpty());
  EXPECT_THAT(Kept(OnField(Op::kNotEqual, 0, {int64_t{1}}), column), ElementsAre(2));
  EXPECT_THAT(Kept(Of(Op::kNot, {OnField(Op::kEqual, 0, {int64_t{1}})}), column), ElementsAre(2));
  EXPECT_THAT(Kept(Of(Op::kNot, {OnField(Op::kIn, 0, {int64_t{1}})}), column), ElementsAre(2));
  EXPECT_THAT(Kept(Of(Op::kNot, {OnField(Op::kIn, 0, {int64_t{1}, Scalar()})}), column), IsEmpty());
  EXPECT_THAT(Kept(OnField(Op::kIsNull, 0), column), ElementsAre(1));
  EXPECT_THAT(Kept(Of(Op::kNot, {OnField(Op::kIsNull, 0)}), column), ElementsAre(0, 2));
}

TEST(Evaluate, Int64Extremes) {
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  const Column column =
      ColumnOf<int64_t>("int64", &ColumnBuilder::AppendInt64, {kMin, kMin + 1, 0, kMax - 1, kMax});
  EXPECT_THAT(Kept(OnField(Op::kLess, 0, {kMin + 1}), column), ElementsAre(0));
  EXPECT_THAT(Kept(OnField(Op::kGreater, 0, {kMax - 1}), column), ElementsAre(4));
  EXPECT_THAT(Kept(OnField(Op::kLessOrEqual, 0, {kMax}), column), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(Kept(OnField(Op::kLess, 0, {kMin}), column), IsEmpty());
  EXPECT_THAT(Kept(OnField(Op::kEqual, 0, {kMax}), column), ElementsAre(4));
}

TEST(Evaluate, FloatsAsInIeee754) {
  const Column column = ColumnOf<double>("float64", &ColumnBuilder::AppendFloat64,
                                         {kNan, -0.0, 0.0, -kInfinity, kInfinity, std::nullopt});
  EXPECT_THAT(Kept(OnField(Op::kEqual, 0, {0.0}), column), ElementsAre(1, 2));
  EXPECT_THAT(Kept(OnField(Op::kLess, 0, {0.0}), column), ElementsAre(3));
  EXPECT_THAT(Kept(OnField(Op::kGreaterOrEqual, 0, {-0.0}), column), ElementsAre(1, 2, 4));
  EXPECT_THAT(Kept(OnField(Op::kNotEqual, 0, {0.0}), column), ElementsAre(0, 3, 4));
  for (Op op : {Op::kEqual, Op::kLess, Op::kLessOrEqual, Op::kGreater, Op::kGreaterOrEqual}) {
    EXPECT_THAT(Kept(OnField(op, 0, {kNan}), column), IsEmpty());
  }
  EXPECT_THAT(Kept(OnField(Op::kNotEqual, 0, {kNan}), column), ElementsAre(0, 1, 2, 3, 4));
  EXPECT_THAT(Kept(OnField(Op::kIn, 0, {kNan, 0.0, kInfinity}), column), ElementsAre(1, 2, 4));
  EXPECT_THAT(Kept(OnField(Op::kIn, 0, {kNan}), column), IsEmpty());
  // False, not unknown: the opposite of a comparison with NaN is true.
  EXPECT_THAT(Kept(Of(Op::kNot, {OnField(Op::kIn, 0, {kNan})}), column),
              ElementsAre(0, 1, 2, 3, 4));
}

TEST(Evaluate, TextByCodePoint) {
  // U+FF5E is below U+1F600, though UTF-16 would have it above.
  ColumnBuilder builder(TypeOf("utf8"));
  for (std::string_view value : {"", "B", "a", "é", "中", "～", "😀"}) builder.AppendBytes(value);
  const Column column = builder.Finish();
  EXPECT_THAT(Kept(OnField(Op::kLess, 0, {std::string("a")}), column), ElementsAre(0, 1));
  EXPECT_THAT(Kept(OnField(Op::kGreater, 0, {std::string("～")}), column), ElementsAre(6));
  EXPECT_THAT(Kept(OnField(Op::kGreater, 0, {std::string("z")}), column), ElementsAre(3, 4, 5, 6));
  EXPECT_THAT(Kept(OnField(Op::kEqual, 0, {std::string()}), column), ElementsAre(0));
}

TEST(Evaluate, TextWithNulByteIsComparedWhole) {
  using namespace std::string_literals;
  ColumnBuilder builder(TypeOf("utf8"));
  builder.AppendBytes("a\0b"s);
  builder.AppendBytes("a");
  const Column column = builder.Finish();
  EXPECT_THAT(Kept(OnField(Op::kEqual, 0, {"a"s}), column), ElementsAre(1));
  EXPECT_THAT(Kept(OnField(Op::kIn, 0, {"a\0b"s}), column), ElementsAre(0));
}

TEST(Evaluate, Prefixes) {
  ColumnBuilder builder(TypeOf("utf8"));
  builder.AppendBytes("北京市");
  builder.AppendBytes("北");
  builder.AppendNull();
  builder.AppendBytes("");
  const Column column = builder.Finish();
  EXPECT_THAT(Kept(OnField(Op::kStartsWith, 0, {std::string("北京")}), column), ElementsAre(0));
  EXPECT_THAT(Kept(OnField(Op::kStartsWith, 0, {std::string("北")}), column), ElementsAre(0, 1));
  EXPECT_THAT(Kept(OnField(Op::kStartsWith, 0, {std::string()}), column), ElementsAre(0, 1, 3));
  EXPECT_THAT(Kept(OnField(Op::kStartsWith, 0, {Scalar()}), column), IsEmpty());
  EXPECT_THAT(Kept(Of(Op::kNot, {OnField(Op::kStartsWith, 0, {std::string("x")})}), column),
              ElementsAre(0, 1, 3));
}

TEST(Evaluate, DecimalsExactly) {
  const Decimal128 big = PowerOfTen(38) - 1;
  const Column column = ColumnOf<Decimal128>("decimal128(38,2)", &ColumnBuilder::AppendDecimal,
                                             {big, big - 1, -big, 0});
  EXPECT_THAT(Kept(OnField(Op::kEqual, 0, {big}), column), ElementsAre(0));
  EXPECT_THAT(Kept(OnField(Op::kLess, 0, {big}), column), ElementsAre(1, 2, 3));
  EXPECT_THAT(Kept(OnField(Op::kIn, 0, {-big, big - 1}), column), ElementsAre(1, 2));
}

TEST(Evaluate, NoRows) {
  const Column column = ColumnBuilder(TypeOf("int64")).Finish();
  EXPECT_THAT(Kept(OnField(Op::kEqual, 0, {int64_t{1}}), column), IsEmpty());
  EXPECT_THAT(Evaluate(Constant(Op::kTrue), {}, 0), IsEmpty());
  EXPECT_THAT(Evaluate(Constant(Op::kTrue), {}, 3), ElementsAre(0, 1, 2));
}

TEST(Evaluate, LooksOnlyAtTheFieldsItReads) {
  const Column column = ColumnOf<int64_t>("int64", &ColumnBuilder::AppendInt64, {7, 8});
  EXPECT_THAT(Evaluate(OnField(Op::kEqual, 2, {int64_t{8}}), {nullptr, nullptr, &column}, 2),
              ElementsAre(1));
}

TEST(EvaluateDeathTest, MismatchIsABrokenInvariant) {
  const Column column = ColumnOf<int64_t>("int64", &ColumnBuilder::AppendInt64, {7});
  const std::string kBroken = "broken invariant";
  EXPECT_DEATH(Kept(OnField(Op::kEqual, 0, {1.0}), column), kBroken);
  EXPECT_DEATH(Kept(OnField(Op::kIn, 0, {int64_t{1}, std::string("1")}), column), kBroken);
  EXPECT_DEATH(Kept(OnField(Op::kEqual, 1, {int64_t{1}}), column), kBroken);
  EXPECT_DEATH(Kept(OnField(Op::kEqual, -1, {int64_t{1}}), column), kBroken);
  EXPECT_DEATH(Kept(OnField(Op::kEqual, 0), column), kBroken);
  EXPECT_DEATH(Kept(OnField(Op::kStartsWith, 0, {std::string("7")}), column), kBroken);
  EXPECT_DEATH(Evaluate(OnField(Op::kIsNull, 0), {nullptr}, 1), kBroken);
  EXPECT_DEATH(Evaluate(OnField(Op::kIsNull, 0), {&column}, 2), kBroken);
  EXPECT_DEATH(Kept(Of(Op::kNot, {}), column), kBroken);
}

TEST(And, TrueGivesTheOther) {
  const Predicate some = OnField(Op::kIsNull, 3);
  EXPECT_EQ(And(Constant(Op::kTrue), some).op, Op::kIsNull);
  EXPECT_EQ(And(some, Constant(Op::kTrue)).field, 3);
  EXPECT_EQ(And(Constant(Op::kTrue), Constant(Op::kTrue)).op, Op::kTrue);
  EXPECT_EQ(And(some, Constant(Op::kFalse)).op, Op::kAnd);
}

TEST(FieldsOf, AscendingEachOnce) {
  const Predicate predicate =
      Of(Op::kOr, {OnField(Op::kIsNull, 5),
                   Of(Op::kNot, {Of(Op::kAnd, {OnField(Op::kIsNull, 1), OnField(Op::kIsNull, 5),
                                               Constant(Op::kTrue)})})});
  EXPECT_THAT(FieldsOf(predicate), ElementsAre(1, 5));
  EXPECT_THAT(FieldsOf(Constant(Op::kTrue)), IsEmpty());
}

// The evaluator as one would write it for a single row, from the words of SQL alone.
using Maybe = std::optional<bool>;

Maybe Compare(Op op, const Scalar& a, const Scalar& b) {
  if (std::holds_alternative<std::monostate>(a) || std::holds_alternative<std::monostate>(b)) {
    return std::nullopt;
  }
  switch (op) {
    case Op::kEqual:
      return a == b;
    case Op::kNotEqual:
      return a != b;
    case Op::kLess:
      return a < b;
    case Op::kLessOrEqual:
      return a <= b;
    case Op::kGreater:
      return a > b;
    default:
      return a >= b;
  }
}

Maybe NaiveAnyOf(const std::vector<Maybe>& parts) {
  bool unknown = false;
  for (const Maybe& part : parts) {
    if (part == Maybe(true)) return true;
    unknown = unknown || !part.has_value();
  }
  if (unknown) return std::nullopt;
  return false;
}

Maybe Opposite(const Maybe& truth) { return truth ? Maybe(!*truth) : std::nullopt; }

Maybe Naive(const Predicate& predicate, const RecordBatch& batch, int64_t row) {
  std::vector<Maybe> parts;
  switch (predicate.op) {
    case Op::kTrue:
      return true;
    case Op::kFalse:
      return false;
    case Op::kOr:
      for (const auto& child : predicate.children) parts.push_back(Naive(child, batch, row));
      return NaiveAnyOf(parts);
    case Op::kAnd:  // De Morgan, so that it is not the same code as Or's
      for (const auto& child : predicate.children) {
        parts.push_back(Opposite(Naive(child, batch, row)));
      }
      return Opposite(NaiveAnyOf(parts));
    case Op::kNot:
      return Opposite(Naive(predicate.children[0], batch, row));
    default:
      break;
  }
  const Scalar value = ScalarAt(batch.column(static_cast<size_t>(predicate.field)), row);
  if (predicate.op == Op::kIsNull) return std::holds_alternative<std::monostate>(value);
  if (predicate.op == Op::kIn) {
    for (const Scalar& other : predicate.values) {
      parts.push_back(Compare(Op::kEqual, value, other));
    }
    return NaiveAnyOf(parts);
  }
  if (predicate.op == Op::kStartsWith) {
    const auto* text = std::get_if<std::string>(&value);
    const auto* prefix = std::get_if<std::string>(&predicate.values[0]);
    if (text == nullptr || prefix == nullptr) return std::nullopt;
    return text->substr(0, prefix->size()) == *prefix;
  }
  return Compare(predicate.op, value, predicate.values[0]);
}

Scalar RandomScalar(std::mt19937_64& random, const DataType& type) {
  if (random() % 10 == 0) return Scalar();
  ColumnBuilder builder(type);
  AppendRandom(random, builder);
  return ScalarAt(builder.Finish(), 0);
}

Predicate RandomPredicate(std::mt19937_64& random, const RecordBatch& batch, int depth) {
  if (depth > 0 && random() % 3 != 0) {
    const Op op = std::array{Op::kAnd, Op::kOr, Op::kNot}[random() % 3];
    Predicate predicate = Constant(op);
    const uint64_t count = op == Op::kNot ? 1 : random() % 4;
    for (uint64_t i = 0; i < count; ++i) {
      predicate.children.push_back(RandomPredicate(random, batch, depth - 1));
    }
    return predicate;
  }
  Predicate leaf;
  leaf.op = static_cast<Op>(random() % (static_cast<uint64_t>(Op::kStartsWith) + 1));
  if (leaf.op == Op::kAnd || leaf.op == Op::kOr || leaf.op == Op::kNot) leaf.op = Op::kIn;
  if (leaf.op == Op::kTrue || leaf.op == Op::kFalse) return leaf;
  leaf.field = static_cast<int>(random() % batch.columns().size());
  if (leaf.op == Op::kStartsWith) {
    leaf.field = static_cast<int>(batch.schema()->IndexOf("utf8").value());
  }
  if (leaf.op == Op::kIsNull) return leaf;
  const DataType& type = batch.schema()->field(static_cast<size_t>(leaf.field)).type;
  const uint64_t count = leaf.op == Op::kIn ? random() % 12 : 1;
  for (uint64_t i = 0; i < count; ++i) leaf.values.push_back(RandomScalar(random, type));
  return leaf;
}

TEST(Evaluate, AgreesWithOneRowAtATime) {
  std::mt19937_64 random(20261124);
  int64_t kept_in_all = 0, rows_in_all = 0;
  for (int round = 0; round < 3000; ++round) {
    const RecordBatch batch = RandomBatch(random, static_cast<int64_t>(random() % 40));
    ColumnView view;
    for (const Column& column : batch.columns()) view.push_back(&column);
    const Predicate predicate = RandomPredicate(random, batch, 3);
    Rows expected;
    for (int64_t row = 0; row < batch.rows(); ++row) {
      if (Naive(predicate, batch, row) == Maybe(true)) expected.push_back(row);
    }
    ASSERT_EQ(Evaluate(predicate, view, batch.rows()), expected) << "round " << round;
    kept_in_all += static_cast<int64_t>(expected.size());
    rows_in_all += batch.rows();
  }
  // The rounds say something: many rows kept, many dropped.
  EXPECT_GT(kept_in_all, rows_in_all / 10);
  EXPECT_LT(kept_in_all, rows_in_all * 9 / 10);
}

}  // namespace
}  // namespace sluice::records
