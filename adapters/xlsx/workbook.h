// What a workbook says of itself: its sheets, which date serials begin with, which cell formats are
// dates, and which parts hold what. ECMA-376 part 1 (SpreadsheetML) and 2 (packages).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "adapters/xlsx/archive.h"
#include "adapters/xlsx/xml.h"

namespace sluice::adapters::xlsx {

// What a cell's number is, by its format.
enum class NumberKind : uint8_t { kNumber, kDate, kTime };  // kDate with or without a time of day

// Of a number format's code, as it stands in the file: yyyy\-mm\-dd.
NumberKind KindOfFormat(std::string_view code);
// Of those that every workbook has.
NumberKind KindOfBuiltIn(int id);

struct Sheet {
  std::string name;  // UTF-8
  std::string part;
  bool visible = true;
};

struct Workbook {
  std::vector<Sheet> sheets;
  bool from_1904 = false;
  std::string shared_strings;      // its part; empty where there is none
  std::vector<NumberKind> styles;  // of each cell format
  NumberKind KindOfStyle(size_t style) const {
    return style < styles.size() ? styles[style] : NumberKind::kNumber;
  }
};

// SOURCE_BAD_VALUE for what is no workbook that can be read. `with_styles`: those too.
absl::StatusOr<Workbook> ReadWorkbook(Archive& archive, const std::string& table, bool with_styles,
                                      const files::Watch& watch);

}  // namespace sluice::adapters::xlsx
