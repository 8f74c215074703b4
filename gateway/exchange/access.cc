#include "gateway/exchange/access.h"

#include "absl/strings/str_cat.h"
#include "gateway/base/error.h"
#include "gateway/exchange/released_subjects.h"

namespace sluice::exchange {
namespace {

constexpr size_t kMostClaim = 1000;

std::string Deterministic(const google::protobuf::Message& message) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    message.SerializeToCodedStream(&coded);
  }
  return bytes;
}

}  // namespace

v1::RecordKind KindFor(const absl::Status& status) {
  const v1::Reason reason = ReasonOf(status);
  return reason != v1::REASON_UNSPECIFIED && reason < v1::REASON_TOO_MANY_CALLS
             ? v1::RECORD_KIND_DENIED
             : v1::RECORD_KIND_FAILED;
}

std::string RequestDigest(v1::QueryRequest request, const audit::Pseudonyms& pseudonyms) {
  request.clear_request_id();
  request.clear_traceparent();
  return pseudonyms.ForRequest(Deterministic(request));
}

std::string RequestDigest(v1::ReadRequest request, const audit::Pseudonyms& pseudonyms) {
  request.clear_request_id();
  request.clear_traceparent();
  request.clear_resume_token();
  // No query's bytes begin like this: they begin with the tag of a field.
  return pseudonyms.ForRequest(absl::StrCat("\nread\n", Deterministic(request)));
}

std::string RequestDigest(v1::MatchRequest request, const audit::Pseudonyms& pseudonyms) {
  request.clear_request_id();
  request.clear_traceparent();
  return pseudonyms.ForRequest(absl::StrCat("\nmatch\n", Deterministic(request)));
}

std::string RequestDigest(v1::CountRequest request, const audit::Pseudonyms& pseudonyms) {
  request.clear_request_id();
  request.clear_traceparent();
  return pseudonyms.ForRequest(absl::StrCat("\ncount\n", Deterministic(request)));
}

void FillSource(const adapters::SourceVersion& version, bool snapshot, int64_t bad_values,
                v1::Applied& applied) {
  applied.set_source_version(version.version);
  applied.set_snapshot(snapshot);
  if (version.as_of) {
    applied.mutable_data_as_of()->set_seconds(*version.as_of / kSecond);
    applied.mutable_data_as_of()->set_nanos(static_cast<int32_t>(*version.as_of % kSecond * 1000));
  }
  applied.set_bad_values(bad_values);
  applied.set_records_rejected(version.rejected_records > 0);
}

void Access::NameRequest() {
  request_id = request.request_id().empty() ? call.call_id : request.request_id();
}

TokenBinding Access::Binding(std::string digest) const {
  const v1::Grant& grant = plan->grant->definition;
  return {call.principal->path,
          grant.id(),
          grant.revision(),
          grant.dataset(),
          plan->dataset->definition.revision(),
          std::move(digest)};
}

