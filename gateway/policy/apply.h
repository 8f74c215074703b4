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

// One masked column, of type catalogue::MaskedType. Null stays null under every mask. docs/masks.md
// says what each does at the edges. Where the field has a least_mask of the same kind, that is
// applied first, so that no mask shows what the floor hides. Pseudonyms depend on consumer, field
// and value, and for subject fields on the canonical id and the id type in the field's place, so
// that joins over one consumer's datasets work.
records::Column ApplyMask(const v1::Mask& mask, const records::Column& column,
                          const catalogue::Dataset& dataset, int field,
                          std::string_view consumer_agency, const audit::Pseudonyms& pseudonyms);

// The order in which rows are told where the grant hides the key: by a keyed digest of the rows as
// they leave, so that it depends on nothing that is hidden. Row numbers for RecordBatch::Take.
std::vector<int64_t> ShuffleOrder(const records::RecordBatch& output, std::string_view key);

struct Applied {
  records::RecordBatch output;  // plan.output_schema
  std::vector<int64_t> kept;    // row numbers of the scanned batch, ascending
};

// `scanned` has the columns plan.scan_fields, in that order. At most `most` rows are kept. INTERNAL
// where the source's adapter gave other columns than were asked for.
absl::StatusOr<Applied> Apply(const Plan& plan, const records::RecordBatch& scanned, int64_t most,
                              const audit::Pseudonyms& pseudonyms);

}  // namespace sluice::policy
