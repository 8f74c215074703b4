#include "adapters/postgres/push_down.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "adapters/postgres/identifiers.h"
#include "adapters/sql/predicate_shape.h"
#include "gateway/base/crypto.h"
#include "gateway/base/view.h"

namespace sluice::adapters::postgres {
namespace {

using records::DataType;
using records::Op;
using records::Predicate;
using records::Scalar;
using records::TypeId;

constexpr size_t kMostParameters = 8'192;

// Classes of a leaf's values, as far as the translation depends on them.
struct Values {
  bool typed = true;         // all are of the field's type, and within what the server can hold
  bool some = false;         // one at least can be equal to a value of the server's
  bool all = true;           // each can
  bool some_uuid = false;    // one at least is a uuid as the server writes it
  bool ascii = true;         // of text: all are
  bool blank_end = false;    // of text: one at least ends in a blank
  bool empty_first = false;  // of text: the first is empty
};

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c & 0x80) == 0; });
}

// Lower case, as PostgreSQL writes it: others equal no text that it gives.
bool IsUuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    const char c = text[i];
    if (hyphen ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
  }
  return true;
}

// Whether a value of the server's can be equal to it, and be written as a parameter: it has no
// text with a NUL, and NaN is equal to nothing in our semantics.
bool CanBeEqual(const Scalar& value, const DataType& type) {
  if (type.id == TypeId::kFloat64) return !std::isnan(std::get<double>(value));
  if (type.id == TypeId::kUtf8) return std::get<std::string>(value).find('\0') == std::string::npos;
  return true;
}

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

Values ClassesOf(const Predicate& leaf, const DataType& type) {
  Values classes;
  for (const Scalar& value : leaf.values) {
    if (!IsTyped(value, type)) {
      classes.typed = false;
      return classes;
    }
    const bool can = CanBeEqual(value, type);
    classes.some = classes.some || can;
    classes.all = classes.all && can;
    if (type.id != TypeId::kUtf8) continue;
    const auto& text = std::get<std::string>(value);
    if (&value == &leaf.values.front()) classes.empty_first = text.empty();
    classes.some_uuid = classes.some_uuid || IsUuid(text);
    classes.ascii = classes.ascii && IsAscii(text);
    classes.blank_end = classes.blank_end || (!text.empty() && text.back() == ' ');
  }
  return classes;
}

std::string Name(const ColumnInfo& column) { return "t." + Quoted(column.name); }

// The type of the parameters that a column is compared with; null where nothing is compared. Only
// pairs whose comparisons mean the same there and here.
const char* ComparedAs(const ColumnInfo& column, const DataType& type) {
  switch (type.id) {
    case TypeId::kBool:
      return column.type == SourceType::kBool ? "bool" : nullptr;
    case TypeId::kInt64:
      if (column.type == SourceType::kNumeric) return "numeric";
      // An OID has no order with int8, and few ask for one.
      return IsWholeNumber(column.type) && column.type != SourceType::kOid ? "int8" : nullptr;
    case TypeId::kFloat64:
      return column.type == SourceType::kFloat4 || column.type == SourceType::kFloat8 ? "float8"
                                                                                      : nullptr;
    case TypeId::kDecimal128:
      return column.type == SourceType::kNumeric ||
                     (IsWholeNumber(column.type) && column.type != SourceType::kOid)
                 ? "numeric"
                 : nullptr;
    case TypeId::kDate32:
      return column.type == SourceType::kDate ? "date" : nullptr;
    case TypeId::kTimestamp:
      if (column.type == SourceType::kTimestamp && !type.utc) return "timestamp";
      return column.type == SourceType::kTimestampTz && type.utc ? "timestamptz" : nullptr;
    case TypeId::kUtf8:
      if (column.type == SourceType::kUuid) return "uuid";
      if (column.type == SourceType::kBpchar) return "bpchar";
      return IsText(column.type) && column.type != SourceType::kJson ? "text" : nullptr;
    case TypeId::kBinary:
      return column.type == SourceType::kBytea ? "bytea" : nullptr;
  }
  return nullptr;
}

// Text that is compared as the server's own types of text are; of others, their text.
std::string AsText(const ColumnInfo& column) {
  return column.type == SourceType::kText || column.type == SourceType::kBpchar
             ? Name(column)
             : absl::StrCat("CAST(", Name(column), " AS pg_catalog.text)");
}

// Whatever the database's encoding is, in the order of code points.
std::string Utf8Of(const ColumnInfo& column) {
  return absl::StrCat("pg_catalog.convert_to(CAST(", Name(column), " AS pg_catalog.text), 'UTF8')");
}

class Translator : public sql::LeafTranslator {
 public:
  Translator(const std::vector<FieldRequest>& fields, const std::vector<const ColumnInfo*>& columns,
             const TableInfo& table, OnBadValue on_bad_value, Passing passing)
      : fields_(fields),
        columns_(columns),
        table_(table),
        on_bad_value_(on_bad_value),
        passing_(passing) {}

