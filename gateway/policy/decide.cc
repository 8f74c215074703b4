#include "gateway/policy/decide.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gateway/base/error.h"
#include "gateway/base/nearest.h"
#include "gateway/catalogue/mask_spec.h"
#include "gateway/policy/claims.h"
#include "gateway/policy/pick_grant.h"
#include "gateway/policy/request_form.h"
#include "gateway/records/utf8.h"

namespace sluice::policy {
namespace {

using records::Op;
using records::Predicate;

// The part of a predicate on raw fields alone, which holds wherever the whole does: a condition on
// a masked value gives way to TRUE where more rows may come of it, and so does a NOT or an OR with
// one inside.
Predicate RawPart(const Predicate& predicate, int raw_fields, bool* whole) {
  Predicate part;
  switch (predicate.op) {
    case Op::kAnd:
      for (const Predicate& child : predicate.children) {
        Predicate raw = RawPart(child, raw_fields, whole);
        if (raw.op != Op::kTrue) part.children.push_back(std::move(raw));
      }
      if (part.children.size() == 1) return Predicate(std::move(part.children[0]));
      if (!part.children.empty()) part.op = Op::kAnd;
      return part;
    case Op::kOr:
    case Op::kNot: {
      bool children_whole = true;
      for (const Predicate& child : predicate.children) {
        Predicate raw = RawPart(child, raw_fields, &children_whole);
        const bool dropped = predicate.op == Op::kNot ? !children_whole : raw.op == Op::kTrue;
        if (dropped) {
          *whole = false;
          return Predicate();
        }
        part.children.push_back(std::move(raw));
      }
      part.op = predicate.op;
      *whole = *whole && children_whole;
      return part;
    }
    default:
      if (predicate.field < raw_fields) return predicate;
      *whole = false;
      return part;
  }
}

// Decides one request.
class Decider {
 public:
  Decider(const identity::Principal& principal, const v1::QueryRequest& request,
          const SnapshotPtr& snapshot, Micros now, const DecideLimits& limits, v1::Mode mode,
          std::string_view peer)
      : principal_(principal),
        request_(request),
        snapshot_(snapshot),
        now_(now),
        limits_(limits),
        mode_(mode),
        peer_(peer) {}

  Decision Run() {
    Decision decision;
    absl::Status status = Permit();
    if (status.ok()) {
      decision.plan = std::move(plan_);
    } else {
      decision.denial = Deny(std::move(status));
    }
    return decision;
  }

 private:
  absl::Status Permit() {
    if (principal_.kind != identity::PrincipalKind::kSystem) {
      return Error(v1::REASON_CERTIFICATE_KIND_NOT_ALLOWED,
                   "records are lent to systems; this certificate is a person's.");
    }
    SLUICE_RETURN_IF_ERROR(CheckForm(request_));
    for (const auto& [name, values] : request_.parameters()) parameters_.emplace(name, &values);
    SLUICE_RETURN_IF_ERROR(FindDataset());
    SLUICE_RETURN_IF_ERROR(CheckPurpose());
    SLUICE_ASSIGN_OR_RETURN(
        grant_, PickGrant(principal_, request_, mode_, *snapshot_, *dataset_, now_, nearest_));
    nearest_ = grant_;
    SLUICE_RETURN_IF_ERROR(CheckState());
    SLUICE_RETURN_IF_ERROR(CheckClaims());
    SLUICE_RETURN_IF_ERROR(CheckConditions());
    plan_.snapshot = snapshot_;
    plan_.grant = grant_;
    plan_.dataset = grant_->dataset;
    plan_.purpose = request_.purpose();
    plan_.ordered = grant_->key_visible;
    SLUICE_RETURN_IF_ERROR(ChooseFields());
    SLUICE_RETURN_IF_ERROR(BindPredicate());
    SLUICE_RETURN_IF_ERROR(ChoosePageSize());
    ChooseScan();
    const auto source = snapshot_->directory->sources.find(plan_.dataset->definition.source());
    if (source != snapshot_->directory->sources.end()) plan_.source = &source->second;
    return absl::OkStatus();
  }

