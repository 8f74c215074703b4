#include "gateway/policy/match.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/base/view.h"
#include "gateway/catalogue/dataset.h"
#include "gateway/policy/claims.h"
#include "gateway/records/row_batch.h"
#include "gateway/records/utf8.h"

namespace sluice::policy {
namespace {

using records::Scalar;

constexpr size_t kMostFormsOfOne = 1'000;  // values of one kIn
constexpr size_t kMostNamed = 4'096;       // bytes of a value

bool IsText(const records::DataType& type) { return type.id == records::TypeId::kUtf8; }

absl::Status BadRequest(std::string_view place, std::string_view expected) {
  absl::Status status = Error(v1::REASON_REQUEST_INVALID, "the request has mistakes.");
  AddFieldViolation(status, place, expected);
  return status;
}

// A value of a type as bytes: the same for equal values.
std::string BytesOf(const Scalar& value) {
  return std::visit(
      [](const auto& held) -> std::string {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<T, std::monostate>) {
          return {};
        } else if constexpr (std::is_same_v<T, std::string>) {
          return held;
        } else {
          std::string bytes(sizeof(T), '\0');
          std::memcpy(bytes.data(), &held, sizeof(T));
          return bytes;
        }
      },
      value);
}

// Of a record. Nothing for a null, which is the same as no value.
std::optional<std::string> StoredComparable(v1::MatchRule rule, const records::Column& column,
                                            int64_t row) {
  if (column.IsNull(row)) return std::nullopt;
  if (rule == v1::MATCH_RULE_EXACT) return BytesOf(records::ScalarAt(column, row));
  if (!IsText(column.type())) return records::FormatDate(column.Date32(row));
  return MakeComparable(rule, column.Bytes(row)).text;
}

// How a register may have written what is found by: the source is asked for all of them.
void AddForms(v1::MatchRule rule, const std::string& comparable, std::string_view named,
              std::vector<Scalar>& forms) {
  std::set<std::string> texts = {comparable, std::string(named)};
  if (rule == v1::MATCH_RULE_ID_NUMBER) {
    if (comparable.ends_with('X'))
      texts.insert(absl::StrCat(comparable.substr(0, comparable.size() - 1), "x"));
    if (comparable.substr(6, 2) == "19")
      texts.insert(absl::StrCat(comparable.substr(0, 6), comparable.substr(8, 9)));
  } else if (rule == v1::MATCH_RULE_PHONE) {
    for (const char* prefix : {"+86", "86", "0086", "+86 ", "+86-"})
      texts.insert(absl::StrCat(prefix, comparable));
  }
  for (const std::string& text : texts) forms.emplace_back(text);
}

records::Predicate AnyOf(int field, std::vector<Scalar> forms) {
  records::Predicate any;
  any.op = records::Op::kOr;
  for (size_t begin = 0; begin < forms.size(); begin += kMostFormsOfOne) {
    records::Predicate some;
    some.op = records::Op::kIn;
    some.field = field;
    const size_t end = std::min(forms.size(), begin + kMostFormsOfOne);
    some.values.assign(forms.begin() + static_cast<ptrdiff_t>(begin),
                       forms.begin() + static_cast<ptrdiff_t>(end));
    any.children.push_back(std::move(some));
  }
  return any.children.size() == 1 ? std::move(any.children[0]) : any;
}

// What was named of one field, read by its type and rule.
struct Named {
  std::string comparable;
  Scalar scalar;  // of EXACT
  std::string text;
};

absl::StatusOr<Named> ReadNamed(const v1::Value& value, v1::MatchRule rule,
                                const records::DataType& type, std::string_view place) {
  const auto wrong = [&](std::string_view expected) {
    absl::Status status = Error(v1::REASON_PARAMETER_INVALID, "a value is none of its kind.");
    AddFieldViolation(status, place, expected);
    return status;
  };
  Named named;
  if (rule == v1::MATCH_RULE_EXACT) {
    auto scalar = records::ScalarFromProto(value, type);
    if (!scalar.ok()) return wrong(std::string(scalar.status().message()));
    if (std::holds_alternative<std::monostate>(*scalar)) return wrong("expected a value, not null");
    named.scalar = *std::move(scalar);
    named.comparable = BytesOf(named.scalar);
    return named;
  }
  named.text =
      value.kind_case() == v1::Value::kDateValue ? value.date_value() : value.string_value();
  if (named.text.empty() || named.text.size() > kMostNamed || !records::ValidUtf8(named.text))
    return wrong("expected a text of at most 4,096 bytes of UTF-8");
  Comparable comparable = MakeComparable(rule, named.text);
  if (!comparable.valid) {
    switch (rule) {
      case v1::MATCH_RULE_ID_NUMBER:
        return wrong("expected a number of GB 11643, with its check character");
      case v1::MATCH_RULE_DATE:
        return wrong("expected a day: 1990-01-02, 19900102 or 1990年1月2日");
      case v1::MATCH_RULE_PHONE:
        return wrong("expected a phone number of 5 to 15 digits");
      default:
        return wrong("expected a name");
    }
  }
  named.comparable = std::move(comparable.text);
  return named;
}

size_t ColumnOf(const Plan& plan, int field) {
  return std::find(plan.scan_fields.begin(), plan.scan_fields.end(), field) -
         plan.scan_fields.begin();
}

std::vector<std::string> NamesIn(const v1::MatchItem& item) {
  std::vector<std::string> names;
  for (const auto& [name, value] : item.values()) names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

v1::QueryRequest AsQuery(const v1::MatchRequest& request) {
  v1::QueryRequest query = WithClaims(request);
  query.set_request_id(request.request_id());
  query.set_traceparent(request.traceparent());
  if (!request.items().empty())
    for (const std::string& name : NamesIn(request.items(0))) query.add_fields(name);
  return query;
}

std::vector<BoundFilter::Asked> AskedIn(const v1::MatchRequest& request,
                                        const catalogue::Dataset& dataset) {
  std::vector<BoundFilter::Asked> asked;
  const int most = std::min(request.items_size(), kMostMatchItems);
  for (const int field : dataset.subject_fields) {
    for (int i = 0; i < most; ++i) {
      const auto found = request.items(i).values().find(dataset.field(field).name());
      if (found != request.items(i).values().end() && !found->second.string_value().empty() &&
          found->second.string_value().size() <= kMostNamed)
        asked.push_back({field, found->second.string_value()});
    }
  }
  return asked;
}

absl::StatusOr<Matcher> Matcher::Make(const v1::MatchRequest& request, Plan& plan) {
  if (request.items().empty() || request.items_size() > kMostMatchItems)
    return BadRequest("items", "expected 1 to 1,000");
  Matcher matcher;
  SLUICE_RETURN_IF_ERROR(matcher.ChooseParts(request.items(0), plan));
  std::vector<Scalar> forms;
  for (int i = 0; i < request.items_size(); ++i)
    SLUICE_RETURN_IF_ERROR(matcher.AddItem(i, request.items(i), plan, forms));
  std::sort(forms.begin(), forms.end());
  forms.erase(std::unique(forms.begin(), forms.end()), forms.end());
  const int first = matcher.finds_[0].field;
  // What was done is told in the order of the answers, what finds before it.
  const std::vector<OutputField> asked_for = std::move(plan.output);
  plan.output.clear();
  for (const auto* parts : {&matcher.finds_, &matcher.compared_}) {
    for (const Part& part : *parts)
      plan.output.push_back(
          *std::find_if(asked_for.begin(), asked_for.end(),
                        [&](const OutputField& output) { return output.field == part.field; }));
  }
  plan.asked = AskedIn(request, *plan.dataset);
  plan.names_subjects = !plan.asked.empty();
  records::Predicate found_by = AnyOf(first, std::move(forms));
  plan.raw_predicate = records::And(std::move(plan.raw_predicate), found_by);
  plan.predicate = records::And(std::move(plan.predicate), std::move(found_by));
  return matcher;
}

absl::Status Matcher::ChooseParts(const v1::MatchItem& first, const Plan& plan) {
  const v1::Grant& grant = plan.grant->definition;
  for (const std::string& name : NamesIn(first)) {
    const auto output = std::find_if(
        plan.output.begin(), plan.output.end(),
        [&](const OutputField& one) { return grant.fields(one.granted).name() == name; });
    if (output == plan.output.end()) continue;  // the decision has refused it
    const v1::GrantedField& granted = grant.fields(output->granted);
    if (granted.match() == v1::MATCH_RULE_UNSPECIFIED) {
      absl::Status status = Error(
          v1::REASON_FIELD_NOT_GRANTED,
          absl::StrCat("grant ", grant.id(), " has no rule to match the field ", name, " by."),
          {{"grant", grant.id()}, {"dataset", grant.dataset()}, {"field", name}});
      AddFieldViolation(status, "items[0].values", "the field takes no part in Match");
      return status;
    }
    (granted.finds() ? finds_ : compared_).push_back({output->field, granted.match()});
  }
  for (const v1::GrantedField& field : grant.fields()) {
    if (field.finds() && !first.values().contains(field.name()))
      return BadRequest("items[0].values",
                        absl::StrCat("records are found by ", field.name(), ": name it"));
  }
  if (compared_.empty())
    return BadRequest("items[0].values", "expected at least one field to compare");
  return absl::OkStatus();
}

absl::Status Matcher::AddItem(int number, const v1::MatchItem& item, const Plan& plan,
                              std::vector<Scalar>& forms) {
  const std::string place = absl::StrCat("items[", number, "].values");
  if (item.values().size() != finds_.size() + compared_.size())
    return BadRequest(place, "expected the same fields as in items[0]");
  Item made;
  const auto read = [&](const Part& part) -> absl::StatusOr<Named> {
    const records::Field& field = plan.dataset->schema->field(part.field);
    const auto found = item.values().find(field.name);
    if (found == item.values().end())
      return BadRequest(place, "expected the same fields as in items[0]");
    return ReadNamed(found->second, part.rule, field.type,
                     absl::StrCat(place, "[", field.name, "]"));
  };
  std::string record;
  for (const Part& part : finds_) {
    SLUICE_ASSIGN_OR_RETURN(Named named, read(part));
    if (&part == &finds_.front()) {
      if (part.rule == v1::MATCH_RULE_EXACT)
        forms.push_back(named.scalar);
      else
        AddForms(part.rule, named.comparable, named.text, forms);
      by_first_.emplace(named.comparable, number);
    }
    absl::StrAppend(&record, named.comparable.size(), ":", named.comparable);
    made.finds.push_back(std::move(named.comparable));
  }
  for (const Part& part : compared_) {
    SLUICE_ASSIGN_OR_RETURN(Named named, read(part));
    made.compared.push_back(std::move(named.comparable));
  }
  made.agrees.assign(compared_.size(), false);
  items_.push_back(std::move(made));
  records_.push_back(std::move(record));
  return absl::OkStatus();
}

absl::Status Matcher::Take(const Plan& plan, const records::RecordBatch& scanned) {
  if (scanned.columns().size() != plan.scan_fields.size())
    return absl::InternalError("the source gave other columns than were asked for");
  records::ColumnView view(plan.dataset->schema->size() + plan.grant->granted.size(), nullptr);
  for (size_t i = 0; i < plan.scan_fields.size(); ++i)
    view[plan.scan_fields[i]] = &scanned.column(i);
  std::vector<const records::Column*> finds, compared;
  for (const Part& part : finds_) finds.push_back(&scanned.column(ColumnOf(plan, part.field)));
  for (const Part& part : compared_)
    compared.push_back(&scanned.column(ColumnOf(plan, part.field)));
  // The grant's rows alone: what the source let through is judged here.
  for (const int64_t row : records::Evaluate(plan.predicate, view, scanned.rows())) {
    const auto first = StoredComparable(finds_[0].rule, *finds[0], row);
    if (!first) continue;
    std::vector<int> items;
    for (auto [at, end] = by_first_.equal_range(*first); at != end; ++at)
      items.push_back(at->second);
    if (!TakeRow(finds, compared, items, row)) continue;
    for (const int field : plan.dataset->subject_fields) {
      const records::Column& column = scanned.column(ColumnOf(plan, field));
      if (!column.IsNull(row)) found_.emplace(field, std::string(column.Bytes(row)));
    }
  }
  return absl::OkStatus();
}

bool Matcher::TakeRow(const std::vector<const records::Column*>& finds,
                      const std::vector<const records::Column*>& compared,
                      const std::vector<int>& items, int64_t row) {
  bool any = false;
  std::vector<std::optional<std::string>> keys, values;
  for (size_t i = 0; i < finds.size(); ++i)
    keys.push_back(StoredComparable(finds_[i].rule, *finds[i], row));
  for (size_t i = 0; i < compared.size(); ++i)
    values.push_back(StoredComparable(compared_[i].rule, *compared[i], row));
  for (const int number : items) {
    Item& item = items_[static_cast<size_t>(number)];
    bool is_it = true;
    for (size_t i = 0; i < keys.size(); ++i) is_it = is_it && keys[i] == item.finds[i];
    if (!is_it) continue;
    any = true;
    std::vector<bool> agrees;
    int same = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      agrees.push_back(values[i] == item.compared[i]);
      same += agrees.back() ? 1 : 0;
    }
    if (item.found && same <= item.same) continue;
    item.found = true;
    item.same = same;
    item.agrees = std::move(agrees);
  }
  return any;
}

std::vector<v1::MatchOutcome> Matcher::Outcomes() const {
  std::vector<v1::MatchOutcome> outcomes;
  for (const Item& item : items_) {
    if (!item.found)
      outcomes.push_back(v1::MATCH_OUTCOME_NOT_FOUND);
    else
      outcomes.push_back(static_cast<size_t>(item.same) == compared_.size()
                             ? v1::MATCH_OUTCOME_MATCH
                             : v1::MATCH_OUTCOME_NO_MATCH);
  }
  return outcomes;
}

std::string Matcher::Encode(bool tells_fields) const {
  v1::MatchAnswers answers;
  const std::vector<v1::MatchOutcome> outcomes = Outcomes();
  for (size_t i = 0; i < items_.size(); ++i) {
    v1::MatchAnswer& answer = *answers.add_answers();
    answer.set_outcome(outcomes[i]);
    if (!tells_fields) continue;
    for (const bool agrees : items_[i].agrees) {
      answer.add_fields(!items_[i].found ? v1::MATCH_OUTCOME_NOT_FOUND
                        : agrees         ? v1::MATCH_OUTCOME_MATCH
                                         : v1::MATCH_OUTCOME_NO_MATCH);
    }
  }
  return answers.SerializeAsString();
}

}  // namespace sluice::policy
