#include "adapters/odbc/push_down.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "adapters/sql/predicate_shape.h"
#include "gateway/base/crypto.h"
#include "gateway/base/view.h"
#include "gateway/records/utf8.h"

namespace sluice::adapters::odbc {
namespace {

using records::DataType;
using records::Op;
using records::Predicate;
using records::Scalar;
using records::TypeId;

// SQL Server takes 2,100 in a statement.
constexpr size_t kMostParameters = 2'000;
constexpr Comparison kNothing = {};

bool IsTyped(const Scalar& value, const DataType& type) {
  switch (type.id) {
    case TypeId::kBool:
      return std::holds_alternative<bool>(value);
    case TypeId::kInt64:
      return std::holds_alternative<int64_t>(value);
    case TypeId::kFloat64:
      return std::holds_alternative<double>(value);
    case TypeId::kDecimal128:
      return std::holds_alternative<records::Decimal128>(value);
    case TypeId::kDate32: {
      const auto* day = std::get_if<int32_t>(&value);
      return day != nullptr && *day >= records::kMinDate32 && *day <= records::kMaxDate32;
    }
    case TypeId::kTimestamp: {
      const auto* micros = std::get_if<int64_t>(&value);
      return micros != nullptr && *micros >= records::kMinTimestamp &&
             *micros <= records::kMaxTimestamp;
    }
    case TypeId::kUtf8:
    case TypeId::kBinary:
      return std::holds_alternative<std::string>(value);
  }
  return false;
}

// SQLite compares by what a value is, where the column's affinity does not convert it before.
const Comparison& DynamicAs(const Dialect& dialect, const DataType& type) {
  switch (type.id) {
    case TypeId::kBool:
    case TypeId::kInt64:
      return dialect.integer;
    case TypeId::kFloat64:
      return dialect.floating;
    case TypeId::kDate32:
      return dialect.date;
    case TypeId::kUtf8:
      return dialect.text;
    case TypeId::kBinary:
      return dialect.binary;
    default:
      return kNothing;
  }
}

// Only pairs whose comparisons mean the same there and here. `equality`: more rows may be equal
// there than here, which is why a column's own collation serves.
const Comparison& ComparedAs(const Dialect& dialect, const ColumnInfo& column, const DataType& type,
                             bool equality) {
  const SourceType from = column.type;
  if (from == SourceType::kDynamic) return DynamicAs(dialect, type);
  switch (type.id) {
    case TypeId::kBool:
      if (from == SourceType::kBool) return dialect.boolean;
      return IsWhole(from) && dialect.integer.form == Form::kInteger ? dialect.integer : kNothing;
    case TypeId::kInt64:
      return IsWhole(from) || from == SourceType::kDecimal ? dialect.integer : kNothing;
    case TypeId::kFloat64:
      return from == SourceType::kFloat || from == SourceType::kDouble ? dialect.floating
                                                                       : kNothing;
    case TypeId::kDecimal128:
      return IsWhole(from) || from == SourceType::kDecimal ? dialect.decimal : kNothing;
    case TypeId::kDate32:
      return from == SourceType::kDate ? dialect.date : kNothing;
    case TypeId::kTimestamp:
      if (from == SourceType::kTimestamp) return dialect.timestamp;
      return from == SourceType::kTimestampZone && type.utc ? dialect.timestamp_zone : kNothing;
    case TypeId::kUtf8:
      if (from == SourceType::kOtherText) return dialect.other_text;
      if (from != SourceType::kText) return kNothing;
      if (!column.every_character) return dialect.other_text;
      return equality || column.code_point_order ? dialect.text : dialect.text_order;
    case TypeId::kBinary:
      return from == SourceType::kBinary ? dialect.binary : kNothing;
  }
  return kNothing;
}

// Behind a plus a column has no affinity, and no index either.
std::string Operand(const Comparison& compared, const ColumnInfo& column, const DataType& type) {
  const std::string& affinity = column.affinity;
  const bool bare = column.type != SourceType::kDynamic ||
                    (affinity == "integer" && type.id == TypeId::kInt64) ||
                    (affinity == "real" && type.id == TypeId::kFloat64) ||
                    (affinity == "text" && type.id == TypeId::kUtf8) ||
                    (affinity == "blob" && type.id == TypeId::kBinary);
  return Filled(compared.operand, {{"{c}", bare ? column.quoted : "+" + column.quoted}});
}

std::string ParameterText(const Comparison& compared, const DataType& type) {
  return Filled(compared.parameter, {{"{s}", absl::StrCat(static_cast<int>(type.scale))}});
}

class Translator : public sql::LeafTranslator {
 public:
  Translator(const Dialect& dialect, const std::vector<FieldRequest>& fields,
             const std::vector<const ColumnInfo*>& columns, OnBadValue on_bad_value)
      : dialect_(dialect), fields_(fields), columns_(columns), on_bad_value_(on_bad_value) {}

