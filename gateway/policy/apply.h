// Carries out a plan on rows: the whole predicate, then masks, then only the fields asked for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/audit/subjects.h"
#include "gateway/policy/decide.h"
#include "gateway/records/types.h"

namespace sluice::policy {

// One masked column. Null stays null under every mask. Pseudonyms depend on consumer, field and
// value, and for subject fields on the canonical id, so that joins over one consumer's datasets work.
records::Column ApplyMask(const v1::Mask& mask, const records::Column& column,
                          const catalogue::Dataset& dataset, int field,
                          std::string_view consumer_agency, const audit::Pseudonyms& pseudonyms);

struct Applied {
  records::RecordBatch output;      // plan.output_schema
  std::vector<int64_t> kept;        // row numbers of the scanned batch, ascending
};

// `scanned` has the columns plan.scan_fields, in that order. At most `most` rows are kept.
absl::StatusOr<Applied> Apply(const Plan& plan, const records::RecordBatch& scanned, int64_t most,
                              const audit::Pseudonyms& pseudonyms);

// An order of the rows that depends on nothing but what the consumer sees anyway: by a keyed digest of
// each output row. For plans whose key is hidden.
std::vector<int64_t> ShuffleOrder(const records::RecordBatch& output, std::string_view key);

}  // namespace sluice::policy
