#include "adapters/sqlite/push_down.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "adapters/sql/predicate_shape.h"

namespace sluice::adapters::sqlite {
namespace {

using records::DataType;
using records::Op;
using records::Predicate;
using records::Scalar;
using records::TypeId;

constexpr size_t kMostParameters = 8'192;
constexpr int kFirstDay = -719'162;  // 0001-01-01
constexpr int kLastDay = 2'932'896;  // 9999-12-31
constexpr int64_t kDayMicros = 86'400'000'000;

int64_t DayOf(int64_t micros) { return micros / kDayMicros - (micros % kDayMicros < 0 ? 1 : 0); }

// Whether it can be written as a parameter that means the same: SQLite has no NaN (it would become
// null), and a date outside of four-digit years has no text.
bool CanBind(const Scalar& value, const DataType& type) {
  switch (type.id) {
    case TypeId::kBool:
      return std::holds_alternative<bool>(value);
    case TypeId::kInt64:
      return std::holds_alternative<int64_t>(value);
    case TypeId::kFloat64:
      return std::holds_alternative<double>(value) && !std::isnan(std::get<double>(value));
    case TypeId::kDate32: {
      const auto* day = std::get_if<int32_t>(&value);
      return day != nullptr && *day >= kFirstDay && *day <= kLastDay;
    }
    case TypeId::kTimestamp: {
      const auto* micros = std::get_if<int64_t>(&value);
      // The day after it is needed as well.
      return micros != nullptr && DayOf(*micros) >= kFirstDay && DayOf(*micros) < kLastDay;
    }
    case TypeId::kUtf8:
    case TypeId::kBinary:
      return std::holds_alternative<std::string>(value);
    case TypeId::kDecimal128:
      return false;
  }
  return false;
}

bool CanBindAll(const Predicate& leaf, const DataType& type) {
  return std::all_of(leaf.values.begin(), leaf.values.end(),
                     [&](const Scalar& value) { return CanBind(value, type); });
}

// Lists are padded to a power of two with their last value, so that few statements serve all.
size_t ListSize(size_t values) { return std::bit_ceil(std::max<size_t>(values, 1)); }

// Which comparisons go down for a type in a column. docs/adapters/sqlite.md says the same in words.
struct Allowed {
  bool equal = false;  // =, IN
  bool other = false;  // <>, NOT IN, and order
};

Allowed AllowedFor(const DataType& type, const ColumnInfo& column, const TableInfo& table) {
  const Affinity affinity = column.affinity;
  const bool number = affinity == Affinity::kInteger || affinity == Affinity::kNumeric;
  const bool blob = affinity == Affinity::kBlob;
  // An untyped column of a view may be a CAST or a subquery with an affinity that is not told.
  const bool sure = table.affinity_holds && !(table.view && column.declared.empty());
  switch (type.id) {
    case TypeId::kUtf8: {
      const bool text = table.utf8_order && (affinity == Affinity::kText || blob);
      return {text, text && sure};
    }
    case TypeId::kBool:
    case TypeId::kInt64:
      return {number, number && sure};
    case TypeId::kFloat64: {
      const bool real = number || affinity == Affinity::kReal;
      return {real, real && sure};
    }
    case TypeId::kDate32: {
      const bool text = affinity == Affinity::kText || affinity == Affinity::kNumeric || blob;
      return {text, text && sure};
    }
    case TypeId::kTimestamp: {
      // UTC may be Unix seconds as well, in any column that can hold a number.
      const bool text =
          affinity == Affinity::kText || (!type.utc && (affinity == Affinity::kNumeric || blob));
      return {text && sure, text && sure};
    }
    case TypeId::kBinary:
      return {blob, blob && sure};
    case TypeId::kDecimal128:
      return {};
  }
  return {};
}

class Translator : public sql::LeafTranslator {
 public:
  Translator(const std::vector<FieldRequest>& fields, const std::vector<const ColumnInfo*>& columns,
             const TableInfo& table, OnBadValue on_bad_value)
      : fields_(fields), columns_(columns), table_(table), on_bad_value_(on_bad_value) {}

