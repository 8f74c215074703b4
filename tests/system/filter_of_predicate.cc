#include "tests/system/filter_of_predicate.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace sluice::system_test {
namespace {

using records::Op;
using records::Predicate;
using records::Scalar;
using records::TypeId;

class Writer {
 public:
  Writer(const std::vector<records::Field>& fields, const std::vector<std::string>& names)
      : fields_(fields), names_(names) {}

  std::optional<std::string> Write(const Predicate& predicate) {
    switch (predicate.op) {
      case Op::kTrue:
      case Op::kFalse:
        return std::nullopt;
      case Op::kAnd:
      case Op::kOr:
      case Op::kNot:
        return Join(predicate);
      default:
        return Leaf(predicate);
    }
  }

  google::protobuf::Map<std::string, v1::ParameterValues> parameters;

 private:
  std::optional<std::string> Join(const Predicate& predicate) {
    std::vector<std::string> parts;
    for (const Predicate& child : predicate.children) {
      const auto part = Write(child);
      if (!part) return std::nullopt;
      parts.push_back(absl::StrCat("(", *part, ")"));
    }
    if (predicate.op == Op::kNot) return absl::StrCat("NOT ", parts[0]);
    return absl::StrJoin(parts, predicate.op == Op::kAnd ? " AND " : " OR ");
  }

  std::optional<std::string> Leaf(const Predicate& leaf) {
    const records::DataType& type = fields_[leaf.field].type;
    const std::string& field = names_[leaf.field];
    if (leaf.op == Op::kIsNull) return field + " = null";
    const std::string name = absl::StrCat("p", parameters.size());
    v1::ParameterValues values;
    for (const Scalar& value : leaf.values)
      if (!Set(value, type, *values.add_values())) return std::nullopt;
    parameters[name] = values;
    if (leaf.op == Op::kStartsWith) return absl::StrCat("starts_with(", field, ", $", name, ")");
    const char* sign = Sign(leaf.op);
    const bool ordered = sign[0] == '<' || sign[0] == '>';
    if (ordered && type.id == TypeId::kBool) return std::nullopt;
    return absl::StrCat(field, " ", sign, " $", name);
  }

  static const char* Sign(Op op) {
    switch (op) {
      case Op::kNotEqual:
        return "!=";
      case Op::kLess:
        return "<";
      case Op::kLessOrEqual:
        return "<=";
      case Op::kGreater:
        return ">";
      case Op::kGreaterOrEqual:
        return ">=";
      default:
        return "=";
    }
  }

  static bool Set(const Scalar& value, const records::DataType& type, v1::Value& out) {
    switch (type.id) {
      case TypeId::kBool:
        out.set_bool_value(std::get<bool>(value));
        return true;
      case TypeId::kInt64:
        out.set_int64_value(std::get<int64_t>(value));
        return true;
      case TypeId::kFloat64:
        out.set_double_value(std::get<double>(value));
        return std::isfinite(std::get<double>(value));
      case TypeId::kDecimal128:
        out.set_decimal_value(
            records::FormatDecimal(std::get<records::Decimal128>(value), type.scale));
        return true;
      case TypeId::kDate32:
        out.set_date_value(records::FormatDate(std::get<int32_t>(value)));
        return true;
      case TypeId::kTimestamp:
        out.set_string_value(records::FormatTimestamp(std::get<int64_t>(value), type.utc));
        return true;
      case TypeId::kUtf8:
        out.set_string_value(std::get<std::string>(value));
        return true;
      case TypeId::kBinary:
        out.set_bytes_value(std::get<std::string>(value));
        return true;
    }
    return false;
  }

  const std::vector<records::Field>& fields_;
  const std::vector<std::string>& names_;
};

}  // namespace

bool SetFilter(const Predicate& predicate, const std::vector<records::Field>& fields,
               const std::vector<std::string>& names, v1::QueryRequest& request) {
  Writer writer(fields, names);
  const auto filter = writer.Write(predicate);
  if (!filter || filter->size() > 4000) return false;
  request.set_filter(*filter);
  *request.mutable_parameters() = writer.parameters;
  return true;
}

}  // namespace sluice::system_test