absl::Status Access::TakeRequestId(std::string digest) {
  NameRequest();
  if (request.request_id().empty()) return absl::OkStatus();
  request_id_digest =
      parts.pseudonyms.ForRequest(absl::StrCat(call.principal->path, "\n", request_id));
  request_digest = std::move(digest);
  SLUICE_ASSIGN_OR_RETURN(place,
                          parts.request_ids.Take(request_id_digest, request_digest, started));
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<SourceAtWork>> Access::FindSource() const {
  SLUICE_RETURN_IF_ERROR(parts.drift.Check(*plan->dataset));
  const std::string& id = plan->dataset->definition.source();
  std::shared_ptr<SourceAtWork> source;
  if (snapshot->directory->sources.contains(id)) source = parts.sources.Find(id);
  if (source != nullptr) return source;
  return Error(v1::REASON_SOURCE_UNAVAILABLE,
               absl::StrCat("source ", id, " is not set up. Nothing was released."),
               {{"source", id}});
}

audit::Draft Access::Denied(const policy::Denial& denial) const {
  audit::Draft draft = DraftFor(v1::RECORD_KIND_DENIED, call);
  v1::AuditEnvelope& envelope = draft.envelope;
  // A name that is no dataset's may be anything, an identifier too: it is not kept.
  if (denial.dataset != nullptr) {
    envelope.set_dataset(denial.dataset->definition.name());
    envelope.set_dataset_revision(denial.dataset->definition.revision());
    envelope.set_owner_agency(denial.dataset->owner_agency);
    if (snapshot->directory->purposes.contains(request.purpose()))
      envelope.set_purpose(request.purpose());
  }
  if (denial.grant != nullptr) {
    envelope.set_grant(denial.grant->definition.id());
    envelope.set_grant_revision(denial.grant->definition.revision());
  }
  FillAsked(denial.dataset.get(), denial.asked, !denial.asked.empty(), draft);
  envelope.set_subjects_released(v1::SUBJECT_SCOPE_NONE);
  // A claim that could keep the refusal from being recorded is left out.
  const auto claim = [](const std::string& said) {
    return said.size() <= kMostClaim ? said : std::string();
  };
  draft.detail.set_case_reference(claim(request.case_reference()));
  draft.detail.set_end_user(claim(request.end_user()));
  draft.detail.set_on_behalf_of(claim(request.on_behalf_of()));
  return draft;
}

void Access::FillGrant(v1::AuditEnvelope& envelope) const {
  const v1::Grant& grant = plan->grant->definition;
  envelope.set_dataset(grant.dataset());
  envelope.set_dataset_revision(plan->dataset->definition.revision());
  envelope.set_owner_agency(plan->dataset->owner_agency);
  envelope.set_grant(grant.id());
  envelope.set_grant_revision(grant.revision());
  envelope.set_purpose(plan->purpose);
  envelope.mutable_basis()->set_law(grant.basis().law());
  envelope.mutable_basis()->set_article(grant.basis().article());
  envelope.set_subjects_asked(v1::SUBJECT_SCOPE_NONE);
  envelope.set_subjects_released(v1::SUBJECT_SCOPE_NONE);
}

void Access::FillPlan(audit::Draft& draft) const {
  v1::AuditEnvelope& envelope = draft.envelope;
  const v1::Grant& grant = plan->grant->definition;
  FillGrant(envelope);
  envelope.set_repeats(place.first);
  envelope.set_request_id_digest(request_id_digest);
  envelope.set_request_digest(request_digest);
  FillAsked(plan->dataset.get(), plan->asked, plan->names_subjects, draft);

  v1::AuditDetail& detail = draft.detail;
  detail.set_request_id(request_id);
  detail.set_traceparent(request.traceparent());
  detail.set_case_reference(request.case_reference());
  detail.set_end_user(request.end_user());
  detail.set_on_behalf_of(request.on_behalf_of());
  detail.set_filter(request.filter());
  detail.set_row_filter(grant.row_filter());
  detail.set_page_size(request.page_size());
  for (const auto& [name, values] : request.parameters()) {
    v1::ParameterDigest* parameter = detail.add_parameters();
    parameter->set_name(name);
    for (const v1::Value& value : values.values())
      parameter->add_digests(
          parts.pseudonyms.ForParameter(grant.dataset(), value.SerializeAsString()));
  }
  for (const policy::OutputField& output : plan->output) {
    v1::FieldUse* use = detail.add_fields();
    const v1::GrantedField& granted = grant.fields(output.granted);
    use->set_name(granted.name());
    if (granted.has_mask()) *use->mutable_mask() = granted.mask();
  }
}

void Access::FillAsked(const catalogue::Dataset* dataset,
                       const std::vector<policy::BoundFilter::Asked>& asked, bool named,
                       audit::Draft& draft) const {
  if (dataset == nullptr || dataset->subject_fields.empty()) {
    draft.envelope.set_subjects_asked(v1::SUBJECT_SCOPE_NONE);
    return;
  }
  draft.envelope.set_subjects_asked(named ? v1::SUBJECT_SCOPE_LISTED
                                          : v1::SUBJECT_SCOPE_POPULATION);
  SubjectList subjects(parts.pseudonyms, started, *draft.detail.mutable_asked());
  for (const auto& [field, raw] : asked) subjects.Add(dataset->field(field).subject(), raw);
}

void Access::FillApplied(v1::Applied& applied) const {
  const v1::Grant& grant = plan->grant->definition;
  applied.set_grant(grant.id());
  applied.set_grant_revision(grant.revision());
  applied.set_dataset_revision(plan->dataset->definition.revision());
  applied.set_purpose(plan->purpose);
  *applied.mutable_basis() = grant.basis();
  for (const policy::OutputField& output : plan->output) {
    v1::AppliedField* field = applied.add_fields();
    const v1::GrantedField& granted = grant.fields(output.granted);
    field->set_name(granted.name());
    if (granted.has_mask()) *field->mutable_mask() = granted.mask();
  }
  for (const std::string& name : plan->left_out) applied.add_left_out(name);
  applied.set_row_filter(grant.row_filter());
  applied.set_ordered(plan->ordered);
}

void Access::Refuse(absl::Status why, audit::Draft draft,
                    std::function<void(absl::Status)> told) const {
  parts.request_ids.GiveBack(place);
  absl::Status said = PublicStatus(why, call.call_id, parts.operations);
  AddKey(said, "call", call.call_id);
  if (!request_id.empty()) AddKey(said, "request_id", request_id);
  draft.envelope.set_reason(ReasonOf(said));
  draft.detail.set_message(std::string(said.message()));
  draft.detail.set_request_id(request_id);
  auto answer = [said, told = std::move(told), id = call.call_id,
                 &operations = parts.operations](absl::StatusOr<int64_t> index) mutable {
    if (!index.ok()) {
      // What could not be recorded is not even told apart.
      said = PublicStatus(index.status(), id, operations);
      AddKey(said, "call", id);
    } else if (*index >= 0) {
      AddKey(said, "index", absl::StrCat(*index));
    }
    told(std::move(said));
  };
  if (draft.envelope.kind() == v1::RECORD_KIND_DENIED)
    return parts.denials.Record(std::move(draft), std::move(answer));
  auto sealed = parts.sealer.Seal(std::move(draft));
  if (!sealed.ok()) return answer(sealed.status());
  parts.log.Append(*std::move(sealed),
                   [answer = std::move(answer)](absl::StatusOr<v1::Receipt> receipt) mutable {
                     if (!receipt.ok()) return answer(receipt.status());
                     answer(receipt->index());
                   });
}

}  // namespace sluice::exchange
