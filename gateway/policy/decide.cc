#include "gateway/policy/decide.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/catalogue/mask_spec.h"
#include "gateway/policy/choose_grant.h"
#include "gateway/policy/request_form.h"

namespace sluice::policy {
namespace {

using records::Op;
using records::Predicate;

Parameters ParametersOf(const v1::QueryRequest& request) {
  Parameters parameters;
  for (const auto& [name, values] : request.parameters()) parameters.emplace(name, &values);
  return parameters;
}

FilterRule RuleFor(const Grant& grant, int field) {
  const int granted = grant.by_field[static_cast<size_t>(field)];
  if (granted < 0) return FilterRule::kNotGranted;
  if (catalogue::IsNone(grant.mask(granted))) return FilterRule::kAny;
  switch (grant.definition.fields(granted).filter()) {
    case v1::MASKED_FILTER_EXACT:
      return FilterRule::kExact;
    case v1::MASKED_FILTER_MASKED_VALUE:
      return FilterRule::kMaskedValue;
    default:
      return FilterRule::kNotAllowed;
  }
}

bool ReadsMasked(const Predicate& predicate, int fields) {
  if (predicate.field >= fields) return true;
  return std::any_of(predicate.children.begin(), predicate.children.end(),
                     [fields](const Predicate& child) { return ReadsMasked(child, fields); });
}

// What the source may be told: implied by the whole, and without any masked value. A part under NOT
// that reads one is dropped whole: weakened inside, it would turn stronger outside.
Predicate RawPart(const Predicate& predicate, int fields) {
  if (!ReadsMasked(predicate, fields)) return predicate;
  if (predicate.op != Op::kAnd && predicate.op != Op::kOr) return Predicate();
  Predicate part;
  part.op = predicate.op;
  for (const Predicate& child : predicate.children) {
    Predicate raw = RawPart(child, fields);
    if (raw.op == Op::kTrue && predicate.op == Op::kOr) return Predicate();
    if (raw.op != Op::kTrue) part.children.push_back(std::move(raw));
  }
  return part.children.empty() ? Predicate() : part;
}

absl::Status CheckClaims(const v1::Grant& grant, const v1::QueryRequest& request) {
  if (grant.case_reference_required() && request.case_reference().empty())
    return Error(v1::REASON_CASE_REFERENCE_REQUIRED,
                 absl::StrCat("grant ", grant.id(), " demands a case reference."),
                 {{"grant", grant.id()}, {"dataset", grant.dataset()}});
  if (grant.end_user_required() && request.end_user().empty())
    return Error(v1::REASON_END_USER_REQUIRED,
                 absl::StrCat("grant ", grant.id(), " demands the end user."),
                 {{"grant", grant.id()}, {"dataset", grant.dataset()}});
  return absl::OkStatus();
}

absl::Status ChooseFields(const v1::QueryRequest& request, Plan& plan) {
  const Grant& grant = *plan.grant;
  const catalogue::Dataset& dataset = *plan.dataset;
  if (request.fields().empty()) {
    for (size_t i = 0; i < grant.granted.size(); ++i)
      plan.output.push_back({grant.granted[i], static_cast<int>(i)});
    plan.output_schema = grant.whole_schema;
  } else {
    std::vector<records::Field> fields;
    for (int i = 0; i < request.fields_size(); ++i) {
      const auto index = dataset.IndexOf(request.fields(i));
      const int granted = index ? grant.by_field[static_cast<size_t>(*index)] : -1;
      if (granted < 0) {
        absl::Status status =
            index ? Error(v1::REASON_FIELD_NOT_GRANTED,
                          absl::StrCat("grant ", grant.definition.id(), " does not cover ",
                                       request.fields(i), "."),
                          {{"grant", grant.definition.id()}, {"field", request.fields(i)}})
                  : Error(v1::REASON_FIELD_UNKNOWN, "the dataset has no field of this name.",
                          {{"dataset", dataset.definition.name()}});
        AddFieldViolation(status, absl::StrCat("fields[", i, "]"), std::string(status.message()));
        return status;
      }
      plan.output.push_back({*index, granted});
      fields.push_back(grant.whole_schema->field(static_cast<size_t>(granted)));
    }
    plan.output_schema = std::make_shared<const records::Schema>(std::move(fields));
  }
  for (size_t i = 0; i < dataset.schema->size(); ++i) {
    if (!plan.output_schema->IndexOf(dataset.schema->field(i).name))
      plan.left_out.push_back(dataset.schema->field(i).name);
  }
  return absl::OkStatus();
}

absl::Status BindPredicate(const v1::QueryRequest& request, Plan& plan) {
  const Grant& grant = *plan.grant;
  const catalogue::Dataset& dataset = *plan.dataset;
  FilterContext context;
  context.dataset = &dataset;
  context.rule = [&grant](int field) { return RuleFor(grant, field); };
  context.masked_type = [&grant, &dataset](int field) {
    return catalogue::MaskedType(grant.mask(grant.by_field[static_cast<size_t>(field)]),
                                 dataset.schema->field(static_cast<size_t>(field)).type);
  };
  context.masked_column = [&grant](int field) {
    return grant.by_field[static_cast<size_t>(field)];
  };
  SLUICE_ASSIGN_OR_RETURN(BoundFilter bound,
                          BindFilter(request.filter(), ParametersOf(request), context));
  const int fields = static_cast<int>(dataset.schema->size());
  plan.raw_predicate = And(grant.row_filter, RawPart(bound.predicate, fields));
  plan.predicate = And(grant.row_filter, std::move(bound.predicate));
  plan.asked = std::move(bound.asked);
  plan.names_subjects = bound.names_subjects;
  return absl::OkStatus();
}

absl::Status ChoosePageSize(const v1::QueryRequest& request, const DecideLimits& limits,
                            Plan& plan) {
  int32_t most = limits.max_page_rows;
  const v1::Grant& grant = plan.grant->definition;
  if (grant.max_page_rows() > 0) most = std::min(most, grant.max_page_rows());
  if (request.page_size() > most)
    return Error(v1::REASON_PAGE_SIZE_TOO_LARGE,
                 absl::StrCat("a page has at most ", most, " rows under grant ", grant.id(), "."),
                 {{"grant", grant.id()}, {"most", absl::StrCat(most)}});
  plan.page_rows = request.page_size() > 0 ? request.page_size() : most;
  return absl::OkStatus();
}

void ChooseScan(Plan& plan) {
  const catalogue::Dataset& dataset = *plan.dataset;
  std::vector<bool> needed(dataset.schema->size(), false);
  const auto need = [&needed](int field) { needed[static_cast<size_t>(field)] = true; };
  for (const OutputField& field : plan.output) need(field.field);
  for (int field : dataset.key) need(field);
  for (int field : dataset.subject_fields) need(field);
  const int fields = static_cast<int>(needed.size());
  for (int field : records::FieldsOf(plan.predicate))
    need(field < fields ? field : plan.grant->granted[static_cast<size_t>(field - fields)]);
  for (int i = 0; i < fields; ++i)
    if (needed[static_cast<size_t>(i)]) plan.scan_fields.push_back(i);
}

Decision Deny(absl::Status status, catalogue::DatasetPtr dataset, GrantPtr grant,
              const v1::QueryRequest& request) {
  Decision decision;
  decision.denial.emplace();
  decision.denial->status = std::move(status);
  if (dataset != nullptr) {
    AskedAbout asked = ReadAsked(request.filter(), ParametersOf(request), *dataset);
    decision.denial->asked = std::move(asked.asked);
  }
  decision.denial->dataset = std::move(dataset);
  decision.denial->grant = std::move(grant);
  return decision;
}

}  // namespace

Decision Decide(const identity::Principal& principal, const v1::QueryRequest& request,
                const SnapshotPtr& snapshot, Micros now, const DecideLimits& limits) {
  if (principal.kind != identity::PrincipalKind::kSystem)
    return Deny(Error(v1::REASON_CERTIFICATE_KIND_NOT_ALLOWED,
                      "records are asked for by systems; this certificate is a person's."),
                nullptr, nullptr, request);
  if (absl::Status status = CheckForm(request); !status.ok())
    return Deny(std::move(status), nullptr, nullptr, request);
  const auto dataset = snapshot->datasets.find(request.dataset());
  if (dataset == snapshot->datasets.end())
    return Deny(Error(v1::REASON_DATASET_UNKNOWN, "there is no dataset of this name."), nullptr,
                nullptr, request);
  const auto purpose = snapshot->directory->purposes.find(request.purpose());
  if (purpose == snapshot->directory->purposes.end() || purpose->second.withdrawn())
    return Deny(Error(v1::REASON_PURPOSE_UNKNOWN, "the authority's list has no such purpose.",
                      {{"dataset", request.dataset()}}),
                dataset->second, nullptr, request);

  GrantPtr nearest;
  auto grant = ChooseGrant(principal, request, *snapshot, now, &nearest);
  if (!grant.ok()) return Deny(grant.status(), dataset->second, nearest, request);

  Plan plan;
  plan.snapshot = snapshot;
  plan.grant = *grant;
  plan.dataset = (*grant)->dataset;
  plan.purpose = request.purpose();
  plan.ordered = plan.grant->key_visible;
  const std::string& source = plan.dataset->definition.source();
  if (const auto found = snapshot->directory->sources.find(source);
      found != snapshot->directory->sources.end()) {
    plan.source = &found->second;
  }
  absl::Status status = CheckClaims(plan.grant->definition, request);
  if (status.ok()) status = ChooseFields(request, plan);
  if (status.ok()) status = BindPredicate(request, plan);
  if (status.ok()) status = ChoosePageSize(request, limits, plan);
  if (!status.ok()) return Deny(std::move(status), plan.dataset, plan.grant, request);
  ChooseScan(plan);
  Decision decision;
  decision.plan = std::move(plan);
  return decision;
}

}  // namespace sluice::policy