  std::string Leaf(const Predicate& leaf, int number, bool negated) override {
    const DataType& type = fields_[leaf.field].field.type;
    const ColumnInfo& column = *columns_[leaf.field];
    if (leaf.op == Op::kIsNull) return IsNull(column, negated);
    const char* const compared = ComparedAs(column, type);
    const Values values = ClassesOf(leaf, type);
    if (compared == nullptr || !values.typed || bindings.size() > kMostParameters) return "";
    if (leaf.op == Op::kStartsWith)
      return negated ? "" : StartsWith(leaf, number, column, type, values);
    const bool list = leaf.op == Op::kIn;
    const Op op =
        list ? (negated ? Op::kNotEqual : Op::kEqual) : (negated ? sql::Negated(leaf.op) : leaf.op);
    const bool can = column.type == SourceType::kUuid ? values.some_uuid : values.some;
    if (op == Op::kEqual) {
      if (!can) return "FALSE";
      return Equal(number, list, column, type, compared, values);
    }
    return Other(op, number, list, negated, column, type, values);
  }

  size_t parameters() const override { return bindings.size(); }
  void KeepParameters(size_t count) override { bindings.resize(count); }

  std::vector<Binding> bindings;

 private:
  std::string IsNull(const ColumnInfo& column, bool negated) const {
    if (negated) return absl::StrCat("(", Name(column), " IS NOT NULL)");
    if (on_bad_value_ == OnBadValue::kNullAndCount) return "";
    return absl::StrCat("(", Name(column), " IS NULL)");
  }

  // Under the column's own collation, so that its own index serves: equal bytes are equal there,
  // and perhaps others.
  std::string Equal(int number, bool list, const ColumnInfo& column, const DataType& type,
                    std::string_view compared, const Values& values) {
    const bool text = type.id == TypeId::kUtf8 && column.type != SourceType::kUuid;
    if (text && !table_.utf8 && (list || !values.ascii)) {
      // The database's encoding may lack a character: compared as bytes, it is no error.
      return list ? "" : Compared(Op::kEqual, Utf8Of(column), {number, Form::kBytes}, "bytea");
    }
    const std::string operand = text ? AsText(column) : Name(column);
    if (!list) return Compared(Op::kEqual, operand, {number}, compared);
    return absl::StrCat("(", operand, " = ANY (",
                        Bind({number, Form::kList}, absl::StrCat(View(compared), "[]")), "))");
  }

  std::string Other(Op op, int number, bool list, bool negated, const ColumnInfo& column,
                    const DataType& type, const Values& values) {
    OrderedAs ordered;
    if (!FindOrder(column, type, table_, ordered) || !values.all) return "";
    const bool order = op != Op::kNotEqual;
    if (order && type.id == TypeId::kBool) return "";
    // Not every text is a uuid, and char(n) takes blanks at the end for nothing.
    if (column.type == SourceType::kUuid) return "";
    if (column.type == SourceType::kBpchar && values.blank_end) return "";
    if (list) {
      if (ordered.bytes) return "";
      return absl::StrCat("(", ordered.operand, " <> ALL (",
                          Bind({number, Form::kList}, ordered.type + "[]"), "))");
    }
    const Form form = ordered.bytes ? Form::kBytes : Form::kValue;
    const std::string sql = Compared(op, ordered.operand, {number, form}, ordered.type);
    // To the server NaN is above all numbers, to us it is neither above nor below: where "not
    // above" is asked for, it is found.
    const bool below = op == Op::kLess || op == Op::kLessOrEqual;
    if (type.id == TypeId::kFloat64 && negated && below)
      return absl::StrCat("(", sql, " OR ", Name(column), " = 'NaN')");
    return sql;
  }

  std::string StartsWith(const Predicate& leaf, int number, const ColumnInfo& column,
                         const DataType& type, const Values& values) {
    if (values.empty_first) return absl::StrCat("(", Name(column), " IS NOT NULL)");
    OrderedAs ordered;
    if (column.type == SourceType::kUuid || !FindOrder(column, type, table_, ordered)) return "";
    if (!values.all) return "FALSE";
    if (column.type == SourceType::kBpchar && values.blank_end) return "";
    const std::string from =
        Compared(Op::kGreaterOrEqual, ordered.operand,
                 {number, ordered.bytes ? Form::kBytes : Form::kValue}, ordered.type);
    if (!HasPrefixEnd(std::get<std::string>(leaf.values[0]))) return from;
    const std::string to =
        Compared(Op::kLess, ordered.operand,
                 {number, ordered.bytes ? Form::kBytesPrefixEnd : Form::kPrefixEnd}, ordered.type);
    return absl::StrCat("(", from, " AND ", to, ")");
  }

  // Anything but U+10FFFF alone has a text behind all that begin with it.
  static bool HasPrefixEnd(std::string_view prefix) {
    return prefix.find_first_not_of("\xF4\x8F\xBF") != std::string_view::npos;
  }

  std::string Compared(Op op, const std::string& operand, Binding binding, std::string_view type) {
    return absl::StrCat("(", operand, sql::Sign(op), Bind(binding, type), ")");
  }

