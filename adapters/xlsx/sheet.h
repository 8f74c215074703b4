// The rows of a sheet as they stand in its part, one after the other.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/xlsx/text.h"
#include "adapters/xlsx/workbook.h"
#include "adapters/xlsx/xml.h"

namespace sluice::adapters::xlsx {

inline constexpr uint32_t kMostSheetColumns = 16'384;
inline constexpr int64_t kMostSheetRows = 16'777'216;

enum class CellKind : uint8_t {
  kEmpty,
  kText,
  kShared,  // the number of a shared text
  kNumber,
  kDate,  // a number that is shown as a date
  kTime,  // … as a time of day
  kBool,  // 0 or 1
  kIso,   // a date as text, in ISO 8601
  kError,
  kUnknown,  // a formula without a value
};
inline constexpr uint8_t kCellKinds = 10;

struct Cell {
  uint32_t column = 0;
  CellKind kind = CellKind::kEmpty;
  std::string value;
};

// Rows and columns from 0.
struct Area {
  uint32_t first_column = 0, last_column = 0;
  int64_t first_row = 0, last_row = 0;
};

// "BC7", or the letters or digits alone where the other is null. False for what is none.
bool ParseReference(std::string_view text, uint32_t* column, int64_t* row);
std::string ColumnLetters(uint32_t column);

class SheetEvents : public XmlEvents {
 public:
  SheetEvents(const Workbook& workbook, std::string table, size_t most_row_bytes)
      : workbook_(workbook), table_(std::move(table)), most_row_bytes_(most_row_bytes) {}
  void Start(std::string_view element, const Attributes& attributes) final;
  void End(std::string_view element) final;
  void Text(std::string_view text) final;

 protected:
  // A row that has a cell with something in it. `number` from 1, ascending; `cells` by column.
  virtual void TakeRow(int64_t number, std::vector<Cell>& cells, size_t count) = 0;
  virtual void TakeMerged(const Area& area) = 0;
  // Behind the last row.
  virtual void EndOfRows() = 0;
  const std::string& table() const { return table_; }

 private:
  void StartRow(const Attributes& attributes);
  void StartCell(const Attributes& attributes);
  void EndCell();
  absl::Status BadRow(std::string_view what) const;

  const Workbook& workbook_;
  const std::string table_;
  const size_t most_row_bytes_;
  bool in_rows_ = false, in_row_ = false, in_cell_ = false, in_value_ = false, in_inline_ = false;
  int64_t row_ = 0;
  int64_t next_column_ = 0;
  size_t row_bytes_ = 0;
  std::vector<Cell> cells_;  // kept from row to row
  size_t count_ = 0;
  // Of the cell.
  Cell* cell_ = nullptr;
  std::string type_text_;
  size_t style_ = 0;
  bool has_value_ = false, has_formula_ = false;
  RunText run_;
};

}  // namespace sluice::adapters::xlsx
