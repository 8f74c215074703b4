// Filter text (docs/filters.md), after AIP-160: comparisons, AND, OR, NOT, parentheses, in one
// pass with positions; AND beside OR needs parentheses. Values are literals or $parameters.
//
//   county = "Dongcheng" AND (born >= 1990-01-01 OR born = null)      id_number = $id
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/catalogue/dataset.h"
#include "gateway/records/predicate.h"
#include "sluice/v1/values.pb.h"

namespace sluice::policy {

using Parameters = std::map<std::string, const v1::ParameterValues*, std::less<>>;

// How one field may be filtered on.
enum class FilterRule {
  kAny,          // as it is
  kExact,        // name = $parameter of one value, joined by AND only, at the top
  kMaskedValue,  // any comparison, but with the masked value
  kUnknown,      // FIELD_UNKNOWN
  kNotGranted,   // FIELD_NOT_GRANTED
  kNotAllowed,   // FILTER_NOT_ALLOWED
};

struct FilterContext {
  const catalogue::Dataset* dataset = nullptr;
  std::function<FilterRule(int field)> rule;  // by index in the dataset
  // The type that a kMaskedValue field is compared as.
  std::function<records::DataType(int field)> masked_type;
  // And the number of its masked column, which Predicate::field holds on top of the schema's size.
  std::function<int(int field)> masked_column;
  // False: literals on fields of class L3 and above, and on those that name data subjects, are
  // FILTER_LITERAL_NOT_ALLOWED.
  bool sensitive_literals = false;
};

struct BoundFilter {
  // Predicate::field indexes the dataset's schema for raw fields, and the schema's size plus
  // masked_column for masked ones: see Plan::predicate.
  records::Predicate predicate;
  // Values that fields which name data subjects must equal (unmasked): (field, text), for the
  // record.
  struct Asked {
    int field;
    std::string raw;
  };
  std::vector<Asked> asked;
  // Whether it can only be true for rows of the asked subjects (a top-level equality or list on a
  // subject field).
  bool names_subjects = false;
};

// Empty text is no condition. Bounds: 4,096 bytes, depth 32, 256 comparisons, 4,000 values over all
// comparisons together (a list counts wherever it is used). Errors: FILTER_INVALID
// (with position, from 1, in code points: field violation "filter:17"), FIELD_UNKNOWN,
// FIELD_NOT_GRANTED, FILTER_NOT_ALLOWED, FILTER_LITERAL_NOT_ALLOWED, PARAMETER_INVALID (missing,
// unused, null, wrong type, more than 1,000 values). Texts of errors never hold a value, be it a
// parameter's or a literal.
absl::StatusOr<BoundFilter> BindFilter(std::string_view text, const Parameters& parameters,
                                       const FilterContext& context);

// What a filter that may not run asks about, for the record of its refusal: whatever of its
// parameters and literals can be read, with no regard to what is allowed. Nothing where the text
// cannot be parsed.
struct AskedAbout {
  std::vector<BoundFilter::Asked> asked;
  bool names_subjects = false;
};
AskedAbout ReadAsked(std::string_view text, const Parameters& parameters,
                     const catalogue::Dataset& dataset);

}  // namespace sluice::policy