  std::string Leaf(const Predicate& leaf, int number, bool negated) override {
    const DataType& type = fields_[leaf.field].field.type;
    const ColumnInfo& column = *columns_[leaf.field];
    if (leaf.op == Op::kIsNull) return IsNull(column, negated);
    if (bindings.size() + leaf.values.size() > kMostParameters) return "";
    for (const Scalar& value : leaf.values)
      if (!CanBind(dialect_, value, type)) return "";
    if (leaf.op == Op::kStartsWith) return negated ? "" : StartsWith(leaf, number, column, type);
    if (leaf.op == Op::kIn) return In(leaf, number, negated, column, type);
    const Op op = negated ? sql::Negated(leaf.op) : leaf.op;
    const bool equal = op == Op::kEqual, order = !equal && op != Op::kNotEqual;
    if (order && type.id == TypeId::kBool) return "";
    // NaN is neither above nor below: where "not above" is asked for, it is wanted.
    const bool below = op == Op::kLess || op == Op::kLessOrEqual;
    if (type.id == TypeId::kFloat64 && negated && below) return "";
    const Comparison& compared = ComparedAs(dialect_, column, type, equal);
    if (compared.form == Form::kNone) return "";
    return Compared(compared, op, {.index = number}, column, type);
  }

  size_t parameters() const override { return bindings.size(); }
  void KeepParameters(size_t count) override { bindings.resize(count); }

  std::vector<Binding> bindings;

 private:
  std::string IsNull(const ColumnInfo& column, bool negated) const {
    if (negated) return absl::StrCat("(", column.quoted, " IS NOT NULL)");
    if (on_bad_value_ == OnBadValue::kNullAndCount) return "";
    return absl::StrCat("(", column.quoted, " IS NULL)");
  }

  std::string In(const Predicate& leaf, int number, bool negated, const ColumnInfo& column,
                 const DataType& type) {
    const Comparison& compared = ComparedAs(dialect_, column, type, !negated);
    if (compared.form == Form::kNone || leaf.values.empty()) return "";
    std::string sql =
        absl::StrCat("(", Operand(compared, column, type), negated ? " NOT IN (" : " IN (");
    for (size_t i = 0; i < leaf.values.size(); ++i)
      absl::StrAppend(&sql, i == 0 ? "" : ",",
                      Bind(compared, {.index = number, .value = static_cast<int>(i)}, type));
    return sql + "))";
  }

  std::string StartsWith(const Predicate& leaf, int number, const ColumnInfo& column,
                         const DataType& type) {
    const auto& prefix = std::get<std::string>(leaf.values[0]);
    if (prefix.empty()) return absl::StrCat("(", column.quoted, " IS NOT NULL)");
    const Comparison& compared = ComparedAs(dialect_, column, type, false);
    if (compared.form == Form::kNone) return "";
    const std::string from =
        Compared(compared, Op::kGreaterOrEqual, {.index = number}, column, type);
    if (sql::PrefixEnd(prefix).empty()) return from;
    const std::string to =
        Compared(compared, Op::kLess, {.index = number, .prefix_end = true}, column, type);
    return absl::StrCat("(", from, " AND ", to, ")");
  }

