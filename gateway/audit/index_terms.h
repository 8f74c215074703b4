// What the search index holds of a record: terms, 64-bit keyed digests of a dimension and a value.
// Nothing can be read from them; whoever knows a value and the gateway's key finds the records that
// have it. A search is an OR of ANDs of terms.
//
// What stands in details gives terms of its own kind, which are kept apart: they go when their
// month's key of details goes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "gateway/audit/record_query.h"

namespace sluice::audit {

// All of these terms hold; records of streams' steps (PROGRESS), or all others.
struct TermsTogether {
  std::vector<int64_t> terms;         // of envelopes
  std::vector<int64_t> detail_terms;  // of details
  bool progress = false;
};

// One thread at a time.
class IndexTerms {
 public:
  explicit IndexTerms(std::string key) : key_(std::move(key)) {}

  std::vector<int64_t> OfEnvelope(const v1::AuditEnvelope& envelope);
  std::vector<int64_t> OfDetail(const v1::AuditEnvelope& envelope, const v1::AuditDetail& detail);
  // Of a record of the stream that the OPENED record of this index begins; progress or not.
  int64_t OfStream(int64_t opened, bool progress);
  // A record meets query (its time aside) and scope exactly where it has all terms of one of these.
  // None: no record does.
  std::vector<TermsTogether> OfQuery(const RecordQuery& query, const Scope& scope);

 private:
  enum class Dimension : char {
    kAgency = 1,
    kPrincipal,
    kOwner,
    kDataset,
    kGrant,
    kPurpose,
    kLaw,
    kArticle,
    kOutcome,
    kReason,
    kKind,
    kPopulation,
    kStream,
    kCase,
    kEndUser,
    kOnBehalfOf,
    kSubject,
  };
  int64_t Term(Dimension dimension, bool progress, std::string_view value);
  int64_t NumberTerm(Dimension dimension, bool progress, int64_t value);

  const std::string key_;
  std::unordered_map<std::string, int64_t> known_;
};

}  // namespace sluice::audit
