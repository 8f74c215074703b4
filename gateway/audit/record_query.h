// What may be asked of the log, and whether a record answers it: the one meaning of a search, which
// the index only makes fast and the tail follows.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "gateway/base/clock.h"
#include "sluice/v1/audit.pb.h"

namespace sluice::audit {

// What the asker may see: decided by the caller of the search.
struct Scope {
  bool all = false;             // an auditor
  std::string agency;           // records of this agency's own acts, and
  bool owned_datasets = false;  // those on datasets that it owns
};

// All conditions hold together; empty or unset ones do not count. RecordFilter says what each is.
struct RecordQuery {
  std::optional<Micros> since, until;  // until is not included
  std::string agency, principal, owner, dataset, grant, purpose, law, article;
  v1::RecordOutcome outcome = v1::RECORD_OUTCOME_UNSPECIFIED;
  v1::Reason reason = v1::REASON_UNSPECIFIED;
  v1::RecordKind kind = v1::RECORD_KIND_UNSPECIFIED;
  std::string case_reference, end_user, on_behalf_of;
  std::vector<v1::SubjectPseudonym> subjects;  // of one person, one for each key year
  bool certain = false;

  // Whether a condition is on what stands in details.
  bool AsksDetails() const {
    return !case_reference.empty() || !end_user.empty() || !on_behalf_of.empty() ||
           !subjects.empty();
  }
  // Whether records of this kind are looked at.
  bool Takes(v1::RecordKind of) const;
};

Micros TimeOf(const v1::AuditEnvelope& envelope);

v1::RecordOutcome OutcomeOf(v1::RecordKind kind);
// Whether such a record is of an answer that was let go whole: its digest is that of the payload.
bool IsAnswer(v1::RecordKind kind);

// Whether the record does not list all the subjects that it may concern.
bool ConcernsPopulation(const v1::AuditEnvelope& envelope);

// How a record concerns the person of these pseudonyms; UNSPECIFIED where it does not. `detail` is
// null where it is erased.
v1::SubjectMatch MatchOf(const std::vector<v1::SubjectPseudonym>& subjects,
                         const v1::AuditEnvelope& envelope, const v1::AuditDetail* detail);

bool Allows(const Scope& scope, const v1::AuditEnvelope& envelope);

// Whether the record is within the scope and meets every condition. A condition on a detail that is
// erased (null) is not met.
bool Matches(const RecordQuery& query, const Scope& scope, const v1::AuditEnvelope& envelope,
             const v1::AuditDetail* detail);

}  // namespace sluice::audit