  Denial Deny(absl::Status status) {
    Denial denial;
    denial.status = std::move(status);
    denial.dataset = dataset_;
    denial.grant = nearest_;
    if (dataset_ == nullptr) return denial;
    AskedAbout about = ReadAsked(request_.filter(), parameters_, *dataset_);
    denial.asked = std::move(about.asked);
    denial.names_subjects = about.names_subjects;
    return denial;
  }

  absl::Status FindDataset() {
    const auto found = snapshot_->datasets.find(request_.dataset());
    // A name that nobody registered is not repeated: it may be anything. One that the agency may
    // not know of is as if nobody had, in the record too, which the agency may read.
    if (found == snapshot_->datasets.end() ||
        !catalogue::InAudience(found->second->definition, principal_.agency)) {
      return WithNearest(
          Error(v1::REASON_DATASET_UNKNOWN, "there is no such dataset."),
          catalogue::NearestDataset(request_.dataset(), snapshot_->datasets, principal_.agency));
    }
    dataset_ = found->second;
    if (dataset_->definition.state() == v1::DATASET_STATE_RETIRED) {
      return Error(v1::REASON_DATASET_RETIRED,
                   absl::StrCat(request_.dataset(), " is offered no longer."),
                   {{"dataset", request_.dataset()}});
    }
    return absl::OkStatus();
  }

  // Told to those alone who hold a grant on it.
  absl::Status CheckState() const {
    if (dataset_->definition.state() != v1::DATASET_STATE_SUSPENDED) return absl::OkStatus();
    return OfGrant(v1::REASON_DATASET_SUSPENDED,
                   absl::StrCat("the owner has suspended ", request_.dataset(), "."));
  }

  absl::Status CheckPurpose() const {
    const auto& purposes = snapshot_->directory->purposes;
    const auto found = purposes.find(request_.purpose());
    if (found == purposes.end()) {
      std::vector<std::string_view> offered;
      for (const auto& [name, purpose] : purposes)
        if (!purpose.withdrawn()) offered.push_back(name);
      return WithNearest(
          Error(v1::REASON_PURPOSE_UNKNOWN, "the purpose is not on the authority's list.",
                {{"dataset", request_.dataset()}}),
          NearestName(request_.purpose(), offered));
    }
    if (found->second.withdrawn()) {
      return Error(
          v1::REASON_PURPOSE_UNKNOWN,
          absl::StrCat("the authority has withdrawn the purpose \"", request_.purpose(), "\"."),
          {{"dataset", request_.dataset()}, {"purpose", request_.purpose()}});
    }
    return absl::OkStatus();
  }

  // An error about the grant in use.
  absl::Status OfGrant(v1::Reason reason, std::string_view sentence) const {
    return Error(reason, sentence,
                 {{"dataset", request_.dataset()}, {"grant", grant_->definition.id()}});
  }

  absl::Status CheckClaims() const {
    const v1::Grant& grant = grant_->definition;
    if (grant.case_reference_required() && records::IsBlank(request_.case_reference())) {
      return OfGrant(v1::REASON_CASE_REFERENCE_REQUIRED,
                     absl::StrCat("grant ", grant.id(), " demands a case reference."));
    }
    if (grant.end_user_required() && records::IsBlank(request_.end_user())) {
      return OfGrant(v1::REASON_END_USER_REQUIRED,
                     absl::StrCat("grant ", grant.id(), " demands the end user."));
    }
    return absl::OkStatus();
  }