  std::string Bind(Binding binding, std::string_view type) {
    bindings.push_back(binding);
    return Parameter(passing_, static_cast<int>(bindings.size()), type);
  }

  const std::vector<FieldRequest>& fields_;
  const std::vector<const ColumnInfo*>& columns_;
  const TableInfo& table_;
  const OnBadValue on_bad_value_;
  const Passing passing_;
};

std::string Hex(std::string_view bytes) { return "\\x" + HexEncode(bytes); }

std::string FloatText(double value) {
  char text[32];
  const auto [end, error] = std::to_chars(text, text + sizeof(text), value);
  return {text, end};
}

}  // namespace

std::string SettingName(int number) { return absl::StrCat("sluice.p", number); }

std::string Parameter(Passing passing, int number, std::string_view type) {
  const std::string source =
      passing == Passing::kBound
          ? absl::StrCat("$", number)
          : absl::StrCat("pg_catalog.current_setting('", SettingName(number), "')");
  return absl::StrCat("CAST(", source, " AS pg_catalog.", View(type), ")");
}

bool FindOrder(const ColumnInfo& column, const DataType& type, const TableInfo& table,
               OrderedAs& ordered) {
  const char* const compared = ComparedAs(column, type);
  if (compared == nullptr) return false;
  ordered.operand = Name(column);
  ordered.type = compared;
  if (type.id != TypeId::kUtf8 || column.type == SourceType::kUuid) return true;
  if (!table.utf8) {
    ordered.operand = Utf8Of(column);
    ordered.type = "bytea";
    ordered.bytes = true;
    return true;
  }
  ordered.operand = AsText(column);
  if (!column.c_order) absl::StrAppend(&ordered.operand, " COLLATE pg_catalog.\"C\"");
  return true;
}

PushedDown PushDown(const Predicate& predicate, const std::vector<FieldRequest>& fields,
                    const std::vector<const ColumnInfo*>& columns, const TableInfo& table,
                    OnBadValue on_bad_value, Passing passing) {
  Translator translator(fields, columns, table, on_bad_value, passing);
  PushedDown pushed;
  pushed.sql = sql::Translate(predicate, "FALSE", translator);
  pushed.bindings = std::move(translator.bindings);
  return pushed;
}

void AppendShape(const Predicate& predicate, const std::vector<FieldRequest>& fields,
                 std::string& shape) {
  sql::AppendShape(predicate, shape, [&fields](const Predicate& leaf, std::string& out) {
    const DataType& type = fields[leaf.field].field.type;
    const Values values = ClassesOf(leaf, type);
    int classes = 0;
    for (const bool value : {values.typed, values.some, values.all, values.some_uuid, values.ascii,
                             values.blank_end, values.empty_first})
      classes = 2 * classes + (value ? 1 : 0);
    absl::StrAppend(&out, leaf.field, ".", classes);
    if (leaf.op == Op::kStartsWith && values.typed && type.id == TypeId::kUtf8) {
      const auto& prefix = std::get<std::string>(leaf.values[0]);
      if (prefix.find_first_not_of("\xF4\x8F\xBF") == std::string::npos) out.push_back('!');
    }
  });
}

std::string TextOf(const Scalar& value, const DataType& type) {
  switch (type.id) {
    case TypeId::kBool:
      return std::get<bool>(value) ? "t" : "f";
    case TypeId::kInt64:
      return absl::StrCat(std::get<int64_t>(value));
    case TypeId::kFloat64:
      return FloatText(std::get<double>(value));
    case TypeId::kDecimal128:
      return records::FormatDecimal(std::get<records::Decimal128>(value), type.scale);
    case TypeId::kDate32:
      return records::FormatDate(std::get<int32_t>(value));
    case TypeId::kTimestamp:
      return records::FormatTimestamp(std::get<int64_t>(value), type.utc);
    case TypeId::kBinary:
      return Hex(std::get<std::string>(value));
    case TypeId::kUtf8:
      break;
  }
  return std::get<std::string>(value);
}

std::string TextOf(const Binding& binding, const Predicate& leaf, const DataType& type,
                   const ColumnInfo& column) {
  const auto text = [&] { return std::get<std::string>(leaf.values[0]); };
  switch (binding.form) {
    case Form::kPrefixEnd:
      return sql::PrefixEnd(text());
    case Form::kBytes:
      return Hex(text());
    case Form::kBytesPrefixEnd:
      return Hex(sql::PrefixEnd(text()));
    case Form::kValue:
      return TextOf(leaf.values[0], type);
    case Form::kList:
      break;
  }
  // As array_in reads it: each element in quotes, quotes and backslashes behind a backslash.
  std::string list = "{";
  for (const Scalar& value : leaf.values) {
    if (!CanBeEqual(value, type)) continue;
    if (column.type == SourceType::kUuid && !IsUuid(std::get<std::string>(value))) continue;
    list += list.size() == 1 ? "\"" : ",\"";
    for (const char c : TextOf(value, type)) {
      if (c == '"' || c == '\\') list.push_back('\\');
      list.push_back(c);
    }
    list.push_back('"');
  }
  return list + "}";
}

}  // namespace sluice::adapters::postgres
