#include "adapters/sql/predicate_shape.h"

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace sluice::adapters::sql {
namespace {

using records::Op;
using records::Predicate;

// Field 9 goes down nowhere; of the others "f0=" and, negated, "f0<>".
class Spelled : public LeafTranslator {
 public:
  std::string Leaf(const Predicate& leaf, int number, bool negated) override {
    if (leaf.field == 9) return "";
    numbers.push_back(number);
    return absl::StrCat("f", leaf.field, negated ? "<>" : "=");
  }
  size_t parameters() const override { return numbers.size(); }
  void KeepParameters(size_t count) override { numbers.resize(count); }

  std::vector<int> numbers;
};

Predicate Leaf(int field) { return {Op::kEqual, field, {int64_t{1}}, {}}; }
Predicate Join(Op op, std::vector<Predicate> children) { return {op, -1, {}, std::move(children)}; }

std::string Text(const Predicate& predicate, std::vector<int>* numbers = nullptr) {
  Spelled spelled;
  std::string text = Translate(predicate, "never", spelled);
  if (numbers != nullptr) *numbers = spelled.numbers;
  return text;
}

TEST(PredicateShape, NotStandsAtTheLeaves) {
  EXPECT_EQ(Text(Join(Op::kNot, {Join(Op::kAnd, {Leaf(0), Join(Op::kOr, {Leaf(1), Leaf(2)})})})),
            "(f0<> OR (f1<> AND f2<>))");
  EXPECT_EQ(Text(Join(Op::kNot, {Join(Op::kNot, {Leaf(0)})})), "f0=");
  EXPECT_EQ(Text({Op::kFalse, -1, {}, {}}), "never");
  EXPECT_EQ(Text(Join(Op::kNot, {{Op::kTrue, -1, {}, {}}})), "never");
  EXPECT_EQ(Text({Op::kTrue, -1, {}, {}}), "");
}

TEST(PredicateShape, WhatDoesNotGoDownTakesItsOrWithIt) {
  EXPECT_EQ(Text(Join(Op::kAnd, {Leaf(0), Leaf(9)})), "(f0=)");
  EXPECT_EQ(Text(Join(Op::kOr, {Leaf(0), Leaf(9)})), "");
  EXPECT_EQ(Text(Join(Op::kNot, {Join(Op::kAnd, {Leaf(0), Leaf(9)})})), "");
  std::vector<int> numbers;
  EXPECT_EQ(Text(Join(Op::kAnd, {Join(Op::kOr, {Leaf(0), Leaf(9)}), Leaf(1)}), &numbers), "(f1=)");
  EXPECT_EQ(numbers, std::vector<int>{2}) << "no parameter of what is left out; leaves keep theirs";
}

TEST(PredicateShape, WhatIsTooDeepIsAnyRow) {
  Predicate deep = Leaf(0);
  for (int i = 0; i < 40; ++i) deep = Join(Op::kAnd, {std::move(deep)});
  EXPECT_EQ(Text(deep), "");
}

TEST(PredicateShape, APrefixEndsBehindAllThatBeginWithIt) {
  EXPECT_EQ(PrefixEnd("a"), "b");
  EXPECT_EQ(PrefixEnd("a\x7f"), "a\xC2\x80");
  EXPECT_EQ(PrefixEnd("\xED\x9F\xBF"), "\xEE\x80\x80") << "no surrogate";
  EXPECT_EQ(PrefixEnd("a\xF4\x8F\xBF\xBF"), "b");
  EXPECT_EQ(PrefixEnd("\xF4\x8F\xBF\xBF"), "");
}

}  // namespace
}  // namespace sluice::adapters::sql