  absl::Status CheckConditions() const {
    const v1::Conditions& conditions = grant_->definition.conditions();
    if (!grant_->conditions.AnswersAt(now_)) {
      return OfGrant(v1::REASON_OUTSIDE_HOURS,
                     absl::StrCat("grant ", grant_->definition.id(), " answers ",
                                  absl::StrJoin(conditions.hours(), "; "), " (",
                                  conditions.time_zone(), "), and not now."));
    }
    if (!grant_->conditions.AnswersTo(peer_)) {
      return OfGrant(v1::REASON_NETWORK_NOT_GRANTED,
                     absl::StrCat("grant ", grant_->definition.id(), " answers calls from ",
                                  absl::StrJoin(conditions.networks(), ", "), " alone."));
    }
    return absl::OkStatus();
  }

  absl::Status ChooseFields() {
    // A count without groups shows no field.
    if (request_.fields().empty() && mode_ != v1::MODE_COUNT) {
      plan_.output.reserve(grant_->granted.size());
      for (size_t i = 0; i < grant_->granted.size(); ++i) {
        plan_.output.push_back({.field = grant_->granted[i], .granted = static_cast<int>(i)});
      }
      plan_.output_schema = grant_->schema;
      plan_.left_out = grant_->left_out;
      return absl::OkStatus();
    }
    SLUICE_RETURN_IF_ERROR(FindFields());
    std::vector<records::Field> fields;
    std::vector<bool> shown(plan_.dataset->schema->size(), false);
    fields.reserve(plan_.output.size());
    for (const auto& [field, granted] : plan_.output) {
      fields.push_back(grant_->schema->field(granted));
      shown[field] = true;
    }
    plan_.output_schema = std::make_shared<const records::Schema>(std::move(fields));
    for (size_t i = 0; i < shown.size(); ++i) {
      if (!shown[i]) plan_.left_out.push_back(plan_.dataset->schema->field(i).name);
    }
    return absl::OkStatus();
  }

  // Every field asked for, or one error with all that cannot be had.
  absl::Status FindFields() {
    absl::Status unknown, missing;
    for (int i = 0; i < request_.fields_size(); ++i) {
      const auto field = plan_.dataset->IndexOf(request_.fields(i));
      const std::string path = field ? "" : absl::StrCat("fields[", i, "]");
      if (!field) {
        if (unknown.ok()) {
          unknown = OfGrant(v1::REASON_FIELD_UNKNOWN,
                            absl::StrCat("the dataset has no field of the name at ", path, "."));
          unknown = WithNearest(std::move(unknown), plan_.dataset->Nearest(request_.fields(i)));
        }
        AddFieldViolation(unknown, path, "there is no such field");
      } else if (grant_->by_field[*field] < 0) {
        const std::string& name = plan_.dataset->field(*field).name();
        if (missing.ok()) {
          missing = OfGrant(v1::REASON_FIELD_NOT_GRANTED,
                            absl::StrCat("grant ", grant_->definition.id(),
                                         " does not cover the field ", name, "."));
          AddKey(missing, "field", name);
        }
        AddFieldViolation(missing, absl::StrCat("fields[", i, "]"),
                          absl::StrCat("the grant does not cover ", name));
      } else {
        plan_.output.push_back({.field = *field, .granted = grant_->by_field[*field]});
      }
    }
    return unknown.ok() ? missing : unknown;
  }

  FilterRule RuleFor(int field) const {
    const int granted = grant_->by_field[field];
    if (granted < 0) return FilterRule::kNotGranted;
    if (catalogue::IsNone(grant_->mask(granted))) return FilterRule::kAny;
    switch (grant_->definition.fields(granted).filter()) {
      case v1::MASKED_FILTER_EXACT:
        return FilterRule::kExact;
      case v1::MASKED_FILTER_MASKED_VALUE:
        return FilterRule::kMaskedValue;
      default:
        return FilterRule::kNotAllowed;
    }
  }

