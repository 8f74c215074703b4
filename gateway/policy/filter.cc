#include "gateway/policy/filter.h"

#include <charconv>
#include <cmath>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"
#include "gateway/policy/filter_syntax.h"
#include "gateway/records/row_batch.h"

namespace sluice::policy {
namespace {

using records::DataType;
using records::Op;
using records::Predicate;
using records::Scalar;
using records::TypeId;

constexpr int kMaxListValues = 1000;
constexpr int kMaxValues = 4000;

template <class T>
absl::StatusOr<Scalar> FromChars(std::string_view text, std::string_view expected) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool good = error == std::errc() && end == text.data() + text.size();
  if constexpr (std::is_same_v<T, double>) good = good && std::isfinite(value);
  if (!good) return absl::InvalidArgumentError(View(expected));
  return Scalar(value);
}

template <class T>
absl::StatusOr<Scalar> OrExpected(absl::StatusOr<T> value, std::string_view expected) {
  if (!value.ok()) return absl::InvalidArgumentError(View(expected));
  return Scalar(*std::move(value));
}

// A literal as a value of the field's type. The error says what was expected, never what stood
// there.
absl::StatusOr<Scalar> FromLiteral(const FilterOperand& literal, const DataType& type) {
  using Kind = FilterOperand::Kind;
  const bool bare = literal.kind == Kind::kBare;
  const bool quoted = literal.kind == Kind::kText;
  switch (type.id) {
    case TypeId::kBool:
      if (literal.kind != Kind::kBool) return absl::InvalidArgumentError("expected true or false");
      return Scalar(literal.text == "true");
    case TypeId::kInt64:
      return FromChars<int64_t>(bare ? literal.text : "",
                                "expected a whole number, such as 42, that 64 bits hold");
    case TypeId::kFloat64:
      return FromChars<double>(bare ? literal.text : "", "expected a number, such as 0.5");
    case TypeId::kDecimal128:
      return OrExpected(
          records::ParseDecimal(bare || quoted ? literal.text : "", type.precision, type.scale),
          absl::StrCat("expected a number that fits ", records::ToString(type)));
    case TypeId::kDate32:
      return OrExpected(records::ParseDate(bare || quoted ? literal.text : ""),
                        "expected a date, such as 2026-11-24");
    case TypeId::kTimestamp:
      return OrExpected(records::ParseTimestamp(bare || quoted ? literal.text : "", type.utc),
                        type.utc ? "expected a time with zone, such as 2026-11-24T02:00:00Z"
                                 : "expected a time without zone, such as 2026-11-24T02:00:00");
    case TypeId::kUtf8:
      if (!quoted) return absl::InvalidArgumentError("expected text in quotes");
      return Scalar(literal.text);
    case TypeId::kBinary:
      return absl::InvalidArgumentError("binary values are passed as parameters only");
  }
  return absl::InvalidArgumentError("expected a value");
}

class Binder {
 public:
  Binder(std::string_view text, const Parameters& parameters, const FilterContext& context)
      : text_(text), parameters_(parameters), context_(context) {}

  absl::StatusOr<BoundFilter> Bind() {
    SLUICE_ASSIGN_OR_RETURN(const FilterNode root, ParseFilter(text_));
    SLUICE_ASSIGN_OR_RETURN(bound_.predicate, Node(root, true));
    for (const auto& [name, values] : parameters_) {
      if (!used_.contains(name)) return Unused(name);
    }
    return std::move(bound_);
  }

 private:
  // One comparison on its way: the field, and how it is seen.
  struct Target {
    int field = 0;
    FilterRule rule = FilterRule::kNotGranted;
    DataType type;
    std::string_view name;
  };

  // `top`: only ANDs stand above.
  absl::StatusOr<Predicate> Node(const FilterNode& node, bool top) {
    Predicate predicate;
    predicate.op = node.op;
    switch (node.op) {
      case Op::kTrue:
        return predicate;
      case Op::kAnd:
      case Op::kOr:
      case Op::kNot:
        for (const FilterNode& child : node.children) {
          SLUICE_ASSIGN_OR_RETURN(Predicate bound, Node(child, top && node.op == Op::kAnd));
          predicate.children.push_back(std::move(bound));
        }
        return predicate;
      default:
        return Comparison(node, top);
    }
  }

  absl::StatusOr<Predicate> Comparison(const FilterNode& node, bool top) {
    SLUICE_ASSIGN_OR_RETURN(const Target target, Resolve(node));
    SLUICE_RETURN_IF_ERROR(CheckRule(node, target, top));
    SLUICE_RETURN_IF_ERROR(CheckOperator(node, target));
    Predicate predicate;
    predicate.op = node.op;
    predicate.field = target.field;
    if (target.rule == FilterRule::kMaskedValue) {
      predicate.field =
          static_cast<int>(context_.dataset->schema->size()) + context_.masked_column(target.field);
    }
    if (node.op == Op::kIsNull) return predicate;
    if (node.operand.kind == FilterOperand::Kind::kParameter) {
      SLUICE_RETURN_IF_ERROR(FromParameter(node, target, predicate));
    } else {
      SLUICE_RETURN_IF_ERROR(Literal(node, target, predicate));
    }
    NoteSubjects(target, predicate, top);
    return predicate;
  }

