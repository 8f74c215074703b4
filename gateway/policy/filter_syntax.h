// Filter text as a tree, before anything is known of fields and types: docs/filters.md has the
// grammar. One pass, no regular expressions, no allocation but the tree's.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "gateway/records/predicate.h"
#include "sluice/v1/reason.pb.h"

namespace sluice::policy {

inline constexpr size_t kMaxFilterBytes = 4096;
inline constexpr int kMaxFilterDepth = 32;
inline constexpr int kMaxFilterComparisons = 256;

// What a field is compared with.
struct FilterOperand {
  enum class Kind { kNull, kBool, kBare, kText, kParameter };
  Kind kind = Kind::kNull;
  // kBool: "true", "false". kBare: a number, date or time as it stands. kText: what the quotes
  // hold, without the escapes. kParameter: the name without the dollar sign.
  std::string text;
  size_t offset = 0;  // in bytes
};

struct FilterNode {
  // kAnd, kOr (two children or more), kNot (one), else a comparison; kIsNull for "= null", under a
  // kNot for "!= null". kTrue for empty text.
  records::Op op = records::Op::kTrue;
  std::string_view field;  // borrows from the text
  FilterOperand operand;
  size_t offset = 0;  // of the field's name, in bytes
  std::vector<FilterNode> children;
};

// FILTER_INVALID, with position.
absl::StatusOr<FilterNode> ParseFilter(std::string_view text ABSL_ATTRIBUTE_LIFETIME_BOUND);

// "SENTENCE, at 17." with the violation "filter:17", which holds the remedy, or else the sentence.
absl::Status FilterError(v1::Reason reason, std::string_view text, size_t offset,
                         std::string_view sentence, std::string_view remedy = "");

// Letters, digits and underscores, beginning with no digit, at most 63: names of parameters.
bool IsParameterName(std::string_view text);

}  // namespace sluice::policy
