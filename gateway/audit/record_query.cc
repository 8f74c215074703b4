#include "gateway/audit/record_query.h"

#include <algorithm>

namespace sluice::audit {
namespace {

bool Names(const google::protobuf::RepeatedPtrField<v1::SubjectPseudonym>& listed,
           const std::vector<v1::SubjectPseudonym>& subjects) {
  return std::any_of(listed.begin(), listed.end(), [&](const v1::SubjectPseudonym& one) {
    // A pseudonym's key is of one year and id type: the bytes say all.
    return std::any_of(subjects.begin(), subjects.end(), [&](const v1::SubjectPseudonym& sought) {
      return one.pseudonym() == sought.pseudonym();
    });
  });
}

bool Is(const std::string& condition, const std::string& value) {
  return condition.empty() || condition == value;
}

}  // namespace

bool RecordQuery::Takes(v1::RecordKind of) const {
  if (kind != v1::RECORD_KIND_UNSPECIFIED) return of == kind;
  // Of a stream these list the subjects.
  return of != v1::RECORD_KIND_PROGRESS || !subjects.empty();
}

Micros TimeOf(const v1::AuditEnvelope& envelope) {
  return envelope.time().seconds() * kSecond + envelope.time().nanos() / 1000;
}

v1::RecordOutcome OutcomeOf(v1::RecordKind kind) {
  switch (kind) {
    case v1::RECORD_KIND_RELEASED:
    case v1::RECORD_KIND_PREVIEWED:
    case v1::RECORD_KIND_MATCHED:
    case v1::RECORD_KIND_COUNTED:
    case v1::RECORD_KIND_PROGRESS:
    case v1::RECORD_KIND_CLOSED:
    case v1::RECORD_KIND_ABANDONED:
      return v1::RECORD_OUTCOME_LET_GO;
    case v1::RECORD_KIND_DENIED:
    case v1::RECORD_KIND_DENIALS:
      return v1::RECORD_OUTCOME_DENIED;
    case v1::RECORD_KIND_FAILED:
      return v1::RECORD_OUTCOME_FAILED;
    default:
      return v1::RECORD_OUTCOME_UNSPECIFIED;
  }
}

bool IsAnswer(v1::RecordKind kind) {
  return kind == v1::RECORD_KIND_RELEASED || kind == v1::RECORD_KIND_PREVIEWED ||
         kind == v1::RECORD_KIND_MATCHED || kind == v1::RECORD_KIND_COUNTED;
}

bool ConcernsPopulation(const v1::AuditEnvelope& envelope) {
  if (envelope.subjects_released() == v1::SUBJECT_SCOPE_POPULATION) return true;
  // Whom a question about everybody reached is certain where the answer lists its subjects.
  return envelope.subjects_asked() == v1::SUBJECT_SCOPE_POPULATION &&
         envelope.subjects_released() != v1::SUBJECT_SCOPE_LISTED;
}

v1::SubjectMatch MatchOf(const std::vector<v1::SubjectPseudonym>& subjects,
                         const v1::AuditEnvelope& envelope, const v1::AuditDetail* detail) {
  if (detail != nullptr && Names(detail->released(), subjects)) return v1::SUBJECT_MATCH_RELEASED;
  if (detail != nullptr && Names(detail->asked(), subjects)) return v1::SUBJECT_MATCH_ASKED;
  return ConcernsPopulation(envelope) ? v1::SUBJECT_MATCH_POSSIBLY : v1::SUBJECT_MATCH_UNSPECIFIED;
}

bool Allows(const Scope& scope, const v1::AuditEnvelope& envelope) {
  if (scope.all) return true;
  if (scope.agency.empty()) return false;
  return envelope.actor().agency() == scope.agency ||
         (scope.owned_datasets && envelope.owner_agency() == scope.agency);
}

bool Matches(const RecordQuery& query, const Scope& scope, const v1::AuditEnvelope& envelope,
             const v1::AuditDetail* detail) {
  if (!Allows(scope, envelope) || !query.Takes(envelope.kind())) return false;
  const Micros time = TimeOf(envelope);
  if (query.since && time < *query.since) return false;
  if (query.until && time >= *query.until) return false;
  if (!Is(query.agency, envelope.actor().agency()) ||
      !Is(query.principal, envelope.actor().principal()) ||
      !Is(query.owner, envelope.owner_agency()) || !Is(query.dataset, envelope.dataset()) ||
      !Is(query.grant, envelope.grant()) || !Is(query.purpose, envelope.purpose()) ||
      !Is(query.law, envelope.basis().law()) || !Is(query.article, envelope.basis().article()))
    return false;
  if (query.outcome != v1::RECORD_OUTCOME_UNSPECIFIED &&
      OutcomeOf(envelope.kind()) != query.outcome)
    return false;
  if (query.reason != v1::REASON_UNSPECIFIED && envelope.reason() != query.reason) return false;
  if (!query.subjects.empty()) {
    const v1::SubjectMatch match = MatchOf(query.subjects, envelope, detail);
    if (match == v1::SUBJECT_MATCH_UNSPECIFIED ||
        (query.certain && match == v1::SUBJECT_MATCH_POSSIBLY))
      return false;
  }
  if (query.case_reference.empty() && query.end_user.empty() && query.on_behalf_of.empty())
    return true;
  return detail != nullptr && Is(query.case_reference, detail->case_reference()) &&
         Is(query.end_user, detail->end_user()) && Is(query.on_behalf_of, detail->on_behalf_of());
}

}  // namespace sluice::audit
