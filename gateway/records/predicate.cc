#include "gateway/records/predicate.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <string_view>
#include <type_traits>

#include "gateway/base/check.h"

namespace sluice::records {
namespace {

// What a predicate says of each row, one byte a row, so that And is the lesser, Or the greater, and
// Not the difference from true: loops over bytes without a branch. The loops take plain pointers,
// as a store through a byte could otherwise change the vector's own, for all that the compiler
// knows.
using Truth = uint8_t;
constexpr Truth kNo = 0;
constexpr Truth kUnknown = 1;
constexpr Truth kYes = 2;
using Truths = std::vector<Truth>;

constexpr Truth TruthOf(bool value) { return static_cast<Truth>(value ? kYes : kNo); }

void Fill(Truths& out, Truth truth) { std::fill(out.begin(), out.end(), truth); }

// Whatever was computed on the data of null values gives way to unknown.
void NullsAreUnknown(const Column& column, Truths& out) {
  if (column.null_count() == 0) return;
  const uint8_t* const validity = column.validity()->data();
  Truth* const truths = out.data();
  const size_t rows = out.size();
  for (size_t i = 0; i < rows; ++i) {
    const bool valid = ((validity[i >> 3] >> (i & 7)) & 1) != 0;
    truths[i] = valid ? truths[i] : kUnknown;
  }
}

// The values of a column as the type that its scalars have.
template <class T>
struct Fixed {
  using Value = T;
  explicit Fixed(const Column& column) : data(column.data()->data()) {}
  T operator()(size_t i) const {
    T value;
    std::memcpy(&value, data + i * sizeof(T), sizeof(T));
    return value;
  }
  static T Key(const Scalar& scalar) { return std::get<T>(scalar); }
  const uint8_t* data;
};

struct Bits {
  using Value = bool;
  explicit Bits(const Column& column) : data(column.data()->data()) {}
  bool operator()(size_t i) const { return ((data[i >> 3] >> (i & 7)) & 1) != 0; }
  static bool Key(const Scalar& scalar) { return std::get<bool>(scalar); }
  const uint8_t* data;
};

struct Texts {
  using Value = std::string_view;
  explicit Texts(const Column& column) : column(column) {}
  std::string_view operator()(size_t i) const { return column.Bytes(static_cast<int64_t>(i)); }
  static std::string_view Key(const Scalar& scalar) { return std::get<std::string>(scalar); }
  const Column& column;
};

template <class Values>
void CheckKeys(const Predicate& predicate) {
  using Held =
      std::conditional_t<std::is_same_v<Values, Texts>, std::string, typename Values::Value>;
  for (const Scalar& value : predicate.values) {
    SLUICE_CHECK(std::holds_alternative<std::monostate>(value) ||
                 std::holds_alternative<Held>(value));
  }
}

template <class Values, class Test>
void ForEach(const Values values, Truths& out, Test test) {
  Truth* const truths = out.data();
  const size_t rows = out.size();
  for (size_t i = 0; i < rows; ++i) truths[i] = TruthOf(test(values(i)));
}

template <class Values>
void Compare(const Predicate& predicate, const Values& values, Truths& out) {
  SLUICE_CHECK(predicate.values.size() == 1);
  if (std::holds_alternative<std::monostate>(predicate.values[0])) return Fill(out, kUnknown);
  using Value = typename Values::Value;
  const Value key = Values::Key(predicate.values[0]);
  switch (predicate.op) {
    case Op::kEqual:
      return ForEach(values, out, [key](const Value& value) { return value == key; });
    case Op::kNotEqual:
      return ForEach(values, out, [key](const Value& value) { return value != key; });
    case Op::kLess:
      return ForEach(values, out, [key](const Value& value) { return value < key; });
    case Op::kLessOrEqual:
      return ForEach(values, out, [key](const Value& value) { return value <= key; });
    case Op::kGreater:
      return ForEach(values, out, [key](const Value& value) { return value > key; });
    case Op::kGreaterOrEqual:
      return ForEach(values, out, [key](const Value& value) { return value >= key; });
    default:
      SLUICE_CHECK(false);
  }
}

// x IN (a, NULL) is true where x is a, and else unknown: the null might have been x.
template <class Values>
void In(const Predicate& predicate, const Values& values, Truths& out) {
  using Value = typename Values::Value;
  std::vector<Value> keys;
  keys.reserve(predicate.values.size());
  Truth otherwise = kNo;
  for (const Scalar& scalar : predicate.values) {
    if (std::holds_alternative<std::monostate>(scalar)) {
      otherwise = kUnknown;
      continue;
    }
    const Value key = Values::Key(scalar);
    // NaN equals nothing, and would break the order.
    if (key == key) keys.push_back(key);
  }
  std::sort(keys.begin(), keys.end());
  const size_t rows = out.size();
  for (size_t i = 0; i < rows; ++i) {
    const Value value = values(i);
    const auto place = std::lower_bound(keys.begin(), keys.end(), value);
    out[i] = place != keys.end() && *place == value ? kYes : otherwise;
  }
}

void StartsWith(const Predicate& predicate, const Column& column, Truths& out) {
  SLUICE_CHECK(column.type().id == TypeId::kUtf8 && predicate.values.size() == 1);
  CheckKeys<Texts>(predicate);
  if (std::holds_alternative<std::monostate>(predicate.values[0])) return Fill(out, kUnknown);
  const std::string_view prefix = Texts::Key(predicate.values[0]);
  ForEach(Texts(column), out,
          [prefix](std::string_view value) { return value.starts_with(prefix); });
}

void IsNull(const Column& column, Truths& out) {
  const size_t rows = out.size();
  for (size_t i = 0; i < rows; ++i) out[i] = TruthOf(column.IsNull(static_cast<int64_t>(i)));
}

template <class Values>
void CompareOrIn(const Predicate& predicate, const Column& column, Truths& out) {
  CheckKeys<Values>(predicate);
  const Values values(column);
  if (predicate.op == Op::kIn) {
    In(predicate, values, out);
  } else {
    Compare(predicate, values, out);
  }
}

void ByType(const Predicate& predicate, const Column& column, Truths& out) {
  switch (column.type().id) {
    case TypeId::kBool:
      return CompareOrIn<Bits>(predicate, column, out);
    case TypeId::kInt64:
    case TypeId::kTimestamp:
      return CompareOrIn<Fixed<int64_t>>(predicate, column, out);
    case TypeId::kFloat64:
      return CompareOrIn<Fixed<double>>(predicate, column, out);
    case TypeId::kDecimal128:
      return CompareOrIn<Fixed<Decimal128>>(predicate, column, out);
    case TypeId::kDate32:
      return CompareOrIn<Fixed<int32_t>>(predicate, column, out);
    case TypeId::kUtf8:
    case TypeId::kBinary:
      return CompareOrIn<Texts>(predicate, column, out);
  }
}

void OnField(const Predicate& predicate, const ColumnView& columns, Truths& out) {
  SLUICE_CHECK(predicate.field >= 0 && static_cast<size_t>(predicate.field) < columns.size());
  const Column* const column = columns[static_cast<size_t>(predicate.field)];
  SLUICE_CHECK(column != nullptr && static_cast<size_t>(column->length()) == out.size());
  if (predicate.op == Op::kIsNull) return IsNull(*column, out);
  if (out.empty()) return;
  // Any of nothing is false, also of null, as an Or of nothing is.
  if (predicate.op == Op::kIn && predicate.values.empty()) return Fill(out, kNo);
  if (predicate.op == Op::kStartsWith) {
    StartsWith(predicate, *column, out);
  } else {
    ByType(predicate, *column, out);
  }
  NullsAreUnknown(*column, out);
}

void Judge(const Predicate& predicate, const ColumnView& columns, Truths& out);

// Of no children: And is true and Or is false.
void Combine(const Predicate& predicate, const ColumnView& columns, Truths& out) {
  const bool all = predicate.op == Op::kAnd;
  Fill(out, TruthOf(all));
  Truths child(out.size());
  Truth* const truths = out.data();
  const Truth* const others = child.data();
  const size_t rows = out.size();
  for (const Predicate& part : predicate.children) {
    Judge(part, columns, child);
    if (all) {
      for (size_t i = 0; i < rows; ++i) truths[i] = std::min(truths[i], others[i]);
    } else {
      for (size_t i = 0; i < rows; ++i) truths[i] = std::max(truths[i], others[i]);
    }
  }
}

void Judge(const Predicate& predicate, const ColumnView& columns, Truths& out) {
  switch (predicate.op) {
    case Op::kTrue:
      return Fill(out, kYes);
    case Op::kFalse:
      return Fill(out, kNo);
    case Op::kAnd:
    case Op::kOr:
      return Combine(predicate, columns, out);
    case Op::kNot:
      SLUICE_CHECK(predicate.children.size() == 1);
      Judge(predicate.children[0], columns, out);
      for (Truth& truth : out) truth = static_cast<Truth>(kYes - truth);
      return;
    default:
      return OnField(predicate, columns, out);
  }
}

void CollectFields(const Predicate& predicate, std::vector<int>& fields) {
  if (predicate.field >= 0) fields.push_back(predicate.field);
  for (const Predicate& child : predicate.children) CollectFields(child, fields);
}

}  // namespace

Predicate And(Predicate a, Predicate b) {
  if (a.op == Op::kTrue) return b;
  if (b.op == Op::kTrue) return a;
  Predicate both;
  both.op = Op::kAnd;
  both.children.push_back(std::move(a));
  both.children.push_back(std::move(b));
  return both;
}

std::vector<int> FieldsOf(const Predicate& predicate) {
  std::vector<int> fields;
  CollectFields(predicate, fields);
  std::sort(fields.begin(), fields.end());
  fields.erase(std::unique(fields.begin(), fields.end()), fields.end());
  return fields;
}

std::vector<int64_t> Evaluate(const Predicate& predicate, const ColumnView& columns, int64_t rows) {
  Truths truths(static_cast<size_t>(rows));
  Judge(predicate, columns, truths);
  std::vector<int64_t> kept;
  kept.reserve(static_cast<size_t>(std::count(truths.begin(), truths.end(), kYes)));
  for (int64_t i = 0; i < rows; ++i) {
    if (truths[static_cast<size_t>(i)] == kYes) kept.push_back(i);
  }
  return kept;
}

Scalar ScalarAt(const Column& column, int64_t row) {
  if (column.IsNull(row)) return std::monostate();
  switch (column.type().id) {
    case TypeId::kBool:
      return column.Bool(row);
    case TypeId::kInt64:
    case TypeId::kTimestamp:
      return column.Int64(row);
    case TypeId::kFloat64:
      return column.Float64(row);
    case TypeId::kDecimal128:
      return column.Decimal(row);
    case TypeId::kDate32:
      return column.Date32(row);
    case TypeId::kUtf8:
    case TypeId::kBinary:
      return std::string(column.Bytes(row));
  }
  return std::monostate();
}

}  // namespace sluice::records
