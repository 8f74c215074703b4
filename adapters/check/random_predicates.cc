#include "adapters/check/random_predicates.h"

#include <limits>

namespace sluice::adapters::check {

using records::Op;
using records::Predicate;
using records::TypeId;

Predicate RandomPredicates::Make(int depth, const ValueFor& value) {
  const size_t kind = Below(depth == 0 ? 4 : 10);
  if (kind < 4 || depth == 0) return Leaf(value);
  if (kind == 4) return Predicate{Below(2) == 0 ? Op::kTrue : Op::kFalse, -1, {}, {}};
  Predicate predicate;
  predicate.op = kind < 6 ? Op::kNot : kind < 8 ? Op::kAnd : Op::kOr;
  const size_t children = predicate.op == Op::kNot ? 1 : 1 + Below(3);
  for (size_t i = 0; i < children; ++i) predicate.children.push_back(Make(depth - 1, value));
  return predicate;
}

Predicate RandomPredicates::Leaf(const ValueFor& value) {
  static const std::vector<Op> kOps = {Op::kEqual,       Op::kNotEqual, Op::kLess,
                                       Op::kLessOrEqual, Op::kGreater,  Op::kGreaterOrEqual,
                                       Op::kIn,          Op::kIsNull};
  Predicate leaf;
  leaf.field = static_cast<int>(Below(types_.size()));
  const records::DataType& type = types_[leaf.field];
  leaf.op = kOps[Below(kOps.size())];
  if (type.id == TypeId::kUtf8 && Below(4) == 0) leaf.op = Op::kStartsWith;
  if (leaf.op == Op::kIsNull) return leaf;
  const size_t values = leaf.op == Op::kIn ? 1 + Below(9) : 1;
  for (size_t i = 0; i < values; ++i) leaf.values.push_back(value(leaf.field));
  if (type.id == TypeId::kFloat64 && Below(8) == 0)
    leaf.values[0] = std::numeric_limits<double>::quiet_NaN();
  return leaf;
}

}  // namespace sluice::adapters::check