  absl::StatusOr<Target> Resolve(const FilterNode& node) const {
    const auto index = context_.dataset->IndexOf(node.field);
    const FilterRule rule = index ? context_.rule(*index) : FilterRule::kUnknown;
    // The name is not repeated: where it is no field's, it may be a value that lacks its quotes.
    if (rule == FilterRule::kUnknown) {
      return WithNearest(FilterError(v1::REASON_FIELD_UNKNOWN, text_, node.offset,
                                     "the dataset has no field of this name"),
                         context_.dataset->Nearest(node.field));
    }
    Target target{.field = *index, .rule = rule, .name = node.field};
    target.type = rule == FilterRule::kMaskedValue ? context_.masked_type(*index)
                                                   : context_.dataset->schema->field(*index).type;
    return target;
  }

  absl::Status CheckRule(const FilterNode& node, const Target& target, bool top) const {
    const absl::string_view name = View(target.name);
    switch (target.rule) {
      case FilterRule::kUnknown:
      case FilterRule::kNotGranted:
        return WithField(FilterError(v1::REASON_FIELD_NOT_GRANTED, text_, node.offset,
                                     absl::StrCat("the grant does not cover the field ", name)),
                         target);
      case FilterRule::kNotAllowed:
        return WithField(
            FilterError(v1::REASON_FILTER_NOT_ALLOWED, text_, node.offset,
                        absl::StrCat("the grant masks ", name, " and allows no filter on it")),
            target);
      case FilterRule::kExact:
        if (top && node.op == Op::kEqual && node.operand.kind == FilterOperand::Kind::kParameter &&
            !IsList(node.operand)) {
          return absl::OkStatus();
        }
        return NotExact(node, target);
      case FilterRule::kAny:
      case FilterRule::kMaskedValue:
        return absl::OkStatus();
    }
    return absl::OkStatus();
  }

  absl::Status NotExact(const FilterNode& node, const Target& target) const {
    return WithField(
        FilterError(
            v1::REASON_FILTER_NOT_ALLOWED, text_, node.offset,
            absl::StrCat("the grant masks ", View(target.name), " and allows only its exact value"),
            absl::StrCat("write ", View(target.name),
                         " = $name with one value, joined by AND only, under no NOT")),
        target);
  }

  static absl::Status WithField(absl::Status status, const Target& target) {
    AddKey(status, "field", target.name);
    return status;
  }

  bool IsList(const FilterOperand& operand) const {
    const auto found = parameters_.find(operand.text);
    return found != parameters_.end() && found->second->values_size() > 1;
  }

  absl::Status CheckOperator(const FilterNode& node, const Target& target) const {
    const TypeId type = target.type.id;
    if (node.op == Op::kStartsWith && type != TypeId::kUtf8) {
      return FilterError(v1::REASON_FILTER_INVALID, text_, node.offset,
                         "starts_with is for fields of type utf8");
    }
    const bool orders = node.op == Op::kLess || node.op == Op::kLessOrEqual ||
                        node.op == Op::kGreater || node.op == Op::kGreaterOrEqual;
    if (type == TypeId::kBool && orders) {
      return FilterError(v1::REASON_FILTER_INVALID, text_, node.offset,
                         "true and false have no order", "write = or !=");
    }
    return absl::OkStatus();
  }

  absl::Status Literal(const FilterNode& node, const Target& target, Predicate& predicate) {
    // Whatever its class, a field that names data subjects holds what no log may show.
    const v1::DatasetField& field = context_.dataset->field(target.field);
    const bool personal =
        field.field_class() >= v1::FIELD_CLASS_L3_PERSONAL || !field.subject().empty();
    if (!context_.sensitive_literals && personal) {
      return WithField(
          FilterError(v1::REASON_FILTER_LITERAL_NOT_ALLOWED, text_, node.operand.offset,
                      absl::StrCat("a value of ", View(target.name), " stands in the filter text"),
                      absl::StrCat("write $name in its place and pass the value as a parameter")),
          target);
    }
    auto value = FromLiteral(node.operand, target.type);
    if (!value.ok()) {
      const absl::string_view expected = value.status().message();
      return FilterError(v1::REASON_FILTER_INVALID, text_, node.operand.offset,
                         {expected.data(), expected.size()});
    }
    predicate.values.push_back(*std::move(value));
    return CountValues(1);
  }

  absl::Status CountValues(int more) {
    values_ += more;
    if (values_ <= kMaxValues) return absl::OkStatus();
    return Error(v1::REASON_PARAMETER_INVALID,
                 absl::StrCat("more than ", kMaxValues, " values in all comparisons together."));
  }

