// Predicates over records: one tree, one evaluator, for row filters of grants and for filters of
// consumers alike. Three-valued as in SQL: a comparison with null is unknown, and only rows for
// which the whole is TRUE are kept. Text compares by code point (UTF-8 bytes), decimals exactly,
// floating point by IEEE 754 (NaN: every comparison but != is false).
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/records/types.h"

namespace sluice::records {

// A value of the type of the field that it is compared with. Text and binary both as std::string;
// dates as days and timestamps as microseconds, told apart by the field's type.
using Scalar =
    std::variant<std::monostate, bool, int64_t, double, int32_t, Decimal128, std::string>;

enum class Op : uint8_t {
  kTrue,  // no condition
  kFalse,
  kAnd,
  kOr,   // children, one or more
  kNot,  // one child
  kEqual,
  kNotEqual,
  kLess,
  kLessOrEqual,
  kGreater,
  kGreaterOrEqual,  // field, values[0]
  kIn,              // field equals any of values (1 to 1,000)
  kIsNull,          // field
  kStartsWith,      // field of type utf8, values[0]
};

struct Predicate {
  Op op = Op::kTrue;
  // Index of the field in the schema that the predicate was bound to.
  int field = -1;
  std::vector<Scalar> values;
  std::vector<Predicate> children;
};

// What stands there.
Scalar ScalarAt(const Column& column, int64_t row);

// Both hold. Either being kTrue gives the other.
Predicate And(Predicate a, Predicate b);

// Indices of the fields that it reads, ascending, each once.
std::vector<int> FieldsOf(const Predicate& predicate);

// Where each value of a predicate's fields stands: columns[i] is for field i; null for fields that
// the predicate does not read. So the same predicate may be evaluated on a projection, or with a
// masked column in the raw one's place.
using ColumnView = std::vector<const Column*>;

// The numbers of the rows for which it is TRUE, ascending. The types were checked when it was
// bound: a mismatch is a broken invariant.
std::vector<int64_t> Evaluate(const Predicate& predicate, const ColumnView& columns, int64_t rows);

}  // namespace sluice::records
