// The settings of a source of kind `fixed`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/files/code_page.h"
#include "adapters/files/encoding.h"
#include "adapters/files/settings.h"
#include "adapters/fixed/layout.h"

namespace sluice::adapters::fixed {

// kNel is EBCDIC's next line, 15.
enum class RecordEnd { kLfOrCrLf, kLf, kCrLf, kNel, kNone };

// How a column's text is made to a value; beside files::ValueRule.
struct FieldRule {
  bool drops_leading_zeros = false;  // of numbers
  int64_t implied_decimals = 0;      // digits behind a point that is not written
};

struct FixedSettings {
  std::map<std::string, RecordLayout, std::less<>> layouts;  // by table; "" for all others
  files::Encoding encoding = files::Encoding::kUtf8;
  // Of all other encodings; then `encoding` is nothing.
  std::shared_ptr<const files::CodePage> page;
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

  bool ebcdic() const { return page != nullptr && page->ebcdic(); }
  size_t unit() const { return page != nullptr ? 1 : files::UnitSize(encoding); }  // in bytes
  // How many bytes of UTF-8 a byte of the file becomes at most.
  int64_t expansion() const {
    return page != nullptr ? page->expansion() : static_cast<int64_t>(files::Expansion(encoding));
  }
  char record_end_byte() const {
    if (!ebcdic()) return '\n';
    return record_end == RecordEnd::kNel ? '\x15' : '\x25';
  }
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
