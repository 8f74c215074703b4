// What a Query's records say.
#include <set>

#include "gateway/base/error.h"
#include "gateway/exchange/query_run.h"

namespace sluice::exchange {
namespace {

using PseudonymKey = std::pair<std::string, std::string>;

void AddSubject(const audit::Pseudonyms& pseudonyms, const std::string& id_type,
                std::string_view raw, Micros now, std::set<PseudonymKey>& seen,
                google::protobuf::RepeatedPtrField<v1::SubjectPseudonym>* out) {
  v1::SubjectPseudonym subject = pseudonyms.ForSubject(id_type, raw, now);
  if (seen.emplace(id_type, subject.pseudonym()).second) *out->Add() = std::move(subject);
}

}  // namespace

void QueryRun::FillPlan(audit::Draft& draft) const {
  v1::AuditEnvelope& envelope = draft.envelope;
  const v1::Grant& grant = plan_->grant->definition;
  envelope.set_dataset(grant.dataset());
  envelope.set_dataset_revision(plan_->dataset->definition.revision());
  envelope.set_owner_agency(plan_->dataset->owner_agency);
  envelope.set_grant(grant.id());
  envelope.set_grant_revision(grant.revision());
  envelope.set_purpose(plan_->purpose);
  envelope.mutable_basis()->set_law(grant.basis().law());
  envelope.mutable_basis()->set_article(grant.basis().article());
  if (position_) envelope.set_first_page(position_->first_page);
  envelope.set_repeats(place_.first);
  envelope.set_request_id_digest(request_id_digest_);
  envelope.set_request_digest(request_digest_);
  envelope.set_subjects_released(v1::SUBJECT_SCOPE_NONE);
  FillAsked(plan_->dataset.get(), plan_->asked, plan_->names_subjects, draft);

  v1::AuditDetail& detail = draft.detail;
  detail.set_request_id(request_id_);
  detail.set_traceparent(request_.traceparent());
  detail.set_case_reference(request_.case_reference());
  detail.set_end_user(request_.end_user());
  detail.set_on_behalf_of(request_.on_behalf_of());
  detail.set_filter(request_.filter());
  detail.set_row_filter(grant.row_filter());
  detail.set_page_size(request_.page_size());
  for (const auto& [name, values] : request_.parameters()) {
    v1::ParameterDigest* parameter = detail.add_parameters();
    parameter->set_name(name);
    for (const v1::Value& value : values.values())
      parameter->add_digests(
          parts_.pseudonyms.ForParameter(grant.dataset(), value.SerializeAsString()));
  }
  for (const policy::OutputField& output : plan_->output) {
    v1::FieldUse* use = detail.add_fields();
    const v1::GrantedField& granted = grant.fields(output.granted);
    use->set_name(granted.name());
    if (granted.has_mask()) *use->mutable_mask() = granted.mask();
  }
}

void QueryRun::FillAsked(const catalogue::Dataset* dataset,
                         const std::vector<policy::BoundFilter::Asked>& asked, bool named,
                         audit::Draft& draft) const {
  if (dataset == nullptr || dataset->subject_fields.empty()) {
    draft.envelope.set_subjects_asked(v1::SUBJECT_SCOPE_NONE);
    return;
  }
  draft.envelope.set_subjects_asked(named ? v1::SUBJECT_SCOPE_LISTED
                                          : v1::SUBJECT_SCOPE_POPULATION);
  std::set<PseudonymKey> seen;
  for (const auto& [field, raw] : asked)
    AddSubject(parts_.pseudonyms, dataset->field(field).subject(), raw, started_, seen,
               draft.detail.mutable_asked());
}

void QueryRun::FillReleased(const Page& page, audit::Draft& draft) const {
  const catalogue::Dataset& dataset = *plan_->dataset;
  if (dataset.subject_fields.empty()) return;
  draft.envelope.set_subjects_released(v1::SUBJECT_SCOPE_LISTED);
  std::set<PseudonymKey> seen;
  for (const auto& row : page.subjects) {
    for (size_t i = 0; i < row.size(); ++i) {
      if (!row[i].empty())
        AddSubject(parts_.pseudonyms, dataset.field(dataset.subject_fields[i]).subject(), row[i],
                   started_, seen, draft.detail.mutable_released());
    }
  }
}

void QueryRun::FillApplied(const Page& page) {
  const v1::Grant& grant = plan_->grant->definition;
  v1::Applied& applied = *response_.mutable_applied();
  applied.set_grant(grant.id());
  applied.set_grant_revision(grant.revision());
  applied.set_dataset_revision(plan_->dataset->definition.revision());
  applied.set_purpose(plan_->purpose);
  *applied.mutable_basis() = grant.basis();
  for (const policy::OutputField& output : plan_->output) {
    v1::AppliedField* field = applied.add_fields();
    const v1::GrantedField& granted = grant.fields(output.granted);
    field->set_name(granted.name());
    if (granted.has_mask()) *field->mutable_mask() = granted.mask();
  }
  for (const std::string& name : plan_->left_out) applied.add_left_out(name);
  applied.set_row_filter(grant.row_filter());
  applied.set_ordered(plan_->ordered);
  applied.set_source_version(page.version.version);
  applied.set_snapshot(page.snapshot);
  if (page.version.as_of) {
    applied.mutable_data_as_of()->set_seconds(*page.version.as_of / kSecond);
    applied.mutable_data_as_of()->set_nanos(
        static_cast<int32_t>(*page.version.as_of % kSecond * 1000));
  }
  applied.set_bad_values(BadValues(page));
}

}  // namespace sluice::exchange
