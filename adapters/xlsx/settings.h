// The settings of a source of kind `xlsx`.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "adapters/files/settings.h"

namespace sluice::adapters::xlsx {

// Where in a workbook a table stands.
struct TablePlace {
  std::string sheet;      // name or number; empty for the only one
  int64_t first_row = 0;  // of the header; 0 for the first that is not empty
  int64_t header_rows = 1;
};

// How workbooks are read, wherever they are.
struct XlsxSettings {
  Settings places;  // "sheet", "first_row.TABLE", …
  bool skips_blank_rows = false;
  bool ignores_extra_cells = false;
  int64_t most_unpacked_bytes = int64_t{1} << 30;
  int64_t most_row_bytes = 8 << 20;
  files::ColumnRules rules;
  // The narrowest that is said of the table.
  TablePlace PlaceOf(const std::string& table) const;
  // Of a file whose table is FILE, not FILE/SHEET.
  bool SaysSheet(const std::string& file) const;
};

struct SourceSettings {
  XlsxSettings format;
  files::FileSettings files;
};

// DEFINITION_INVALID naming every wrong setting at once.
absl::StatusOr<SourceSettings> ParseSettings(const Settings& settings);

}  // namespace sluice::adapters::xlsx