  std::string Leaf(const Predicate& leaf, int number, bool negated) override {
    const FieldRequest& field = fields_[leaf.field];
    const ColumnInfo& column = *columns_[leaf.field];
    if (leaf.op == Op::kIsNull) return IsNull(column, negated);
    if (!CanBindAll(leaf, field.field.type) || bindings.size() > kMostParameters) return "";
    const Allowed allowed = AllowedFor(field.field.type, column, table_);
    const bool by_day = field.field.type.id == TypeId::kTimestamp;
    switch (leaf.op) {
      case Op::kIn:
        if (by_day) return "";
        return (negated ? allowed.other : allowed.equal) ? In(leaf, number, column, negated) : "";
      case Op::kStartsWith:
        return allowed.other && !negated ? StartsWith(leaf, number, column) : "";
      default:
        break;
    }
    const Op op = negated ? sql::Negated(leaf.op) : leaf.op;
    if (!(op == Op::kEqual ? allowed.equal : allowed.other)) return "";
    if (by_day) return Days(op, number, column);
    const bool order = op != Op::kEqual && op != Op::kNotEqual;
    if (order && field.field.type.id == TypeId::kBool) return "";
    return absl::StrCat("(", Name(column, !order), sql::Sign(op), Parameter({number, 0}), ")");
  }

  size_t parameters() const override { return bindings.size(); }
  void KeepParameters(size_t count) override { bindings.resize(count); }

  std::vector<Binding> bindings;

 private:
  std::string IsNull(const ColumnInfo& column, bool negated) const {
    if (negated) return absl::StrCat("(", Name(column, true), " IS NOT NULL)");
    if (on_bad_value_ == OnBadValue::kNullAndCount) return "";
    return absl::StrCat("(", Name(column, true), " IS NULL)");
  }

  std::string In(const Predicate& leaf, int number, const ColumnInfo& column, bool negated) {
    if (leaf.values.empty()) return "";
    std::string sql = absl::StrCat("(", Name(column, !negated), negated ? " NOT IN (" : " IN (");
    const size_t size = ListSize(leaf.values.size());
    for (size_t i = 0; i < size; ++i) {
      const int value = static_cast<int>(std::min(i, leaf.values.size() - 1));
      absl::StrAppend(&sql, i == 0 ? "" : ",", Parameter({number, value}));
    }
    return sql + "))";
  }

  std::string StartsWith(const Predicate& leaf, int number, const ColumnInfo& column) {
    const auto& prefix = std::get<std::string>(leaf.values[0]);
    if (prefix.empty()) return absl::StrCat("(", Name(column, false), " IS NOT NULL)");
    const std::string from = Parameter({number, 0});
    const std::string to = Parameter({number, 0, Form::kPrefixEnd});
    return absl::StrCat("(", Name(column, false), " >= ", from, " AND ", Name(column, false), " < ",
                        to, ")");
  }

  // Timestamps are stored in several forms that all begin with the day.
  std::string Days(Op op, int number, const ColumnInfo& column) {
    if (op == Op::kNotEqual) return "";
    std::string sql;
    if (op == Op::kEqual || op == Op::kGreater || op == Op::kGreaterOrEqual)
      sql = absl::StrCat(Name(column, false), " >= ", Parameter({number, 0, Form::kDay}));
    if (op == Op::kEqual || op == Op::kLess || op == Op::kLessOrEqual) {
      absl::StrAppend(&sql, sql.empty() ? "" : " AND ", Name(column, false), " < ",
                      Parameter({number, 0, Form::kNextDay}));
    }
    return absl::StrCat("(", sql, ")");
  }

  std::string Parameter(Binding binding) {
    bindings.push_back(binding);
    return absl::StrCat("?", bindings.size());
  }

