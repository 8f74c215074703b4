// The part of a predicate that the server may decide: translated so that it is TRUE for every row
// for which the predicate is TRUE in the gateway's own semantics, and perhaps for more. A leaf that
// cannot promise that becomes "any row". Promise 4: values go down as parameters only, and names
// come from the server's catalogue, never from the request.
//
// A statement is cached by its shape, without values; so a predicate is translated once, and bound
// again and again through Bindings.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "adapters/adapter.h"
#include "adapters/postgres/table.h"

namespace sluice::adapters::postgres {

// How a statement gets its parameters. COPY takes none: its values are set beforehand, as
// parameters of set_config, for the transaction that it runs in.
enum class Passing { kBound, kSettings };
// "$3", or what reads the third setting, as a value of that type.
std::string Parameter(Passing passing, int number, std::string_view type);
// The name of the setting that passes the parameter of that number.
std::string SettingName(int number);

// How a value is written as a parameter.
enum class Form : uint8_t {
  kValue,
  kPrefixEnd,  // the first text behind all that begin with the value
  kBytes,      // of text: its UTF-8, as bytea
  kBytesPrefixEnd,
  kList,  // all values of the leaf that can be equal to something, as an array
};

struct Binding {
  int leaf = 0;  // counted in preorder over the leaves of the predicate
  Form form = Form::kValue;
};

struct PushedDown {
  std::string sql;                // an expression over the alias t; empty where nothing goes down
  std::vector<Binding> bindings;  // of the parameters 1, 2, …
};

// columns[i] is where fields[i] stands. `on_bad_value` matters: a bad value that is to become null
// is no null yet when the server looks at it.
PushedDown PushDown(const records::Predicate& predicate, const std::vector<FieldRequest>& fields,
                    const std::vector<const ColumnInfo*>& columns, const TableInfo& table,
                    OnBadValue on_bad_value, Passing passing);

// Appends what the translation depends on besides the table: operators, fields, and of values the
// classes that matter; no value.
void AppendShape(const records::Predicate& predicate, const std::vector<FieldRequest>& fields,
                 std::string& shape);

// The parameter's text. `column` is where the leaf's field stands.
std::string TextOf(const Binding& binding, const records::Predicate& leaf,
                   const records::DataType& type, const ColumnInfo& column);
std::string TextOf(const records::Scalar& value, const records::DataType& type);

// What a column is compared with and ordered by, in our order: the expression, and the type that
// parameters are cast to. False where the server has no such order of it.
struct OrderedAs {
  std::string operand;
  std::string type;
  bool bytes = false;  // parameters are texts as bytea
};
bool FindOrder(const ColumnInfo& column, const records::DataType& type, const TableInfo& table,
               OrderedAs& ordered);

}  // namespace sluice::adapters::postgres
