#include "gateway/audit/index_terms.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "gateway/base/crypto.h"

namespace sluice::audit {
namespace {

constexpr size_t kMostKnown = 50'000;

void SortUnique(std::vector<int64_t>& terms) {
  std::sort(terms.begin(), terms.end());
  terms.erase(std::unique(terms.begin(), terms.end()), terms.end());
}

}  // namespace

int64_t IndexTerms::Term(Dimension dimension, bool progress, std::string_view value) {
  std::string message{static_cast<char>(dimension), progress ? '\1' : '\0'};
  message.append(value);
  if (const auto found = known_.find(message); found != known_.end()) return found->second;
  const Hash digest = HmacSha256(key_, message);
  int64_t term = 0;
  std::memcpy(&term, digest.data(), sizeof(term));
  // Subjects, cases and streams are many and seldom come twice.
  if (dimension < Dimension::kStream) {
    if (known_.size() >= kMostKnown) known_.clear();
    known_.emplace(std::move(message), term);
  }
  return term;
}

int64_t IndexTerms::NumberTerm(Dimension dimension, bool progress, int64_t value) {
  return Term(dimension, progress, absl::StrCat(value));
}

std::vector<int64_t> IndexTerms::OfEnvelope(const v1::AuditEnvelope& envelope) {
  const bool progress = envelope.kind() == v1::RECORD_KIND_PROGRESS;
  std::vector<int64_t> terms;
  const auto add = [&](Dimension dimension, const std::string& value) {
    if (!value.empty()) terms.push_back(Term(dimension, progress, value));
  };
  add(Dimension::kAgency, envelope.actor().agency());
  add(Dimension::kPrincipal, envelope.actor().principal());
  add(Dimension::kOwner, envelope.owner_agency());
  add(Dimension::kDataset, envelope.dataset());
  add(Dimension::kGrant, envelope.grant());
  add(Dimension::kPurpose, envelope.purpose());
  add(Dimension::kLaw, envelope.basis().law());
  add(Dimension::kArticle, envelope.basis().article());
  if (const v1::RecordOutcome outcome = OutcomeOf(envelope.kind());
      outcome != v1::RECORD_OUTCOME_UNSPECIFIED)
    terms.push_back(NumberTerm(Dimension::kOutcome, progress, outcome));
  if (envelope.reason() != v1::REASON_UNSPECIFIED)
    terms.push_back(NumberTerm(Dimension::kReason, progress, envelope.reason()));
  terms.push_back(NumberTerm(Dimension::kKind, progress, envelope.kind()));
  if (ConcernsPopulation(envelope)) terms.push_back(Term(Dimension::kPopulation, progress, ""));
  if (envelope.has_opened()) terms.push_back(OfStream(envelope.opened(), progress));
  SortUnique(terms);
  return terms;
}

std::vector<int64_t> IndexTerms::OfDetail(const v1::AuditEnvelope& envelope,
                                          const v1::AuditDetail& detail) {
  const bool progress = envelope.kind() == v1::RECORD_KIND_PROGRESS;
  std::vector<int64_t> terms;
  const auto add = [&](Dimension dimension, const std::string& value) {
    if (!value.empty()) terms.push_back(Term(dimension, progress, value));
  };
  add(Dimension::kCase, detail.case_reference());
  add(Dimension::kEndUser, detail.end_user());
  add(Dimension::kOnBehalfOf, detail.on_behalf_of());
  for (const auto* subjects : {&detail.asked(), &detail.released()})
    for (const v1::SubjectPseudonym& subject : *subjects)
      add(Dimension::kSubject, subject.pseudonym());
  SortUnique(terms);
  return terms;
}

int64_t IndexTerms::OfStream(int64_t opened, bool progress) {
  return NumberTerm(Dimension::kStream, progress, opened);
}

std::vector<TermsTogether> IndexTerms::OfQuery(const RecordQuery& query, const Scope& scope) {
  std::vector<TermsTogether> any;
  if (!scope.all && scope.agency.empty()) return any;
  for (const bool progress : {false, true}) {
    const bool takes =
        progress ? query.Takes(v1::RECORD_KIND_PROGRESS) : query.kind != v1::RECORD_KIND_PROGRESS;
    if (!takes) continue;
    TermsTogether all;
    all.progress = progress;
    const auto add = [&](Dimension dimension, const std::string& value) {
      if (!value.empty()) all.terms.push_back(Term(dimension, progress, value));
    };
    add(Dimension::kAgency, query.agency);
    add(Dimension::kPrincipal, query.principal);
    add(Dimension::kOwner, query.owner);
    add(Dimension::kDataset, query.dataset);
    add(Dimension::kGrant, query.grant);
    add(Dimension::kPurpose, query.purpose);
    add(Dimension::kLaw, query.law);
    add(Dimension::kArticle, query.article);
    if (query.outcome != v1::RECORD_OUTCOME_UNSPECIFIED)
      all.terms.push_back(NumberTerm(Dimension::kOutcome, progress, query.outcome));
    if (query.reason != v1::REASON_UNSPECIFIED)
      all.terms.push_back(NumberTerm(Dimension::kReason, progress, query.reason));
    if (query.kind != v1::RECORD_KIND_UNSPECIFIED)
      all.terms.push_back(NumberTerm(Dimension::kKind, progress, query.kind));
    const auto claim = [&](Dimension dimension, const std::string& value) {
      if (!value.empty()) all.detail_terms.push_back(Term(dimension, progress, value));
    };
    claim(Dimension::kCase, query.case_reference);
    claim(Dimension::kEndUser, query.end_user);
    claim(Dimension::kOnBehalfOf, query.on_behalf_of);

    std::vector<TermsTogether> concerned;
    for (const v1::SubjectPseudonym& subject : query.subjects) {
      concerned.push_back(all);
      concerned.back().detail_terms.push_back(
          Term(Dimension::kSubject, progress, subject.pseudonym()));
    }
    if (query.subjects.empty()) {
      concerned.push_back(all);
    } else if (!query.certain) {
      concerned.push_back(all);
      concerned.back().terms.push_back(Term(Dimension::kPopulation, progress, ""));
    }

    for (TermsTogether& one : concerned) {
      if (scope.all) {
        any.push_back(std::move(one));
        continue;
      }
      if (scope.owned_datasets) {
        any.push_back(one);
        any.back().terms.push_back(Term(Dimension::kOwner, progress, scope.agency));
      }
      any.push_back(std::move(one));
      any.back().terms.push_back(Term(Dimension::kAgency, progress, scope.agency));
    }
  }
  for (TermsTogether& one : any) {
    SortUnique(one.terms);
    SortUnique(one.detail_terms);
  }
  return any;
}

}  // namespace sluice::audit