  // Under the column's own collation equal bytes are equal, so that its own index serves for =.
  std::string Name(const ColumnInfo& column, bool equality) const {
    return absl::StrCat("t.", Quoted(column.name),
                        equality && column.plain_collation ? "" : " COLLATE BINARY");
  }

  const std::vector<FieldRequest>& fields_;
  const std::vector<const ColumnInfo*>& columns_;
  const TableInfo& table_;
  const OnBadValue on_bad_value_;
};

absl::Status Bound(int code) {
  return code == SQLITE_OK ? absl::OkStatus() : absl::InternalError(sqlite3_errstr(code));
}

absl::Status BindText(sqlite3_stmt* statement, int parameter, std::string_view text) {
  return Bound(sqlite3_bind_text64(statement, parameter, text.data(), text.size(), SQLITE_TRANSIENT,
                                   SQLITE_UTF8));
}

}  // namespace

PushedDown PushDown(const Predicate& predicate, const std::vector<FieldRequest>& fields,
                    const std::vector<const ColumnInfo*>& columns, const TableInfo& table,
                    OnBadValue on_bad_value) {
  Translator translator(fields, columns, table, on_bad_value);
  PushedDown pushed;
  pushed.sql = sql::Translate(predicate, "0", translator);
  pushed.bindings = std::move(translator.bindings);
  return pushed;
}

void AppendShape(const Predicate& predicate, const std::vector<FieldRequest>& fields,
                 std::string& shape) {
  sql::AppendShape(predicate, shape, [&fields](const Predicate& leaf, std::string& out) {
    absl::StrAppend(&out, leaf.field);
    if (!CanBindAll(leaf, fields[leaf.field].field.type)) {
      out.push_back('!');
    } else if (leaf.op == Op::kIn) {
      absl::StrAppend(&out, ":", leaf.values.empty() ? 0 : ListSize(leaf.values.size()));
    } else if (leaf.op == Op::kStartsWith && std::get<std::string>(leaf.values[0]).empty()) {
      out.push_back('.');
    }
  });
}

absl::Status BindScalar(sqlite3_stmt* statement, int parameter, const Scalar& value,
                        const DataType& type, Form form) {
  if (std::holds_alternative<std::monostate>(value))
    return Bound(sqlite3_bind_null(statement, parameter));
  if (!CanBind(value, type)) return absl::InternalError("sqlite: a scalar of another type");
  switch (type.id) {
    case TypeId::kBool:
      return Bound(sqlite3_bind_int(statement, parameter, std::get<bool>(value) ? 1 : 0));
    case TypeId::kInt64:
      return Bound(sqlite3_bind_int64(statement, parameter, std::get<int64_t>(value)));
    case TypeId::kFloat64:
      return Bound(sqlite3_bind_double(statement, parameter, std::get<double>(value)));
    case TypeId::kDate32:
      return BindText(statement, parameter, records::FormatDate(std::get<int32_t>(value)));
    case TypeId::kTimestamp: {
      const auto day = static_cast<int32_t>(DayOf(std::get<int64_t>(value)));
      return BindText(statement, parameter,
                      records::FormatDate(form == Form::kNextDay ? day + 1 : day));
    }
    case TypeId::kBinary: {
      const auto& bytes = std::get<std::string>(value);
      return Bound(
          sqlite3_bind_blob64(statement, parameter, bytes.data(), bytes.size(), SQLITE_TRANSIENT));
    }
    default:
      break;
  }
  std::string text = std::get<std::string>(value);
  // No byte of UTF-8 is above 0xF4, so that the last one can always be counted up.
  if (form == Form::kPrefixEnd) ++text.back();
  return BindText(statement, parameter, text);
}

std::string Operand(const ColumnInfo& column, const DataType& type, const TableInfo& table) {
  const bool untyped = !table.view && column.affinity == Affinity::kBlob;
  const bool bare = untyped || AllowedFor(type, column, table).other;
  return absl::StrCat(bare ? "t." : "+t.", Quoted(column.name));
}

}  // namespace sluice::adapters::sqlite