  absl::Status FromParameter(const FilterNode& node, const Target& target, Predicate& predicate) {
    const std::string& name = node.operand.text;
    const auto found = parameters_.find(name);
    if (found == parameters_.end()) {
      absl::Status status = FilterError(v1::REASON_PARAMETER_INVALID, text_, node.operand.offset,
                                        absl::StrCat("no value was given for $", name));
      AddKey(status, "parameter", name);
      return status;
    }
    used_.insert(name);
    const v1::ParameterValues& list = *found->second;
    if (list.values().empty()) return Invalid(name, "", "expected at least one value");
    if (list.values_size() > kMaxListValues) {
      return Invalid(name, "", absl::StrCat("expected at most ", kMaxListValues, " values"));
    }
    if (list.values_size() > 1) {
      if (node.op != Op::kEqual) {
        return Invalid(name, "", "a list means any of its values, and goes with = only");
      }
      predicate.op = Op::kIn;
    }
    SLUICE_RETURN_IF_ERROR(CountValues(list.values_size()));
    predicate.values.reserve(list.values_size());
    for (int i = 0; i < list.values_size(); ++i) {
      auto value = records::ScalarFromProto(list.values(i), target.type);
      const std::string place = absl::StrCat(".values[", i, "]");
      if (!value.ok()) {
        const absl::string_view expected = value.status().message();
        return Invalid(name, place, {expected.data(), expected.size()});
      }
      if (std::holds_alternative<std::monostate>(*value)) {
        return Invalid(name, place, "is null; write field = null in the filter");
      }
      predicate.values.push_back(*std::move(value));
    }
    return absl::OkStatus();
  }

  // What stands in the parameter is never repeated.
  static absl::Status Invalid(std::string_view name, std::string_view place,
                              std::string_view mistake) {
    absl::Status status =
        Error(v1::REASON_PARAMETER_INVALID, absl::StrCat("$", View(name), ": ", View(mistake), "."),
              {{"parameter", name}});
    AddFieldViolation(status, absl::StrCat("parameters[", View(name), "]", View(place)), mistake);
    return status;
  }

  static absl::Status Unused(std::string_view name) {
    // A name that could not stand in a filter may be a value that took the name's place.
    if (IsParameterName(name)) return Invalid(name, "", "the filter does not use it");
    absl::Status status =
        Error(v1::REASON_PARAMETER_INVALID, "a parameter has a name that filters cannot use.");
    AddFieldViolation(status, "parameters",
                      "names are letters, digits and underscores, beginning with a letter, at most "
                      "63");
    return status;
  }

  void NoteSubjects(const Target& target, const Predicate& predicate, bool top) {
    if (target.rule == FilterRule::kMaskedValue ||
        (predicate.op != Op::kEqual && predicate.op != Op::kIn) ||
        context_.dataset->field(target.field).subject().empty()) {
      return;
    }
    if (top) bound_.names_subjects = true;
    for (const Scalar& value : predicate.values) {
      if (const auto* raw = std::get_if<std::string>(&value)) {
        bound_.asked.push_back({target.field, *raw});
      }
    }
  }

  const std::string_view text_;
  const Parameters& parameters_;
  const FilterContext& context_;
  BoundFilter bound_;
  std::set<std::string_view> used_;
  int values_ = 0;
};

void CollectAsked(const FilterNode& node, bool top, const Parameters& parameters,
                  const catalogue::Dataset& dataset, AskedAbout& about) {
  for (const FilterNode& child : node.children) {
    CollectAsked(child, top && node.op == Op::kAnd, parameters, dataset, about);
  }
  if (node.op != Op::kEqual) return;
  const auto field = dataset.IndexOf(node.field);
  if (!field || dataset.field(*field).subject().empty()) return;
  const size_t before = about.asked.size();
  if (node.operand.kind != FilterOperand::Kind::kParameter) {
    about.asked.push_back({*field, node.operand.text});
  } else if (const auto found = parameters.find(node.operand.text); found != parameters.end()) {
    for (const v1::Value& value : found->second->values()) {
      if (about.asked.size() >= static_cast<size_t>(kMaxValues)) break;
      if (value.has_string_value()) about.asked.push_back({*field, value.string_value()});
    }
  }
  if (top && about.asked.size() > before) about.names_subjects = true;
}

}  // namespace

absl::StatusOr<BoundFilter> BindFilter(std::string_view text, const Parameters& parameters,
                                       const FilterContext& context) {
  return Binder(text, parameters, context).Bind();
}

AskedAbout ReadAsked(std::string_view text, const Parameters& parameters,
                     const catalogue::Dataset& dataset) {
  AskedAbout about;
  const auto root = ParseFilter(text);
  if (!root.ok()) return about;
  CollectAsked(*root, true, parameters, dataset, about);
  if (about.asked.size() >= static_cast<size_t>(kMaxValues)) {
    // Cut short: it no longer tells all that were asked about.
    about.names_subjects = false;
  }
  return about;
}

}  // namespace sluice::policy
