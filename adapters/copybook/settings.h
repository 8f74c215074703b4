// The settings of a source of kind `copybook`; docs/adapters/copybook.md has the tables.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/copybook/numbers.h"
#include "adapters/copybook/scanner.h"
#include "adapters/files/code_page.h"
#include "adapters/files/settings.h"

namespace sluice::adapters::copybook {

// What ends a record.
enum class RecordFormat {
  kFixed,         // its length
  kCounted,       // what its OCCURS DEPENDING ON say
  kRdw,           // a record descriptor word before it
  kBlocked,       // the same, in blocks with a descriptor word of their own
  kFixedBlocked,  // its length, in blocks with a descriptor word
  kLengthField,   // a field in it
  kLines,         // a line end behind it
};

// A descriptor word: four bytes, of which two hold a length.
struct DescriptorWord {
  bool little = false;        // 00 00 LL HH; else HH LL 00 00
  bool counts_itself = true;  // its length is with its own four bytes
  int64_t adjustment = 0;     // added to what it says
};

struct RecordSettings {
  RecordFormat format = RecordFormat::kFixed;
  int64_t record_length = 0;  // 0: the copybook's
  DescriptorWord rdw, bdw;
  int64_t file_start = 0, file_end = 0;      // bytes of the file that are no records
  int64_t record_start = 0, record_end = 0;  // bytes of a record that are not the copybook's
  int64_t skip_records = 0, skip_last_records = 0;
  std::string length_field;
  int64_t length_adjustment = 0;
  std::optional<bool> short_is_null;  // what a record is too short for; else as the format has it
  bool cuts_long = false;
  bool needs_last_line_end = true;
};

enum class Trim { kNone, kLeft, kRight, kBoth };

// FIELD=VALUE,VALUE…
struct ConditionText {
  std::string field;
  std::vector<std::string> values;
};

// One part of each file: the records whose segment field has one of the values.
struct SegmentText {
  std::string name;
  std::vector<std::string> values;
  std::string group;  // alone of those that lie over one another; or empty
};

struct CopybookSettings {
  std::vector<std::string> copybooks;  // paths, of one or of several
  ReferenceFormat reference_format = ReferenceFormat::kFixed;
  std::shared_ptr<const files::CodePage> page;
  RecordSettings records;

  bool variable_occurs = true;
  bool comp_little = false, native_little = false, small_binaries = false;
  bool limited_binaries = false;
  FloatForm floats = FloatForm::kIbm;
  bool national_little = false;
  bool relaxed = false;
  bool edited_numbers = false;

  Trim trim = Trim::kRight;
  bool low_values_null = true;     // a text of nothing but X'00'
  bool blank_text_null = false;    // a text of nothing but blanks
  bool blank_numbers_null = true;  // a number, date, … of nothing but blanks or X'00'

  bool qualified = false;
  bool underscores = false;
  bool fillers = false;
  std::vector<std::string> leave_out;
  std::vector<std::string> group_texts;  // groups that are columns as well
  // By "occurs", "occurs.TABLE", "rows", "rows.TABLE".
  std::map<std::string, std::string> by_table;
  std::map<std::string, ConditionText> redefines;  // by item
  std::map<std::string, ConditionText> null_if;    // by column
  std::map<std::string, std::string> length_of;    // by column, the field
  std::map<std::string, bool> binary_formats;      // by "binary_format…": whether it is text
  std::string segment_field;
  std::vector<SegmentText> segments;
  bool skips_other_segments = false;
  std::string record_number, occurrence_number, record_length_column;

  files::ColumnRules rules;

  // The narrowest of "NAME.TABLE" and "NAME"; empty where neither is said.
  std::string ForTable(std::string_view name, const std::string& file,
                       const std::string& table) const;
  // Whether a column's bytes, asked for as binary, are hexadecimal or base64 text.
  bool BinaryIsText(std::string_view table, std::string_view column) const;
};

struct SourceSettings {
  CopybookSettings format;
  files::FileSettings files;
};

// DEFINITION_INVALID naming every wrong setting at once.
absl::StatusOr<SourceSettings> ParseSettings(const Settings& settings);

}  // namespace sluice::adapters::copybook
