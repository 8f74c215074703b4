// The settings of a source of kind `fixed`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/files/encoding.h"
#include "adapters/files/settings.h"
#include "adapters/fixed/layout.h"

namespace sluice::adapters::fixed {

enum class RecordEnd { kLfOrCrLf, kLf, kCrLf, kNone };

// How a column's text is made to a value; beside files::ValueRule.
struct FieldRule {
  bool drops_leading_zeros = false;  // of numbers
  int64_t implied_decimals = 0;      // digits behind a point that is not written
};

struct FixedSettings {
  std::map<std::string, RecordLayout, std::less<>> layouts;  // by table; "" for all others
  files::Encoding encoding = files::Encoding::kUtf8;
  bool counts_characters = false;  // else bytes
  RecordEnd record_end = RecordEnd::kLfOrCrLf;
  bool needs_last_record_end = true;
  bool pads_short_records = false;
  char pad = ' ';
  bool trims_left = false, trims_right = true;
  bool blank_is_null = true;
  std::vector<std::string> null_words;
  int64_t skip_lines = 0;
  files::ColumnRules rules;
  Settings field_rules;

  // Null where nothing is said of the table.
  const RecordLayout* LayoutOf(std::string_view table) const;
  FieldRule FieldRuleOf(std::string_view table, std::string_view column) const;
};

struct FixedSource {
  FixedSettings format;
  files::FileSettings files;
};

// DEFINITION_INVALID naming every wrong setting at once.
absl::StatusOr<FixedSource> ParseFixedSettings(const Settings& settings);

}  // namespace sluice::adapters::fixed
