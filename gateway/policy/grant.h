// A grant made ready for decisions. Immutable.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/base/clock.h"
#include "gateway/catalogue/dataset.h"
#include "gateway/policy/conditions.h"
#include "gateway/records/predicate.h"
#include "sluice/v1/sharing.pb.h"

namespace sluice::policy {

struct Grant {
  v1::Grant definition;
  catalogue::DatasetPtr dataset;
  records::Predicate row_filter;  // over the dataset's schema
  std::vector<int> granted;       // per definition.fields(i): index in the dataset's schema
  // Per field of the dataset: index in definition.fields, or -1.
  std::vector<int> by_field;
  Conditions conditions;
  // The key is granted as it is, whole: rows may come in its order, and in pages.
  bool key_visible = false;

  // In force from `begins` on, and no longer at `ends`.
  Micros begins = 0;
  Micros ends = 0;
  // For calls that ask for all that is granted, made once: the masked columns' names and types, and
  // the dataset's other fields.
  records::SchemaPtr schema;
  std::vector<std::string> left_out;

  const v1::Mask& mask(int granted_index) const;
};
using GrantPtr = std::shared_ptr<const Grant>;

// Whether its consumer sees rows, and not only answers about them.
bool ShowsRows(const v1::Grant& definition);

// DEFINITION_INVALID with field violations: unknown fields, masks that do not fit or are weaker
// than the field's least_mask, a filter rule that a mask cannot have (EXACT not on an unmasked
// field, MASKED_VALUE on null), rules of Match that do not fit their field or lack what they need,
// duties and conditions that say nothing or twice, a row filter that does not bind (literals on
// class L3 and above are refused there too), no purpose or one that the dataset does not list, no
// basis, no end, end before begin, withheld dataset, unknown mode. Whether agency and systems exist
// is checked on applying.
absl::StatusOr<GrantPtr> Compile(const v1::Grant& definition, catalogue::DatasetPtr dataset);

}  // namespace sluice::policy