  std::string Compared(const Comparison& compared, Op op, Binding binding, const ColumnInfo& column,
                       const DataType& type) {
    return absl::StrCat("(", Operand(compared, column, type), sql::Sign(op),
                        Bind(compared, binding, type), ")");
  }

  std::string Bind(const Comparison& compared, Binding binding, const DataType& type) {
    binding.form = compared.form;
    bindings.push_back(binding);
    return ParameterText(compared, type);
  }

  const Dialect& dialect_;
  const std::vector<FieldRequest>& fields_;
  const std::vector<const ColumnInfo*>& columns_;
  const OnBadValue on_bad_value_;
};

std::string FloatText(double value) {
  char text[32];
  const auto [end, error] = std::to_chars(text, text + sizeof(text), value);
  return {text, end};
}

std::string AsText(const Scalar& value, const DataType& type) {
  switch (type.id) {
    case TypeId::kBool:
      return std::get<bool>(value) ? "true" : "false";
    case TypeId::kInt64:
      return absl::StrCat(std::get<int64_t>(value));
    case TypeId::kFloat64:
      return FloatText(std::get<double>(value));
    case TypeId::kDecimal128:
      return records::FormatDecimal(std::get<records::Decimal128>(value), type.scale);
    case TypeId::kDate32:
      return records::FormatDate(std::get<int32_t>(value));
    case TypeId::kTimestamp: {
      // Sessions are in UTC: no zone is written.
      std::string text = records::FormatTimestamp(std::get<int64_t>(value), false);
      std::replace(text.begin(), text.end(), 'T', ' ');
      return text;
    }
    default:
      return std::get<std::string>(value);
  }
}

}  // namespace

bool CanBind(const Dialect& dialect, const Scalar& value, const DataType& type) {
  if (!IsTyped(value, type)) return false;
  if (type.id == TypeId::kFloat64) {
    const double real = std::get<double>(value);
    return dialect.infinities ? !std::isnan(real) : std::isfinite(real);
  }
  if (type.id == TypeId::kUtf8)
    return dialect.nul_in_text || std::get<std::string>(value).find('\0') == std::string::npos;
  return true;
}

PushedDown PushDown(const Dialect& dialect, const Predicate& predicate,
                    const std::vector<FieldRequest>& fields,
                    const std::vector<const ColumnInfo*>& columns, OnBadValue on_bad_value) {
  Translator translator(dialect, fields, columns, on_bad_value);
  PushedDown pushed;
  pushed.sql = sql::Translate(predicate, dialect.never, translator);
  pushed.bindings = std::move(translator.bindings);
  return pushed;
}

OrderedAs FindOrder(const Dialect& dialect, const ColumnInfo& column, const DataType& type) {
  const Comparison& compared = ComparedAs(dialect, column, type, false);
  if (compared.form == Form::kNone) return {};
  return {compared.form, Operand(compared, column, type), ParameterText(compared, type)};
}

Parameter ParameterOf(const Scalar& value, const DataType& type, Form form, bool prefix_end) {
  Parameter parameter{.form = form};
  if (form == Form::kInteger) {
    parameter.integer =
        type.id == TypeId::kBool ? (std::get<bool>(value) ? 1 : 0) : std::get<int64_t>(value);
    return parameter;
  }
  if (form == Form::kDouble) {
    parameter.real = std::get<double>(value);
    return parameter;
  }
  std::string text = AsText(value, type);
  if (prefix_end) text = sql::PrefixEnd(std::move(text));
  if (form == Form::kHex) text = absl::AsciiStrToUpper(HexEncode(text));
  if (form == Form::kByteaHex) text = "\\x" + HexEncode(text);
  parameter.bytes = std::move(text);
  return parameter;
}

}  // namespace sluice::adapters::odbc