  absl::Status BindPredicate() {
    FilterContext context;
    context.dataset = plan_.dataset.get();
    context.rule = [this](int field) { return RuleFor(field); };
    context.masked_column = [this](int field) { return grant_->by_field[field]; };
    context.masked_type = [this](int field) {
      return grant_->schema->field(grant_->by_field[field]).type;
    };
    auto bound = BindFilter(request_.filter(), parameters_, context);
    if (!bound.ok()) {
      absl::Status status = bound.status();
      AddKey(status, "dataset", request_.dataset());
      AddKey(status, "grant", grant_->definition.id());
      return status;
    }
    plan_.asked = std::move(bound->asked);
    plan_.names_subjects = bound->names_subjects;
    plan_.predicate = records::And(grant_->row_filter, std::move(bound->predicate));
    bool whole = true;
    plan_.raw_predicate =
        RawPart(plan_.predicate, static_cast<int>(plan_.dataset->schema->size()), &whole);
    return absl::OkStatus();
  }

  absl::Status ChoosePageSize() {
    const int32_t granted = grant_->definition.max_page_rows();
    const int32_t most =
        granted > 0 ? std::min(granted, limits_.max_page_rows) : limits_.max_page_rows;
    if (request_.page_size() > most) {
      absl::Status status = OfGrant(v1::REASON_PAGE_SIZE_TOO_LARGE,
                                    absl::StrCat("a page may have at most ", most, " rows here."));
      AddKey(status, "most", absl::StrCat(most));
      AddFieldViolation(status, "page_size", absl::StrCat("expected at most ", most));
      return status;
    }
    plan_.page_rows = request_.page_size() > 0 ? request_.page_size() : most;
    return absl::OkStatus();
  }

  // Output, key, subjects, and whatever the predicate reads.
  void ChooseScan() {
    const int width = static_cast<int>(plan_.dataset->schema->size());
    std::vector<bool> needed(width, false);
    for (const OutputField& output : plan_.output) needed[output.field] = true;
    for (const int field : plan_.dataset->key) needed[field] = true;
    for (const int field : plan_.dataset->subject_fields) needed[field] = true;
    for (const int field : records::FieldsOf(plan_.predicate)) {
      needed[field < width ? field : grant_->granted[field - width]] = true;
    }
    for (int field = 0; field < width; ++field) {
      if (needed[field]) plan_.scan_fields.push_back(field);
    }
    // Rows without a column cannot be counted.
    if (plan_.scan_fields.empty()) plan_.scan_fields.push_back(0);
  }

  const identity::Principal& principal_;
  const v1::QueryRequest& request_;
  const SnapshotPtr& snapshot_;
  const Micros now_;
  const DecideLimits& limits_;
  const v1::Mode mode_;
  const std::string_view peer_;
  Parameters parameters_;
  catalogue::DatasetPtr dataset_;
  GrantPtr grant_;
  GrantPtr nearest_;
  Plan plan_;
};

// A query with what every request for records has.
template <class Request>
v1::QueryRequest WithTheSame(const Request& request) {
  v1::QueryRequest query = WithClaims(request);
  *query.mutable_fields() = request.fields();
  query.set_filter(request.filter());
  *query.mutable_parameters() = request.parameters();
  return query;
}

}  // namespace

Decision Decide(const identity::Principal& principal, const v1::QueryRequest& request,
                const SnapshotPtr& snapshot, Micros now, const DecideLimits& limits, v1::Mode mode,
                std::string_view peer) {
  return Decider(principal, request, snapshot, now, limits, mode, peer).Run();
}

v1::QueryRequest AsQuery(const v1::ReadRequest& request) {
  v1::QueryRequest query = WithTheSame(request);
  query.set_request_id(request.request_id());
  query.set_traceparent(request.traceparent());
  return query;
}

v1::QueryRequest AsQuery(const v1::CountRequest& request) {
  v1::QueryRequest query = WithClaims(request);
  query.set_request_id(request.request_id());
  query.set_traceparent(request.traceparent());
  *query.mutable_fields() = request.group_by();
  query.set_filter(request.filter());
  *query.mutable_parameters() = request.parameters();
  return query;
}

v1::QueryRequest AsQuery(const v1::CheckRequest& request) {
  v1::QueryRequest query = WithTheSame(request);
  query.set_page_size(request.page_size());
  return query;
}

}  // namespace sluice::policy
