// The part of a predicate that SQLite may decide: translated so that it is TRUE for every row for
// which the predicate is TRUE in the gateway's own semantics, and perhaps for more. A leaf that
// cannot promise that becomes "any row". Promise 4: values go down as bound parameters only, and
// names come from the described schema, never from the request.
//
// A statement is cached by its shape, without values; so a predicate is translated once, and bound
// again and again through Bindings.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "adapters/adapter.h"
#include "adapters/sqlite/schema.h"

namespace sluice::adapters::sqlite {

// How a value is written as a parameter.
enum class Form : uint8_t {
  kValue,      // as SQLite stores it
  kPrefixEnd,  // the first text behind all that begin with the value
  kDay,        // of a timestamp, as ISO text
  kNextDay,
};

struct Binding {
  int leaf = 0;   // counted in preorder over the leaves of the predicate
  int value = 0;  // index into its values
  Form form = Form::kValue;
};

struct PushedDown {
  std::string sql;                // an expression over the alias t; empty where nothing goes down
  std::vector<Binding> bindings;  // of the parameters ?1, ?2, …
};

// columns[i] is where fields[i] stands. `on_bad_value` matters: a bad value that is to become null
// is no null yet when SQLite looks at it.
PushedDown PushDown(const records::Predicate& predicate, const std::vector<FieldRequest>& fields,
                    const std::vector<const ColumnInfo*>& columns, const TableInfo& table,
                    OnBadValue on_bad_value);

// Appends what the translation depends on besides the table: operators, fields, numbers of values
// (in classes) and whether they can be bound; no value.
void AppendShape(const records::Predicate& predicate, const std::vector<FieldRequest>& fields,
                 std::string& shape);

// The value as SQLite would store it for this type (a date as its ISO text). INTERNAL for a scalar
// of another type.
absl::Status BindScalar(sqlite3_stmt* statement, int parameter, const records::Scalar& value,
                        const records::DataType& type, Form form = Form::kValue);

// The column, bare where SQLite's comparison with a bound value of this type converts neither, so
// that an index on it serves; behind a unary plus, which takes its affinity away, where it might.
std::string Operand(const ColumnInfo& column, const records::DataType& type,
                    const TableInfo& table);

}  // namespace sluice::adapters::sqlite
