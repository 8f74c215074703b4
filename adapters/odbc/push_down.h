// The part of a predicate that the source may decide (adapters/sql/predicate_shape.h), by what its
// dialect says of comparisons. Promise 4: values go down as bound parameters only, and names come
// from the source's catalogue, never from the request.
#pragma once

#include <string>
#include <vector>

#include "adapters/adapter.h"
#include "adapters/odbc/dialect.h"
#include "adapters/odbc/statement.h"
#include "adapters/odbc/table.h"

namespace sluice::adapters::odbc {

// What a parameter of a statement is, in the order in which they stand there.
struct Binding {
  enum class Of : uint8_t { kLeaf, kPosition };
  Of of = Of::kLeaf;
  int index = 0;  // of the leaf, counted in preorder; or into the key
  int value = 0;  // of the leaf's values
  Form form = Form::kAscii;
  bool prefix_end = false;  // the first text behind all that begin with the value
};

struct PushedDown {
  std::string sql;  // an expression over the alias t; empty where nothing goes down
  std::vector<Binding> bindings;
};

// columns[i] is where fields[i] stands. `on_bad_value` matters: a bad value that is to become null
// is no null yet when the source looks at it.
PushedDown PushDown(const Dialect& dialect, const records::Predicate& predicate,
                    const std::vector<FieldRequest>& fields,
                    const std::vector<const ColumnInfo*>& columns, OnBadValue on_bad_value);

// What a column is compared with and ordered by, in our order, ready for a statement. Form::kNone
// where the source has no such order of it.
struct OrderedAs {
  Form form = Form::kNone;
  std::string operand, parameter;
};
OrderedAs FindOrder(const Dialect& dialect, const ColumnInfo& column,
                    const records::DataType& type);

// Whether a value of the field's type can be given to the source as it is.
bool CanBind(const Dialect& dialect, const records::Scalar& value, const records::DataType& type);
Parameter ParameterOf(const records::Scalar& value, const records::DataType& type, Form form,
                      bool prefix_end = false);

}  // namespace sluice::adapters::odbc
